//! Sorting a library from the command line: collections, tags, saved searches, and many chats at once with a way back.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use serde_json::Value;

use crate::world::{finished, offline, text};

/// Three chats, the newest last.
fn asked(home: &Home) -> Result<Vec<String>> {
    let ask = |question| finished(&home.run(["ask", "--in", "guide", "--json", question])?.succeeded()?);
    let questions = [
        "how do I use my own SearXNG?",
        "how do I make a backup?",
        "what does it cost per month?",
    ];
    questions
        .into_iter()
        .map(|question| Ok(text(&ask(question)?["chat_id"])))
        .collect()
}

fn json(home: &Home, args: &[&str]) -> Result<Value> {
    home.run([args, &["--json"]].concat())?.succeeded()?.json()
}

/// Ids of a list, in an order of their own.
fn listed(home: &Home, narrowed: &[&str]) -> Result<Vec<String>> {
    let list = json(home, &[&["chats", "list"], narrowed].concat())?;
    let mut ids: Vec<String> = list
        .as_array()
        .context("a list")?
        .iter()
        .map(|chat| text(&chat["id"]))
        .collect();
    ids.sort();
    Ok(ids)
}

fn undo(home: &Home, told: &Value) -> Result<Ran> {
    let mut child = home
        .command(["chats", "undo", "--json"])?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("its input")?
        .write_all(told.to_string().as_bytes())?;
    Ok(Ran::from(child.wait_with_output()?))
}

#[test]
fn chats_go_into_collections_and_get_tags_and_are_found_by_both() -> Result<()> {
    let home = offline()?;
    let chats = asked(&home)?;
    let [searx, backup, cost] = [0, 1, 2].map(|at| chats[at].as_str());
    json(&home, &["chats", "collections", "add", "Set up"])?;
    let again = home.run(["chats", "collections", "add", "SET UP"])?;
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    json(&home, &["chats", "move", searx, backup, "--to", "set up"])?;
    assert_eq!(home.run(["chats", "move", searx, "--to", "Nowhere"])?.code, Some(3));
    json(&home, &["chats", "tag", "Later", backup, cost])?;

    let both = |a: &str, b: &str| {
        let mut ids = vec![a.to_owned(), b.to_owned()];
        ids.sort();
        ids
    };
    assert_eq!(listed(&home, &["--collection", "Set up"])?, both(searx, backup));
    assert_eq!(listed(&home, &["--tag", "LATER"])?, both(backup, cost));
    assert_eq!(listed(&home, &["--collection", "Set up", "--tag", "later"])?, [backup]);
    let tags = home.run(["chats", "tags"])?.succeeded()?;
    assert_eq!(tags.stdout, "Later  2\n");

    let found = json(
        &home,
        &[
            "chats",
            "search",
            "deepsearch",
            "--tag",
            "later",
            "--collection",
            "set up",
        ],
    )?;
    let hits = found["hits"].as_array().context("hits")?;
    assert!(
        !hits.is_empty() && hits.iter().all(|hit| hit["chat_id"] == *backup),
        "{found}"
    );

    let left = json(&home, &["chats", "collections", "delete", "Set up"])?;
    assert_eq!(left, serde_json::json!([]));
    assert_eq!(listed(&home, &[])?.len(), 3, "its chats stay");
    Ok(())
}

