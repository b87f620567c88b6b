//! Editing and answering again: another branch beside the first, and a way back.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use deepsearch_tests::desktop::journey;
use deepsearch_tests::model_server::Script;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::small_web::{SmallWeb, searching, with_model};

use crate::world::{QUESTION, ask, chats, until_complete};

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_question_makes_a_branch_and_the_first_one_is_a_click_away() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let turn = AtomicUsize::new(0);
        let model = answering(move |_| {
            let turn = turn.fetch_add(1, Ordering::Relaxed) + 1;
            Script::text(&format!("Answer number {turn} about the lighthouse [1]."))
        })
        .await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Answer number 1 about").await?;
        until_complete(&main).await?;

        main.click("button", "^Edit question").await?;
        let edited = "When was the Zorvane lighthouse first lit?";
        main.write("textbox", "^(Edit|Your) question", edited).await?;
        main.click("button", "^(Ask|Save|Ask again)$").await?;
        main.shows("Answer number 2 about").await?;
        main.lacks("Answer number 1 about").await?;
        main.shows("2 of 2").await?;
        until_complete(&main).await?;

        main.click("button", "^Previous version").await?;
        main.shows("Answer number 1 about").await?;
        main.shows("1 of 2").await?;
        main.click("button", "^Next version").await?;
        main.shows("Answer number 2 about").await?;
        assert_eq!(chats(&home)?.len(), 1, "one chat with two branches");
        // Which branch is shown is kept.
        main.click("button", "^Previous version").await?;
        main.shows("Answer number 1 about").await?;
        main.reload().await?;
        main.click("link|button", "^The Zorvane lighthouse").await?;
        main.shows("Answer number 1 about").await?;
        Ok(())
    })
    .await
}
