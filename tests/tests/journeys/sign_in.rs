//! Signing in from the terminal: through the browser here, with a code elsewhere; who it is, where, and out again.

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::Home;
use deepsearch_tests::gateway::Gateway;
use deepsearch_tests::sign_in::{Waiting, bring};
use serde_json::{Value, json};

use crate::world::offline;

fn home(gateway: &Gateway) -> Result<Home> {
    Ok(offline()?.set("gateway.url", gateway.url()))
}

async fn sign_in(home: &Home) -> Result<Value> {
    let waiting = Waiting::begin(home, &["--browser"])?;
    let link = Gateway::browse(waiting.open()?).await?;
    let page = bring(&link).await?;
    ensure!(page.contains("You are signed in"), "{page}");
    let (code, who) = waiting.end().await?;
    ensure!(code == Some(0), "ended with {code:?}: {who}");
    Ok(who)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_through_the_browser_of_this_machine_and_out_again() -> Result<()> {
    let gateway = Gateway::start().await?;
    let home = home(&gateway)?;
    assert_eq!(home.run(["whoami"])?.code, Some(5), "nobody yet");
    let who = sign_in(&home).await?;
    assert_eq!(who["user"]["email"], "ada@example.org");
    assert_eq!(who["kept_in"], "file");
    let again = home.run(["whoami", "--json"])?.succeeded()?.json()?;
    assert_eq!(again, who);
    let told = home.run(["whoami"])?.succeeded()?.stdout;
    assert!(
        told.contains("Ada Lovelace <ada@example.org>") && told.contains("encrypted in secrets.toml"),
        "{told}"
    );

    let second = self::home(&gateway)?;
    let other = sign_in(&second).await?;
    let devices = home.run(["devices", "--json"])?.succeeded()?.json()?;
    assert_eq!(devices.as_array().map(Vec::len), Some(2));
    assert_eq!(devices[0]["current"], true);
    assert_eq!(devices[0]["id"], who["device_id"]);
    let other = other["device_id"].as_str().context("its id")?.to_owned();
    home.run(["devices", "revoke", &other])?.succeeded()?;
    assert_eq!(home.run(["devices", "revoke", &other])?.code, Some(3));
    // The other device notices as soon as it asks.
    assert_eq!(second.run(["devices"])?.code, Some(5));
    assert_eq!(second.run(["whoami"])?.code, Some(5));

    let out = home.run(["sign-out", "--json"])?.succeeded()?.json()?;
    assert_eq!(out, json!({ "told_gateway": true, "removed": false }));
    assert!(gateway.tokens().is_empty());
    assert_eq!(home.run(["sign-out"])?.code, Some(5));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_code_where_there_is_no_browser() -> Result<()> {
    let gateway = Gateway::start().await?;
    let home = home(&gateway)?;
    let mut command = home.command(["sign-in", "--json"])?;
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let waiting = Waiting::of(command.stdout(std::process::Stdio::piped()).spawn()?)?;
    assert_eq!(waiting.says["waiting"]["way"], "device_code");
    let code = waiting.says["waiting"]["user_code"].as_str().context("a code")?;
    assert!(gateway.type_code(code));
    let (code, who) = waiting.end().await?;
    assert_eq!((code, &who["user"]["name"]), (Some(0), &json!("Ada Lovelace")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_says_why_and_leaves_nothing_waiting() -> Result<()> {
    let gateway = Gateway::start().await?;
    let no_gateway = offline()?.run(["sign-in", "--code"])?;
    assert_eq!(no_gateway.code, Some(2), "{}", no_gateway.stderr);
    assert!(no_gateway.stderr.contains("gateway.url"), "{}", no_gateway.stderr);
    let home = home(&gateway)?;
    gateway.deny();
    let waiting = Waiting::begin(&home, &["--browser"])?;
    let link = Gateway::browse(waiting.open()?).await?;
    let page = bring(&link).await?;
    assert!(page.contains("Signing in did not work"), "{page}");
    let (code, told) = waiting.end().await?;
    assert_eq!(code, Some(130), "{told}");
    let kept = std::fs::read_to_string(home.path().join("secrets.toml"))?;
    assert!(!kept.contains("sealed"), "{kept}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_session_is_in_a_log_an_output_or_in_plain_in_a_file() -> Result<()> {
    let gateway = Gateway::start().await?;
    let home = home(&gateway)?;
    sign_in(&home).await?;
    let token = gateway.tokens().pop().context("a token")?;
    for args in [
        &["whoami"][..],
        &["devices", "--json"],
        &["settings", "list"],
        &["doctor"],
        &["backup", "create"],
    ] {
        let output = home.command(args)?.env("DEEPSEARCH_LOG", "trace").output()?;
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        for secret in [&*token, "canary-redis-password"] {
            let line = told.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{args:?} shows {secret}: {line:?}");
        }
    }
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path)?;
            for secret in [&*token, "canary-redis-password", "ada@example.org"] {
                let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!holds, "{secret} in `{}`", path.display());
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_and_removes_leaves_no_chat_behind_and_keeps_the_settings() -> Result<()> {
    let gateway = Gateway::start().await?;
    let home = home(&gateway)?;
    let asked = home.run(["ask", "--in", "guide", "How do I make a backup of canaryword?"])?;
    ensure!(matches!(asked.code, Some(0 | 7)), "{}", asked.stderr);
    home.run(["settings", "set", "answer.pages", "3"])?.succeeded()?;
    home.run(["backup", "create"])?.succeeded()?;
    sign_in(&home).await?;
    let held = home.run(["sign-out", "--remove"])?;
    assert_eq!(held.code, Some(2), "a chat that is nowhere else: {}", held.stderr);
    assert!(held.stderr.contains("--discard"), "{}", held.stderr);
    home.run(["sign-out", "--remove", "--discard"])?.succeeded()?;
    let chats = home.run(["chats", "list", "--json"])?;
    assert!(!chats.stdout.contains("backup"), "{}", chats.stdout);
    assert_eq!(
        home.run(["settings", "get", "answer.pages", "--json"])?.json()?["value"],
        3
    );
    assert_eq!(home.run(["backup", "list", "--json"])?.json()?, json!([]));
    for entry in std::fs::read_dir(home.path())? {
        let path = entry?.path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(
            !bytes.windows(10).any(|part| part == b"canaryword"),
            "in `{}`",
            path.display()
        );
    }
    Ok(())
}
