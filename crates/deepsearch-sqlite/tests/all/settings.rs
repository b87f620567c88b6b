use chrono::TimeDelta;
use deepsearch_core::{ErrorCode, UserSettings};
use rstest::rstest;
use serde_json::json;

use crate::support::home;

#[tokio::test]
async fn settings_are_the_defaults_until_they_are_chosen() {
    let (home, store) = home().await;
    assert_eq!(store.lookup_user_settings().await.unwrap(), UserSettings::default());
    let chosen = UserSettings {
        theme: "light".into(),
        language: "de".into(),
        default_model: Some("ollama/llama3".into()),
        enable_search_by_default: false,
        max_search_results: 25,
        updated_at: None,
    };
    let first = store.update_user_settings(&chosen).await.unwrap();
    assert_eq!(store.lookup_user_settings().await.unwrap(), first);
    assert_eq!(
        UserSettings {
            updated_at: None,
            ..first.clone()
        },
        chosen
    );

    home.clock.advance(TimeDelta::hours(-1));
    let second = store.update_user_settings(&chosen).await.unwrap();
    assert!(second.updated_at > first.updated_at, "also when the clock was set back");
}

#[tokio::test]
async fn null_and_unknown_values_of_other_programs_are_tolerated() {
    let (home, store) = home().await;
    let mut raw = home.raw().await;
    sqlx::query("insert into user_settings (id, theme, updated_at) values (1, 'solarized', 5)")
        .execute(&mut raw)
        .await
        .unwrap();
    let read = store.lookup_user_settings().await.unwrap();
    assert_eq!(
        (read.theme.as_str(), read.language.as_str(), read.max_search_results),
        ("solarized", "en", 10)
    );
}

#[rstest]
#[case(|settings: &mut UserSettings| settings.theme = "x".repeat(21))]
#[case(|settings: &mut UserSettings| settings.language = "x".repeat(11))]
#[case(|settings: &mut UserSettings| settings.default_model = Some("x".repeat(51)))]
#[case(|settings: &mut UserSettings| settings.max_search_results = 0)]
#[case(|settings: &mut UserSettings| settings.max_search_results = 51)]
#[tokio::test]
async fn values_that_the_shared_table_cannot_hold_are_refused(#[case] spoil: fn(&mut UserSettings)) {
    let (_home, store) = home().await;
    let mut settings = UserSettings::default();
    spoil(&mut settings);
    assert_eq!(
        store.update_user_settings(&settings).await.unwrap_err().code(),
        ErrorCode::Invalid
    );
    assert_eq!(store.lookup_user_settings().await.unwrap(), UserSettings::default());
}

#[tokio::test]
async fn settings_of_the_app_are_kept_by_name_and_not_synced() {
    let (_home, store) = home().await;
    assert_eq!(store.lookup_setting("engines.order").await.unwrap(), None);
    store
        .update_setting("engines.order", &json!(["brave", "wikipedia"]))
        .await
        .unwrap();
    store.update_setting("crawl.allow_private", &json!(true)).await.unwrap();
    store
        .update_setting("engines.order", &json!(["wikipedia"]))
        .await
        .unwrap();
    assert_eq!(
        store.lookup_setting("engines.order").await.unwrap(),
        Some(json!(["wikipedia"]))
    );
    let all = store.list_settings().await.unwrap();
    assert_eq!(all[0], ("crawl.allow_private".into(), json!(true)));
    assert!(store.delete_setting("engines.order").await.unwrap());
    assert!(!store.delete_setting("engines.order").await.unwrap());
    assert_eq!(store.list_settings().await.unwrap().len(), 1);
    assert_eq!(store.count_outbox().await.unwrap(), 0);
}

#[tokio::test]
async fn secrets_are_refused() {
    let (_home, store) = home().await;
    for key in ["engines.brave.key", "models.openai.token", "password"] {
        let error = store.update_setting(key, &json!("s3cr3t")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Invalid);
        assert!(!error.to_string().contains("s3cr3t"));
    }
}
