//! The file that is shared: given to somebody who has no DeepSearch and no network, opened in a browser, its numbers clicked.

use anyhow::{Context, Result};
use deepsearch_tests::desktop::journey;
use deepsearch_tests::scripted_server::{Reply, ScriptedServer};
use deepsearch_tests::small_web::{SmallWeb, searching};
use serde_json::json;

use crate::world::{ANSWER, QUESTION, chats};

const SENTENCE: &str = "The Zorvane lighthouse is 47 metres high.";

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_file_opens_by_itself_and_its_citation_shows_the_sentence_without_asking_anybody() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        home.run(["ask", QUESTION])?.succeeded()?;
        let chat = chats(&home)?.pop().context("a chat")?;
        let id = chat["id"].as_str().context("its id")?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("shared.html");
        let path = file.to_str().context("a path")?;
        home.run(["export", id, "--format", "html", "--output", path])?
            .succeeded()?;
        drop(web);

        // All that the browser asks of the network would come by here.
        let network = ScriptedServer::start(|_| Reply::html("reached")).await?;
        let Some(page) = desktop.browse(&home, &format!("file://{path}"), network.base()).await? else {
            return Ok(());
        };
        page.shows(ANSWER).await?;
        let shown = "return [...document.querySelectorAll('mark')].filter((mark) => mark.getClientRects().length > 0).length";
        assert_eq!(page.eval(shown).await?, json!(0), "the saved pages wait until they are asked for");

        page.click("link", "^\\[1\\]$").await?;
        let marked = "
            const mark = document.querySelector('mark:target');
            const place = mark?.getBoundingClientRect();
            const isSeen = place && place.width > 0 && place.top >= 0 && place.bottom <= innerHeight;
            return isSeen && getComputedStyle(mark).backgroundColor !== 'rgba(0, 0, 0, 0)' ? mark.textContent.trim() : ''";
        assert_eq!(page.until("the sentence, marked and in sight", marked).await?, SENTENCE);
        page.click("link", "^Back to the answer$").await?;
        page.until("the answer again", "return !document.querySelector('mark:target')")
            .await?;
        let loaded = page
            .eval("return performance.getEntriesByType('resource').map(({ name }) => name)")
            .await?;
        assert_eq!(loaded, json!([]), "the file is all there is");
        assert_eq!(network.asked(), Vec::new(), "nobody was asked for anything");

        // Whoever wants the page itself follows its link, which the network notices: so the silence before says something.
        page.click("link", "height and tower").await?;
        page.shows("reached").await?;
        assert!(!network.asked().is_empty(), "the network notices nothing");
        Ok(())
    })
    .await
}
