//! Private mode, switched on in the window: questions are answered from what is here, the web is not asked, and it is asked
//! again once the mode is off, so that the silence before says something.

use std::time::Duration;

use anyhow::Result;
use deepsearch_tests::desktop::{Page, journey};
use deepsearch_tests::small_web::{SmallWeb, searching};

use crate::world::{ask, ask_about_the_lighthouse, until_complete};

/// All that the web was asked for so far: searches, and pages with what belongs to them.
fn heard(web: &SmallWeb) -> (usize, usize) {
    (web.engine.asked().len(), web.site.requests_in_all())
}

async fn switch(page: &Page) -> Result<()> {
    page.click("button", "^Settings").await?;
    page.click("button", "^Privacy").await?;
    page.click("switch", "^Private mode").await
}

#[tokio::test(flavor = "multi_thread")]
async fn private_mode_answers_from_what_is_here_and_nobody_else_notices() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        switch(&main).await?;
        main.find("button", "^Private mode is on").await?;
        // What was under way when it was switched on has had its time.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = heard(&web);

        main.click("button", "^New chat").await?;
        ask(&main, "Who designed the Zorvane lighthouse?").await?;
        main.shows("Maren Oltwick").await?;
        until_complete(&main).await?;
        main.click("button", "^What left this computer").await?;
        main.shows("Nothing left this computer for this answer").await?;
        main.shows("Private mode was on").await?;
        main.click("button", "^Close").await?;

        // The web, asked for by name, is not asked either.
        main.click("button", "^New chat").await?;
        main.click("button", "^Where to look").await?;
        main.click("menuitemcheckbox", "^Web").await?;
        ask(&main, "What does the crossing to Port Ansgar cost in a storm?").await?;
        until_complete(&main).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(heard(&web), before, "something was asked for in private mode");

        switch(&main).await?;
        main.until(
            "private mode to be off",
            "return ![...document.querySelectorAll('button')].some((button) => /^Private mode is on/.test(button.ariaLabel))",
        )
        .await?;
        main.click("button", "^New chat").await?;
        ask(&main, "When does the ferry to the Zorvane lighthouse leave?").await?;
        main.shows("nine in the morning").await?;
        assert!(heard(&web).0 > before.0, "the web would have noticed");
        Ok(())
    })
    .await
}
