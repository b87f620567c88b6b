//! From a citation to the sentence of the saved page, and back to what was read before.

use anyhow::Result;
use deepsearch_tests::desktop::{Page, journey, until};
use deepsearch_tests::small_web::{LIGHTHOUSE, SmallWeb, searching};

use crate::world::{ANSWER, ask_about_the_lighthouse};

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

/// The marked words of the reader, once they stand where they can be seen.
async fn marked(page: &Page) -> Result<String> {
    let script = "
        const reader = document.querySelector('aside');
        const marks = [...(reader?.querySelectorAll('mark') ?? [])];
        if (marks.length === 0) return '';
        const place = marks[0].getBoundingClientRect();
        const frame = reader.getBoundingClientRect();
        if (place.top < frame.top || place.bottom > Math.min(frame.bottom, innerHeight)) return '';
        return marks.map((mark) => mark.textContent).join('');";
    let words = page.until("a marked sentence in sight", script).await?;
    Ok(words.as_str().unwrap_or_default().trim().to_owned())
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
        main.shows("Ummel").await?;
        Ok(())
    })
    .await
}
