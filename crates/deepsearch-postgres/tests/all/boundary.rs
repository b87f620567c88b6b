//! The boundary from its good side: devices that come and go, the gateway, the web app, an owner who is no superuser.

use std::time::Duration;

use chrono::TimeDelta;
use deepsearch_core::UserId;
use deepsearch_postgres::{Admission, DeviceError, DeviceId, SchemaError, SharedDatabase, session_token_hash};
use sqlx::{Connection, Executor, PgConnection};

use crate::cluster::{Cluster, Device, admit, connect, run, text};

const PEOPLE: &str = r#"
    insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com'), ('B', 'b@example.com');
    insert into public."ai-app-template_chat" (id, user_id, title) values ('chat-a', 'A', 'mine'), ('chat-b', 'B', 'theirs');
    insert into public."ai-app-template_message" (id, chat_id, role, content) values ('msg-a', 'chat-a', 'user', 'Hello')"#;

async fn people(cluster: &Cluster) -> (String, SharedDatabase, PgConnection) {
    let (url, database) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    run(&mut owner, PEOPLE).await;
    (url, database, owner)
}

#[tokio::test]
async fn a_device_works_with_its_users_rows_under_the_tables_own_names() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut owner) = people(&cluster).await;
    let mut device = admit(&database, &url, "A").await.connect().await;
    for sql in [
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('new', 'A', 'x') on conflict (id) do nothing"#,
        r#"insert into "ai-app-template_message" (id, chat_id, role, content, sources) values ('m', 'new', 'user', 'x', '[]')"#,
        r#"update "ai-app-template_chat" set title = 'y', deleted_at = now() where id = 'new'"#,
        r#"update "ai-app-template_message" set content = 'y' where id = 'm'"#,
        r#"insert into "ai-app-template_user_settings" (user_id, theme) values ('A', 'light')"#,
        r#"update "ai-app-template_user_settings" set language = 'de'"#,
        r#"update "ai-app-template_user" set name = 'Ann'"#,
    ] {
        let done = device.execute(sql).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
    }
    let whole = r#"select title || content from public."ai-app-template_chat" as c
        join public."ai-app-template_message" as m on chat_id = c.id where c.id = 'new'"#;
    assert_eq!(text(&mut owner, whole).await, "yy");
    let gone = device
        .execute(r#"delete from "ai-app-template_chat" where id = 'new'"#)
        .await
        .unwrap();
    assert_eq!(gone.rows_affected(), 1);
    let left = r#"select count(*)::text from public."ai-app-template_message" where id = 'm'"#;
    assert_eq!(text(&mut owner, left).await, "0");
    let gone = device
        .execute(r#"delete from "ai-app-template_message""#)
        .await
        .unwrap();
    assert_eq!(gone.rows_affected(), 1);
}

/// Each table, and how many of its rows A may see.
const ROWS_OF_A: &[(&str, &str)] = &[
    ("user", "1"),
    ("account", "1"),
    ("session", "0"),
    ("verification_token", "0"),
    ("chat", "1"),
    ("message", "1"),
    ("search_cache", "0"),
    ("user_settings", "1"),
];

/// The second layer, with the first one broken on purpose: rights on the tables, and views without their conditions.
#[tokio::test]
async fn row_security_alone_holds_a_device_to_its_users_rows() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut owner) = people(&cluster).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_message" (id, chat_id, role, content) values ('msg-b', 'chat-b', 'user', 'theirs');
        insert into public."ai-app-template_account" (user_id, type, provider, provider_account_id)
            values ('A', 'oauth', 'github', '1'), ('B', 'oauth', 'github', '2');
        insert into public."ai-app-template_user_settings" (user_id) values ('A'), ('B');
        insert into public."ai-app-template_verification_token" values ('b@example.com', 'x', now());
        insert into public."ai-app-template_search_cache" (query, results, expires_at) values ('q', '{}', now());
        grant usage on schema public to deepsearch_app"#,
    )
    .await;
    for (table, _) in ROWS_OF_A {
        run(
            &mut owner,
            &format!(r#"grant select, insert, update, delete on public."ai-app-template_{table}" to deepsearch_app"#),
        )
        .await;
    }
    for view in ["user", "chat", "message", "user_settings"] {
        run(
            &mut owner,
            &format!(r#"create or replace view deepsearch."ai-app-template_{view}" as select * from public."ai-app-template_{view}""#),
        )
        .await;
    }
    let mut a = admit(&database, &url, "A").await.connect().await;
    let count = |schema: &str, table: &str| format!(r#"select count(*)::text from {schema}."ai-app-template_{table}""#);
    for (table, seen) in ROWS_OF_A {
        assert_eq!(&text(&mut a, &count("public", table)).await, seen, "{table}");
    }
    for view in ["user", "chat", "message", "user_settings"] {
        assert_eq!(
            text(&mut a, &count("deepsearch", view)).await,
            "1",
            "the view of {view}"
        );
    }
    // Nor does A write what is B's.
    for (sql, changed) in [
        (r#"update public."ai-app-template_chat" set title = 'x'"#, 1),
        (
            r#"update public."ai-app-template_message" set content = 'x' where chat_id = 'chat-b'"#,
            0,
        ),
        (r#"delete from public."ai-app-template_session""#, 0),
        (r#"delete from public."ai-app-template_message" where id = 'msg-b'"#, 0),
    ] {
        assert_eq!(a.execute(sql).await.unwrap().rows_affected(), changed, "{sql}");
    }
    for sql in [
        r#"insert into public."ai-app-template_chat" (id, user_id, title) values ('new', 'B', 'x')"#,
        r#"insert into public."ai-app-template_message" (id, chat_id, role, content) values ('new', 'chat-b', 'user', 'x')"#,
        r#"insert into public."ai-app-template_session" values ('forged', 'B', now() + interval '1 day')"#,
    ] {
        let refused = a.execute(sql).await.unwrap_err();
        let code = refused.as_database_error().and_then(|said| said.code());
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {refused}");
    }
    // That it is row security which held.
    run(
        &mut owner,
        r#"alter table public."ai-app-template_message" disable row level security"#,
    )
    .await;
    assert_eq!(text(&mut a, &count("public", "message")).await, "2");
}

#[tokio::test]
async fn a_revoked_device_cannot_log_in_and_its_open_connections_end() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut owner) = people(&cluster).await;
    let a = admit(&database, &url, "A").await;
    let mut open = a.connect().await;
    assert!(database.revoke_device(a.id).await.unwrap());
    assert!(!database.revoke_device(a.id).await.unwrap());
    let denied = PgConnection::connect(&a.url).await.unwrap_err();
    assert!(denied.to_string().contains("not permitted to log in"), "{denied}");
    open.execute(r#"select * from "ai-app-template_chat""#)
        .await
        .unwrap_err();
    assert_eq!(
        text(
            &mut owner,
            r#"select count(*)::text from public."ai-app-template_session""#
        )
        .await,
        "0"
    );
    // The role goes when it is cleaned up after.
    assert_eq!(
        text(&mut owner, "select deepsearch.drop_revoked_devices()::text").await,
        "1"
    );
    let role = format!("select count(*)::text from pg_roles where rolname = '{}'", a.role);
    assert_eq!(text(&mut owner, &role).await, "0");
}

#[tokio::test]
async fn a_devices_transaction_that_lasts_too_long_is_ended_and_nobody_elses() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut web) = people(&cluster).await;
    let mut long = admit(&database, &url, "A").await.connect().await;
    for connection in [&mut long, &mut web] {
        run(connection, "begin; select 1").await;
    }
    let limit = Duration::from_secs(1);
    tokio::time::sleep(limit + Duration::from_millis(200)).await;
    let mut short = admit(&database, &url, "B").await.connect().await;
    run(&mut short, "begin; select 1").await;
    assert_eq!(database.end_long_transactions(limit).await.unwrap(), 1);
    let ended = long.execute("select 1").await;
    assert!(ended.is_err(), "{ended:?}");
    for connection in [&mut short, &mut web] {
        run(connection, "select 1; commit").await;
    }
}

#[tokio::test]
async fn a_device_signs_itself_out_and_lists_and_revokes_the_users_other_ones() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, _) = people(&cluster).await;
    let [first, second, strange] = [
        admit(&database, &url, "A").await,
        admit(&database, &url, "A").await,
        admit(&database, &url, "B").await,
    ];
    let mut device = first.connect().await;
    let listed = "select string_agg(id::text, ' ' order by id) from deepsearch.list_devices()";
    assert_eq!(text(&mut device, listed).await, format!("{} {}", first.id, second.id));
    let revoke = |id: DeviceId| format!("select deepsearch.revoke_own_device('{id}')::text");
    assert_eq!(text(&mut device, &revoke(strange.id)).await, "false");
    assert_eq!(text(&mut device, &revoke(second.id)).await, "true");
    PgConnection::connect(&second.url).await.unwrap_err();
    PgConnection::connect(&strange.url).await.unwrap();
    assert_eq!(text(&mut device, "select deepsearch.sign_out()::text").await, "true");
    PgConnection::connect(&first.url).await.unwrap_err();
    let error = device.execute("select deepsearch.prolong_session()").await.unwrap_err();
    assert!(error.to_string().contains("not signed in"), "{error}");
}

