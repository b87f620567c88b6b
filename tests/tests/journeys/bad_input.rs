//! Bad input: a clear sentence on standard error, the documented exit code, and nothing lost.

use std::ffi::OsString;
use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};

use crate::world::{chats, offline};

/// What is held of every refusal: its code, a sentence for people, a document for programs.
fn refused(home: &Home, args: &[&str], code: i32, says: &str) -> Result<()> {
    let ran = home.run(args)?;
    assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(says), "{args:?} says {}", ran.stderr);
    assert!(
        ran.stderr.trim_end().ends_with(['.', '`', ')']),
        "{args:?} says no sentence: {}",
        ran.stderr
    );
    assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);

    let ran = home.run([args, &["--json"]].concat())?;
    assert_eq!(ran.code, Some(code), "{args:?} as JSON: {}", ran.stderr);
    let error = &ran.json()?["error"];
    assert!(
        error["message"].as_str().is_some_and(|message| !message.is_empty()),
        "{args:?}: {error}"
    );
    assert!(error["code"].is_string());
    Ok(())
}

fn with_input(home: &Home, args: &[&str], input: &[u8]) -> Result<Ran> {
    let mut child = home
        .command(args)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // A command that has refused already closes its end.
    let _ = child.stdin.take().context("its input")?.write_all(input);
    Ok(child.wait_with_output()?.into())
}

#[test]
fn an_empty_question_is_refused_and_nothing_is_saved() -> Result<()> {
    let home = offline()?;
    refused(&home, &["ask", "--in", "guide", ""], 2, "message is empty")?;
    refused(&home, &["ask", "--in", "guide", " \n\t "], 2, "message is empty")?;
    let ran = with_input(&home, &["ask", "-"], b"")?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(home.run(["ask"])?.code, Some(2));
    refused(&home, &["search", "  "], 2, "query is empty")?;
    assert_eq!(chats(&home)?, 0);
    Ok(())
}

#[test]
fn a_question_of_100_000_units_is_taken_and_one_more_is_not() -> Result<()> {
    let home = offline()?;
    let longest = format!("How do I use my own SearXNG? {}", "x ".repeat(50_000))[..100_000].to_owned();
    for (question, fits) in [
        (longest.clone(), true),
        (format!("{}ab", &longest[..99_999]), false),
        // Each of these counts two.
        ("🗼".repeat(50_000), true),
        ("🗼".repeat(50_001), false),
        ("塔".repeat(100_000), true),
        ("塔".repeat(200_000), false),
        ("é".repeat(3_000_000), false),
    ] {
        let ran = with_input(&home, &["ask", "--in", "guide", "-"], question.as_bytes())?;
        let shown: String = question.chars().take(5).collect();
        if fits {
            assert!(
                matches!(ran.code, Some(0 | 7)),
                "{shown}: {:?} {}",
                ran.code,
                ran.stderr
            );
        } else {
            assert_eq!(ran.code, Some(2), "{shown}: {}", ran.stderr);
            assert!(ran.stderr.contains("at most 100000"), "{shown}: {}", ran.stderr);
        }
    }
    assert_eq!(chats(&home)?, 3);
    let kept = home.run(["chats", "list", "--json"])?.json()?;
    let id = kept[2]["id"].as_str().context("an id")?;
    let chat = home.run(["chats", "show", id, "--json"])?.succeeded()?.json()?;
    assert_eq!(
        chat["messages"][0]["content"],
        longest.as_str(),
        "kept to the last letter"
    );
    // As an argument too.
    let ran = home.run(["ask", "--in", "guide", &longest])?;
    assert!(matches!(ran.code, Some(0 | 7)), "{}", ran.stderr);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_question_that_is_no_text_is_refused_as_such() -> Result<()> {
    use std::os::unix::ffi::OsStringExt;
    let home = offline()?;
    let bytes = OsString::from_vec(b"what is \xff\xfe".to_vec());
    let ran = home.run([OsString::from("ask"), bytes.clone()])?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("UTF-8"), "{}", ran.stderr);
    let ran = with_input(&home, &["ask", "-"], b"what is \xff\xfe")?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("UTF-8"), "{}", ran.stderr);
    for args in [
        vec!["search"],
        vec!["chats", "show"],
        vec!["chats", "search"],
        vec!["read"],
    ] {
        let args: Vec<OsString> = args.into_iter().map(OsString::from).chain([bytes.clone()]).collect();
        let ran = home.run(&args)?;
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(
            !ran.stderr.is_empty() && !ran.stderr.contains("panicked"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(chats(&home)?, 0);
    Ok(())
}

#[test]
fn what_is_not_there_is_said_not_to_be_there() -> Result<()> {
    let home = offline()?;
    for args in [
        ["ask", "--chat", "chat_nosuch", "and then?"].as_slice(),
        &["ask", "--edit", "msg_nosuch", "in other words?"],
        &["ask", "--regenerate", "msg_nosuch"],
        &["ask", "--continue", "msg_nosuch"],
        &["chats", "show", "chat_nosuch"],
        &["chats", "rename", "chat_nosuch", "A title"],
        &["chats", "pin", "chat_nosuch"],
        &["chats", "archive", "chat_nosuch"],
        &["chats", "delete", "chat_nosuch"],
        &["chats", "delete", "--forever", "chat_nosuch"],
        &["chats", "restore", "chat_nosuch"],
        &["chats", "list", "--after", "chat_nosuch"],
        &["settings", "get", "nosuch"],
        &["settings", "set", "nosuch", "1"],
        &["settings", "unset", "nosuch"],
        &["settings", "set", "engines.nosuch.key", "1"],
        &["search", "--engine", "nosuch", "words"],
        &["read", "page:page_nosuch"],
        &["read", "guide:nosuch"],
        &["backup", "restore", "nosuch"],
    ] {
        refused(&home, args, 3, "nosuch")?;
    }
    assert_eq!(chats(&home)?, 0);
    Ok(())
}

#[test]
fn a_value_that_does_not_suit_is_refused_with_what_would() -> Result<()> {
    let home = offline()?;
    refused(
        &home,
        &["settings", "set", "max_search_results", "many"],
        2,
        "from 1 to 50",
    )?;
    refused(
        &home,
        &["settings", "set", "max_search_results", "51"],
        2,
        "from 1 to 50",
    )?;
    refused(&home, &["settings", "set", "theme", "pink"], 2, "dark, light, system")?;
    refused(
        &home,
        &["settings", "set", "engines.brave.url", "ftp://here"],
        2,
        "http://",
    )?;
    refused(&home, &["read", "ftp://example.com/"], 4, "only http")?;
    let id = "chat_".to_owned() + &"x".repeat(300);
    refused(&home, &["chats", "show", &id], 2, "255")?;
    let wrong = home.run(["frobnicate"])?;
    assert_eq!(wrong.code, Some(2));
    Ok(())
}

#[test]
fn the_exit_codes_are_documented_in_help_and_manual() -> Result<()> {
    let home = offline()?;
    let help = home.run(["--help"])?.succeeded()?.stdout;
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 ", "130 "] {
        assert!(help.contains(&format!("\n  {code}")), "{code} in {help}");
    }
    let manual = home.run(["man"])?.succeeded()?.stdout;
    assert!(
        manual.contains("deepsearch") && manual.contains("DEEPSEARCH_HOME"),
        "{manual}"
    );
    for shell in ["bash", "zsh", "fish"] {
        let completions = home.run(["completions", shell])?.succeeded()?.stdout;
        assert!(completions.contains("deepsearch"));
    }
    Ok(())
}
