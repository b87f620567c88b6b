//! What happens to files, between scans and while they are watched.

use std::time::{Duration, Instant};

use deepsearch_files::{Files, Rules};

use sqlx::{Connection as _, SqliteConnection};

use crate::support::{Desk, found, has_parser, open, open_with, query};

#[tokio::test]
async fn only_what_changed_is_read_again() {
    let desk = Desk::new().await;
    for number in 0..20 {
        desk.write(&format!("{number}.md"), format!("File number {number} about granite."));
    }
    assert_eq!(desk.files.scan().await.unwrap().read, 20);
    assert_eq!(desk.files.scan().await.unwrap().read, 0);
    desk.write("3.md", "Now it is about marble, at another length.");
    std::fs::remove_file(desk.path("4.md")).unwrap();
    std::fs::rename(desk.path("5.md"), desk.path("five.md")).unwrap();
    let report = desk.files.scan().await.unwrap();
    assert_eq!((report.seen, report.read, report.removed), (19, 2, 2));
    assert_eq!(desk.names("marble").await, ["3.md"]);
    assert_eq!(desk.names("number 5 granite").await[0], "five.md");
}

#[tokio::test]
async fn a_file_with_another_time_and_the_same_bytes_is_not_indexed_again() {
    let desk = Desk::new().await;
    let path = desk.write("a.md", "The same text.");
    desk.files.scan().await.unwrap();
    let later = std::fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_secs(60);
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert_eq!(desk.files.scan().await.unwrap().read, 0);
    assert_eq!(desk.names("same text").await, ["a.md"]);
}