#[tokio::test]
async fn the_use_of_a_device_moves_the_end_of_its_session_on() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut owner) = people(&cluster).await;
    let mut device = admit(&database, &url, "A").await.connect().await;
    run(&mut device, "select deepsearch.prolong_session()").await;
    let is_far =
        r#"select (expires > now() + interval '89 days 23 hours')::text from public."ai-app-template_session""#;
    assert_eq!(text(&mut owner, is_far).await, "true");
}

#[tokio::test]
async fn the_id_of_anothers_device_is_of_no_use() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, _) = people(&cluster).await;
    let a = admit(&database, &url, "A").await;
    let admission = |user: &str, verifier: &str, hash: &str| Admission {
        device: a.id,
        user: UserId::from_stored(user.to_owned()),
        name: "mine now".into(),
        scram_verifier: verifier.into(),
        token_hash: hash.into(),
        lasts: TimeDelta::days(1),
    };
    let verifier = deepsearch_postgres::scram_verifier(&"x".into(), [0; 16]);
    let hash = session_token_hash("x");
    for refused in [
        admission("B", &verifier, &hash),
        admission("nobody", &verifier, &hash),
        admission("A", "plain", &hash),
        admission("A", "SCRAM-SHA-256$4096:x' superuser --$x:x", &hash),
        admission("A", &verifier, "a token as it is"),
    ] {
        let error = database.mint_device(&refused).await.unwrap_err();
        assert!(matches!(error, DeviceError::Refused(_)), "{refused:?}: {error:?}");
    }
    // Nothing of that has changed the device.
    let mut device = a.connect().await;
    assert_eq!(
        text(&mut device, r#"select title from "ai-app-template_chat""#).await,
        "mine"
    );
    // Its own user signs in on it again: what was issued before is of no use any more.
    database.mint_device(&admission("A", &verifier, &hash)).await.unwrap();
    let error = device
        .fetch_all(r#"select * from "ai-app-template_chat""#)
        .await
        .unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("DS002"));
    let again = Device { token: "x".into(), ..a };
    let mut device = again.connect().await;
    assert_eq!(
        text(&mut device, r#"select title from "ai-app-template_chat""#).await,
        "mine"
    );
}

#[tokio::test]
async fn a_device_holds_no_more_than_eight_connections() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, _) = people(&cluster).await;
    let a = admit(&database, &url, "A").await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(a.connect().await);
    }
    let error = PgConnection::connect(&a.url).await.unwrap_err();
    assert!(error.to_string().contains("too many connections"), "{error}");
}

