//! The first start: no wizard, a line that says what will answer, and an answer within reach.

use anyhow::Result;
use deepsearch_tests::desktop::{Network, Start, journey};
use deepsearch_tests::small_web::offline;

use crate::world::until_complete;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_asks_for_nothing_and_says_what_answers_and_where_to_change_it() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        assert_eq!(main.names("dialog").await?, Vec::<String>::new());
        main.shows("no language model is used").await?;
        main.shows("Wikipedia.*DuckDuckGo").await?;
        main.find("button", "How do I use my own SearXNG").await?;
        // The field is ready: the first key goes into it.
        main.until(
            "the field to have the focus",
            "return document.activeElement?.tagName === 'TEXTAREA'",
        )
        .await?;
        main.click("button", "^Choose a model").await?;
        main.find("heading", "^Models$").await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_example_is_answered_with_citations_although_there_is_no_network() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let start = Start {
            network: Network::Gone,
            ..Start::default()
        };
        let app = desktop.start_as(&home, &start).await?;
        let main = app.main().await?;
        main.click("button", "How do I use my own SearXNG").await?;
        main.shows("engines\\.searxng\\.url").await?;
        until_complete(&main).await?;
        let citations = main.found("button", "^Source \\d+: ").await?;
        assert!(!citations.is_empty(), "{}", main.text().await?);
        main.click("button", "^Source 1: ").await?;
        main.find("complementary", "Saved page").await?;
        Ok(())
    })
    .await
}
