//! A start before there is an app: one that takes its time, and one that comes to nothing.

use std::fs::File;

use anyhow::Result;
use deepsearch_tests::desktop::{App, Page, Start, journey, until};
use deepsearch_tests::small_web::offline;

use crate::world::MAIN;

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
async fn a_start_that_takes_long_says_so_and_goes_on_by_itself() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        // Another program is at it.
        let lock = File::create(home.path().join("deepsearch.sqlite-opening"))?;
        lock.lock()?;
        let app = desktop.start(&home).await?;
        let page = opening(&app).await?;
        page.shows("Opening your chats").await?;
        // Whoever is impatient finds the same window.
        desktop.start_again(&home, &["--quick-ask"]).await?;
        assert_eq!(desktop.windows().await?, [MAIN]);

        drop(lock);
        app.main().await?.find("textbox", "^Your question").await?;
        until("the one window to be left", async || {
            Ok((desktop.windows().await? == [MAIN]).then_some(()))
        })
        .await
    })
    .await
}
