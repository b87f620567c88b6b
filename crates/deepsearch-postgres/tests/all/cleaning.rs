//! What has run out goes, and nothing else.

use deepsearch_postgres::{Cleaned, SchemaError, SharedDatabase};

use crate::cluster::{Cluster, admit, connect, run, text};

#[tokio::test]
async fn what_has_run_out_goes_and_the_rest_stays() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com');
        insert into public."ai-app-template_session" values ('old', 'A', now() - interval '1 s'), ('new', 'A', now() + interval '1 day');
        insert into public."ai-app-template_verification_token" values ('a', 'old', now()), ('a', 'new', now() + interval '1 day');
        insert into public."ai-app-template_search_cache" (query, results, expires_at) values ('old', '{}', now()), ('new', '{}', now() + interval '1 day');
        insert into deepsearch.own_search (user_id, query, results, expires_at) values ('A', 'old', '{}', now()), ('A', 'new', '{}', now() + interval '1 day')"#,
    )
    .await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_chat" (id, user_id, title) values ('old', 'A', 't'), ('new', 'A', 't');
        delete from public."ai-app-template_chat";
        update deepsearch_sync.change set at = now() - interval '181 days' where row_id = 'old'"#,
    )
    .await;
    let revoked = admit(&database, &url, "A").await;
    let kept = admit(&database, &url, "A").await;
    database.revoke_device(revoked.id).await.unwrap();
    let cleaned = database.clean().await.unwrap();
    let expected = Cleaned {
        sessions: 1,
        verification_tokens: 1,
        searches: 2,
        search_counts: 0,
        devices: 1,
        tombstones: 1,
    };
    assert_eq!(cleaned, expected);
    assert_eq!(database.clean().await.unwrap(), Cleaned::default());
    let roles = "select string_agg(rolname, ' ') from pg_roles where rolname like 'deepsearch\\_device\\_%'";
    assert_eq!(text(&mut owner, roles).await, kept.role);
    let left = r#"select concat((select count(*) from public."ai-app-template_session"),
        (select count(*) from public."ai-app-template_verification_token"),
        (select count(*) from public."ai-app-template_search_cache"), (select count(*) from deepsearch.own_search))"#;
    assert_eq!(text(&mut owner, left).await, "2111");
}

#[tokio::test]
async fn a_database_without_our_tables_is_said_to_be_so() {
    let Some(cluster) = Cluster::start() else { return };
    let database = SharedDatabase::connect(&cluster.empty().await).await.unwrap();
    assert!(matches!(database.clean().await, Err(SchemaError::Behind { .. })));
}
