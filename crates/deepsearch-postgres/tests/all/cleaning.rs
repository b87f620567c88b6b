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
    // Unused for half a year: one whose session has run out, and one that can still be used.
    let [idle, away] = [admit(&database, &url, "A").await, admit(&database, &url, "A").await];
    let long_ago = format!(
        r#"update deepsearch.device set last_seen_at = now() - interval '181 days' where id in ('{}', '{}');
        update public."ai-app-template_session" set expires = now() - interval '90 days'
        where session_token = (select session_token from deepsearch.device where id = '{}')"#,
        idle.id, away.id, idle.id
    );
    run(&mut owner, &long_ago).await;
    let cleaned = database.clean().await.unwrap();
    let expected = Cleaned {
        sessions: 2,
        verification_tokens: 1,
        searches: 2,
        search_counts: 0,
        devices: 2,
        idle_devices: 1,
        tombstones: 1,
    };
    assert_eq!(cleaned, expected);
    assert_eq!(database.clean().await.unwrap(), Cleaned::default());
    let roles =
        "select string_agg(rolname, ' ' order by rolname) from pg_roles where rolname like 'deepsearch\\_device\\_%'";
    let mut left = [kept.role, away.role];
    left.sort();
    assert_eq!(text(&mut owner, roles).await, left.join(" "));
    let left = r#"select concat((select count(*) from public."ai-app-template_session"),
        (select count(*) from public."ai-app-template_verification_token"),
        (select count(*) from public."ai-app-template_search_cache"), (select count(*) from deepsearch.own_search))"#;
    assert_eq!(text(&mut owner, left).await, "3111");
}

#[tokio::test]
async fn more_than_a_batch_goes_too() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    run(
        &mut connect(&url).await,
        r#"insert into public."ai-app-template_verification_token"
            select 'a', n::text, now() - interval '1 s' from generate_series(1, 12000) as n"#,
    )
    .await;
    assert_eq!(database.clean().await.unwrap().verification_tokens, 12_000);
}

#[tokio::test]
async fn a_database_without_our_tables_is_said_to_be_so() {
    let Some(cluster) = Cluster::start() else { return };
    let database = SharedDatabase::connect(&cluster.empty().await).await.unwrap();
    assert!(matches!(database.clean().await, Err(SchemaError::Behind { .. })));
}
