//! PgBouncer in transaction mode between a device and the server: each transaction may meet another connection.

use deepsearch_core::{ErrorCode, Failure, contract};
use deepsearch_postgres::SharedDatabase;
use deepsearch_servers::PgBouncer;
use futures::future::join_all;
use secrecy::SecretString;

use crate::cluster::{Cluster, admit, connect, pass_by, run, text};
use crate::contract::Shared;
use crate::support::{NOON, chat, home};

/// In front of the server of this address.
fn bouncer(url: &str) -> Option<PgBouncer> {
    let port = url::Url::parse(url).unwrap().port().unwrap();
    let started = PgBouncer::start(port).expect("PgBouncer starts");
    if started.is_none() {
        pass_by();
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
    let seen = r#"select count(*)::text from deepsearch."ai-app-template_chat""#;
    assert_eq!(text(&mut thief, seen).await, "0");
    let stranger = SharedDatabase::connect_device(&url, SecretString::from("stolen".to_owned()))
        .await
        .unwrap();
    assert_eq!(stranger.signed_in_user().await.unwrap(), None);
}

/// An old PgBouncer knows no prepared statements.
#[tokio::test]
async fn a_pooler_that_loses_statements_is_said_to_be_one() {
    let Some(home) = home().await else { return };
    let Some(bouncer) = bouncer(&home.url) else { return };
    let user = home.user().await;
    let device = admit(&home.database, &home.url, user.as_str()).await;
    let url = through(&bouncer, &device.url);
    let database = SharedDatabase::connect_device(&url, SecretString::from(device.token))
        .await
        .unwrap();
    let mut told = Vec::new();
    for _ in 0..20 {
        let looked = join_all((0..4).map(|_| database.lookup_user(&user))).await;
        told.extend(looked.into_iter().filter_map(Result::err));
    }
    // One of 1.21 or newer keeps them, and then nothing fails.
    for error in told {
        assert_eq!(error.code(), ErrorCode::Upstream, "{error:?}");
        assert!(
            Failure::from(&error)
                .hint
                .unwrap()
                .contains("statement-cache-capacity=0")
        );
    }
}
