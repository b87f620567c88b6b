//! PgBouncer in transaction mode between a device and the server: each transaction may meet another connection.

use deepsearch_core::sync::{ChatRow, FeedCursor, PROTOCOL, Push, PushRow, SyncRemote as _};
use deepsearch_core::{ErrorCode, Failure, contract};
use deepsearch_postgres::{Cleaned, DeviceAddress, SchemaError, SharedDatabase, SharedSync};
use deepsearch_servers::PgBouncer;
use futures::future::join_all;
use secrecy::SecretString;

use crate::cluster::{Cluster, admit, connect, pass_by, run};
use crate::contract::Shared;
use crate::support::{NOON, chat, home};

/// In front of the server of this address.
fn bouncer(url: &str) -> Option<PgBouncer> {
    let port = url::Url::parse(url).unwrap().port().unwrap();
    let started = PgBouncer::start(port).expect("PgBouncer starts");
    if started.is_none() {
        pass_by("PgBouncer");
    }
    started
}

/// The address through it.
fn through(bouncer: &PgBouncer, url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_port(Some(bouncer.port())).unwrap();
    url.to_string()
}

#[tokio::test]
async fn a_device_keeps_the_contract_of_both_stores_through_a_pooler() {
    let Some(home) = home().await else { return };
    let Some(bouncer) = bouncer(&home.url) else { return };
    let user = home.user().await;
    let device = admit(&home.database, &home.url, user.as_str()).await;
    let url = format!("{}?statement-cache-capacity=0", through(&bouncer, &device.url));
    let database = SharedDatabase::connect_device(&url, SecretString::from(device.token))
        .await
        .unwrap()
        .with_clock(home.clock.clone());
    let shared = Shared {
        database: database.clone(),
        clock: home.clock.clone(),
        user: user.clone(),
    };
    contract::holds(&shared).await;
    let chats: Vec<_> = (0..40).map(|n| chat(&format!("chat {n}"), NOON)).collect();
    let written = join_all(chats.iter().map(|chat| database.add_chat(&user, chat))).await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
}

/// Connections of the server are handed on with what was set in them; a device's are only its own.
#[tokio::test]
async fn who_is_signed_in_does_not_stay_behind_in_a_connection() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let Some(bouncer) = bouncer(&url) else { return };
    let mut owner = connect(&url).await;
    run(
        &mut owner,
        r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com');
        insert into public."ai-app-template_chat" (id, user_id, title) values ('chat-a', 'A', 't')"#,
    )
    .await;
    let a = admit(&database, &url, "A").await;
    let url = format!("{}?statement-cache-capacity=0", through(&bouncer, &a.url));
    let device = SharedDatabase::connect_device(&url, SecretString::from(a.token.clone()))
        .await
        .unwrap();
    assert!(device.signed_in_user().await.unwrap().is_some());
    // The same connection of the server, without a token and with another's.
    let mut thief = connect(&url).await;
    let refused = sqlx::raw_sql(r#"select count(*) from deepsearch."ai-app-template_chat""#)
        .fetch_one(&mut thief)
        .await
        .unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("DS002"));
    let stranger = SharedDatabase::connect_device(&url, SecretString::from("stolen".to_owned()))
        .await
        .unwrap();
    assert_eq!(stranger.signed_in_user().await.unwrap(), None);
}

