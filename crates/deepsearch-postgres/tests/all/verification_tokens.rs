use chrono::TimeDelta;
use deepsearch_core::{ErrorCode, VerificationToken};
use futures::future::join_all;

use crate::support::{NOON, at, home};

fn token(identifier: &str, token: &str) -> VerificationToken {
    VerificationToken {
        identifier: identifier.into(),
        token: token.into(),
        expires: at(NOON + 600_000),
    }
}

#[tokio::test]
async fn a_token_is_used_once() {
    let Some(home) = home().await else { return };
    let kept = token("ada@example.com", "secret");
    home.database.add_verification_token(&kept).await.unwrap();
    let used = |identifier: &'static str, token: &'static str| {
        let database = home.database.clone();
        async move { database.use_verification_token(identifier, token).await.unwrap() }
    };
    assert_eq!(used("bob@example.com", "secret").await, None, "not by another");
    assert_eq!(used("ada@example.com", "guessed").await, None);
    assert_eq!(used("ada@example.com", "secret").await, Some(kept));
    assert_eq!(used("ada@example.com", "secret").await, None);
}

#[tokio::test]
async fn of_many_who_use_one_token_at_once_one_succeeds() {
    let Some(home) = home().await else { return };
    let (mine, theirs) = (home.database.clone(), home.another().await);
    for round in 0..25 {
        let kept = token("ada@example.com", &format!("round {round}"));
        mine.add_verification_token(&kept).await.unwrap();
        let tries = (0..8).map(|n| {
            let database = if n % 2 == 0 { &mine } else { &theirs };
            database.use_verification_token(&kept.identifier, &kept.token)
        });
        let used: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(used, [kept]);
    }
}

#[tokio::test]
async fn a_token_that_is_over_gives_nothing_and_is_gone() {
    let Some(home) = home().await else { return };
    let over = token("ada@example.com", "tried");
    home.database.add_verification_token(&over).await.unwrap();
    home.clock.advance(TimeDelta::minutes(10));
    let used = home
        .database
        .use_verification_token("ada@example.com", "tried")
        .await
        .unwrap();
    assert_eq!(used, None);
    home.clock.advance(TimeDelta::minutes(-10));
    let again = home
        .database
        .use_verification_token("ada@example.com", "tried")
        .await
        .unwrap();
    assert_eq!(again, None, "not even were the clock set back");
}

#[tokio::test]
async fn an_address_has_one_token_of_a_kind() {
    let Some(home) = home().await else { return };
    home.database
        .add_verification_token(&token("a@example.com", "t"))
        .await
        .unwrap();
    home.database
        .add_verification_token(&token("b@example.com", "t"))
        .await
        .unwrap();
    let double = home
        .database
        .add_verification_token(&token("a@example.com", "t"))
        .await
        .unwrap_err();
    assert_eq!(double.code(), ErrorCode::Invalid);
    assert!(double.to_string().contains("`identifier, token` is taken"), "{double}");
    assert!(!double.to_string().contains("a@example.com"), "without the values");
}
