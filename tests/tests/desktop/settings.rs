//! Settings: each takes effect at once, and is still there after a restart.

use std::sync::Arc;

use anyhow::Result;
use deepsearch_tests::desktop::{Page, journey};
use deepsearch_tests::engines::{FakeEngine, KEY};
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::scripted_server::Asked;
use deepsearch_tests::small_web::{SmallWeb, offline};
use serde_json::json;

use crate::world::ask_about_the_lighthouse;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_the_keychain_and_is_used_after_a_restart() -> Result<()> {
    journey(async |desktop| {
        desktop.unlock_keychain().await?;
        let web = SmallWeb::lighthouse().await?;
        let brave = FakeEngine::start("brave", Arc::new(LocalIndex::of(&[&web.site], &[])?)).await?;
        let home = offline()?
            .set("secrets.keychain", "true")
            .set("engines.order", "brave")
            .set("engines.brave.url", brave.base().as_str());
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        let save =
            "await window.__TAURI_INTERNALS__.invoke('update_setting', { key: 'engines.brave.key', text: given[0] })";
        main.call(save, vec![json!(KEY)]).await?;
        let file = std::fs::read(home.path().join("secrets.toml"))?;
        for kept in desktop.keychain()?.into_iter().chain([file]) {
            assert!(!kept.windows(KEY.len()).any(|part| part == KEY.as_bytes()));
        }
        app.kill().await?;

        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        let token = |asked: &Asked| asked.headers.iter().any(|(_, value)| value == KEY);
        assert!(brave.asked().iter().any(token), "{:?}", brave.asked());
        Ok(())
    })
    .await
}
