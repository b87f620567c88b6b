//! Keys: encrypted in one file that only its owner can read, and nowhere in plain — not in the store, a backup, a log or
//! an output.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::engines::{FakeEngine, Mood};
use deepsearch_tests::model_server::{ModelServer, Script};
use std::sync::Arc;

use crate::purpose::answering;
use crate::world::{SmallWeb, offline};

const CANARIES: &[(&str, &str)] = &[
    ("engines.serper.key", "canary-serper-91f0c2"),
    ("engines.brave.key", "canary-brave-55aa01"),
    ("engines.tavily.key", "canary-tavily-7be3d4"),
    ("engines.exa.key", "canary-exa-0c77e9"),
    ("models.scripted.key", "canary-model-e21b6f"),
];
const REDIS: &str = "redis://user:canary-redis-4d9a11@127.0.0.1:1/";

fn set(home: &Home, key: &str, secret: &str) -> Result<Ran> {
    let mut child = home
        .command(["settings", "set", key, "-"])?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("its input")?
        .write_all(format!("{secret}\n").as_bytes())?;
    Ran::from(child.wait_with_output()?).succeeded()
}

/// Runs a command with the most talkative log there is.
fn loudly(home: &Home, args: &[&str]) -> Result<Ran> {
    Ok(home.command(args)?.env("DEEPSEARCH_LOG", "trace").output()?.into())
}

fn holds_a_canary(bytes: &[u8]) -> Option<&'static str> {
    let secrets = CANARIES
        .iter()
        .map(|(_, secret)| *secret)
        .chain(["canary-redis-4d9a11"]);
    secrets
        .into_iter()
        .find(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_stand_in_plain_nowhere_and_are_used_all_the_same() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let brave = FakeEngine::start("brave", Arc::default()).await?;
    let serper = FakeEngine::start("serper", Arc::default()).await?;
    serper.be(Mood::KeyRefused);
    let good = answering(|_| Script::text("It is 47 metres high [1].")).await?;
    // As careless providers do: the refusal repeats the key.
    let bad = ModelServer::always(Script::refuse(
        401,
        "invalid_api_key",
        "Incorrect key: canary-model-e21b6f",
    ))
    .await?;
    let home = offline()?
        .set("engines.searxng.url", web.engine.base().as_str())
        .set("engines.brave.url", brave.base().as_str())
        .set("engines.serper.url", serper.base().as_str())
        .set("engines.order", "serper,brave,searxng");
    let mut runs = Vec::new();
    for (key, secret) in CANARIES {
        runs.push(set(&home, key, secret)?);
    }
    runs.push(set(&home, "redis.url", REDIS)?);
    for (model, url) in [("good", good.base()), ("bad", bad.base())] {
        runs.push(
            home.run(["settings", "set", "models.scripted.url", url.as_str()])?
                .succeeded()?,
        );
        for args in [
            [
                "ask",
                "--model",
                "scripted/scripted",
                "How high is the Zorvane lighthouse?",
            ]
            .as_slice(),
            &[
                "ask",
                "--model",
                "scripted/scripted",
                "--json",
                &format!("How high is the {model} Zorvane lighthouse?"),
            ],
            &["search", "--engine", "brave", "lighthouse"],
            &["search", "--engine", "serper", "lighthouse"],
            &["settings", "list"],
            &["settings", "list", "--json"],
            &["settings", "get", "redis.url"],
            &["engines", "--check", "--json"],
            &["models"],
            &["doctor"],
            &["backup", "create"],
        ] {
            runs.push(loudly(&home, args)?);
        }
    }
    let sent = format!("{:?}", [serper.asked(), brave.asked()].concat());
    assert!(
        sent.contains("canary-brave-55aa01") && sent.contains("canary-serper-91f0c2"),
        "the keys are in use"
    );
    assert!(
        runs.iter()
            .any(|ran| ran.stderr.contains("TRACE") || ran.stderr.contains("DEBUG")),
        "the log talks"
    );
    for ran in &runs {
        let told = format!("{}{}", ran.stdout, ran.stderr);
        if let Some(secret) = holds_a_canary(told.as_bytes()) {
            let line = told.lines().find(|line| line.contains(secret)).unwrap_or_default();
            panic!("{secret} is shown: {line}");
        }
    }
    for file in files(home.path())? {
        assert_eq!(holds_a_canary(&std::fs::read(&file)?), None, "in `{}`", file.display());
    }
    let kept = std::fs::read_to_string(home.path().join("secrets.toml"))?;
    assert!(kept.contains("sealed"), "{kept}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_secrets_file_also_where_it_was_open_before() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let home = offline()?;
    let mode =
        |name: &str| -> Result<u32> { Ok(std::fs::metadata(home.path().join(name))?.permissions().mode() & 0o777) };
    set(&home, "engines.brave.key", "canary-brave-55aa01")?;
    assert_eq!(mode("secrets.toml")?, 0o600);
    // A copy from elsewhere, or a half-written one of a crash.
    for name in ["secrets.toml", "secrets.toml.new"] {
        let path = home.path().join(name);
        std::fs::write(&path, "")?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
    }
    set(&home, "engines.exa.key", "canary-exa-0c77e9")?;
    assert_eq!(mode("secrets.toml")?, 0o600);
    Ok(())
}

#[test]
fn a_key_that_is_unset_is_gone() -> Result<()> {
    let home = offline()?;
    set(&home, "engines.brave.key", "canary-brave-55aa01")?;
    home.run(["settings", "unset", "engines.brave.key"])?.succeeded()?;
    let text = std::fs::read_to_string(home.path().join("secrets.toml"))?;
    assert!(!text.contains("sealed"), "{text}");
    assert_eq!(home.run(["search", "--engine", "brave", "words"])?.code, Some(5));
    Ok(())
}

#[test]
fn a_key_that_a_person_wrote_into_the_file_counts_and_is_encrypted_with_the_next_one() -> Result<()> {
    let home = offline()?;
    let path = home.path().join("secrets.toml");
    std::fs::write(&path, "engines.exa.key = \"canary-exa-0c77e9\"\n")?;
    let is_set = |key: &str| -> Result<bool> {
        let setting = home.run(["settings", "get", key, "--json"])?.succeeded()?.json()?;
        Ok(setting["value"] == true)
    };
    assert!(is_set("engines.exa.key")?);
    set(&home, "engines.brave.key", "canary-brave-55aa01")?;
    assert_eq!(holds_a_canary(&std::fs::read(&path)?), None);
    assert!(is_set("engines.exa.key")? && is_set("engines.brave.key")?);
    Ok(())
}

#[test]
fn a_copy_of_the_folder_on_another_machine_gives_no_key_away_and_works_without() -> Result<()> {
    let home = offline()?;
    set(&home, "engines.brave.key", "canary-brave-55aa01")?;
    // What another machine would make of it: the same text under another key.
    let path = home.path().join("secrets.toml");
    let text = std::fs::read_to_string(&path)?;
    let sealed = text
        .split('"')
        .find(|part| part.len() > 60)
        .context("the sealed text")?;
    let other: String = sealed.chars().rev().collect();
    std::fs::write(&path, text.replace(sealed, &other))?;
    let setting = home
        .run(["settings", "get", "engines.brave.key", "--json"])?
        .succeeded()?
        .json()?;
    assert_eq!(setting["value"], false);
    set(&home, "engines.brave.key", "canary-brave-55aa01")?;
    let setting = home
        .run(["settings", "get", "engines.brave.key", "--json"])?
        .succeeded()?
        .json()?;
    assert_eq!(setting["value"], true);
    Ok(())
}
