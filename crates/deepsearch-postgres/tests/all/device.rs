//! The same operations by a device, through the boundary: its own user's rows and nobody else's, by the same statements.

use deepsearch_core::{Cache, ErrorCode, SystemClock, UserId, contract};
use deepsearch_postgres::{ChatList, CountedSearch, SharedDatabase};
use secrecy::SecretString;
use sqlx::Executor;

use crate::cluster::admit;
use crate::contract::Shared;
use crate::search_cache::entry;
use crate::support::{Home, NOON, chat, home, message};

/// A device of a user, signed in.
pub(crate) async fn device(home: &Home, user: &UserId) -> SharedDatabase {
    let admitted = admit(&home.database, &home.url, user.as_str()).await;
    let database = SharedDatabase::connect_device(&admitted.url, SecretString::from(admitted.token))
        .await
        .unwrap();
    database.with_clock(home.clock.clone())
}

#[tokio::test]
async fn a_device_keeps_the_contract_of_both_stores() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    home.chat(&bob).await;
    let shared = Shared {
        database: device(&home, &ada).await,
        clock: home.clock.clone(),
        user: ada,
    };
    contract::holds(&shared).await;
    let theirs = home
        .database
        .list_chats(&bob, ChatList::Active, None, 10)
        .await
        .unwrap();
    assert_eq!(theirs.len(), 1);
}

#[tokio::test]
async fn a_device_that_names_another_user_meets_nothing_and_writes_nothing() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let theirs = chat("Bob's", NOON);
    let said = message(&theirs.id, "a quasar of Bob's", NOON);
    home.database
        .add_chat_with_messages(&bob, &theirs, std::slice::from_ref(&said))
        .await
        .unwrap();
    let device = device(&home, &ada).await;

    assert_eq!(device.lookup_user(&bob).await.unwrap(), None);
    assert_eq!(device.lookup_chat(&bob, &theirs.id).await.unwrap(), None);
    assert_eq!(device.list_messages(&bob, &theirs.id, None, 10).await.unwrap(), []);
    assert_eq!(device.lookup_message(&bob, &said.id).await.unwrap(), None);
    assert_eq!(device.search_messages(&bob, "quasar", 10).await.unwrap(), []);
    let refusals = [
        device.rename_chat(&bob, &theirs.id, "mine").await.unwrap_err(),
        device.delete_chat_forever(&bob, &theirs.id).await.unwrap_err(),
        device
            .add_messages(&bob, &theirs.id, &[message(&theirs.id, "m", NOON)])
            .await
            .unwrap_err(),
    ];
    assert!(
        refusals.iter().all(|refusal| refusal.code() == ErrorCode::NotFound),
        "{refusals:?}"
    );
    let forged = device.add_chat(&bob, &chat("forged", NOON)).await.unwrap_err();
    assert_eq!(forged.code(), ErrorCode::Refused, "{forged:?}");
    // The id of a chat that it cannot see is taken, and stays Bob's.
    let copied = device.add_chat(&ada, &theirs).await.unwrap_err();
    assert_eq!(copied.code(), ErrorCode::Invalid, "{copied:?}");
    assert_eq!(
        home.database
            .lookup_chat(&bob, &theirs.id)
            .await
            .unwrap()
            .unwrap()
            .title,
        "Bob's"
    );
}

#[tokio::test]
async fn a_device_finds_its_own_messages_through_the_index() {
    let Some(home) = home().await else { return };
    let ada = home.user().await;
    let device = device(&home, &ada).await;
    let own = chat("Stars", NOON);
    let messages = [message(&own.id, "A quasar is a galactic nucleus.", NOON)];
    device.add_chat_with_messages(&ada, &own, &messages).await.unwrap();
    let hits = device.search_messages(&ada, "quasars", 10).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!((&hits[0].chat_id, hits[0].chat_title.as_str()), (&own.id, "Stars"));
    assert_eq!(hits[0].highlights[0].slice(&hits[0].snippet), "quasar");
}

#[tokio::test]
async fn a_device_keeps_searches_to_itself_and_counts_none_until_the_team_shares() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let (adas, bobs) = (device(&home, &ada).await, device(&home, &bob).await);
    let owner = home.database.clone().with_clock(std::sync::Arc::new(SystemClock));
    let counted = CountedSearch {
        query: "q".into(),
        ..CountedSearch::default()
    };
    let kept = entry("q", 0, serde_json::json!({"n": 1}));
    adas.search_cache().add(kept.clone()).await.unwrap();
    adas.add_search(&counted).await.unwrap();
    assert!(adas.search_cache().lookup("q").await.unwrap().is_some());
    assert_eq!(bobs.search_cache().lookup("q").await.unwrap(), None);
    assert_eq!(owner.search_statistics(1, 10).await.unwrap().searches, 0);

    owner.share_searches(true).await.unwrap();
    adas.search_cache().add(kept.clone()).await.unwrap();
    adas.add_search(&counted).await.unwrap();
    assert_eq!(
        bobs.search_cache().lookup("q").await.unwrap().unwrap().results,
        kept.results
    );
    assert_eq!(owner.search_statistics(1, 10).await.unwrap().searches, 1);
    let refused = adas.search_statistics(1, 10).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Refused);
}

