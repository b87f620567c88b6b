//! What was used, as the window tells it: a model's tokens and what they cost, and what became of each asking of an engine.

use anyhow::Result;
use deepsearch_tests::desktop::journey;
use deepsearch_tests::engines::Mood;
use deepsearch_tests::model_server::Script;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::small_web::{SCRIPTED, SmallWeb, searching, with_model};

use crate::world::{ask_about_the_lighthouse, until_complete};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_their_cost_stand_in_usage_and_each_asking_in_the_engines_history() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = answering(|_| Script::text("The lighthouse is 47 metres high [1].").usage(40_000, 2_000)).await?;
        let home = with_model(searching(&web.engine)?, &model).set("models.prices", &format!("{SCRIPTED}=1/100"));
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Usage").await?;
        main.shows("No model has told yet what it used").await?;

        main.click("button", "^New chat").await?;
        ask_about_the_lighthouse(&main).await?;
        let asked = web.engine.asked().len();
        main.click("button", "^Settings").await?;
        main.click("button", "^Usage").await?;
        let row = "
            const rows = [...document.querySelectorAll('main table tbody tr')];
            const row = rows.find((each) => each.cells[0].innerText.trim() === 'scripted');
            return row ? [...row.cells].map((cell) => cell.innerText.trim()) : null";
        let row = main.until("the model's row", row).await?;
        // 40,000 at a dollar and 2,000 at a hundred, a million; what else was asked of the model comes on top.
        let number = |at: usize| -> f64 {
            let text = row[at].as_str().unwrap_or_default().replace([',', '$'], "");
            text.parse().unwrap_or_default()
        };
        assert_eq!(number(1), 1.0, "{row}");
        assert!(number(2) >= 40_000.0 && number(3) >= 2_000.0, "{row}");
        let cost = (number(2) + 100.0 * number(3)) / 1e6;
        assert!((number(4) - cost).abs() < 0.006 && cost >= 0.24, "{row}");
        main.shows("Chats that used most").await?;

        // The engine's history has each asking, and says why one failed.
        web.engine.be(Mood::Broken);
        main.click("button", "^New chat").await?;
        crate::world::ask(&main, "Who designed the Zorvane lighthouse?").await?;
        until_complete(&main).await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Search").await?;
        main.click("button", "^Show the history").await?;
        let told = "
            const rows = [...document.querySelectorAll('main table tbody tr')].map((row) => row.innerText);
            const of = rows.filter((row) => /searxng/i.test(row));
            const answered = of.filter((row) => row.includes('Answered')).length;
            return of.length > answered && [answered, of.length]";
        let told = main.until("the history of the engine", told).await?;
        assert_eq!(told[0], asked, "each asking that was answered: {told}");
        main.click("switch", "^Only failures").await?;
        main.until(
            "only failures",
            "const rows = [...document.querySelectorAll('main table tbody tr')];
             return rows.length > 0 && rows.every((row) => !row.innerText.includes('Answered'))",
        )
        .await?;
        Ok(())
    })
    .await
}
