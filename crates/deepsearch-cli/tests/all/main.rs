//! Promises of the command itself: what goes where, and with which exit code. Whole journeys are in the workspace's
//! `tests/`.

mod db;
mod mcp;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

fn deepsearch(home: &TempDir) -> Command {
    let mut command = Command::cargo_bin("deepsearch").unwrap();
    command
        .env("DEEPSEARCH_HOME", home.path())
        .env("DEEPSEARCH_MODELS__DISCOVER_LOCAL", "false");
    command.timeout(std::time::Duration::from_secs(120));
    command
}

fn stdout(command: &mut Command, code: i32) -> String {
    let ran = command.assert().code(code);
    String::from_utf8(ran.get_output().stdout.clone()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_guide_answers_offline_and_the_answer_can_be_opened_again() {
    let home = tempdir().unwrap();
    let question = ["ask", "--in", "guide", "how do I use my own SearXNG?"];
    let answer = stdout(deepsearch(&home).args(question), 0);
    assert!(answer.contains("[1]") && answer.contains("guide:searxng"), "{answer}");
    let chats = json(&stdout(deepsearch(&home).args(["--json", "chats", "list"]), 0));
    let id = chats[0]["id"].as_str().unwrap();
    let open = json(&stdout(deepsearch(&home).args(["--json", "chats", "show", id]), 0));
    assert!(
        open["messages"][1]["citations"][0]["quote"]
            .as_str()
            .is_some_and(|quote| !quote.is_empty())
    );
    let found = stdout(deepsearch(&home).args(["chats", "search", "searx"]), 0);
    assert!(found.contains(id));
}

#[test]
fn as_json_ask_prints_one_event_a_line() {
    let home = tempdir().unwrap();
    let lines = stdout(
        deepsearch(&home).args(["ask", "--json", "--in", "guide", "where is my data?"]),
        0,
    );
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| json(line)["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("started"));
    assert_eq!(kinds.last().map(String::as_str), Some("finished"));
}

#[test]
fn a_failure_is_a_sentence_and_a_documented_exit_code() {
    let home = tempdir().unwrap();
    for (args, code) in [
        (vec!["ask", ""], 2),
        (vec!["chats", "show", "chat_nothing"], 3),
        (vec!["chats", "pin", "chat_nothing"], 3),
        (vec!["settings", "get", "no.such.thing"], 3),
        (vec!["settings", "set", "theme", "pink"], 2),
        (vec!["ask", "--model", "nobody/nothing", "hello there, who are you?"], 3),
        (vec!["search", "--engine", "altavista", "x"], 3),
        (
            vec!["read", "--html", "/nowhere/at/all", "--url", "https://a.example/"],
            3,
        ),
        (vec!["read", "file:///etc/passwd"], 4),
        (vec!["backup", "restore", "nothing"], 3),
        (vec!["chats", "search", "zzzzqqqq"], 7),
        (vec!["no-such-command"], 2),
    ] {
        let ran = deepsearch(&home).args(&args).assert().code(code);
        let output = ran.get_output();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            code == 7 || told.trim().ends_with(['.', '`', ':']) || told.contains("Usage"),
            "{args:?}: {told}"
        );
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    let error = json(&stdout(
        deepsearch(&home).args(["--json", "chats", "show", "chat_nothing"]),
        3,
    ));
    assert_eq!(error["error"]["code"], "not_found");
}

#[test]
fn a_backup_brings_back_what_was_deleted() {
    let home = tempdir().unwrap();
    deepsearch(&home)
        .args(["ask", "--in", "guide", "where is my data?"])
        .assert()
        .success();
    let backup = json(&stdout(deepsearch(&home).args(["--json", "backup", "create"]), 0));
    let name = std::path::Path::new(backup["path"].as_str().unwrap())
        .file_name()
        .unwrap()
        .to_owned();
    let list = json(&stdout(deepsearch(&home).args(["--json", "chats", "list"]), 0));
    let id = list[0]["id"].as_str().unwrap();
    deepsearch(&home)
        .args(["chats", "delete", "--forever", id])
        .assert()
        .success();
    deepsearch(&home).args(["chats", "show", id]).assert().code(3);
    deepsearch(&home)
        .arg("backup")
        .arg("restore")
        .arg(&name)
        .assert()
        .success();
    deepsearch(&home).args(["chats", "show", id]).assert().success();
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let home = tempdir().unwrap();
    for made in [
        stdout(deepsearch(&home).arg("man"), 0),
        stdout(deepsearch(&home).args(["completions", "bash"]), 0),
    ] {
        for command in [
            "ask", "read", "search", "chats", "settings", "models", "engines", "backup", "doctor",
        ] {
            assert!(made.contains(command), "{command}");
        }
    }
    assert!(
        std::fs::read_dir(home.path()).unwrap().next().is_none(),
        "neither needs a data folder"
    );
}
