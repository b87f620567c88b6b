//! What would be lost with the local copy: also what the server refused, and saved pages that did not reach it.

use anyhow::Result;
use chrono::TimeDelta;
use deepsearch_app::{App, AppError};
use deepsearch_servers::Postgres;
use deepsearch_tests::needs;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::sync_clock::{ask, device};

/// How many changes and pages are held to be nowhere else.
async fn only_here(app: &App) -> Result<u32> {
    match app.hold_what_is_only_here().await {
        Ok(()) => Ok(0),
        Err(AppError::OnlyHere { changes, .. }) => Ok(changes),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refused_or_did_not_get_is_not_removed_unasked() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        needs::missing("PostgreSQL");
        return Ok(());
    };
    let (app, _home) = device(&server, TimeDelta::zero()).await?;
    let mut owner = PgConnection::connect(&server.url("postgres")).await?;
    for (table, error) in [
        ("deepsearch_sync.page", "query_canceled"),
        ("deepsearch_sync.page", "data_exception"),
        (r#""ai-app-template_chat""#, "data_exception"),
    ] {
        owner
            .execute(sqlx::raw_sql(AssertSqlSafe(format!(
                "create function refuse() returns trigger language plpgsql as $$
                    begin raise exception using errcode = '{error}', message = 'not this one'; end $$;
                create trigger refuse before insert on {table} for each statement execute function refuse()"
            ))))
            .await?;
        ask(&app).await?;
        assert!(only_here(&app).await? > 0, "{table}: {error}");
        owner.execute("drop function refuse() cascade").await?;
        app.retry_sync().await?;
        assert_eq!(only_here(&app).await?, 0, "{table}: {error}");
        // A page that the server has is not sent again.
        owner.execute("delete from deepsearch_sync.page").await?;
    }
    app.close().await;
    Ok(())
}
