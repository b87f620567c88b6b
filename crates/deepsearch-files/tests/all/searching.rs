//! What is found, and what is left alone.

use std::path::Path;
use std::time::{Duration, Instant};

use deepsearch_core::{PageFetcher as _, SearchEngine as _, SearchQuery, TimeRange};
use deepsearch_files::Rules;

use crate::support::{Desk, found, open, query};

#[tokio::test]
async fn a_file_is_found_by_its_words_and_read_as_it_is() {
    let desk = Desk::new().await;
    desk.write(
        "notes/march.md",
        "# Meeting in March\n\nWe agreed to rotate the keys every ninety days.\n",
    );
    desk.write("notes/april.md", "# Meeting in April\n\nNothing was decided.\n");
    let report = desk.files.scan().await.unwrap();
    assert_eq!((report.seen, report.read, report.problems), (2, 2, 0));

    let hits = desk.hits("How often do we rotate keys?").await;
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].title, "Meeting in March (march.md)");
    let page = desk.files.fetch(&hits[0].url.parse().unwrap()).await.unwrap();
    let cited = page.sentences.iter().map(|span| page.quote(*span)).collect::<Vec<_>>();
    assert!(
        cited.contains(&"We agreed to rotate the keys every ninety days."),
        "{cited:?}"
    );
}

#[tokio::test]
async fn an_address_does_not_say_where_a_file_lies_and_leads_only_to_known_files() {
    let desk = Desk::new().await;
    let path = desk.write("secret plans/Übersicht.md", "The lighthouse is to be painted red.");
    desk.files.scan().await.unwrap();
    let url = desk.hits("lighthouse").await.remove(0).url;
    assert!(!url.contains("secret") && url.ends_with("%C3%9Cbersicht.md"), "{url}");
    assert_eq!(desk.files.path_of(&url.parse().unwrap()).await.unwrap(), Some(path));
    for stranger in [
        "files:/etc/passwd",
        "files:000000000000000000000000/x",
        "file:///etc/passwd",
    ] {
        assert_eq!(
            desk.files.path_of(&stranger.parse().unwrap()).await.unwrap(),
            None,
            "{stranger}"
        );
        assert!(
            desk.files.fetch(&stranger.parse().unwrap()).await.is_err(),
            "{stranger}"
        );
    }
}

#[tokio::test]
async fn files_with_all_words_come_before_those_with_some() {
    let desk = Desk::new().await;
    desk.write("some.md", "The harbour harbour harbour was closed.");
    desk.write("all.md", "The harbour was dredged in autumn, and reopened.");
    desk.files.scan().await.unwrap();
    assert_eq!(desk.names("harbour dredged autumn").await, ["all.md", "some.md"]);
}

#[tokio::test]
async fn languages_without_spaces_are_searched_too() {
    let desk = Desk::new().await;
    desk.write("ja.txt", "東京駅の改札口は二階にあります。");
    desk.write("de.txt", "Die Straßenbahn hält am Münsterplatz.");
    desk.files.scan().await.unwrap();
    assert_eq!(desk.names("改札口はどこですか").await, ["ja.txt"]);
    assert_eq!(desk.names("munsterplatz").await, ["de.txt"]);
}

#[tokio::test]
async fn what_is_ignored_hidden_or_no_text_is_left_out() {
    let desk = Desk::new().await;
    desk.write(".gitignore", "build/\n*.log\n");
    desk.write("src/main.rs", "fn lantern() {}");
    desk.write("build/main.rs", "fn lantern() {}");
    desk.write("run.log", "lantern");
    desk.write(".hidden/notes.md", "lantern");
    desk.write("node_modules/a/index.js", "lantern");
    desk.write("lantern.png", [0x89, b'P', b'N', b'G']);
    desk.files.scan().await.unwrap();
    assert_eq!(desk.names("lantern").await, ["main.rs"]);
    assert!(desk.files.problems("", 10).await.unwrap().is_empty());

    desk.configure(Rules {
        hidden: true,
        ignore_files: false,
        ..Rules::default()
    });
    desk.files.scan().await.unwrap();
    let mut names = desk.names("lantern").await;
    names.sort();
    assert_eq!(names, ["main.rs", "main.rs", "notes.md", "run.log"]);
}

#[cfg(unix)]
#[tokio::test]
async fn loops_of_links_end_and_nothing_outside_the_folder_is_read() {
    let desk = Desk::new().await;
    desk.write("a/cellar.md", "The cellar is dry.");
    std::os::unix::fs::symlink(desk.path("a"), desk.path("a/again")).unwrap();
    std::os::unix::fs::symlink("/etc", desk.path("system")).unwrap();
    let outside = desk.index().with_file_name("outside.md");
    std::fs::write(&outside, "The cellar of a neighbour.").unwrap();
    std::os::unix::fs::symlink(&outside, desk.path("linked.md")).unwrap();
    assert_eq!(desk.files.scan().await.unwrap().seen, 1);
    assert_eq!(desk.names("cellar").await, ["cellar.md"]);
}