#[test]
fn a_collection_and_a_tag_go_out_and_are_there_again_in_another_library() -> Result<()> {
    let (home, other) = (offline()?, offline()?);
    let chats = asked(&home)?;
    let [searx, backup, cost] = [0, 1, 2].map(|at| chats[at].as_str());
    json(&home, &["chats", "collections", "add", "Set up"])?;
    json(&home, &["chats", "move", searx, backup, "--to", "Set up"])?;
    json(&home, &["chats", "tag", "Later", backup, cost])?;

    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (some, tagged, zip) = (file("some.json"), file("tagged.json"), file("some.zip"));
    let told = json(&home, &["export", "--collection", "SET UP", "-o", &some])?;
    assert_eq!(told["chats"], 2);
    json(&home, &["export", "--tag", "later", "-o", &tagged])?;
    for format in ["markdown", "html"] {
        let told = json(
            &home,
            &["export", "--collection", "Set up", "--format", format, "-o", &zip],
        )?;
        assert_eq!(told["chats"], 2);
        assert!(std::fs::read(&zip)?.starts_with(b"PK"));
    }

    // What there is not is told with what there is, and nothing is written.
    let nowhere = file("nowhere.json");
    for (kind, known) in [("--collection", "`Set up`"), ("--tag", "`Later`")] {
        let refused = home.run(["export", kind, "Nowhere", "-o", &nowhere])?;
        assert_eq!(refused.code, Some(3), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("`Nowhere`") && refused.stderr.contains(known),
            "{}",
            refused.stderr
        );
    }
    json(&home, &["chats", "collections", "add", "Empty"])?;
    assert_eq!(
        home.run(["export", "--collection", "Empty", "-o", &nowhere])?.code,
        Some(3)
    );
    assert!(!std::fs::exists(&nowhere)?);
    for unclear in [
        &["export"][..],
        &["export", "--all", "--tag", "Later"],
        &["export", searx, "--collection", "Set up"],
    ] {
        assert_eq!(home.run(unclear)?.code, Some(2), "{unclear:?}");
    }

    let report = json(&other, &["import", &some])?;
    assert_eq!(
        (&report["added"], &report["left_out"]),
        (&2.into(), &serde_json::json!({}))
    );
    assert_eq!(listed(&other, &["--collection", "Set up"])?.len(), 2);
    assert_eq!(listed(&other, &["--tag", "Later"])?, [backup]);
    json(&other, &["import", &tagged])?;
    assert_eq!(listed(&other, &["--tag", "Later"])?.len(), 2);
    assert_eq!(listed(&other, &["--collection", "Set up"])?.len(), 2);

    // Where its owner put a chat since, importing again leaves it.
    json(&other, &["chats", "move", searx, "--out"])?;
    json(&other, &["import", &some])?;
    assert_eq!(listed(&other, &["--collection", "Set up"])?, [backup]);
    Ok(())
}

#[test]
fn a_saved_search_is_asked_again_by_its_name() -> Result<()> {
    let home = offline()?;
    let chats = asked(&home)?;
    home.run(["chats", "tag", "mine", &chats[0]])?.succeeded()?;
    let save = [
        "chats",
        "searches",
        "save",
        "My search engine",
        "searxng",
        "--tag",
        "mine",
        "--days",
        "7",
    ];
    home.run(save)?.succeeded()?;
    let found = json(&home, &["chats", "searches", "run", "MY SEARCH ENGINE"])?;
    let hits = found["hits"].as_array().context("hits")?;
    assert!(
        !hits.is_empty() && hits.iter().all(|hit| hit["chat_id"] == *chats[0]),
        "{found}"
    );
    home.run(["chats", "untag", "mine", &chats[0]])?.succeeded()?;
    assert_eq!(
        home.run(["chats", "searches", "run", "my search engine"])?.code,
        Some(7)
    );
    home.run(["chats", "searches", "delete", "my search engine"])?
        .succeeded()?;
    assert_eq!(
        home.run(["chats", "searches", "run", "my search engine"])?.code,
        Some(3)
    );
    Ok(())
}

#[test]
fn many_chats_are_changed_at_once_and_each_is_given_back_as_it_was() -> Result<()> {
    let home = offline()?;
    let chats = asked(&home)?;
    let ids: Vec<&str> = chats.iter().map(String::as_str).collect();
    home.run(["chats", "pin", ids[0]])?.succeeded()?;
    let show = || -> Result<Vec<Value>> {
        let each = ids
            .iter()
            .map(|id| Ok(json(&home, &["chats", "show", id])?["chat"].take()));
        each.collect()
    };
    let before = show()?;

    for change in [&["chats", "delete"][..], &["chats", "archive"], &["chats", "pin"]] {
        let told = json(&home, &[change, &ids].concat())?;
        assert_ne!(show()?, before, "{change:?}");
        let undone = undo(&home, &told)?.succeeded()?.json()?;
        assert_eq!(show()?, before, "{change:?}");
        assert_eq!(
            undone["changed"].as_array().map(Vec::len),
            told["changed"].as_array().map(Vec::len)
        );
    }
    assert_eq!(undo(&home, &serde_json::json!({"nothing": 1}))?.code, Some(2));

    let missing = home.run(["chats", "archive", ids[0], "chat_nothing"])?;
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
    Ok(())
}
