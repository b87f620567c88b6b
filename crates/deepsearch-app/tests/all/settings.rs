//! Settings: one order of precedence, each value held against its row, secrets apart from everything.

use deepsearch_app::{App, AppError, Change, EngineState, Origin};
use deepsearch_core::{ErrorCode, Failure};
use serde_json::json;
use tempfile::tempdir;

use crate::{app, config};

#[tokio::test]
async fn the_environment_goes_before_the_file_before_what_is_stored_before_the_default() {
    let home = tempdir().unwrap();
    let plain = app(home.path(), &[]).await;
    assert_eq!(plain.setting("answer.pages").unwrap().origin, Origin::Default);
    plain.update_setting("answer.pages", Some("3")).await.unwrap();
    assert_eq!(plain.setting("answer.pages").unwrap().value, json!(3));
    plain.close().await;

    std::fs::write(home.path().join("config.toml"), "[answer]\npages = 4\n").unwrap();
    let with_file = app(home.path(), &[]).await;
    let setting = with_file.setting("answer.pages").unwrap();
    assert_eq!((setting.value, setting.origin), (json!(4), Origin::File));
    with_file.close().await;

    let with_both = app(home.path(), &[("DEEPSEARCH_ANSWER__PAGES", "5")]).await;
    let setting = with_both.setting("answer.pages").unwrap();
    assert_eq!((setting.value, setting.origin), (json!(5), Origin::Environment));
    let refused = with_both.update_setting("answer.pages", Some("6")).await.unwrap_err();
    assert!(matches!(refused, AppError::Overridden { .. }), "{refused}");
}

#[tokio::test]
async fn a_setting_survives_a_restart_and_can_be_put_back() {
    let home = tempdir().unwrap();
    let first = app(home.path(), &[]).await;
    first.update_setting("theme", Some("light")).await.unwrap();
    first
        .update_setting("engines.order", Some("duckduckgo, wikipedia"))
        .await
        .unwrap();
    first.close().await;
    let second = app(home.path(), &[]).await;
    assert_eq!(second.setting("theme").unwrap().value, json!("light"));
    assert_eq!(second.engines()[0].health.engine, "duckduckgo");
    second.update_setting("theme", None).await.unwrap();
    assert_eq!(second.setting("theme").unwrap().value, json!("dark"));
}

#[tokio::test]
async fn a_value_that_does_not_suit_is_refused_with_what_does() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    for (key, value, says) in [
        ("theme", "pink", "dark, light, system"),
        ("max_search_results", "0", "1 to 50"),
        ("enable_search_by_default", "maybe", "true or false"),
        ("engines.searxng.url", "localhost", "http://"),
        ("engines.order", "wikipedia,altavista", "altavista"),
        ("models.prices", "openai/gpt-5-mini=0.25/2,gpt=1/2", "gpt=1/2"),
        ("models.prices", "openai/gpt-5-mini=cheap/2", "cheap"),
    ] {
        let failure = Failure::from(&app.update_setting(key, Some(value)).await.unwrap_err());
        assert_eq!(failure.code, ErrorCode::Invalid);
        assert!(failure.message.contains(says), "{failure}");
    }
    for key in ["nonsense", "engines.altavista.key", "engines.brave", "models..key"] {
        assert!(
            matches!(app.setting(key), Err(AppError::UnknownSetting { .. })),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_secret_is_encrypted_in_a_file_of_its_own_and_never_shown() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let shown = app
        .update_setting("engines.brave.key", Some("canary-7f3a"))
        .await
        .unwrap();
    assert_eq!(shown.value, json!(true));
    assert!(
        app.engines()
            .iter()
            .any(|engine| engine.health.engine == "brave" && engine.used)
    );
    app.close().await;
    for entry in std::fs::read_dir(home.path())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_file())
    {
        let holds = std::fs::read(entry.path())
            .unwrap()
            .windows(11)
            .any(|window| window == b"canary-7f3a");
        assert!(!holds, "{:?}", entry.file_name());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.path().join("secrets.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "others may read it: {mode:o}");
    }
}

#[tokio::test]
async fn a_gateway_is_reached_encrypted_or_on_this_machine() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    for address in [
        "http://sign-in.example.org",
        "https://user@example.org",
        "ftp://example.org",
        "sign-in",
    ] {
        let refused = app.update_setting("gateway.url", Some(address)).await;
        assert!(matches!(refused, Err(AppError::BadSetting { .. })), "{address}");
    }
    for address in ["https://sign-in.example.org", "http://127.0.0.1:8080"] {
        app.update_setting("gateway.url", Some(address)).await.unwrap();
        assert_eq!(app.account_state().gateway.as_deref(), Some(address));
    }
    app.update_setting("gateway.url", None).await.unwrap();
    assert_eq!(app.account_state().gateway, None);
}

