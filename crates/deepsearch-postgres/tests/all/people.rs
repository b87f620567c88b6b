//! Whose database it is: found, made, or asked for.

use deepsearch_postgres::DeviceError;

use crate::cluster::{Cluster, connect, run, text};

#[tokio::test]
async fn a_person_is_found_by_address_or_by_being_the_only_one() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let refused = |said: &str, result: Result<_, DeviceError>| {
        let error = result.map(|id: deepsearch_core::UserId| id.to_string()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    };
    refused("no user yet", database.find_or_add_person(None, None).await);
    refused(
        "no e-mail address",
        database.find_or_add_person(Some("ann"), None).await,
    );
    let ann = database
        .find_or_add_person(Some("Ann@example.com"), Some("Ann"))
        .await
        .unwrap();
    assert_eq!(
        database
            .find_or_add_person(Some("ann@EXAMPLE.com "), None)
            .await
            .unwrap(),
        ann
    );
    assert_eq!(database.find_or_add_person(None, None).await.unwrap(), ann);
    let mut owner = connect(&url).await;
    let row = r#"select concat(name, email, is_admin) from "ai-app-template_user""#;
    assert_eq!(text(&mut owner, row).await, "AnnAnn@example.comt");
    run(
        &mut owner,
        r#"insert into "ai-app-template_user" (id, email) values ('B', 'b@example.com')"#,
    )
    .await;
    refused("several users", database.find_or_add_person(None, None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_added_by_two_at_once_is_one() {
    let Some(cluster) = Cluster::start() else { return };
    let (url, database) = cluster.migrated().await;
    let adding = (0..8).map(|n| {
        let database = database.clone();
        // Whatever its capitals.
        let email = if n % 2 == 0 {
            "ann@example.com"
        } else {
            "ANN@example.com"
        };
        tokio::spawn(async move { database.find_or_add_person(Some(email), None).await.unwrap() })
    });
    let mut ids = Vec::new();
    for one in adding.collect::<Vec<_>>() {
        ids.push(one.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let mut owner = connect(&url).await;
    assert_eq!(
        text(&mut owner, r#"select count(*)::text from "ai-app-template_user""#).await,
        "1"
    );
}
