//! Without a network: what was asked and read is there, and questions are answered from it.

use anyhow::Result;
use deepsearch_tests::desktop::{Network, Start, journey};
use deepsearch_tests::small_web::{SmallWeb, searching};

use crate::world::{ANSWER, ask, ask_about_the_lighthouse};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_history_and_reader_work_and_questions_go_to_what_is_here() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        main.lacks("You.re offline").await?;
        app.kill().await?;
        let asked = web.engine.asked().len();

        let start = Start {
            network: Network::Gone,
            ..Start::default()
        };
        let app = desktop.start_as(&home, &start).await?;
        let main = app.main().await?;
        main.shows("offline").await?;
        main.click("link|button", "Zorvane").await?;
        main.shows(ANSWER).await?;
        main.until(
            "the site's icon, as it was kept when the site was read",
            "return document.querySelector('main img[src^=\"data:image/png\"]')?.naturalWidth",
        )
        .await?;
        main.click("button", "^Source 1: ").await?;
        main.until(
            "the sentence marked in the reader",
            "return document.querySelector('aside mark')?.textContent",
        )
        .await?;

        main.click("button", "^New chat").await?;
        ask(&main, "Who designed the Zorvane lighthouse?").await?;
        main.shows("Maren Oltwick").await?;
        main.find("button", "^Source 1: ").await?;
        assert_eq!(web.engine.asked().len(), asked, "no engine can have been reached");
        Ok(())
    })
    .await
}