/// As a gateway tells a device that there is one.
#[tokio::test]
async fn a_device_that_was_told_of_a_pooler_syncs_through_it() {
    let Some(home) = home().await else { return };
    let Some(bouncer) = bouncer(&home.url) else { return };
    let user = home.user().await;
    let enter = async || {
        let device = admit(&home.database, &home.url, user.as_str()).await;
        let url = url::Url::parse(&device.url).unwrap();
        let address = DeviceAddress {
            host: "127.0.0.1".into(),
            port: bouncer.port(),
            database: url.path()[1..].to_owned(),
            role: device.role,
            password: SecretString::from(url.password().unwrap().to_owned()),
            ssl_mode: "disable".into(),
            root_certificate: None,
            is_pooled: true,
        };
        SharedDatabase::device(&address, SecretString::from(device.token))
    };
    let [one, other] = [enter().await, enter().await];
    let (push, pull) = (SharedSync::new(one.clone()), SharedSync::new(other.clone()));
    assert_eq!(push.signed_in_user().await.unwrap(), Some(user.clone()));
    let server = pull.pull(FeedCursor::default(), 1).await.unwrap().server;
    let chats: Vec<_> = (0..30).map(|n| chat(&format!("chat {n}"), NOON)).collect();
    // Both at once, each with several connections, so that the server's are handed to and fro.
    let pushes = join_all(chats.iter().map(|chat| {
        let row = ChatRow {
            id: chat.id.clone(),
            title: chat.title.clone(),
            created_at: chat.created_at,
            updated_at: chat.updated_at,
            deleted_at: None,
        };
        let push_of = Push {
            epoch: server.epoch.clone(),
            seen: server.reached,
            protocol: PROTOCOL,
            rows: vec![PushRow::Chat { row, known: false }],
        };
        let push = &push;
        async move { push.push(&push_of).await }
    }));
    let pulls = join_all((0..30).map(|_| pull.pull(FeedCursor::default(), 10)));
    let searches = join_all((0..10).map(|_| other.search_messages(&user, "x", 5)));
    let (pushed, pulled, searched) = tokio::join!(pushes, pulls, searches);
    assert!(pushed.iter().all(Result::is_ok), "{pushed:?}");
    assert!(pulled.iter().all(Result::is_ok), "{pulled:?}");
    assert!(searched.iter().all(Result::is_ok), "{searched:?}");
    let seen = pull.pull(FeedCursor::default(), 100).await.unwrap();
    assert_eq!(seen.changes.len(), 30);
}

/// No lock of a connection and no name of a statement is relied on.
#[tokio::test]
async fn who_looks_after_the_database_may_do_so_through_a_pooler() {
    let Some(cluster) = Cluster::start() else { return };
    let direct = cluster.empty().await;
    let Some(bouncer) = bouncer(&direct) else { return };
    let url = through(&bouncer, &direct.replace("postgres@", "postgres:pooled@"));
    let pooled = format!("{url}?statement-cache-capacity=0");
    let [one, other] = [
        SharedDatabase::connect(&pooled).await.unwrap(),
        SharedDatabase::connect(&pooled).await.unwrap(),
    ];
    let (ran, also) = tokio::join!(one.migrate(|_| {}), other.migrate(|_| {}));
    let all = one.list_migrations().await.unwrap();
    assert_eq!(ran.unwrap().len() + also.unwrap().len(), all.len());
    assert!(all.iter().all(|migration| migration.applied_at.is_some()));

    run(
        &mut connect(&direct).await,
        r#"insert into public."ai-app-template_user" (id, email) values ('A', 'a@example.com')"#,
    )
    .await;
    let device = admit(&one, &direct, "A").await;
    for _ in 0..3 {
        let (checked, cleaned, tables, stats) = tokio::join!(
            one.check(),
            other.clean(),
            one.list_tables(),
            other.search_statistics(7, 5)
        );
        assert_eq!(checked.unwrap(), []);
        assert_eq!(cleaned.unwrap(), Cleaned::default());
        assert_eq!((tables.unwrap().len(), stats.unwrap().searches), (8, 0));
    }
    assert_eq!(one.find_device_by_role(&device.role).await.unwrap(), Some(device.id));
    assert!(matches!(
        one.rollback(0, false, |_| {}).await,
        Err(SchemaError::Loses(_))
    ));
    one.rollback(0, true, |_| {}).await.unwrap();

    // Where the pooler is not told of, the second one meets what the first has left there.
    let [_first, second] = [
        SharedDatabase::connect(&url).await.unwrap().list_migrations().await,
        SharedDatabase::connect(&url).await.unwrap().list_migrations().await,
    ];
    // One of 1.21 or newer keeps them apart.
    let Err(refused) = second else { return };
    let failure = Failure::from(&refused);
    assert!(failure.message.contains("pooler"), "{failure}");
    assert!(failure.hint.unwrap().contains("--pooled"));
}

/// An old PgBouncer knows no prepared statements: one transaction would meet another's.
#[tokio::test]
async fn a_pooler_that_would_mix_statements_up_is_not_entered() {
    let Some(home) = home().await else { return };
    let Some(bouncer) = bouncer(&home.url) else { return };
    let user = home.user().await;
    let device = admit(&home.database, &home.url, user.as_str()).await;
    let url = through(&bouncer, &device.url);
    let entered = SharedDatabase::connect_device(&url, SecretString::from(device.token)).await;
    // One of 1.20 or newer takes the parameter.
    let Err(refused) = entered else { return };
    let failure = Failure::from(&refused);
    assert_eq!(failure.code, ErrorCode::Upstream, "{refused:?}");
    assert!(failure.message.contains("pooler"), "{failure}");
    assert!(failure.hint.unwrap().contains("statement-cache-capacity=0"));
}
