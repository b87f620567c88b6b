use chrono::TimeDelta;
use deepsearch_core::{Session, UserId};
use deepsearch_postgres::{DatabaseError, Rule};

use crate::support::{NOON, at, home};

fn session(user: &UserId, token: &str, expires: i64) -> Session {
    Session {
        session_token: token.into(),
        user_id: user.clone(),
        expires: at(NOON + expires),
    }
}

#[tokio::test]
async fn a_session_leads_to_its_user_until_it_expires() {
    let Some(home) = home().await else { return };
    let ada = home.user().await;
    let kept = session(&ada, "token", 10_000);
    home.database.add_session(&kept).await.unwrap();
    let found = home.database.lookup_session("token").await.unwrap().unwrap();
    assert_eq!((found.session, found.user.id), (kept, ada));
    assert_eq!(home.database.lookup_session("Token").await.unwrap(), None);

    home.clock.advance(TimeDelta::seconds(9));
    assert!(home.database.update_session("token", at(NOON + 20_000)).await.unwrap());
    home.clock.advance(TimeDelta::seconds(2));
    assert!(home.database.lookup_session("token").await.unwrap().is_some());
    home.clock.advance(TimeDelta::seconds(9));
    assert_eq!(
        home.database.lookup_session("token").await.unwrap(),
        None,
        "at its very end it is over"
    );
    let revived = home.database.update_session("token", at(NOON + 90_000)).await.unwrap();
    assert!(!revived, "what is over does not come back");
}

#[tokio::test]
async fn sessions_end_one_by_one_or_all_of_a_user() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    for (user, token, expires) in [
        (&ada, "1", 1_000),
        (&ada, "2", 9_000),
        (&ada, "3", 9_000),
        (&bob, "4", 9_000),
    ] {
        home.database.add_session(&session(user, token, expires)).await.unwrap();
    }
    assert!(home.database.delete_session("2").await.unwrap());
    assert!(!home.database.delete_session("2").await.unwrap());
    assert_eq!(home.database.delete_sessions_of(&ada).await.unwrap(), 2);
    assert!(home.database.lookup_session("4").await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_is_one_sessions_and_a_session_somebodys() {
    let Some(home) = home().await else { return };
    let ada = home.user().await;
    home.database.add_session(&session(&ada, "token", 1_000)).await.unwrap();
    let double = home
        .database
        .add_session(&session(&ada, "token", 1_000))
        .await
        .unwrap_err();
    let of_nobody = home
        .database
        .add_session(&session(&UserId::new(), "other", 1_000))
        .await
        .unwrap_err();
    let told = [double, of_nobody].map(|error| match error {
        DatabaseError::Refused { field, rule, .. } => (field, rule),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        told,
        [
            ("session_token".to_owned(), Rule::Taken),
            ("user_id".to_owned(), Rule::Unknown)
        ]
    );
}
