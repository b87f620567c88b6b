//! An old answer checked again from its window, and by itself with a notification that leads back to it.

use std::time::Duration;

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use deepsearch_tests::desktop::{journey, until};
use deepsearch_tests::small_web::{SmallWeb, searching};

use crate::world::{MAIN, QUESTION, ask_about_the_lighthouse, chats};

const TITLE: &str = "The Zorvane lighthouse: height and tower";
const NOW: &str =
    "The Zorvane lighthouse is 49 metres high. Its tower was built of grey granite from the island of Ummel.";

/// The id of the one answer there is.
fn answer_of(home: &Home) -> Result<String> {
    let chat = chats(home)?.pop().context("a chat")?;
    let id = chat["id"].as_str().context("its id")?;
    let opened = home.run(["chats", "show", id, "--json"])?.succeeded()?.json()?;
    let last = opened["messages"].as_array().and_then(|messages| messages.last());
    Ok(last.context("an answer")?["id"].as_str().context("its id")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_checked_again_and_its_new_evidence_opens_where_it_stands() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        web.rewrite("height.html", TITLE, NOW)?;
        main.click("button", "^Check again$").await?;
        main.click("menuitem", "^Check again").await?;
        main.shows("Checked again on .+: \\d+ sentences? changed").await?;
        main.find("button", "^Open .*: .*47 metres high").await?;
        main.click("button", "^Open .*: .*49 metres high").await?;
        main.until(
            "the sentence in the reader",
            "return [...document.querySelectorAll('aside, [role=complementary]')]
                .some((pane) => pane.innerText.includes('49 metres high'))",
        )
        .await?;
        // It is there when the window comes anew, with nobody to ask.
        drop(web);
        main.reload().await?;
        main.click("button", &QUESTION.replace('?', "\\?")).await?;
        main.shows("Checked again on .+: \\d+ sentences? changed").await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_changed_is_announced_once_and_the_notification_leads_to_it() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let notifications = desktop.show_notifications().await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        let answer = answer_of(&home)?;
        home.run(["recheck", "schedule", &answer, "daily"])?.succeeded()?;
        web.rewrite("height.html", TITLE, NOW)?;
        main.click("button", "^New chat").await?;
        main.lacks("47 metres high").await?;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.path().join("deepsearch.sqlite"));
        let pool = sqlx::SqlitePool::connect_with(options).await?;
        sqlx::query("update recheck_schedule set next_at = 1")
            .execute(&pool)
            .await?;
        pool.close().await;
        desktop.minimise(MAIN).await?;
        let (title, text) = until("a notification", async || Ok(notifications.shown().pop())).await?;
        assert_eq!((title.as_str(), text.as_str()), ("An old answer has changed", QUESTION));

        notifications.click().await?;
        main.shows("47 metres high").await?;
        main.shows("Checked again on .+: \\d+ sentences? changed").await?;
        tokio::time::sleep(Duration::from_secs(25)).await;
        assert_eq!(notifications.shown().len(), 1, "told once");
        Ok(())
    })
    .await
}
