//! Deep research in the window: its budget and its plan made by the person, its report read by its sections, its ledger held
//! against what the engine was asked.

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{Page, journey, until};
use deepsearch_tests::model_server::{ModelServer, Script, prompt};
use deepsearch_tests::small_web::{SmallWeb, searching, with_model};
use fantoccini::key::Key;
use serde_json::Value;

use crate::world::{ask, chats, until_complete};

const QUESTION: &str = "What is known of the Zorvane lighthouse?";
const PLANNED: [&str; 3] = [
    "How high is the Zorvane lighthouse?",
    "When was the Zorvane lighthouse first lit?",
    "Who paid for the Zorvane lighthouse?",
];
const ADDED: &str = "When does the ferry to the Zorvane lighthouse leave?";

/// A model that plans three questions, and writes what the sources say about each.
async fn model() -> Result<ModelServer> {
    ModelServer::start(|request| {
        let asked = prompt(request);
        if asked.contains("A report shall answer") {
            return Script::text(&PLANNED.join("\n"));
        }
        if asked.contains("still missing") {
            return Script::text("none");
        }
        if asked.contains("<source number=") {
            return Script::text(&sentences_of(&asked));
        }
        Script::text("The Zorvane lighthouse")
    })
    .await
}

/// The first sentence of each source in a prompt, with its number.
fn sentences_of(prompt: &str) -> String {
    let sources = prompt.split("<source number=\"").skip(1);
    let lines = sources.filter_map(|source| {
        let (number, rest) = source.split_once('"')?;
        let line = rest.lines().find(|line| line.ends_with('.'))?;
        let sentence = line.split(". ").next()?.trim_end_matches('.');
        Some(format!("{sentence} [{number}]."))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A research is many answers, and is given the time of several.
async fn until_reported(page: &Page) -> Result<()> {
    for _ in 0..4 {
        if page.shows("A report from \\d+ pages?").await.is_ok() {
            return until_complete(page).await;
        }
    }
    page.shows("A report from \\d+ pages?").await
}

/// How often the ledger that is shown says that engines were asked.
async fn searches_in_ledger(page: &Page) -> Result<u64> {
    let script = "
        const rows = [...document.querySelectorAll('[role=dialog] tbody tr')];
        const cells = rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()));
        return cells.filter(([, errand]) => errand.startsWith('Search')).reduce((sum, cell) => sum + Number(cell[2]), 0)";
    let told = page.until("searches in the ledger", script).await?;
    told.as_u64().context("a number of searches")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_seen_changed_and_started_and_its_report_is_read_by_its_contents() -> Result<()> {
    journey(async |desktop| {
        let (web, model) = (SmallWeb::lighthouse().await?, model().await?);
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^How thorough").await?;
        main.click("menuitemradio", "^Deep, plan first").await?;
        main.click("button", "^Research budget: Usual budget").await?;
        main.write("spinbutton", "^Searches", "7").await?;
        main.press(&[Key::Enter.into()]).await?;
        main.find("button", "^Research budget: Own budget").await?;
        ask(&main, QUESTION).await?;

        main.shows("Here is the plan").await?;
        main.shows("0 of 7 searches").await?;
        assert_eq!(web.engine.asked(), Vec::new(), "nothing is searched for before the plan is agreed to");
        main.click("button", "^Leave out: Who paid").await?;
        main.lacks("Who paid").await?;
        main.write("textbox", "^Add a question", ADDED).await?;
        main.press(&[Key::Enter.into()]).await?;
        main.find("button", "^Change: When does the ferry").await?;
        main.click("button", "^Start$").await?;
        until_reported(&main).await?;

        main.find("navigation", "^Contents$").await?;
        let headings = main.names("heading").await?;
        for wanted in [PLANNED[0], PLANNED[1], ADDED] {
            assert!(headings.iter().any(|heading| heading == wanted), "{wanted} is missing in {headings:?}");
        }
        assert!(!headings.iter().any(|heading| heading == PLANNED[2]), "{headings:?}");
        main.click("button", "^When does the ferry to the Zorvane lighthouse leave\\?$").await?;
        let focused = "return /^H[23]$/.test(document.activeElement?.tagName) && document.activeElement.textContent.includes('ferry')";
        main.until("the section that was chosen", focused).await?;
        main.click("button", "^Source \\d+: .*height and tower").await?;
        let marked = "return document.querySelector('aside mark')?.textContent.includes('47 metres high')";
        main.until("the sentence marked in the reader", marked).await?;

        main.click("button", "^What left this computer").await?;
        let asked = web.engine.asked().len() as u64;
        assert!((1..=7).contains(&asked), "{asked} searches");
        assert_eq!(searches_in_ledger(&main).await?, asked);
        main.shows("Text for models").await?;
        assert_eq!(chats(&home)?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_raised_while_the_plan_waits_and_outlives_the_window() -> Result<()> {
    journey(async |desktop| {
        let (web, model) = (SmallWeb::lighthouse().await?, model().await?);
        let home = with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^How thorough").await?;
        main.click("menuitemradio", "^Deep, plan first").await?;
        ask(&main, QUESTION).await?;
        main.shows("of 16 searches").await?;
        main.click("button", "^Change budget").await?;
        main.write("spinbutton", "^Searches", "2").await?;
        main.write("spinbutton", "^Minutes", "25").await?;
        main.click("button", "^Use this budget$").await?;
        main.shows("of 2 searches").await?;
        main.shows("of 25:00").await?;
        let kept = until("the budget in the store", async || {
            let listed = home.run(["research", "list", "--json"])?.succeeded()?.json()?;
            Ok(Some(listed[0]["progress"]["budget"].clone()).filter(|budget| budget["steps"] == 2))
        })
        .await?;
        assert_eq!(kept["seconds"], Value::from(1_500));
        app.kill().await?;

        // What was killed while its plan waited is there with its plan and its budget, and goes on within that.
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("link|button", "Zorvane lighthouse").await?;
        main.click("button", "^(Continue|Try again)$").await?;
        main.click("button", "^Start$").await?;
        until_reported(&main).await?;
        assert!(web.engine.asked().len() <= 2, "{:?}", web.engine.asked());
        Ok(())
    })
    .await
}
