use deepsearch_core::{Account, ErrorCode, Session, User, UserId, VerificationToken};
use deepsearch_postgres::{DatabaseError, Rule};
use futures::future::join_all;
use rstest::rstest;
use sqlx::Executor;

use crate::support::{NOON, at, chat, home, message, user};

fn field_and_rule(error: &DatabaseError) -> (&str, Rule) {
    match error {
        DatabaseError::Refused { field, rule, .. } => (field, *rule),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_user_comes_back_as_they_were_and_a_changed_one_as_changed() {
    let Some(home) = home().await else { return };
    let mut ada = User {
        email_verified: Some(at(NOON)),
        image: Some("https://example.com/a.png".into()),
        ..user("Ada@Example.com")
    };
    home.database.add_user(&ada).await.unwrap();
    assert_eq!(home.database.lookup_user(&ada.id).await.unwrap(), Some(ada.clone()));
    ada.name = None;
    ada.email = "ada@example.org".into();
    ada.is_admin = true;
    home.database.update_user(&ada).await.unwrap();
    assert_eq!(home.database.lookup_user(&ada.id).await.unwrap(), Some(ada));
    assert_eq!(home.database.lookup_user(&UserId::new()).await.unwrap(), None);
    let unknown = home
        .database
        .update_user(&user("nobody@example.com"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_user_whose_address_was_never_verified_does_not_count_as_verified() {
    let Some(home) = home().await else { return };
    let ada = user("ada@example.com");
    home.database.add_user(&ada).await.unwrap();
    let read = home.database.lookup_user(&ada.id).await.unwrap().unwrap();
    assert_eq!(read.email_verified, None, "the column's default is now");
}

#[tokio::test]
async fn an_address_is_found_whatever_its_capitals_and_is_one_users() {
    let Some(home) = home().await else { return };
    let ada = user("Ada@Example.com");
    home.database.add_user(&ada).await.unwrap();
    let found = home.database.find_user_by_email("aDA@example.COM").await.unwrap();
    assert_eq!(found.as_ref().map(|user| &user.id), Some(&ada.id));
    assert_eq!(home.database.find_user_by_email("ada%").await.unwrap(), None);

    let double = home.database.add_user(&user("ada@example.com")).await.unwrap_err();
    assert_eq!(field_and_rule(&double), ("email", Rule::Taken));
    let mut other = user("other@example.com");
    home.database.add_user(&other).await.unwrap();
    other.email = "ADA@example.com".into();
    let moved = home.database.update_user(&other).await.unwrap_err();
    assert_eq!(field_and_rule(&moved), ("email", Rule::Taken));
    let same_id = home
        .database
        .add_user(&User {
            id: ada.id.clone(),
            ..user("new@example.com")
        })
        .await
        .unwrap_err();
    assert_eq!(field_and_rule(&same_id), ("id", Rule::Taken));
}

#[tokio::test]
async fn of_many_who_take_one_address_at_once_one_gets_it() {
    let Some(home) = home().await else { return };
    let (mine, theirs) = (home.database.clone(), home.another().await);
    for round in 0..10 {
        let tries = (0..8).map(|n| {
            let database = if n % 2 == 0 { &mine } else { &theirs };
            let email = if n % 3 == 0 {
                format!("Round{round}@example.com")
            } else {
                format!("round{round}@EXAMPLE.com")
            };
            async move { database.add_user(&user(&email)).await }
        });
        let outcomes = join_all(tries).await;
        let added = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(added, 1, "{outcomes:?}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(field_and_rule(refused), ("email", Rule::Taken));
        }
    }
}

#[tokio::test]
async fn of_two_users_that_the_web_app_gave_one_address_the_same_is_always_found() {
    let Some(home) = home().await else { return };
    let mut raw = home.raw().await;
    raw.execute(
        r#"insert into "ai-app-template_user" (id, email, email_verified) values
            ('c', 'TWO@example.com', null), ('b', 'Two@example.com', null), ('a', 'two@Example.com', '2024-01-01')"#,
    )
    .await
    .unwrap();
    let find = |email: &'static str| async {
        let found = home.database.find_user_by_email(email).await.unwrap();
        found.unwrap().id.to_string()
    };
    assert_eq!(find("two@example.com").await, "a", "the verified one");
    assert_eq!(find("Two@example.com").await, "b", "the one written so");
}

#[tokio::test]
async fn a_user_is_found_with_all_accounts_or_none() {
    let Some(home) = home().await else { return };
    let id = home.user().await;
    let found = home.database.lookup_user_with_accounts(&id).await.unwrap().unwrap();
    assert_eq!((found.user.id, found.accounts), (id.clone(), vec![]));
    for provider in ["github", "discord"] {
        home.database.add_account(&account(&id, provider)).await.unwrap();
    }
    let found = home.database.lookup_user_with_accounts(&id).await.unwrap().unwrap();
    let providers: Vec<&str> = found.accounts.iter().map(|account| account.provider.as_str()).collect();
    assert_eq!(providers, ["discord", "github"]);
    assert_eq!(
        home.database.lookup_user_with_accounts(&UserId::new()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn deleting_a_user_leaves_nothing_of_theirs_and_everything_of_others() {
    let Some(home) = home().await else { return };
    let mut users = Vec::new();
    for name in ["doomed", "other"] {
        let user = user(&format!("{name}@example.com"));
        home.database.add_user(&user).await.unwrap();
        home.database.add_account(&account(&user.id, name)).await.unwrap();
        let session = Session {
            session_token: format!("token of {name}"),
            user_id: user.id.clone(),
            expires: at(NOON + 1_000),
        };
        home.database.add_session(&session).await.unwrap();
        let token = VerificationToken {
            identifier: format!("{}@example.com", name.to_uppercase()),
            token: "t".into(),
            expires: at(NOON + 1_000),
        };
        home.database.add_verification_token(&token).await.unwrap();
        let chat = chat("A chat", NOON);
        let messages = [message(&chat.id, "m", NOON)];
        home.database
            .add_chat_with_messages(&user.id, &chat, &messages)
            .await
            .unwrap();
        home.database
            .update_user_settings(&user.id, &Default::default())
            .await
            .unwrap();
        users.push(user.id);
    }
    home.database.delete_user(&users[0]).await.unwrap();

    let mut raw = home.raw().await;
    for table in [
        "user",
        "account",
        "session",
        "verification_token",
        "chat",
        "message",
        "user_settings",
    ] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select count(*) from \"ai-app-template_{table}\""
        )))
        .fetch_one(&mut raw)
        .await
        .unwrap();
        assert_eq!(left, 1, "of `{table}` the other's is left");
    }
    assert!(home.database.lookup_user(&users[1]).await.unwrap().is_some());
    let again = home.database.delete_user(&users[0]).await.unwrap_err();
    assert_eq!(again.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_sign_in_during_deletion_leaves_no_session_of_nobody() {
    let Some(home) = home().await else { return };
    for round in 0..20 {
        let id = home.user().await;
        let session = Session {
            session_token: format!("round {round}"),
            user_id: id.clone(),
            expires: at(NOON + 1_000),
        };
        let (deleted, _signed_in) = tokio::join!(home.database.delete_user(&id), home.database.add_session(&session));
        deleted.unwrap();
        assert_eq!(home.database.lookup_user(&id).await.unwrap(), None);
        assert_eq!(
            home.database.lookup_session(&session.session_token).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_user_that_something_else_refers_to_is_not_deleted_by_halves() {
    let Some(home) = home().await else { return };
    let id = home.user().await;
    home.database.add_account(&account(&id, "github")).await.unwrap();
    let mut raw = home.raw().await;
    raw.execute(r#"create table other (user_id varchar(255) references "ai-app-template_user" (id))"#)
        .await
        .unwrap();
    sqlx::query("insert into other values ($1)")
        .bind(id.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    let refused = home.database.delete_user(&id).await.unwrap_err();
    assert_eq!(field_and_rule(&refused), ("id", Rule::InUse));
    assert_eq!(home.database.list_accounts(&id).await.unwrap().len(), 1);
}

#[rstest]
#[case::no_at("ada")]
#[case::empty("")]
#[case::no_name("@example.com")]
#[case::no_host("ada@")]
#[case::space("ada lovelace@example.com")]
#[case::too_long(&format!("{}@example.com", "a".repeat(250)))]
#[tokio::test]
async fn an_address_that_is_none_is_refused(#[case] email: &str) {
    let Some(home) = home().await else { return };
    let refused = home.database.add_user(&user(email)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Invalid);
    assert!(
        matches!(refused, DatabaseError::Invalid(_)),
        "without asking the database"
    );
}

pub(crate) fn account(user: &UserId, provider: &str) -> Account {
    Account {
        user_id: user.clone(),
        kind: "oauth".into(),
        provider: provider.into(),
        provider_account_id: format!("{user} at {provider}"),
        refresh_token: Some("refresh".into()),
        access_token: Some("a".repeat(4_000)),
        expires_at: Some(i32::MAX),
        token_type: Some("bearer".into()),
        scope: None,
        id_token: None,
        session_state: None,
    }
}