#[tokio::test]
async fn a_folder_that_was_taken_away_is_not_found_from_that_moment() {
    let desk = Desk::new().await;
    desk.write("a.md", "The orchard has forty trees.");
    desk.files.scan().await.unwrap();
    desk.files.configure(Vec::new(), Rules::default());
    assert!(desk.hits("orchard").await.is_empty());
    desk.files.forget().await.unwrap();
    desk.configure(Rules::default());
    assert!(desk.hits("orchard").await.is_empty());
}

#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let desk = Desk::new().await;
    desk.write("a.md", "The orchard has forty trees.");
    desk.files.scan().await.unwrap();
    desk.files.close().await;
    std::fs::write(desk.index(), "this is no database at all, whatever its name says").unwrap();
    let files = open(&desk.index()).await;
    files.configure(desk.files.folders(), Rules::default());
    assert_eq!(files.scan().await.unwrap().read, 1);
}

/// Writes over the middle of the index, whose first page says what is in it.
fn damage(index: &Path) {
    let mut bytes = std::fs::read(index).unwrap();
    let page = 4096;
    assert!(bytes.len() > 40 * page);
    let end = bytes.len() - page;
    bytes[12 * page..end].fill(0xa5);
    std::fs::write(index, bytes).unwrap();
}

async fn damaged_desk() -> Desk {
    let desk = Desk::new().await;
    for number in 0..500 {
        let text = format!("Kettle number {number} of orchard {}.", number % 7).repeat(20);
        desk.write(&format!("{number}.md"), text);
    }
    desk.files.scan().await.unwrap();
    desk.files.close().await;
    damage(&desk.index());
    desk
}

#[tokio::test]
async fn an_index_that_is_damaged_in_the_middle_is_made_anew_by_the_scan_that_meets_it() {
    let desk = damaged_desk().await;
    let files = open(&desk.index()).await;
    files.configure(desk.files.folders(), Rules::default());
    // What a search meets, the next scan knows, although it would not come there itself.
    assert!(files.search(&query("kettle 33")).await.is_err());
    assert_eq!(files.scan().await.unwrap().read, 500);
    assert_eq!(found(&files, &query("kettle 33")).await[0].title, "33.md");
    assert_eq!(files.scan().await.unwrap().read, 0);
}

#[tokio::test]
async fn a_damage_that_a_search_met_is_mended_by_the_next_program() {
    let desk = damaged_desk().await;
    let files = open(&desk.index()).await;
    files.configure(desk.files.folders(), Rules::default());
    assert!(files.search(&query("kettle 33")).await.is_err());
    files.close().await;
    for read in [500, 0] {
        let files = open(&desk.index()).await;
        files.configure(desk.files.folders(), Rules::default());
        assert_eq!(files.scan().await.unwrap().read, read);
        files.close().await;
    }
}

#[tokio::test]
async fn a_damage_that_a_search_met_is_mended_while_the_folders_are_watched() {
    let desk = damaged_desk().await;
    let files = open(&desk.index()).await;
    files.configure(desk.files.folders(), Rules::default());
    let watched = files.clone();
    let watching = tokio::spawn(async move { watched.watch().await });
    let started = Instant::now();
    while files.search(&query("kettle 33")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watching.abort();
}

#[tokio::test]
async fn recent_files_are_found_behind_any_number_of_old_ones() {
    let desk = Desk::new().await;
    for number in 0..300 {
        let path = desk.write(&format!("{number}.md"), "The orchard, the orchard, the orchard.");
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - Duration::from_secs(400 * 86_400)).unwrap();
    }
    desk.write(
        "new.md",
        format!("The orchard has forty trees. {}", "And more. ".repeat(200)),
    );
    desk.files.scan().await.unwrap();
    let recent = SearchQuery {
        time_range: Some(TimeRange::Week),
        ..query("orchard")
    };
    let hits = found(&desk.files, &recent).await;
    assert_eq!(hits.len(), 1);
    assert!(hits[0].url.ends_with("/new.md"), "{}", hits[0].url);
}

#[tokio::test]
async fn a_folder_within_another_is_not_searched_twice() {
    let desk = Desk::new().await;
    desk.write("inner/a.md", "x");
    assert!(desk.files.check(&desk.path("inner")).is_err());
    assert!(desk.files.check(&desk.path("inner/a.md")).is_err());
    assert!(desk.files.check(&desk.path("nowhere")).is_err());
}

#[tokio::test]
async fn a_question_is_never_an_expression() {
    let desk = Desk::new().await;
    desk.write("a.md", "A quoted word.");
    desk.files.scan().await.unwrap();
    for question in [
        "\"",
        "a AND",
        "title:quoted",
        "quoted OR *",
        "NEAR(quoted word)",
        "'; drop table file; --",
        "-",
        "^",
    ] {
        let _ = desk.hits(question).await;
    }
    assert_eq!(desk.names("quoted").await, ["a.md"]);
}
