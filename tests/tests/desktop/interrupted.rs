//! Answers whose window goes away while they are written.

use anyhow::Result;
use deepsearch_tests::desktop::{Page, journey};
use deepsearch_tests::purpose::{Purpose, asked_for};
use deepsearch_tests::small_web::{SmallWeb, searching, with_model};

use crate::world::{MAIN, QUESTION, ask, chats, slow_model, slow_model_of};

/// The highest step that can be read.
async fn steps(page: &Page) -> Result<u64> {
    let script = "
        const steps = [...document.body.innerText.matchAll(/Step (\\d+) is made of granite\\./g)];
        return Math.max(0, ...steps.map((step) => Number(step[1])))";
    Ok(page.eval(script).await?.as_u64().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_text_is_there_and_the_answer_can_go_on() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = slow_model().await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Step 5 is made of granite").await?;
        let seen = steps(&main).await?;
        // What is read is kept four times a second.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        app.kill().await?;

        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("link|button", "Zorvane").await?;
        main.shows("47 metres high").await?;
        main.shows(&format!("Step {seen} is made of granite")).await?;
        main.shows("What came is kept").await?;
        main.click("button", "^Continue$").await?;
        main.shows("The rest\\.").await?;
        main.shows(&format!("Step {seen} is made of granite")).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_loaded_anew_joins_the_answer_that_is_being_written() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = slow_model().await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Step 5 is made of granite").await?;
        main.reload().await?;
        main.click("link|button", "Zorvane").await?;
        main.shows("Step 5 is made of granite").await?;
        let then = steps(&main).await?;
        main.shows(&format!("Step {} is made of granite", then + 20)).await?;
        main.find("button", "^Stop$").await?;
        assert_eq!(chats(&home)?.len(), 1, "the question is asked once");
        assert_eq!(asked_for(&model, Purpose::Grounded).len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_written_to_its_end_although_its_window_was_closed() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = slow_model().await?;
        let home = with_model(searching(&web.engine)?, &model);
        let tray = desktop.show_tray().await?;
        let app = desktop.start(&home).await?;
        tray.labels().await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Step 5 is made of granite").await?;
        let seen = steps(&main).await?;
        desktop.close_window(MAIN).await?;
        desktop.until_window(MAIN, false).await?;
        assert!(app.is_running());
        tray.click("Open DeepSearch").await?;
        desktop.until_window(MAIN, true).await?;
        let main = app.main().await?;
        main.click("link|button", "Zorvane").await?;
        main.shows(&format!("Step {} is made of granite", seen + 20)).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tray_too_and_the_app_ends_when_it_is_kept() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = slow_model_of(200).await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Step 5 is made of granite").await?;
        desktop.close_window(MAIN).await?;
        desktop.until_window(MAIN, false).await?;
        assert!(app.is_running(), "it still writes");
        app.until_ended().await?;

        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("link|button", "Zorvane").await?;
        main.shows("Step 200 is made of granite").await?;
        main.lacks("What came is kept").await?;
        assert_eq!(asked_for(&model, Purpose::Grounded).len(), 1, "and it was asked once");
        Ok(())
    })
    .await
}