#[tokio::test]
async fn a_push_of_anothers_ids_holds_nobody_up() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let theirs = chat("Bob's", NOON);
    let said = message(&theirs.id, "Bob's words", NOON);
    home.database
        .add_chat_with_messages(&bob, &theirs, std::slice::from_ref(&said))
        .await
        .unwrap();
    let adas = device(&home, &ada).await;
    let own = chat("Ada's", NOON);
    adas.add_chat(&ada, &own).await.unwrap();
    let mut tx = adas.begin().await.unwrap();
    let rows = serde_json::json!([
        {"Chat": {"known": false, "row": {"id": theirs.id, "title": "x", "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z", "deleted_at": null}}},
        {"Message": {"id": said.id, "chat_id": own.id, "role": "user", "content": "x", "sources": null, "metadata": null,
            "created_at": "2024-01-01T00:00:00Z", "extras": null}},
    ]);
    let answers: String = sqlx::query_scalar(
        "select deepsearch.sync_push((select epoch from deepsearch.sync_server()), 1, $1::text::json)::text",
    )
    .bind(rows.to_string())
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(answers, r#"["IdConflict","IdConflict"]"#);
    // The transaction stays open, and Bob writes.
    let writes = async {
        home.database
            .rename_chat(&bob, &theirs.id, "still Bob's")
            .await
            .unwrap();
        home.database.delete_chat_forever(&bob, &theirs.id).await.unwrap();
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), writes)
        .await
        .expect("nobody waits for Ada");
}

/// `explain` tells how many rows are expected, and what is expected comes from everybody's rows.
#[tokio::test]
async fn what_the_planner_expects_tells_nothing_of_anothers_texts() {
    let Some(home) = home().await else { return };
    let ada = home.user().await;
    home.raw()
        .await
        .execute(
            r#"insert into "ai-app-template_user" (id, email, name) select 'u' || n, 'canary', 'canary' from generate_series(1, 500) as n;
            insert into "ai-app-template_chat" (id, user_id, title) select 'c' || n, 'u' || n, 'canary' from generate_series(1, 500) as n;
            insert into "ai-app-template_message" (id, chat_id, role, content)
                select 'm' || n, 'c' || n, 'user', 'canary' from generate_series(1, 500) as n;
            insert into "ai-app-template_user_settings" (user_id, theme, default_model)
                select 'u' || n, 'canary', 'canary' from generate_series(1, 500) as n;
            insert into deepsearch.own_search (user_id, query, results, expires_at)
                select 'u' || n, 'canary', '{}', now() from generate_series(1, 500) as n;
            insert into "ai-app-template_search_cache" (query, results, expires_at)
                select 'canary', '{}', now() from generate_series(1, 500) as n"#,
        )
        .await
        .unwrap();
    home.raw().await.execute("analyze").await.unwrap();
    let device = device(&home, &ada).await;
    let mut tx = device.begin().await.unwrap();
    for (table, column) in [
        ("user", "name"),
        ("user", "email"),
        ("chat", "title"),
        ("message", "content"),
        ("user_settings", "theme"),
        ("user_settings", "default_model"),
        ("search_cache", "query"),
    ] {
        for condition in ["= 'TEXT'", "in ('TEXT', 'a')", "like 'TEXT%'", "<> 'TEXT'", "> 'TEXT'"] {
            let mut expected = Vec::new();
            for text in ["canary", "zanary", "nobody's"] {
                let condition = condition.replace("TEXT", &text.replace('\'', "''"));
                let sql = format!(
                    r#"explain (format json) select from "ai-app-template_{table}" where {column} {condition}"#
                );
                let plan: serde_json::Value = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                    .fetch_one(&mut *tx)
                    .await
                    .unwrap();
                let plan = &plan[0]["Plan"];
                expected.push((plan["Plan Rows"].clone(), plan["Total Cost"].clone()));
            }
            expected.dedup();
            assert_eq!(expected.len(), 1, "{table}.{column} {condition}: {expected:?}");
        }
    }
}
