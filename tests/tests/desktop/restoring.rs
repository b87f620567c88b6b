//! A backup takes the place of what is there, from the window: the app starts again with it, and nothing is lost.

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{App, Desktop, Page, Start, journey, until};
use deepsearch_tests::small_web::offline;

use crate::world::{MAIN, chats};

const KEPT: &str = "How do I move my chats to another computer?";
const LATER: &str = "Which files can be searched?";

fn ask(home: &Home, question: &str) -> Result<()> {
    home.run(["ask", "--in", "guide", question])?.succeeded().map(drop)
}

fn titles(home: &Home) -> Result<Vec<String>> {
    let mut titles: Vec<String> = chats(home)?
        .iter()
        .filter_map(|chat| chat["title"].as_str().map(str::to_owned))
        .collect();
    titles.sort();
    Ok(titles)
}

async fn data_settings(app: &App) -> Result<Page> {
    let main = app.main().await?;
    main.click("button", "^Settings").await?;
    main.click("button", "^Data").await?;
    Ok(main)
}

/// Restores the newest backup and waits until the app that was there has ended and another has come.
async fn restore(desktop: &Desktop, app: App, main: &Page) -> Result<()> {
    main.click("button", "^Restore the backup").await?;
    main.shows("What is there now is backed up first").await?;
    main.click("button", "^Restore and restart").await?;
    app.until_ended().await?;
    // As from the menu, whatever it was started with before.
    until("the one window of the new start", async || {
        Ok((desktop.windows().await? == [MAIN]).then_some(()))
    })
    .await
}

/// Closes the window of an app that nobody drives; with no tray the app ends with it.
async fn close(desktop: &Desktop) -> Result<()> {
    let program = desktop.program().to_owned();
    until("the app to end", async || {
        desktop.close_window(MAIN).await?;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        Ok((desktop.running(&program) == 0).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_from_the_window_and_what_was_there_before_can_be_had_back() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        ask(&home, KEPT)?;
        home.run(["backup", "create"])?.succeeded()?;
        let before = titles(&home)?;
        ask(&home, LATER)?;
        let after = titles(&home)?;
        let later = after
            .iter()
            .find(|title| !before.contains(title))
            .context("a second chat")?;

        // A start that shows no window of its own is no reason to come back without one.
        let quick = Start {
            args: vec!["--quick-ask".to_owned()],
            ..Start::default()
        };
        let app = desktop.start_as(&home, &quick).await?;
        desktop.start_again(&home, &[]).await?;
        let main = data_settings(&app).await?;
        main.shows("By hand").await?;
        restore(desktop, app, &main).await?;
        assert_eq!(titles(&home)?, before);
        close(desktop).await?;

        let app = desktop.start(&home).await?;
        let main = data_settings(&app).await?;
        main.shows("Before a restore").await?;
        let found = |title: &str| format!("^{}", title.replace('?', "\\?"));
        main.find("link|button", &found(&before[0])).await?;
        assert!(main.found("link|button", &found(later)).await?.is_empty());
        restore(desktop, app, &main).await?;
        assert_eq!(titles(&home)?, after);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_none_is_refused_and_the_app_goes_on() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        ask(&home, KEPT)?;
        let before = titles(&home)?;
        let backups = home.path().join("backups");
        std::fs::create_dir_all(&backups)?;
        // Newer than the daily one that the command has made.
        let broken = "deepsearch-20990101T120000000Z-manual.sqlite";
        std::fs::write(backups.join(broken), "x".repeat(9_000))?;

        let app = desktop.start(&home).await?;
        let main = data_settings(&app).await?;
        main.click("button", "^Restore the backup").await?;
        main.click("button", "^Restore and restart").await?;
        main.shows("This backup is damaged").await?;
        assert!(app.is_running());
        main.click("button", "^New chat").await?;
        main.find("textbox", "^Your question").await?;
        assert_eq!(titles(&home)?, before);
        Ok(())
    })
    .await
}
