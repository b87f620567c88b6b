//! The data view from a device: an administrator's shows what the owner sees, anybody else's nothing, and what decides is
//! the table of users at that moment.

use deepsearch_core::{ErrorCode, UserId};
use deepsearch_postgres::{CountedSearch, DatabaseError, SharedDatabase, Table, session_token_hash};
use sqlx::{Connection, Executor};

use crate::cluster::admit;
use crate::device::device;
use crate::inspect::{CANARY, fill};
use crate::support::{Home, home};

async fn administrator(home: &Home) -> (UserId, SharedDatabase) {
    let user = home.user().await;
    make_admin(home, &user, true).await;
    let device = device(home, &user).await;
    (user, device)
}

async fn make_admin(home: &Home, user: &UserId, is_admin: bool) {
    sqlx::query(r#"update "ai-app-template_user" set is_admin = $2 where id = $1"#)
        .bind(user.as_str())
        .bind(is_admin)
        .execute(&mut home.raw().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_administrators_device_sees_what_the_owner_sees() {
    let Some(home) = home().await else { return };
    fill(&home, 7).await;
    let (_, device) = administrator(&home).await;
    let owner = &home.database;
    owner.share_searches(true).await.unwrap();
    let search = CountedSearch {
        query: "q".into(),
        answered: vec!["brave".into()],
        ..CountedSearch::default()
    };
    owner.add_search(&search).await.unwrap();

    assert_eq!(device.list_tables().await.unwrap(), owner.list_tables().await.unwrap());
    let mut shown = String::new();
    for table in Table::ALL {
        let mut after = None;
        loop {
            let page = device.list_rows(table, after.as_ref(), 3).await.unwrap();
            assert_eq!(
                page,
                owner.list_rows(table, after.as_ref(), 3).await.unwrap(),
                "{table:?}"
            );
            shown.push_str(&format!("{page:?}"));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    assert!(shown.contains("•••") && !shown.contains(CANARY), "{shown}");
    assert_eq!(
        device.search_statistics(400, 10).await.unwrap(),
        owner.search_statistics(400, 10).await.unwrap()
    );
    let mut after = None;
    loop {
        let page = device.list_sessions(after.as_ref(), 3).await.unwrap();
        assert_eq!(page, owner.list_sessions(after.as_ref(), 3).await.unwrap());
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
    }
    let session = owner.list_sessions(None, 100).await.unwrap().pop().unwrap();
    assert!(device.end_session(&session.id).await.unwrap());
    assert!(!device.end_session(&session.id).await.unwrap(), "it is over");
    assert!(!owner.list_sessions(None, 100).await.unwrap().contains(&session));
}

/// Its session alone gone, a device could still log in, and its person would find it among those that are signed in.
#[tokio::test]
async fn a_devices_session_that_is_ended_takes_the_device_along() {
    let Some(home) = home().await else { return };
    let (_, administrator) = administrator(&home).await;
    let bob = home.user().await;
    for who in [&home.database, &administrator] {
        let device = admit(&home.database, &home.url, bob.as_str()).await;
        device.connect().await;
        assert_eq!(home.database.list_devices_of(&bob).await.unwrap().len(), 1);
        let sessions = home.database.list_sessions(None, 100).await.unwrap();
        let session = sessions.iter().find(|session| session.user_id == bob).unwrap();
        assert!(who.end_session(&session.id).await.unwrap());
        assert!(!who.end_session(&session.id).await.unwrap(), "it is over");
        let denied = sqlx::PgConnection::connect(&device.url).await.unwrap_err();
        assert!(denied.to_string().contains("not permitted to log in"), "{denied}");
        assert_eq!(home.database.list_devices_of(&bob).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_device_whose_session_has_run_out_is_none_of_those_that_are_signed_in() {
    let Some(home) = home().await else { return };
    let user = home.user().await;
    let [first, second] = [
        admit(&home.database, &home.url, user.as_str()).await,
        admit(&home.database, &home.url, user.as_str()).await,
    ];
    sqlx::query(r#"update "ai-app-template_session" set expires = '2020-01-01' where session_token = $1"#)
        .bind(session_token_hash(&first.token))
        .execute(&mut home.raw().await)
        .await
        .unwrap();
    let listed = home.database.list_devices_of(&user).await.unwrap();
    assert_eq!(listed.iter().map(|device| device.id).collect::<Vec<_>>(), [second.id]);
    let own: Vec<uuid::Uuid> = sqlx::query_scalar("select id from deepsearch.list_devices()")
        .fetch_all(&mut second.connect().await)
        .await
        .unwrap();
    assert_eq!(own, [second.id]);
}

/// Each thing that the view can do.
async fn every_look(database: &SharedDatabase) -> Vec<DatabaseError> {
    let mut told = vec![
        database.list_tables().await.map(drop).unwrap_err(),
        database.list_sessions(None, 10).await.map(drop).unwrap_err(),
        database.end_session("x").await.map(drop).unwrap_err(),
        database.search_statistics(1, 10).await.map(drop).unwrap_err(),
        database.shares_searches().await.map(drop).unwrap_err(),
        database.share_searches(true).await.unwrap_err(),
    ];
    for table in Table::ALL {
        told.push(database.list_rows(table, None, 1).await.map(drop).unwrap_err());
    }
    told
}

#[tokio::test]
async fn the_data_view_is_not_for_anybody_else() {
    let Some(home) = home().await else { return };
    fill(&home, 3).await;
    let user = home.user().await;
    let device = device(&home, &user).await;
    for refusal in every_look(&device).await {
        assert_eq!(refusal.code(), ErrorCode::Refused, "{refusal:?}");
        assert!(!format!("{refusal:?}").contains(CANARY), "{refusal:?}");
    }
    assert!(!home.database.shares_searches().await.unwrap());
}

#[tokio::test]
async fn the_right_to_look_ends_with_the_office_and_with_the_session() {
    let Some(home) = home().await else { return };
    let (user, device) = administrator(&home).await;
    device.list_tables().await.unwrap();
    make_admin(&home, &user, false).await;
    let refused = device.list_tables().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Refused, "{refused:?}");
    make_admin(&home, &user, true).await;
    device.list_tables().await.unwrap();
    home.raw()
        .await
        .execute(r#"update "ai-app-template_session" set expires = now()"#)
        .await
        .unwrap();
    let refused = device.list_tables().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Refused, "{refused:?}");
}

/// An administrator looks at rows, and changes none but a session.
#[tokio::test]
async fn an_administrator_writes_no_more_than_anybody() {
    let Some(home) = home().await else { return };
    let (_, device) = administrator(&home).await;
    let other = home.user().await;
    let chat = home.chat(&other).await;
    assert_eq!(
        device.rename_chat(&other, &chat, "mine").await.unwrap_err().code(),
        ErrorCode::NotFound
    );
    let mut tx = device.begin().await.unwrap();
    let refused = tx
        .execute(r#"update "ai-app-template_user" set is_admin = true"#)
        .await
        .unwrap_err();
    assert_eq!(
        refused.as_database_error().and_then(|said| said.code()).as_deref(),
        Some("42501")
    );
}
