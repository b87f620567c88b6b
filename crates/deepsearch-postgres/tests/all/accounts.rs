use deepsearch_core::{Account, ErrorCode, UserId};
use deepsearch_postgres::{DatabaseError, Rule};

use crate::support::home;
use crate::users::account;

#[tokio::test]
async fn an_account_leads_to_its_user_and_to_nobody_elses() {
    let Some(home) = home().await else { return };
    let (ada, bob) = (home.user().await, home.user().await);
    let kept = account(&ada, "github");
    home.database.add_account(&kept).await.unwrap();
    let find = |provider: &'static str, id: String| {
        let database = home.database.clone();
        async move { database.find_user_by_account(provider, &id).await.unwrap() }
    };
    let found = find("github", kept.provider_account_id.clone()).await;
    assert_eq!(found.map(|user| user.id), Some(ada.clone()));
    assert_eq!(find("discord", kept.provider_account_id.clone()).await, None);
    assert_eq!(find("github", "someone else".into()).await, None);

    // Another user cannot take it over, neither by linking nor by renewing it.
    let stolen = Account {
        user_id: bob.clone(),
        ..kept.clone()
    };
    let refused = home.database.add_account(&stolen).await.unwrap_err();
    let DatabaseError::Refused { field, rule, .. } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!((field.as_str(), *rule), ("provider, provider_account_id", Rule::Taken));
    let refused = home.database.update_account(&stolen).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    assert!(
        !home
            .database
            .delete_account(&bob, "github", &kept.provider_account_id)
            .await
            .unwrap()
    );
    assert_eq!(home.database.list_accounts(&ada).await.unwrap(), [kept]);
}

#[tokio::test]
async fn renewing_an_account_keeps_what_the_provider_gave() {
    let Some(home) = home().await else { return };
    let ada = home.user().await;
    let mut kept = account(&ada, "github");
    home.database.add_account(&kept).await.unwrap();
    kept.refresh_token = None;
    kept.access_token = Some("newer".into());
    kept.expires_at = Some(1);
    kept.scope = Some("read:user".into());
    kept.id_token = Some("id".into());
    kept.session_state = Some("state".into());
    home.database.update_account(&kept).await.unwrap();
    assert_eq!(home.database.list_accounts(&ada).await.unwrap(), [kept.clone()]);
    assert!(
        home.database
            .delete_account(&ada, "github", &kept.provider_account_id)
            .await
            .unwrap()
    );
    assert_eq!(home.database.list_accounts(&ada).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_of_nobody_is_refused() {
    let Some(home) = home().await else { return };
    let refused = home
        .database
        .add_account(&account(&UserId::new(), "github"))
        .await
        .unwrap_err();
    let DatabaseError::Refused { field, rule, .. } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!((field.as_str(), *rule), ("user_id", Rule::Unknown));
}
