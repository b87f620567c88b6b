//! The tray, and desktops without one.

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{Desktop, Start, journey};
use deepsearch_tests::small_web::{SmallWeb, searching};

use crate::world::{ANSWER, MAIN, ask_about_the_lighthouse};

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_opens_the_window_and_the_latest_chats_and_quits() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let tray = desktop.show_tray().await?;
        let app = desktop.start(&home).await?;
        assert_eq!(tray.labels().await?, ["Ask…", "Open DeepSearch", "Quit"]);
        assert_eq!(tray.icons(), 1);
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;

        // With a tray the app outlives its window.
        desktop.close_window(MAIN).await?;
        desktop.until_window(MAIN, false).await?;
        tray.click("How high is the Zorvane lighthouse?").await?;
        desktop.until_window(MAIN, true).await?;
        app.main().await?.shows(ANSWER).await?;
        desktop.close_window(MAIN).await?;
        desktop.until_window(MAIN, false).await?;
        tray.click("Open DeepSearch").await?;
        desktop.until_window(MAIN, true).await?;
        tray.click("Quit").await?;
        app.until_ended().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_tray_is_shown_the_app_says_so_once_and_ends_with_its_window() -> Result<()> {
    journey(async |desktop| says_once(desktop, &Start::default()).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_trays_library_the_app_works_and_says_so_once() -> Result<()> {
    journey(async |desktop| {
        // What stands first on the path is taken, and cannot be loaded.
        let folder = tempfile::tempdir()?;
        for name in [
            "libayatana-appindicator3.so.1",
            "libappindicator3.so.1",
            "libayatana-appindicator3.so",
            "libappindicator3.so",
        ] {
            std::fs::write(folder.path().join(name), "no library")?;
        }
        let path = folder.path().to_str().context("a path")?.to_owned();
        let start = Start {
            environment: vec![("LD_LIBRARY_PATH".into(), path)],
            ..Start::default()
        };
        // The desktop would show a tray, so only the library is missing.
        let tray = desktop.show_tray().await?;
        says_once(desktop, &start).await?;
        assert_eq!(tray.icons(), 0);
        Ok(())
    })
    .await
}

/// Two starts without a tray: the first says so, and both can ask.
async fn says_once(desktop: &mut Desktop, start: &Start) -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = searching(&web.engine)?;
    for is_first in [true, false] {
        let app = desktop.start_as(&home, start).await?;
        let main = app.main().await?;
        if is_first {
            main.shows("shows no tray icons").await?;
        }
        ask_about_the_lighthouse(&main).await?;
        if !is_first {
            assert!(!main.text().await?.contains("no tray icons"), "said twice");
        }
        // Quick ask is there by now, out of sight.
        app.quick().await?;
        desktop.close_window(MAIN).await?;
        app.until_ended().await?;
    }
    Ok(())
}
