use deepsearch_core::{ErrorCode, UserId, UserSettings};
use futures::future::join_all;
use sqlx::Executor;

use crate::support::home;

#[tokio::test]
async fn null_and_unknown_values_of_the_web_app_are_tolerated() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    sqlx::query(
        r#"insert into "ai-app-template_user_settings" (user_id, theme, language, max_search_results)
        values ($1, 'solarized', null, null)"#,
    )
    .bind(user.as_str())
    .execute(&mut home.raw().await)
    .await
    .unwrap();
    let read = home.database.lookup_user_settings(&user).await.unwrap();
    assert_eq!(
        (read.theme.as_str(), read.language.as_str(), read.max_search_results),
        ("solarized", "en", 10)
    );
}

#[tokio::test]
async fn settings_are_each_users_own() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let light = UserSettings {
        theme: "light".into(),
        ..UserSettings::default()
    };
    home.database.update_user_settings(&ada, &light).await.unwrap();
    assert_eq!(home.database.lookup_user_settings(&ada).await.unwrap().theme, "light");
    assert_eq!(
        home.database.lookup_user_settings(&bob).await.unwrap(),
        UserSettings::default()
    );
}

#[tokio::test]
async fn settings_of_nobody_are_refused() {
    let Some(home) = home().await else { return };
    let refused = home
        .database
        .update_user_settings(&UserId::new(), &UserSettings::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Invalid);
    assert!(
        refused.to_string().contains("`user_id` refers to what is not there"),
        "{refused}"
    );
}

#[tokio::test]
async fn two_devices_that_choose_at_once_each_move_the_time_on() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let (mine, theirs) = (home.database.clone(), home.another().await);
    let chosen = UserSettings::default();
    let writes = (0..20).map(|n| {
        let database = if n % 2 == 0 { &mine } else { &theirs };
        database.update_user_settings(&user, &chosen)
    });
    let mut times: Vec<_> = join_all(writes)
        .await
        .into_iter()
        .map(|kept| kept.unwrap().updated_at)
        .collect();
    times.sort();
    times.dedup();
    assert_eq!(times.len(), 20, "no two have one time");
    assert_eq!(
        home.database.lookup_user_settings(&user).await.unwrap().updated_at,
        times[19]
    );
}

#[tokio::test]
async fn a_default_that_the_web_app_changed_is_no_obstacle() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    home.raw()
        .await
        .execute(
            r#"alter table "ai-app-template_user_settings" alter theme drop default, alter updated_at drop default"#,
        )
        .await
        .unwrap();
    home.database
        .update_user_settings(&user, &UserSettings::default())
        .await
        .unwrap();
    assert_eq!(home.database.lookup_user_settings(&user).await.unwrap().theme, "dark");
}
