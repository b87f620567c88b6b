//! The desktop around the windows: several of them, their places, the start at login, notifications, another shortcut.

use std::time::Duration;

use anyhow::{Context, Result};
use deepsearch_tests::desktop::{Desktop, journey, until};
use deepsearch_tests::model_server::Script;
use deepsearch_tests::purpose::answering;
use deepsearch_tests::small_web::{SmallWeb, offline, searching, with_model};
use fantoccini::key::Key;
use serde_json::json;

use crate::world::{ANSWER, MAIN, QUESTION, QUICK, ask, ask_about_the_lighthouse};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_in_one_window_is_listed_in_the_other_and_each_closes_by_itself() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        main.press(&[Key::Control.into(), Key::Shift.into(), 'n']).await?;
        let pages = until("a second window", async || {
            let pages = app.pages("index.html").await?;
            Ok((pages.len() == 2).then_some(pages))
        })
        .await?;
        let place = "return [screenX, screenY]";
        let (first, second) = (pages[0].eval(place).await?, pages[1].eval(place).await?);
        assert_ne!(first, second, "one lies over the other, to be seen");
        ask_about_the_lighthouse(&pages[0]).await?;
        pages[1].find("button", &QUESTION.replace('?', "\\?")).await?;

        desktop.close_window(MAIN).await?;
        until("one window to be left", async || {
            Ok((desktop.windows().await? == [MAIN]).then_some(()))
        })
        .await?;
        assert!(app.is_running());
        let left = app.main().await?;
        left.find("textbox", "^Your question").await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_opened_from_the_tray_comes_in_the_window_that_was_used_last() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let tray = desktop.show_tray().await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        main.click("button", "^New chat").await?;
        main.press(&[Key::Control.into(), Key::Shift.into(), 'n']).await?;
        let second = until("a second window", async || {
            for page in app.pages("index.html").await? {
                let label = page.eval("return window.__TAURI_INTERNALS__.metadata.currentWindow.label");
                if label.await? == "main-2" {
                    return Ok(Some(page));
                }
            }
            Ok(None)
        })
        .await?;
        second.find("textbox", "^Your question").await?;
        // The first has an older name, and is not looked at.
        tray.click(QUESTION).await?;
        second.shows(ANSWER).await?;
        main.lacks(ANSWER).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_comes_back_as_large_as_it_was_left_and_where() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        app.main().await?.find("textbox", "^Your question").await?;
        let usual = desktop.place(MAIN).await?;
        desktop.resize(MAIN, 900, 640).await?;
        desktop.drag_window(MAIN, 31, 57).await?;
        let left = stands(desktop).await?;
        assert_ne!(left.0, usual, "it was moved");
        desktop.close_window(MAIN).await?;
        app.until_ended().await?;

        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        until("the place and the size it had", async || {
            Ok((stands(desktop).await? == left).then_some(()))
        })
        .await?;
        // Another one is as large, and where both can be seen.
        main.press(&[Key::Control.into(), Key::Shift.into(), 'n']).await?;
        let measures = "return [innerWidth, innerHeight, screenX, screenY]";
        let own = main.eval(measures).await?;
        let other = until("a second window", async || {
            for page in app.pages("index.html").await? {
                let told = page.eval(measures).await?;
                if told[2] != own[2] {
                    return Ok(Some(told));
                }
            }
            Ok(None)
        })
        .await?;
        assert_eq!((&other[0], &other[1]), (&own[0], &own[1]), "as large");
        let apart = |at: usize| other[at].as_i64().zip(own[at].as_i64()).map(|(other, own)| other - own);
        assert!(
            apart(2).is_some_and(|x| (10..80).contains(&x)) && apart(3).is_some_and(|y| (10..80).contains(&y)),
            "{other} beside {own}"
        );
        Ok(())
    })
    .await
}

