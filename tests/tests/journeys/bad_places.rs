//! Files and folders that cannot be used: the sentence names them, and what was kept stays kept.

use anyhow::Result;
use deepsearch_tests::cli::{Home, Ran};

use crate::world::{chats, offline};

fn in_folder(home: &Home, folder: &std::path::Path, args: &[&str]) -> Result<Ran> {
    let mut command = home.command(args)?;
    Ok(command.env("DEEPSEARCH_HOME", folder).output()?.into())
}

#[test]
fn a_data_folder_that_is_not_there_yet_is_made() -> Result<()> {
    let home = offline()?;
    let folder = home.path().join("not/yet/there");
    let ran = in_folder(
        &home,
        &folder,
        &["ask", "--in", "guide", "how do I use my own SearXNG?"],
    )?;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(folder.join("deepsearch.sqlite").is_file());
    Ok(())
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() -> Result<()> {
    let home = offline()?;
    let file = home.path().join("a-file");
    std::fs::write(&file, "I was here first.")?;
    // The last one cannot be written even by root.
    let mut places = vec![file.clone(), file.join("below")];
    if cfg!(target_os = "linux") {
        places.push("/proc/deepsearch".into());
    }
    for place in places {
        let ran = in_folder(&home, &place, &["chats", "list"])?;
        assert_eq!(ran.code, Some(6), "{}: {}", place.display(), ran.stderr);
        assert!(ran.stderr.contains(&place.display().to_string()), "{}", ran.stderr);
        assert!(ran.stderr.contains("DEEPSEARCH_HOME"), "{}", ran.stderr);
        let ran = in_folder(&home, &place, &["chats", "list", "--json"])?;
        assert_eq!(ran.json()?["error"]["code"], "storage");
    }
    assert_eq!(std::fs::read_to_string(&file)?, "I was here first.");
    Ok(())
}

#[test]
fn a_configuration_file_that_is_not_valid_is_told_with_its_fault_and_left_as_it_is() -> Result<()> {
    let home = offline()?;
    home.run(["ask", "--in", "guide", "how do I use my own SearXNG?"])?
        .succeeded()?;
    let config = home.path().join("config.toml");
    for (text, says) in [
        ("engines = [", "config.toml"),
        ("nosuch = 1", "nosuch"),
        ("max_search_results = \"many\"", "from 1 to 50"),
        ("[engines.brave]\nkey = 7", "engines.brave.key"),
        ("[engines.brave]\nkey = \"canary-key", "config.toml"),
    ] {
        std::fs::write(&config, text)?;
        let ran = home.run(["chats", "list"])?;
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("config.toml") && ran.stderr.contains(says),
            "{text}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("canary-key"), "{}", ran.stderr);
        let ran = home.run(["chats", "list", "--json"])?;
        assert_eq!(ran.json()?["error"]["code"], "invalid");
        assert_eq!(std::fs::read_to_string(&config)?, text);
    }
    std::fs::write(&config, [0xff, 0xfe, 0x00])?;
    assert_eq!(home.run(["chats", "list"])?.code, Some(6));
    std::fs::remove_file(&config)?;
    std::fs::create_dir(&config)?;
    assert_eq!(home.run(["chats", "list"])?.code, Some(6));
    std::fs::remove_dir(&config)?;
    assert_eq!(chats(&home)?, 1);
    Ok(())
}

#[test]
fn an_environment_variable_that_does_not_suit_its_setting_is_named() -> Result<()> {
    let home = offline()?.set("max_search_results", "many");
    let ran = home.run(["chats", "list"])?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("max_search_results") && ran.stderr.contains("from 1 to 50"),
        "{}",
        ran.stderr
    );
    Ok(())
}

#[test]
fn a_file_to_be_read_that_cannot_be_is_named() -> Result<()> {
    let home = offline()?;
    let missing = home.path().join("missing.html");
    let ran = home.run([
        "read",
        "--html",
        &missing.to_string_lossy(),
        "--url",
        "https://example.com/",
    ])?;
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("missing.html"), "{}", ran.stderr);
    let folder = home.path().to_string_lossy().into_owned();
    let ran = home.run(["read", "--html", &folder, "--url", "https://example.com/"])?;
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(ran.stderr.contains(&folder), "{}", ran.stderr);
    Ok(())
}
