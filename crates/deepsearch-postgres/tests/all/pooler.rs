//! PgBouncer in transaction mode between a device and the server: each transaction may meet another connection.

use deepsearch_core::{ErrorCode, Failure, contract};
use deepsearch_postgres::SharedDatabase;
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
