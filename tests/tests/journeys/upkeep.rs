//! Looking after what was kept: sorting chats, Trash, backups, two commands at once, and the doctor.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use serde_json::{Value, json};

use crate::world::{chats, finished, offline, text};

const QUESTION: &str = "how do I use my own SearXNG?";

fn ask(home: &Home, question: &str) -> Result<Value> {
    finished(&home.run(["ask", "--in", "guide", "--json", question])?.succeeded()?)
}

fn listed(home: &Home, view: &str) -> Result<Vec<String>> {
    let list = home
        .run(["chats", "list", "--view", view, "--json"])?
        .succeeded()?
        .json()?;
    let ids = list.as_array().context("a list")?.iter().map(|chat| text(&chat["id"]));
    Ok(ids.collect())
}

#[test]
fn a_chat_is_renamed_pinned_put_away_thrown_away_and_brought_back() -> Result<()> {
    let home = offline()?;
    let id = text(&ask(&home, QUESTION)?["chat_id"]);
    let other = text(&ask(&home, "how do I make a backup?")?["chat_id"]);
    assert_eq!(
        listed(&home, "active")?,
        [other.clone(), id.clone()],
        "the latest activity first"
    );

    home.run(["chats", "rename", &id, "My search engine"])?.succeeded()?;
    let shown = home.run(["chats", "show", &id])?.succeeded()?;
    assert!(shown.stdout.starts_with("My search engine\n"), "{}", shown.stdout);
    assert_eq!(home.run(["chats", "rename", &id, "  "])?.code, Some(2));
    assert_eq!(home.run(["chats", "rename", &id, &"x".repeat(501)])?.code, Some(2));

    home.run(["chats", "pin", &id])?.succeeded()?;
    assert_eq!(listed(&home, "pinned")?, std::slice::from_ref(&id));
    home.run(["chats", "archive", &other])?.succeeded()?;
    assert_eq!(
        (listed(&home, "archived")?, listed(&home, "active")?),
        (vec![other.clone()], vec![id.clone()])
    );

    home.run(["chats", "delete", &id])?.succeeded()?;
    assert_eq!(
        (listed(&home, "trash")?, listed(&home, "active")?),
        (vec![id.clone()], Vec::new())
    );
    let found = home.run(["chats", "search", "SearXNG", "--json"])?;
    let in_trash = found.json()?["hits"]
        .as_array()
        .is_some_and(|hits| hits.iter().any(|hit| hit["chat_id"] == *id));
    assert!(!in_trash, "what is in Trash is not found: {}", found.stdout);
    home.run(["chats", "restore", &id])?.succeeded()?;
    assert_eq!(listed(&home, "active")?, std::slice::from_ref(&id));
    home.run(["chats", "delete", "--forever", &id])?.succeeded()?;
    assert_eq!(home.run(["chats", "show", &id])?.code, Some(3));
    Ok(())
}

#[test]
fn a_backup_brings_back_what_was_deleted_for_good() -> Result<()> {
    let home = offline()?;
    let message = ask(&home, QUESTION)?;
    let id = text(&message["chat_id"]);
    home.run(["backup", "create"])?.succeeded()?;
    let list = home.run(["backup", "list", "--json"])?.succeeded()?.json()?;
    let path = std::path::PathBuf::from(text(&list[0]["path"]));
    let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
    home.run(["chats", "delete", "--forever", &id])?.succeeded()?;
    assert_eq!(chats(&home)?, 0);
    let later = text(&ask(&home, "how do I make a backup?")?["chat_id"]);

    home.run(["backup", "restore", &name])?.succeeded()?;
    let shown = home.run(["chats", "show", &id, "--json"])?.succeeded()?.json()?;
    assert_eq!(shown["messages"][1]["content"], message["content"]);
    // What was there before the restore was backed up first.
    assert_eq!(home.run(["chats", "show", &later])?.code, Some(3));
    let list = home.run(["backup", "list", "--json"])?.succeeded()?.json()?;
    assert!(list.as_array().is_some_and(|list| list.len() >= 2), "{list}");
    Ok(())
}

#[test]
fn commands_at_the_same_time_share_a_data_folder_and_lose_nothing() -> Result<()> {
    let home = offline()?;
    let running: Vec<_> = (0..6)
        .map(|_| home.spawn(["ask", "--in", "guide", "--json", QUESTION]))
        .collect::<Result<_>>()?;
    for child in running {
        let output = child.wait_with_output()?;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(chats(&home)?, 6);
    Ok(())
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() -> Result<()> {
    let home = offline()?;
    let ran = home.run(["doctor"])?;
    assert_eq!(ran.code, Some(4), "no engine can be reached: {}", ran.stdout);
    for says in [
        "data folder",
        "can be read and written",
        "wikipedia cannot be reached",
        "There is no language model",
    ] {
        assert!(ran.stdout.contains(says), "{says} in {}", ran.stdout);
    }
    let findings = home.run(["doctor", "--json"])?.json()?;
    let problems = findings
        .as_array()
        .context("findings")?
        .iter()
        .filter(|finding| finding["grade"] == json!("bad"));
    for problem in problems {
        assert!(!text(&problem["advice"]).is_empty(), "{problem}");
    }
    Ok(())
}
