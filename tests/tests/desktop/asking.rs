//! Asking and watching the answer come.

use anyhow::{Result, ensure};
use deepsearch_tests::desktop::journey;
use deepsearch_tests::model_server::Script;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::small_web::{SmallWeb, searching, with_model};
use fantoccini::key::Key;

use crate::world::{ANSWER, QUESTION, ask, ask_about_the_lighthouse, chats, slow_model, until_complete};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_searched_read_answered_and_kept() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.write("textbox", "^Your question", QUESTION).await?;
        main.press(&[Key::Enter.into()]).await?;
        main.shows(ANSWER).await?;
        until_complete(&main).await?;
        main.shows("Read \\d+ page").await?;
        ensure!(
            !main.found("button", "^Source 1: .*Zorvane").await?.is_empty(),
            "no citation"
        );
        // The sidebar has it, and so has the store.
        main.find("navigation", "Chats").await?;
        main.until(
            "the chat in the sidebar",
            "return document.querySelector('nav')?.innerText.includes('Zorvane')",
        )
        .await?;
        assert_eq!(chats(&home)?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_read_while_it_is_written_and_can_be_stopped() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = slow_model().await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask(&main, QUESTION).await?;
        main.shows("Step 5 is made of granite").await?;
        assert!(!main.text().await?.contains("Step 2000"), "it came all at once");
        main.click("button", "^Stop$").await?;
        main.shows("What came is kept").await?;
        main.shows("Step 5 is made of granite").await?;
        main.click("button", "^Continue$").await?;
        main.shows("The rest\\.").await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_is_drawn_in_its_own_letters_under_the_windows_policy() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let written = "The lighthouse is 47 metres high [1].\n\n$$h=\\frac{d^2}{2R}$$\n\nSo far is it seen.";
        let model = answering(move |_| Script::text(written)).await?;
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        let watch = "
            window.__violations = [];
            document.addEventListener('securitypolicyviolation', (event) => {
                window.__violations.push(event.violatedDirective + ' ' + event.blockedURI);
            });";
        main.eval(watch).await?;
        ask(&main, QUESTION).await?;
        until_complete(&main).await?;
        main.until(
            "the fraction, one part above the other, in letters that have come",
            "const parts = [...document.querySelectorAll('main .katex-html .mfrac .mord')];
             const heights = parts.map((part) => part.getBoundingClientRect().top);
             const letters = [...document.fonts].filter(({ family }) => /KaTeX/.test(family));
             return parts.length > 2 && Math.max(...heights) - Math.min(...heights) > 8 &&
                 letters.some(({ status }) => status === 'loaded') && letters.every(({ status }) => status !== 'error')",
        )
        .await?;
        assert_eq!(main.eval("return window.__violations").await?, serde_json::json!([]));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_stands_below_the_first_answer() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        ask(&main, "Who designed it?").await?;
        main.shows("Maren Oltwick").await?;
        main.shows(ANSWER).await?;
        assert_eq!(chats(&home)?.len(), 1, "one chat");
        Ok(())
    })
    .await
}