#[test]
fn a_configuration_that_cannot_be_understood_is_told_and_never_guessed() {
    let home = tempdir().unwrap();
    let file = home.path().join("config.toml");
    for (text, says) in [
        ("answer.pages = ", "config.toml"),
        ("[answer]\npages = \"many\"", "whole number"),
        ("colour = 1", "colour"),
    ] {
        std::fs::write(&file, text).unwrap();
        let failure = Failure::from(&config(home.path(), &[]).unwrap_err());
        assert_eq!(failure.code, ErrorCode::Invalid);
        assert!(failure.message.contains(says), "{failure}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(config(home.path(), &[("DEEPSEARCH_THEME", "pink")]).is_err());
    assert!(
        config(home.path(), &[("DEEPSEARCH_LOG", "debug")]).is_ok(),
        "what is no setting is somebody else's"
    );
}

#[tokio::test]
async fn a_change_of_a_setting_is_told_to_every_face() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let (mut window, mut tray) = (app.changes(), app.changes());
    app.update_setting("appearance.text_size", Some("120")).await.unwrap();
    assert!(app.update_setting("appearance.text_size", Some("300")).await.is_err());
    let changed = Change::Settings {
        keys: vec!["appearance.text_size".into()],
    };
    assert_eq!(window.try_recv().unwrap(), changed);
    assert_eq!(tray.try_recv().unwrap(), changed);
    assert!(window.try_recv().is_err(), "what was refused is no change");
}

#[tokio::test]
async fn what_the_window_shows_has_a_default() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    for (key, value) in [
        ("answer.show_checks", json!(true)),
        ("appearance.text_size", json!(100)),
        ("notifications.enabled", json!(true)),
        ("shortcut.quick_ask", json!("CommandOrControl+Shift+Space")),
    ] {
        let setting = app.setting(key).unwrap();
        assert_eq!((setting.value, setting.origin), (value, Origin::Default), "{key}");
    }
}

#[tokio::test]
async fn an_engine_that_is_not_asked_says_what_it_lacks_and_only_that() {
    let home = tempdir().unwrap();
    let app = app(home.path(), &[]).await;
    let told = |app: &App, id: &str| {
        let engines = app.engines();
        let engine = engines.iter().find(|engine| engine.health.engine == id).expect(id);
        (engine.used, engine.enabled, engine.lacks_key, engine.lacks_url)
    };
    assert_eq!(told(&app, "brave"), (false, true, true, false));
    assert_eq!(told(&app, "searxng"), (false, true, false, true));
    assert_eq!(told(&app, "wikipedia"), (true, true, false, false));
    app.update_setting("engines.brave.key", Some("a key")).await.unwrap();
    app.update_setting("engines.order", Some("duckduckgo")).await.unwrap();
    app.update_setting("engines.wikipedia.enabled", Some("false"))
        .await
        .unwrap();
    assert_eq!(
        told(&app, "brave"),
        (false, true, false, false),
        "only left out of the order"
    );
    assert_eq!(told(&app, "wikipedia"), (false, false, false, false));
    let engines = app.engines();
    let brave = engines.iter().find(|engine| engine.health.engine == "brave").unwrap();
    assert_eq!(brave.health.state, EngineState::Ready);
}
