//! From a citation to the sentence of the saved page, and back to what was read before.

use anyhow::Result;
use deepsearch_tests::desktop::{journey, until};
use deepsearch_tests::small_web::{LIGHTHOUSE, SmallWeb, searching};

use crate::world::{ANSWER, ask_about_the_lighthouse, marked};

const SENTENCE: &str = "The Zorvane lighthouse is 47 metres high.";

/// The lighthouse's pages, the sentence that answers far down in its own.
async fn long_pages() -> Result<SmallWeb> {
    let padding = |from: usize| -> String {
        let line = |number| format!("Paragraph {number} tells of the sea, of the wind and of the birds on the rock.\n");
        (from..from + 40).map(line).collect()
    };
    let height = format!("{}{}\n{}", padding(1), LIGHTHOUSE[0].2, padding(41));
    SmallWeb::of(&[
        (LIGHTHOUSE[0].0, LIGHTHOUSE[0].1, &height),
        LIGHTHOUSE[1],
        LIGHTHOUSE[2],
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citation_opens_the_saved_page_at_its_sentence() -> Result<()> {
    journey(async |desktop| {
        let web = long_pages().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        let live = web.site.url("height.html").to_string();
        // What opens is what was saved: the web is gone.
        drop(web);
        main.click("button", "^Source \\d+: .*height and tower").await?;
        main.find("complementary", "Saved page").await?;
        assert_eq!(marked(&main).await?, SENTENCE);
        // The answer stays beside it.
        main.shows(ANSWER).await?;

        assert_eq!(desktop.opened(), Vec::<String>::new());
        main.click("button", "browser|live page").await?;
        until("the browser", async || {
            Ok(desktop.opened().first().cloned().filter(|url| *url == live))
        })
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn history_finds_an_old_answer_and_a_word_that_only_its_page_has() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        main.click("button", "^New chat").await?;
        main.lacks(ANSWER).await?;

        main.write("combobox", "^Search", "granite ummel").await?;
        let script = "
            const marks = [...document.querySelectorAll('nav mark')].map((mark) => mark.textContent.toLowerCase());
            return marks.includes('granite') && marks.includes('ummel')";
        main.until("both words marked in the hits", script).await?;
        main.eval("document.querySelector('nav mark').click()").await?;
        // The chat that it is from, and the page that has the word, which stands in no answer.
        let script = "return /47 metres high/.test(document.querySelector('main').innerText)";
        main.until("the answer", script).await?;
        let script = "return /Ummel/.test(document.querySelector('aside')?.innerText)";
        main.until("the word in the reader", script).await?;
        Ok(())
    })
    .await
}