async fn stands(desktop: &Desktop) -> Result<((i32, i32), (u32, u32))> {
    Ok((desktop.place(MAIN).await?, desktop.size(MAIN).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_closed_while_it_comes_up_ends_the_app() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let program = desktop.program().to_owned();
        desktop.launch(&program, &home)?;
        desktop.until_window(MAIN, true).await?;
        until("the app to end", async || {
            // One that has only just come to the screen does not hear it yet.
            desktop.close_window(MAIN).await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok((desktop.running(&program) == 0).then_some(()))
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_at_login_is_entered_where_the_desktop_looks_and_shows_no_window() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let tray = desktop.show_tray().await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Start and notifications").await?;
        main.click("switch", "login").await?;
        let entry = until("an entry for the login", async || Ok(login_entry(desktop))).await?;
        assert!(
            entry
                .lines()
                .any(|line| line.starts_with("Exec=") && line.ends_with("--hidden")),
            "{entry}"
        );
        app.kill().await?;

        let program = desktop.program().to_owned();
        let icons = tray.icons();
        let process = desktop.launch_with(&program, &home, &["--hidden"])?;
        until("its icon", async || Ok((tray.icons() > icons).then_some(()))).await?;
        assert_eq!(desktop.windows().await?, [""; 0]);
        tray.click("Open DeepSearch").await?;
        desktop.until_window(MAIN, true).await?;
        desktop.end_launched(process).await
    })
    .await
}

/// What is started at the next login.
fn login_entry(desktop: &Desktop) -> Option<String> {
    let entries = std::fs::read_dir(desktop.home().join(".config/autostart")).ok()?;
    let entry = entries.filter_map(|entry| Some(entry.ok()?.path())).next()?;
    std::fs::read_to_string(entry).ok().filter(|text| !text.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_that_nobody_watches_is_announced_and_a_watched_one_is_not() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        // Slower than a person is taken to wait.
        let text = format!("It is 47 metres high [1]. {}", "Granite upon granite. ".repeat(33));
        let model = answering(move |_| Script::text(&text).in_pieces(190, Duration::from_millis(110))).await?;
        let home = with_model(searching(&web.engine)?, &model);
        let notifications = desktop.show_notifications().await?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        ask_about_the_lighthouse(&main).await?;
        assert_eq!(notifications.shown(), [], "the window was looked at");

        main.click("button", "^New chat").await?;
        ask(&main, QUESTION).await?;
        main.find("button", "^Stop$").await?;
        desktop.minimise(MAIN).await?;
        let (_, text) = until("a notification", async || Ok(notifications.shown().pop())).await?;
        assert_eq!(text, QUESTION);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shortcut_takes_effect_at_once_and_the_old_one_is_free_again() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Shortcuts").await?;
        main.click("button", "^Change").await?;
        main.shows("Press the new keys").await?;
        desktop.press("ctrl+alt+k").await?;
        until("the new keys", async || {
            let keys = "return (await window.__TAURI_INTERNALS__.invoke('shortcut')).keys";
            let keys = main.call(keys, vec![]).await?;
            let keys = keys.as_str().context("the keys")?.to_lowercase();
            Ok((keys.contains("alt") && keys.ends_with('k')).then_some(()))
        })
        .await?;
        main.shows("Works in every program").await?;

        desktop.press("ctrl+shift+space").await?;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(desktop.windows().await?, [MAIN], "the old keys are nobody's");
        desktop.press("ctrl+alt+k").await?;
        desktop.until_window(QUICK, true).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_another_program_has_are_told_of_and_others_take_their_place() -> Result<()> {
    journey(async |desktop| {
        let home = offline()?;
        let neighbour = desktop.neighbour()?;
        neighbour.take_ctrl_shift_space()?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.shows("does not open quick ask now").await?;
        main.click("button", "^Settings").await?;
        main.click("button", "^Shortcuts").await?;
        main.shows("Another program has taken").await?;

        main.click("button", "^Change").await?;
        main.shows("Press the new keys").await?;
        desktop.press("ctrl+alt+k").await?;
        main.shows("Works in every program").await?;
        main.lacks("Another program has taken").await?;
        desktop.press("ctrl+alt+k").await?;
        desktop.until_window(QUICK, true).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_palette_searches_the_web_without_an_answer_and_reads_what_is_chosen() -> Result<()> {
    journey(async |desktop| {
        let web = SmallWeb::lighthouse().await?;
        let home = searching(&web.engine)?;
        let app = desktop.start(&home).await?;
        let main = app.main().await?;
        main.find("textbox", "^Your question").await?;
        main.press(&[Key::Control.into(), 'k']).await?;
        main.write("combobox", "^Find a command", "Zorvane lighthouse").await?;
        assert_eq!(web.engine.asked().len(), 0, "nothing leaves while one types");
        main.click("option", "^Search the web").await?;
        main.click("option", "height and tower").await?;
        main.shows("Read just now, not saved").await?;
        main.shows("47 metres high").await?;
        let chats = crate::world::chats(&home)?;
        assert_eq!(json!(chats), json!([]), "no chat comes of it");
        Ok(())
    })
    .await
}