#[tokio::test]
async fn what_is_known_stays_while_a_disk_is_away() {
    let desk = Desk::new().await;
    desk.write("a.md", "The orchard has forty trees.");
    desk.files.scan().await.unwrap();
    let folder = desk.path("");
    let away = folder.with_file_name("away");
    std::fs::rename(&folder, &away).unwrap();
    assert_eq!(desk.files.scan().await.unwrap().removed, 0);
    assert!(!desk.files.list().await.unwrap()[0].exists);
    std::fs::rename(&away, &folder).unwrap();
    assert_eq!(desk.names("orchard").await, ["a.md"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_permission_is_told_of_and_read_once_there_is_some() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new().await;
    let path = desk.write("a.md", "The orchard has forty trees.");
    let allow = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o000);
    if std::fs::read(&path).is_ok() {
        // Whoever may read everything, as root, cannot be refused.
        return;
    }
    assert_eq!(desk.files.scan().await.unwrap().problems, 1);
    assert_eq!(
        desk.problem("a.md").await.as_deref(),
        Some("You have no permission to read it.")
    );
    allow(0o600);
    desk.files.scan().await.unwrap();
    assert_eq!(desk.problem("a.md").await, None);
    assert_eq!(desk.names("orchard").await, ["a.md"]);
}

#[tokio::test]
async fn what_was_too_large_is_read_once_the_limit_is_raised() {
    let desk = Desk::new().await;
    let limit = |largest| {
        desk.configure(Rules {
            largest,
            ..Rules::default()
        });
    };
    limit(1 << 20);
    desk.write("large.txt", "The orchard has forty trees. ".repeat(50_000));
    assert_eq!(desk.files.scan().await.unwrap().problems, 1);
    limit(2 << 20);
    assert_eq!(desk.files.scan().await.unwrap().read, 1);
    assert_eq!(desk.problem("large.txt").await, None);
    assert_eq!(desk.names("orchard").await, ["large.txt"]);
}

#[tokio::test]
async fn what_cost_its_parser_is_read_with_a_later_scan() {
    if !has_parser() {
        return;
    }
    let desk = Desk::new().await;
    let index = desk.index().with_file_name("other.sqlite");
    desk.write("a.html", "<title>Trees</title><p>The orchard has forty trees.</p>");
    let files = open_with(&index, "/no/such/parser".into()).await;
    files.configure(desk.files.folders(), Rules::default());
    assert_eq!(files.scan().await.unwrap().problems, 1);
    assert_eq!(files.scan().await.unwrap().read, 0, "nothing has changed");
    files.close().await;
    let files = open(&index).await;
    files.configure(desk.files.folders(), Rules::default());
    assert_eq!(files.scan().await.unwrap().read, 1);
    assert_eq!(found(&files, &query("orchard")).await.len(), 1);
}

#[tokio::test]
async fn another_version_of_the_program_tries_what_holds_no_text() {
    let desk = Desk::new().await;
    desk.write("noise.txt", [0, 159, 146, 150].repeat(1024));
    desk.write("a.md", "The orchard has forty trees.");
    assert_eq!(desk.files.scan().await.unwrap().read, 2);
    desk.files.close().await;
    let reopened = async || {
        let files = open(&desk.index()).await;
        files.configure(desk.files.folders(), Rules::default());
        let read = files.scan().await.unwrap().read;
        files.close().await;
        read
    };
    assert_eq!(reopened().await, 0);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(desk.index());
    let mut index = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("update reader set program = '0.0.1'")
        .execute(&mut index)
        .await
        .unwrap();
    index.close().await.unwrap();
    assert_eq!(reopened().await, 1);
    assert_eq!(reopened().await, 0);
}

// Other systems know no such names.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_no_text_stays_among_the_problems() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = Desk::new().await;
    let folder = desk.path("").join(std::ffi::OsStr::from_bytes(b"trees\xff"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.md"), "The orchard has forty trees.").unwrap();
    assert_eq!(desk.files.scan().await.unwrap().problems, 1);
    for _ in 0..2 {
        let report = desk.files.scan().await.unwrap();
        assert_eq!((report.problems, report.removed), (0, 0));
        assert_eq!(desk.files.problems("", 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn large_files_are_written_before_a_whole_batch_of_them_is_read() {
    let desk = Desk::new().await;
    for number in 0..12 {
        desk.write(&format!("{number}.txt"), "orchard ".repeat(512 << 10));
    }
    let indexed = async || desk.files.list().await.unwrap()[0].files;
    let scan = desk.files.scan();
    tokio::pin!(scan);
    let mut counts = std::collections::BTreeSet::new();
    loop {
        tokio::select! {
            report = &mut scan => break assert_eq!(report.unwrap().read, 12),
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
        counts.insert(indexed().await);
    }
    assert!(counts.iter().any(|count| (1..12).contains(count)), "{counts:?}");
    assert_eq!(indexed().await, 12);
}

#[tokio::test]
async fn what_is_forgotten_while_it_is_looked_through_stays_forgotten() {
    let desk = Desk::new().await;
    for number in 0..4_000 {
        desk.write(&format!("{number}.md"), format!("The kettle has number {number}."));
    }
    let files = desk.files.clone();
    let scan = tokio::spawn(async move { files.scan().await });
    let mut progress = desk.files.progress();
    progress.wait_for(|progress| progress.seen > 0).await.unwrap();
    desk.files.configure(Vec::new(), Rules::default());
    desk.files.forget().await.unwrap();
    let report = scan.await.unwrap().unwrap();
    assert!(report.seen < 4_000, "it ended with its folder");
    desk.configure(Rules::default());
    assert_eq!(desk.files.list().await.unwrap()[0].files, 0);
}

#[tokio::test]
async fn what_is_too_large_empty_or_no_text_is_told_with_its_reason() {
    let desk = Desk::new().await;
    desk.configure(Rules {
        largest: 1 << 20,
        ..Rules::default()
    });
    desk.write("large.txt", vec![b'x'; (1 << 20) + 1]);
    desk.write("empty.txt", "");
    desk.write("noise.txt", [0, 159, 146, 150].repeat(1024));
    assert_eq!(desk.files.scan().await.unwrap().problems, 3);
    assert!(desk.problem("large.txt").await.unwrap().contains("larger than 1 MB"));
    assert_eq!(desk.problem("empty.txt").await.as_deref(), Some("It is empty."));
    assert!(desk.problem("noise.txt").await.unwrap().contains("no text"));
    let listed = desk.files.list().await.unwrap().remove(0);
    assert_eq!((listed.files, listed.problems), (0, 3));
    assert_eq!(
        desk.files.scan().await.unwrap().read,
        0,
        "nothing of it is tried again until it changes"
    );
}

#[tokio::test]
async fn pausing_stops_a_scan_and_what_was_read_is_kept() {
    let desk = Desk::new().await;
    desk.write("a.md", "The orchard has forty trees.");
    desk.files.scan().await.unwrap();
    desk.write("b.md", "The orchard has a gate.");
    desk.files.pause();
    let report = desk.files.scan().await.unwrap();
    assert!(report.paused);
    assert_eq!(desk.names("orchard").await, ["a.md"], "nothing is lost by pausing");
    desk.files.resume();
    assert_eq!(desk.files.scan().await.unwrap().read, 1);
}

#[tokio::test]
async fn a_first_look_that_was_paused_goes_on_by_itself_when_it_is_resumed() {
    let desk = Desk::new().await;
    for number in 0..4_000 {
        desk.write(
            &format!("{}/{number}.md", number % 40),
            format!("The kettle has number {number}."),
        );
    }
    let files = desk.files.clone();
    let watching = tokio::spawn(async move { files.watch().await });
    let mut progress = desk.files.progress();
    progress.wait_for(|progress| progress.seen > 0).await.unwrap();
    desk.files.pause();
    progress.wait_for(|progress| progress.folder.is_none()).await.unwrap();
    let first = desk.files.list().await.unwrap()[0].files;
    assert!(
        (1..4_000).contains(&first),
        "{first} were read before the pause took hold"
    );
    desk.files.resume();
    let started = Instant::now();
    while desk.files.list().await.unwrap()[0].files < 4_000 {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watching.abort();
}

#[tokio::test]
async fn changes_are_noticed_while_watching() {
    let desk = Desk::new().await;
    desk.write(".gitignore", "out/\n");
    desk.write("first.md", "The copper kettle.");
    desk.write("inner/second.md", "The silver kettle.");
    let files = desk.files.clone();
    let watching = tokio::spawn(async move { files.watch().await });
    until(&desk, "kettle", &["first.md", "second.md"]).await;

    desk.write("inner/deep/third.md", "The golden kettle.");
    desk.write("out/built.md", "The built kettle.");
    until(&desk, "kettle", &["first.md", "second.md", "third.md"]).await;
    std::fs::rename(desk.path("inner"), desk.path("outer")).unwrap();
    std::fs::rename(desk.path("first.md"), desk.path("renamed.md")).unwrap();
    until(&desk, "kettle", &["renamed.md", "second.md", "third.md"]).await;
    std::fs::remove_dir_all(desk.path("outer")).unwrap();
    desk.write("renamed.md", "The kettle boils over.");
    until(&desk, "kettle", &["renamed.md"]).await;
    until(&desk, "boils", &["renamed.md"]).await;
    watching.abort();
}

async fn until(desk: &Desk, question: &str, expected: &[&str]) {
    let started = Instant::now();
    loop {
        let mut names = desk.names(question).await;
        names.sort();
        if names == expected {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{names:?} instead of {expected:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn ten_thousand_files_are_indexed_and_searched() {
    let desk = Desk::new().await;
    for number in 0..10_000 {
        let text = format!(
            "# Report {number}\n\nStation {number} measured {} millimetres of rain.\n",
            number % 97
        );
        desk.write(&format!("{}/{number}.md", number % 100), text);
    }
    assert_eq!(desk.files.scan().await.unwrap().read, 10_000);
    assert_eq!(desk.names("report 7311").await[0], "7311.md");
    let started = Instant::now();
    assert_eq!(
        desk.hits("How many millimetres of rain did the station measure?")
            .await
            .len(),
        10
    );
    // A generous bound: the bench has the figures.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(rescan(&desk.files).await, 0);
}

async fn rescan(files: &Files) -> u64 {
    files.scan().await.unwrap().read
}
