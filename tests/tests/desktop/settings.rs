//! Settings: each takes effect at once, and is still there after a restart.

use anyhow::Result;
use deepsearch_tests::desktop::{Page, journey};
use deepsearch_tests::small_web::offline;
use serde_json::json;

/// The window's theme, language, direction and size of text, as it is drawn.
async fn look(page: &Page) -> Result<serde_json::Value> {
    let script = "
        const root = document.documentElement;
        const paper = getComputedStyle(document.querySelector('main')).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number);
        return {
            theme: root.dataset.theme ?? 'system',
            dark: paper.reduce((sum, part) => sum + part, 0) < 384,
            language: root.lang,
            dir: getComputedStyle(document.body).direction,
            scale: root.style.getPropertyValue('--text-scale'),
        };";
    page.eval(script).await
}

async fn until_look(page: &Page, key: &str, value: serde_json::Value) -> Result<()> {
    deepsearch_tests::desktop::until(&format!("{key} to be {value}"), async || {
        Ok((look(page).await?[key] == value).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn theme_language_and_text_size_take_effect_at_once_and_survive_a_restart() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("radio", "^Light").await?;
        until_look(&main, "dark", json!(false)).await?;
        main.click("radio", "^Dark").await?;
        until_look(&main, "dark", json!(true)).await?;
        main.click("radio", "^Light").await?;
        until_look(&main, "dark", json!(false)).await?;

        let before = main
            .eval("return parseFloat(getComputedStyle(document.body).fontSize)")
            .await?;
        // The middle of the slider is more than where it stands.
        main.click("slider", "^Text size").await?;
        main.until(
            "larger text",
            "return Number(document.documentElement.style.getPropertyValue('--text-scale')) > 1",
        )
        .await?;
        let after = main
            .eval("return parseFloat(getComputedStyle(document.body).fontSize)")
            .await?;
        assert!(after.as_f64() > before.as_f64(), "{before} then {after}");

        choose_language(&main, "Language", "Deutsch").await?;
        until_look(&main, "language", json!("de")).await?;
        main.find("button", "^Neuer Chat").await?;
        choose_language(&main, "Sprache", "العربية").await?;
        until_look(&main, "dir", json!("rtl")).await?;
        let chosen = look(&main).await?;
        app.kill().await?;

        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        until_look(&main, "dir", json!("rtl")).await?;
        assert_eq!(look(&main).await?, chosen);
        // The sidebar stands where reading begins.
        let right = "return document.querySelector('nav').getBoundingClientRect().right === innerWidth";
        main.until("the sidebar on the right", right).await?;
        Ok(())
    })
    .await
}

async fn choose_language(page: &Page, field: &str, language: &str) -> Result<()> {
    page.click("combobox", field).await?;
    page.click("option", language).await
}
