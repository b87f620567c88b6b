//! The package as a person installs it: chosen from the menu, called by a link and by the command, and ended again.
//!
//! `cargo xtask package --check` unpacks or installs what it built and runs these; they make no sense without it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{Desktop, journey, until};
use deepsearch_tests::needs;
use deepsearch_tests::small_web::offline;

use crate::world::{MAIN, QUICK};

const ENTRY: &str = "usr/share/applications/DeepSearch.desktop";
const PROGRAM: &str = "usr/bin/deepsearch-desktop";

async fn with_package(walk: impl AsyncFnOnce(&mut Desktop, &Path) -> Result<()>) -> Result<()> {
    let Some(root) = needs::package() else {
        return Ok(());
    };
    journey(async |desktop| {
        desktop.install(&root).await?;
        walk(desktop, &root).await
    })
    .await
}

/// Chooses the app from the menu.
fn choose(desktop: &mut Desktop, home: &Home, root: &Path) -> Result<()> {
    let entry = root.join(ENTRY);
    let entry = entry.to_str().context("a path")?;
    desktop
        .launch_with(Path::new("gio"), home, &["launch", entry])
        .map(drop)
}

/// Closes the one window; with no tray the app ends with it.
async fn close(desktop: &Desktop, program: &Path) -> Result<()> {
    until("the app to end", async || {
        // One that has only just come to the screen does not hear it yet.
        if desktop.windows().await?.iter().any(|title| title == MAIN) {
            desktop.close_window(MAIN).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok((desktop.running(program) == 0).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`cargo xtask package --check` brings the package"]
async fn the_menus_entry_opens_the_window_and_closing_it_ends_the_app() -> Result<()> {
    with_package(async |desktop, root| {
        let home = offline()?;
        choose(desktop, &home, root)?;
        desktop.until_window(MAIN, true).await?;
        close(desktop, &root.join(PROGRAM)).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`cargo xtask package --check` brings the package"]
async fn a_sign_in_link_starts_the_app_that_nobody_has_started_yet() -> Result<()> {
    with_package(async |desktop, root| {
        let home = offline()?;
        // Nothing but the package's own entry says who takes the scheme.
        assert_eq!(desktop.running(&root.join(PROGRAM)), 0);
        let link = "deepsearch://auth/callback?code=c&state=s";
        desktop.launch_with(Path::new("gio"), &home, &["open", link])?;
        desktop.until_window(MAIN, true).await?;
        close(desktop, &root.join(PROGRAM)).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`cargo xtask package --check` brings the package"]
async fn the_command_beside_it_calls_quick_ask_of_the_running_app() -> Result<()> {
    with_package(async |desktop, root| {
        let home = offline()?;
        choose(desktop, &home, root)?;
        desktop.until_window(MAIN, true).await?;
        let command = root.join("usr/bin/deepsearch");
        desktop.run_program(&command, &home, &["--quick-ask"]).await?;
        desktop.until_window(QUICK, true).await?;
        assert_eq!(desktop.windows().await?.len(), 2, "the same app");
        until("quick ask to go", async || {
            // Its page may only just have come and hear no key yet.
            desktop.press("Escape").await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok((!desktop.windows().await?.iter().any(|title| title == QUICK)).then_some(()))
        })
        .await?;
        close(desktop, &root.join(PROGRAM)).await
    })
    .await
}
