//! People who signed in to the web app, as DeepSearch finds them; and one whom it deletes.

use anyhow::{Context, Result};
use deepsearch_core::{Chat, ChatId, Clock, SystemClock, VerificationToken};

use crate::world::World;

/// As `sign_in.test.ts` leaves her: signed in by mail, then linked to an account, with one session left.
const LIN: &str = "lin@example.org";

#[tokio::test(flavor = "multi_thread")]
async fn auth_js_signs_people_in_and_deepsearch_finds_and_deletes_them() -> Result<()> {
    let Some(world) = World::start().await? else {
        return Ok(());
    };
    world.web_app_tests("tests/sign_in.test.ts").await?;

    let ours = &world.ours;
    let lin = ours
        .find_user_by_email("LIN@example.org")
        .await?
        .context("Lin is found")?;
    assert_eq!(lin.email, LIN);
    assert!(lin.email_verified.is_some(), "she read her mail");
    assert_eq!((lin.name.as_deref(), lin.is_admin), (None, false));

    let found = ours.lookup_user_with_accounts(&lin.id).await?.context("Lin is found")?;
    assert_eq!(found.user, lin);
    let [account] = found.accounts.as_slice() else {
        panic!("Lin has one account, not {:?}", found.accounts);
    };
    assert_eq!(
        (
            account.kind.as_str(),
            account.provider.as_str(),
            account.provider_account_id.as_str()
        ),
        ("oidc", "team", "lin-at-work")
    );
    assert_eq!(account.token_type.as_deref(), Some("bearer"));
    assert!(account.access_token.is_some() && account.refresh_token.is_some() && account.id_token.is_some());
    let by_account = ours.find_user_by_account("team", "lin-at-work").await?;
    assert_eq!(by_account.as_ref(), Some(&lin));

    let mut look = world.raw().await?;
    let token: String = sqlx::query_scalar(r#"select session_token from "ai-app-template_session""#)
        .fetch_one(&mut look)
        .await?;
    let session = ours.lookup_session(&token).await?.context("the session is found")?;
    assert_eq!(session.user, lin);

    // What keeps Auth.js from deleting her goes first (R4).
    let now = SystemClock.now();
    ours.add_chat(&lin.id, &new_chat(now)).await?;
    ours.add_verification_token(&VerificationToken {
        identifier: LIN.into(),
        token: "0f".repeat(32),
        expires: now,
    })
    .await?;
    ours.delete_user(&lin.id).await?;
    for table in [
        "user",
        "account",
        "session",
        "verification_token",
        "chat",
        "message",
        "user_settings",
    ] {
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            r#"select count(*) from "ai-app-template_{table}""#
        )))
        .fetch_one(&mut look)
        .await?;
        assert_eq!(rows, 0, "rows of {table} are left");
    }
    Ok(())
}

fn new_chat(now: chrono::DateTime<chrono::Utc>) -> Chat {
    Chat {
        id: ChatId::new(),
        title: "New Chat".into(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        pinned: false,
        archived: false,
        leaf: None,
    }
}
