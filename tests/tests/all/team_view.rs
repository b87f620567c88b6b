//! The data view of the app is an administrator's, and who that is the database says, whatever this device keeps.

use anyhow::{Context, Result};
use deepsearch_app::{App, AppError, AppOptions, Config};
use deepsearch_core::{ErrorCode, Failure};
use deepsearch_servers::Postgres;
use deepsearch_tests::needs;
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

/// An app on a data folder of its own that keeps the owner's address.
async fn app(owner: &str) -> Result<(App, TempDir)> {
    let home = tempfile::tempdir()?;
    let path = home.path().to_string_lossy();
    let settings = [
        ("HOME", path.as_ref()),
        ("MODELS__DISCOVER_LOCAL", "false"),
        ("SECRETS__KEYCHAIN", "false"),
        ("SHARED__URL", owner),
    ];
    let config = Config::load(settings.map(|(name, value)| (format!("DEEPSEARCH_{name}"), value.to_owned())))?;
    Ok((App::open(AppOptions::new(config)).await?, home))
}

/// Everything that the view can do.
async fn every_look(app: &App) -> Result<Vec<Result<(), AppError>>> {
    let view = app.database_view()?;
    Ok(vec![
        view.tables().await.map(drop),
        view.rows("session", None, 10).await.map(drop),
        view.rows("message", None, 10).await.map(drop),
        view.sessions(None, 10).await.map(drop),
        view.search_statistics(30, 10).await.map(drop),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_looks_as_themselves_and_the_owners_address_is_no_way_round() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let url = server.url("postgres");
    let (app, _home) = app(&url).await?;
    app.init_share(None, false, Some("ada@example.com"), Some("Ada"), |_| {})
        .await?;
    for looked in every_look(&app).await? {
        looked.context("who has a database of their own is its administrator")?;
    }

    let mut owner = PgConnection::connect(&url).await?;
    owner
        .execute(
            r#"update "ai-app-template_user" set is_admin = false;
            insert into "ai-app-template_session" select 'another', id, now() + interval '1 day' from "ai-app-template_user""#,
        )
        .await?;
    for looked in every_look(&app).await? {
        let refused = looked.err().context("the right to look is gone")?;
        assert_eq!(Failure::from(&refused).code, ErrorCode::Refused, "{refused:?}");
    }
    let id: String = sqlx::query_scalar("select encode(sha256('another'), 'hex')")
        .fetch_one(&mut owner)
        .await?;
    assert!(app.database_view()?.end_session(&id).await.is_err());
    let sessions: i64 = sqlx::query_scalar(r#"select count(*) from "ai-app-template_session""#)
        .fetch_one(&mut owner)
        .await?;
    assert_eq!(sessions, 2);

    owner
        .execute(r#"update "ai-app-template_user" set is_admin = true"#)
        .await?;
    app.database_view()?.end_session(&id).await?;
    app.close().await;
    Ok(())
}