#[tokio::test]
async fn searches_are_each_users_own_until_the_team_shares_them() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database, mut owner) = people(&cluster).await;
    let mut a = admit(&database, &url, "A").await.connect().await;
    let mut b = admit(&database, &url, "B").await.connect().await;
    let keep = r#"insert into "ai-app-template_search_cache" (query, results, expires_at)
        values ('rust', '{}', now() + interval '1 day')"#;
    let count = r#"select count(*)::text from "ai-app-template_search_cache""#;
    let in_table = r#"select count(*)::text from public."ai-app-template_search_cache""#;
    run(&mut a, keep).await;
    assert_eq!([text(&mut a, count).await, text(&mut b, count).await], ["1", "0"]);
    assert_eq!(text(&mut owner, in_table).await, "0");

    run(
        &mut owner,
        "insert into deepsearch.setting values ('share_searches', 'on')",
    )
    .await;
    assert_eq!(text(&mut a, count).await, "0");
    run(&mut a, keep).await;
    assert_eq!([text(&mut a, count).await, text(&mut b, count).await], ["1", "1"]);
    // What is still good stays, whoever wants it gone; what ran out may be cleaned up.
    let delete = r#"delete from "ai-app-template_search_cache""#;
    assert_eq!(b.execute(delete).await.unwrap().rows_affected(), 0);
    run(
        &mut owner,
        r#"update public."ai-app-template_search_cache" set expires_at = now()"#,
    )
    .await;
    assert_eq!(b.execute(delete).await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn the_gateway_lets_people_in_and_makes_no_administrators() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, ..) = people(&cluster).await;
    let gateway_url = url.replace("postgres://postgres@", "postgres://deepsearch_gateway@");
    let gateway = SharedDatabase::connect(&gateway_url).await.unwrap();
    let mut connection = connect(&gateway_url).await;
    run(
        &mut connection,
        r#"insert into "ai-app-template_user" (id, name, email, email_verified, image, is_admin)
        values ('N', null, 'n@example.com', null, null, false);
        insert into "ai-app-template_account" (user_id, type, provider, provider_account_id) values ('N', 'oauth', 'p', '1');
        select pg_advisory_xact_lock(1)"#,
    )
    .await;
    let device = admit(&gateway, &url, "N").await;
    let mut of_n = device.connect().await;
    assert_eq!(
        text(&mut of_n, r#"select email from "ai-app-template_user""#).await,
        "n@example.com"
    );
    assert!(gateway.revoke_device(device.id).await.unwrap());
    for sql in [
        r#"update "ai-app-template_user" set is_admin = true"#,
        r#"insert into "ai-app-template_user" (id, email, is_admin) values ('M', 'm@example.com', true)"#,
        r#"update "ai-app-template_chat" set title = 'x'"#,
        "select * from deepsearch.setting",
        "create role mine",
    ] {
        let error = connection.execute(sql).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_web_app_that_does_not_own_the_tables_notices_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let mut owner = connect(&url).await;
    let database = SharedDatabase::connect(&url).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    database.rollback(1, false, |_| {}).await.unwrap();
    run(&mut owner, PEOPLE).await;
    run(
        &mut owner,
        "create role web login; grant select, insert, update, delete on all tables in schema public to web;
        grant usage on all sequences in schema public to web",
    )
    .await;
    database.migrate(|_| {}).await.unwrap();
    let mut web = connect(&url.replace("postgres://postgres@", "postgres://web@")).await;
    assert_eq!(
        text(&mut web, r#"select count(*)::text from "ai-app-template_chat""#).await,
        "2"
    );
    run(
        &mut web,
        r#"insert into "ai-app-template_chat" (id, user_id, title) values ('chat-b', 'B', 'x')
            on conflict (id) do update set title = 'changed';
        insert into "ai-app-template_session" values ('web', 'B', now() + interval '1 day');
        create temporary table work (id int); select pg_advisory_lock(1)"#,
    )
    .await;
    assert_eq!(
        text(
            &mut owner,
            r#"select title from "ai-app-template_chat" where id = 'chat-b'"#
        )
        .await,
        "changed"
    );
}

#[tokio::test]
async fn an_owner_who_may_make_roles_needs_not_be_a_superuser() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let name = url.rsplit('/').next().unwrap();
    let mut superuser = connect(&url).await;
    run(
        &mut superuser,
        &format!("create role boss login; alter database {name} owner to boss"),
    )
    .await;
    let boss_url = url.replace("postgres://postgres@", "postgres://boss@");
    let database = SharedDatabase::connect(&boss_url).await.unwrap();
    let refused = database.migrate(|_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, SchemaError::Stopped { at: 1, source } if source.to_string().contains("alter role boss createrole")),
        "{refused}"
    );

    run(&mut superuser, "alter role boss createrole").await;
    assert_eq!(database.migrate(|_| {}).await.unwrap().first(), Some(&2));
    let mut boss = connect(&boss_url).await;
    run(&mut boss, PEOPLE).await;
    let mut device = admit(&database, &boss_url.replace("boss@", "postgres@"), "A")
        .await
        .connect()
        .await;
    assert_eq!(
        text(&mut device, r#"select title from "ai-app-template_chat""#).await,
        "mine"
    );
    database.rollback(1, true, |_| {}).await.unwrap();
}

#[tokio::test]
async fn what_is_of_another_role_or_may_not_be_created_is_said_in_a_sentence() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.empty().await;
    let mut superuser = connect(&url).await;
    run(&mut superuser, "create role guest login createrole").await;
    let guest = SharedDatabase::connect(&url.replace("postgres://postgres@", "postgres://guest@"))
        .await
        .unwrap();
    let refused = guest.migrate(|_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, SchemaError::Refused(said) if said.contains("grant create on database")),
        "{refused}"
    );

    let database = SharedDatabase::connect(&url).await.unwrap();
    database.migrate(|_| {}).await.unwrap();
    database.rollback(1, false, |_| {}).await.unwrap();
    run(
        &mut superuser,
        "drop schema deepsearch cascade; grant create on schema public to guest",
    )
    .await;
    run(
        &mut superuser,
        &format!("grant create on database {} to guest", url.rsplit('/').next().unwrap()),
    )
    .await;
    let refused = guest.migrate(|_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, SchemaError::Refused(said) if said.contains("belongs to the role postgres")),
        "{refused}"
    );
}

#[tokio::test]
async fn no_function_is_everybodys_and_each_knows_where_it_looks() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, _) = cluster.migrated().await;
    let mut owner = connect(&url).await;
    let open = "select string_agg(oid::regprocedure::text, ' ') from pg_proc
        where pronamespace::regnamespace::text like 'deepsearch%' and (
            has_function_privilege('public', oid, 'execute')
            or prosecdef and not coalesce(proconfig @> '{\"search_path=pg_catalog, pg_temp\"}', false))";
    assert_eq!(text(&mut owner, open).await, "");
    let granted = "select string_agg(relname, ' ') from pg_class, aclexplode(relacl) as given
        where grantee in (0, 'deepsearch_app'::regrole) and relkind = 'r' and relnamespace::regnamespace::text ~ 'public|deepsearch'";
    assert_eq!(text(&mut owner, granted).await, "");
}
