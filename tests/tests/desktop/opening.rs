//! A start before there is an app: one that takes its time, and one that comes to nothing.

use std::fs::File;

use anyhow::Result;
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{App, Desktop, Page, Start, journey, until};
use deepsearch_tests::small_web::offline;

use crate::world::{MAIN, QUICK};

async fn opening(app: &App) -> Result<Page> {
    until("the window of the start", async || {
        Ok(app.pages("opening.html").await?.into_iter().next())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_be_says_why_and_ends_with_its_window() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let bad = [
            ("DEEPSEARCH_HOME", "/dev/null/chats"),
            ("DEEPSEARCH_TRASH__DAYS", "many"),
        ];
        for (name, value) in bad {
            let start = Start {
                environment: vec![(name.to_owned(), value.to_owned())],
                ..Start::default()
            };
            let app = desktop.start_as(&home, &start).await?;
            let page = opening(&app).await?;
            page.shows("DeepSearch cannot start").await?;
            page.shows(value).await?;
            assert_eq!(desktop.windows().await?, [MAIN]);
            desktop.close_window(MAIN).await?;
            app.until_ended().await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_failed_is_tried_again_where_it_says_so() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let folder = home.path().join("chats");
        // In its place lies a file.
        File::create(&folder)?;
        let start = Start {
            environment: vec![("DEEPSEARCH_HOME".to_owned(), folder.to_string_lossy().into_owned())],
            ..Start::default()
        };
        let app = desktop.start_as(&home, &start).await?;
        let page = opening(&app).await?;
        page.shows("DeepSearch cannot start").await?;
        assert!(page.found("button", "^Open folder").await?.is_empty(), "there is none");
        page.click("button", "^Try again").await?;
        page.shows("DeepSearch cannot start").await?;
        // What is asked meanwhile is kept for when it works.
        desktop.start_again(&home, &["--quick-ask"]).await?;
        assert_eq!(desktop.windows().await?, [MAIN]);
        std::fs::remove_file(&folder)?;
        page.click("button", "^Try again").await?;
        app.main().await?.find("textbox", "^Your question").await?;
        until_windows(desktop, &[MAIN, QUICK]).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_failed_shows_the_data_folder_and_can_be_left() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        std::fs::write(home.path().join("config.toml"), "[trash]\ndays = \"many\"\n")?;
        let app = desktop.start(&home).await?;
        let page = opening(&app).await?;
        page.shows("config.toml").await?;
        page.click("button", "^Open folder").await?;
        let name = home.path().file_name().unwrap_or_default().to_string_lossy();
        until("the file manager", async || {
            let opened = desktop.opened();
            Ok(opened.iter().any(|address| address.ends_with(&*name)).then_some(()))
        })
        .await?;
        // The app is gone before the driver can say that it clicked.
        let _ = page.find("button", "^Quit").await?.click().await;
        app.until_ended().await
    })
    .await
}

/// Waits until exactly these windows are left.
async fn until_windows(desktop: &Desktop, titles: &[&str]) -> Result<()> {
    until(&format!("the windows {titles:?}"), async || {
        let mut windows = desktop.windows().await?;
        windows.sort();
        Ok((windows == titles).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_takes_long_says_so_and_goes_on_by_itself() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let lock = another_program(&home)?;
        let app = desktop.start(&home).await?;
        let page = opening(&app).await?;
        page.shows("Waiting for another program").await?;
        // Whoever is impatient finds the same window.
        desktop.start_again(&home, &[]).await?;
        assert_eq!(desktop.windows().await?, [MAIN]);

        drop(lock);
        app.main().await?.find("textbox", "^Your question").await?;
        until_windows(desktop, &[MAIN]).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_start_that_takes_long_is_done_once_it_is_there() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let lock = another_program(&home)?;
        let program = desktop.program().to_owned();
        desktop.launch_with(&program, &home, &["--hidden"])?;
        desktop.until_first().await?;
        desktop.start_again(&home, &["--hidden"]).await?;
        assert_eq!(desktop.windows().await?, Vec::<String>::new());
        // Whoever asks for a window sees what it waits for.
        desktop.start_again(&home, &[]).await?;
        desktop.until_window(MAIN, true).await?;
        desktop.start_again(&home, &["--quick-ask"]).await?;
        assert_eq!(desktop.windows().await?, [MAIN]);
        let small = desktop.size(MAIN).await?;

        drop(lock);
        until("the main window in the place of the small one", async || {
            let size = desktop.size(MAIN).await.ok();
            Ok(size.filter(|size| size.1 > 2 * small.1))
        })
        .await?;
        until_windows(desktop, &[MAIN, QUICK]).await
    })
    .await
}

/// Another program that is opening the same store, until this is dropped.
fn another_program(home: &Home) -> Result<File> {
    let lock = File::create(home.path().join("deepsearch.sqlite-opening"))?;
    lock.lock()?;
    Ok(lock)
}
