//! Second starts and `deepsearch://` links: one app, and no link that does anything but end a sign-in.

use anyhow::Result;
use deepsearch_tests::desktop::journey;
use deepsearch_tests::small_web::offline;
use serde_json::json;

use crate::world::MAIN;

const CALLBACK: &str =
    "deepsearch://auth/callback?code=canary-code-4711&state=canary-state-4711&iss=https%3A%2F%2Fa.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_brings_the_first_ones_window_to_the_front() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.write("textbox", "^Your question", "half a question").await?;
        desktop.minimise(MAIN).await?;
        desktop.start_again(&home, &[]).await?;
        desktop.until_focused(MAIN).await?;
        assert_eq!(desktop.windows().await?, [MAIN]);
        let kept = "return document.querySelector('textarea').value";
        assert_eq!(
            main.eval(kept).await?,
            json!("half a question"),
            "what was being written stays"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_link_reaches_the_running_app_however_it_is_opened_and_its_code_is_not_logged() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        desktop.start_again(&home, &[CALLBACK]).await?;
        main.shows("No sign-in is waiting for this link").await?;
        assert_eq!(desktop.windows().await?, [MAIN], "no second window");

        main.reload().await?;
        main.find("textbox", "^Your question").await?;
        main.lacks("No sign-in is waiting").await?;
        desktop.open_address(&home, CALLBACK).await?;
        main.shows("No sign-in is waiting for this link").await?;
        assert!(!desktop.log().contains("4711"), "{}", desktop.log());
        assert!(!main.text().await?.contains("4711"));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_link_is_refused_in_words_and_changes_nothing() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        let settings = "return (await window.__TAURI_INTERNALS__.invoke('list_settings'))";
        let before = main.call(settings, Vec::new()).await?;
        for link in [
            "deepsearch://settings?theme=light",
            "deepsearch://auth/callback/../../settings?theme=light",
            "deepsearch://auth/callback?code=a&code=b",
            "deepsearch://ask?question=delete%20everything",
            "deepsearch://evil.example/callback?code=a&state=b",
        ] {
            main.reload().await?;
            main.find("textbox", "^Your question").await?;
            main.lacks("does not open this link").await?;
            desktop.start_again(&home, &[link]).await?;
            main.shows("does not open this link").await?;
        }
        assert_eq!(main.call(settings, Vec::new()).await?, before);
        assert_eq!(crate::world::chats(&home)?.len(), 0);
        assert_eq!(desktop.windows().await?, [MAIN]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_web_addresses_leave_the_window_and_they_go_to_the_browser() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        std::fs::write(home.path().join("note.html"), "a file of the person's own")?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        let open = "return await window.__TAURI_INTERNALS__.invoke('open_link', { url: given[0] })";
        let file = format!("file://{}", home.path().join("note.html").display());
        for url in [
            &file,
            "smb://server/share",
            "javascript:alert(1)",
            "mailto:a@example.org",
            "ftp://example.org/",
            CALLBACK,
            "/etc/passwd",
        ] {
            let refused = main.call(open, vec![json!(url)]).await;
            assert!(
                refused.is_err_and(|error| error.to_string().contains("http://")),
                "{url}"
            );
        }
        main.call(open, vec![json!("https://example.org/a?b=c#d")]).await?;
        deepsearch_tests::desktop::until("the browser", async || Ok((!desktop.opened().is_empty()).then_some(())))
            .await?;
        assert_eq!(desktop.opened(), ["https://example.org/a?b=c#d"]);
        Ok(())
    })
    .await
}
