//! Quick ask: there at a key, gone at a key, and carried on in the main window.

use std::time::Duration;

use anyhow::Result;
use deepsearch_tests::desktop::{CHOSEN, Page, journey, until};
use deepsearch_tests::small_web::{SmallWeb, offline, searching};
use fantoccini::key::Key;

use crate::world::{ANSWER, MAIN, QUESTION, QUICK, chats};

async fn ask(page: &Page, question: &str) -> Result<()> {
    page.write("textbox", "", question).await?;
    page.press(&[Key::Enter.into()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_ask_comes_from_the_tray_the_shortcut_and_a_second_start_and_goes_with_escape() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let tray = desktop.show_tray().await?;
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;

        desktop.press("ctrl+shift+space").await?;
        desktop.until_window(QUICK, true).await?;
        let quick = app.quick().await?;
        quick.find("textbox", "").await?;
        assert_eq!(desktop.focused().await?, QUICK);
        // The field has the focus: keys that nobody aimed go into it.
        desktop.press("z").await?;
        quick
            .until(
                "the key in the field",
                "return document.querySelector('textarea, input').value === 'z'",
            )
            .await?;
        desktop.press("Escape").await?;
        desktop.until_window(QUICK, false).await?;
        assert_eq!(desktop.focused().await?, MAIN, "the focus goes back");

        tray.click("Ask…").await?;
        desktop.until_window(QUICK, true).await?;
        quick.press(&[Key::Escape.into()]).await?;
        desktop.until_window(QUICK, false).await?;

        desktop.start_again(&home, &["--quick-ask"]).await?;
        desktop.until_window(QUICK, true).await?;
        assert_eq!(desktop.windows().await?.len(), 2, "the same app, the same window");
        quick.press(&[Key::Escape.into()]).await?;
        desktop.until_window(QUICK, false).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_else_of_the_app_is_seen_it_ends_with_quick_ask_unless_it_was_to_wait_unseen() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let program = desktop.program().to_owned();
        desktop.launch_with(&program, &home, &["--quick-ask"])?;
        desktop.until_window(QUICK, true).await?;
        until("the app to end", async || {
            // One that has only just come to the screen does not hear it yet.
            desktop.close_window(QUICK).await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok((desktop.running(&program) == 0).then_some(()))
        })
        .await?;

        let process = desktop.launch_with(&program, &home, &["--hidden"])?;
        until("quick ask by its keys", async || {
            desktop.press("ctrl+shift+space").await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok((desktop.windows().await? == [QUICK]).then_some(()))
        })
        .await?;
        until("quick ask to go", async || {
            desktop.close_window(QUICK).await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(desktop.windows().await?.is_empty().then_some(()))
        })
        .await?;
        // As long as it is looked for whether there is a tray.
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(desktop.running(&program), 1);
        desktop.end_launched(process).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn escape_gives_the_focus_back_to_the_program_that_had_it() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;
        let neighbour = desktop.neighbour()?;
        neighbour.open_window("Another program")?;
        desktop.until_focused("Another program").await?;
        for _ in 0..2 {
            desktop.press("ctrl+shift+space").await?;
            desktop.until_focused(QUICK).await?;
            app.quick().await?.find("textbox", "").await?;
            desktop.press("Escape").await?;
            desktop.until_window(QUICK, false).await?;
            desktop.until_focused("Another program").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_wayland_the_desktop_is_asked_for_keys_and_the_window_tells_those_that_it_gave() -> Result<()> {
    journey(async |desktop| {
        let portal = desktop.show_portal().await?;
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        let proposed = until("the shortcut to be bound", async || Ok(portal.proposed())).await?;
        assert_eq!(proposed, "CTRL+SHIFT+space");
        portal.press().await?;
        desktop.until_window(QUICK, true).await?;
        app.quick().await?.press(&[Key::Escape.into()]).await?;
        desktop.until_window(QUICK, false).await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Shortcuts").await?;
        main.shows(CHOSEN).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wayland_desktop_without_the_portal_is_told_of_with_what_to_do_instead() -> Result<()> {
    journey(async |desktop| {
        drop(desktop.show_portal().await?);
        let home = offline()?;
        let app = desktop.start(&home).await?;
        app.main().await?.shows("does not open quick ask now").await?;
        desktop.start_again(&home, &["--quick-ask"]).await?;
        desktop.until_window(QUICK, true).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_quick_ask_has_citations_and_is_carried_on_in_the_main_window() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;
        desktop.press("ctrl+shift+space").await?;
        desktop.until_window(QUICK, true).await?;
        let quick = app.quick().await?;
        ask(&quick, QUESTION).await?;
        quick.shows(ANSWER).await?;
        quick.find("button", "^Source 1").await?;
        let fits = "return document.documentElement.scrollHeight <= innerHeight + 1 && innerHeight > 100";
        quick.until("a window as tall as the answer", fits).await?;

        quick.press(&[Key::Control.into(), Key::Enter.into()]).await?;
        desktop.until_window(QUICK, false).await?;
        let main = app.main().await?;
        main.shows(ANSWER).await?;
        main.shows(&QUESTION.replace('?', "\\?")).await?;
        assert_eq!(chats(&home)?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_quick_ask_goes_on_with_its_answer() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let model = crate::world::slow_model().await?;
        let home = deepsearch_tests::small_web::with_model(searching(&web.engine)?, &model);
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;
        desktop.press("ctrl+shift+space").await?;
        desktop.until_window(QUICK, true).await?;
        let quick = app.quick().await?;
        ask(&quick, QUESTION).await?;
        quick.shows("Step 5 is made of granite").await?;
        desktop.press("Escape").await?;
        desktop.until_window(QUICK, false).await?;
        desktop.press("ctrl+shift+space").await?;
        desktop.until_window(QUICK, true).await?;
        quick.shows("Step 60 is made of granite").await?;
        assert_eq!(chats(&home)?.len(), 1);
        Ok(())
    })
    .await
}
