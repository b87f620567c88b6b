use std::time::Duration;

use deepsearch_core::{UserId, UserSettings};
use sqlx::{Connection, Executor};

use crate::support::home;

#[tokio::test]
async fn a_user_their_chats_and_settings_come_together() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let chat = home.chat(&user).await;
    home.chat(&home.user().await).await;
    let overview = home.database.overview(&user).await.unwrap().unwrap();
    assert_eq!(overview.user.id, user);
    assert_eq!(overview.chats.iter().map(|chat| &chat.id).collect::<Vec<_>>(), [&chat]);
    assert_eq!(overview.settings, UserSettings::default());
    assert_eq!(home.database.overview(&UserId::new()).await.unwrap(), None);
}

/// Each of the three waits for a lock of its own; were they read one after another, only one would ever wait.
#[tokio::test]
async fn the_three_are_read_at_the_same_time() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let (mut holder, mut watcher) = (home.raw().await, home.raw().await);
    let mut locks = holder.begin().await.unwrap();
    locks
        .execute(r#"lock "ai-app-template_user", "ai-app-template_chat", "ai-app-template_user_settings""#)
        .await
        .unwrap();
    let database = home.database.clone();
    let reading = tokio::spawn(async move { database.overview(&user).await });
    let mut waiting = 0;
    for _ in 0..500 {
        waiting = sqlx::query_scalar(
            "select count(distinct pid) from pg_locks where not granted and database =
                (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&mut watcher)
        .await
        .unwrap();
        if waiting == 3_i64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(waiting, 3, "all three are under way");
    locks.rollback().await.unwrap();
    assert!(reading.await.unwrap().unwrap().is_some());
}
