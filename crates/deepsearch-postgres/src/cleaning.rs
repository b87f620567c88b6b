//! Cleaning: what has run out goes, so that the shared tables do not grow for ever. Run it now and then; nothing depends
//! on it.

use serde::Serialize;

use crate::database::SharedDatabase;
use crate::migrations::SchemaError;

const ACTION: &str = "remove what has run out";
const RESTORED: &str = "note that the server was put back";

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cleaned {
    pub sessions: u64,
    pub verification_tokens: u64,
    pub searches: u64,
    /// Counts of searches of more than 400 days ago.
    pub search_counts: u64,
    /// Login roles of devices that were revoked.
    pub devices: u64,
    /// Notes of what was deleted, which every device has seen by now.
    pub tombstones: u64,
}

impl SharedDatabase {
    /// Removes sessions, verification tokens and cached searches that have run out, the roles of revoked devices, and
    /// tombstones older than a device may stay away.
    ///
    /// # Errors
    /// [`SchemaError`] when the database does not answer or the role may not; what went before is gone.
    pub async fn clean(&self) -> Result<Cleaned, SchemaError> {
        let mut cleaned = Cleaned {
            sessions: self
                .delete(r#"delete from "ai-app-template_session" where expires <= now()"#)
                .await?,
            verification_tokens: self
                .delete(r#"delete from "ai-app-template_verification_token" where expires <= now()"#)
                .await?,
            searches: self
                .delete(r#"delete from "ai-app-template_search_cache" where expires_at <= now()"#)
                .await?,
            ..Cleaned::default()
        };
        cleaned.searches += self
            .delete("delete from deepsearch.own_search where expires_at <= now()")
            .await?;
        cleaned.search_counts = self
            .delete("delete from deepsearch.search_count where day < current_date - 400")
            .await?;
        cleaned.search_counts += self
            .delete("delete from deepsearch.engine_count where day < current_date - 400")
            .await?;
        // A thousand at a time, so that nobody waits long.
        loop {
            let dropped: i32 = self.number("select deepsearch.drop_revoked_devices()").await?;
            cleaned.devices += u64::try_from(dropped).unwrap_or_default();
            if dropped < 1000 {
                break;
            }
        }
        let has_tombstones: bool = self
            .number("select to_regprocedure('deepsearch_sync.collect(interval)') is not null")
            .await?;
        if has_tombstones {
            let gone: i64 = self.number("select deepsearch_sync.collect()").await?;
            cleaned.tombstones = u64::try_from(gone).unwrap_or_default();
        }
        Ok(cleaned)
    }

    /// Notes that the server was put back to an earlier state of itself, so that every device compares everything with it
    /// again. One that stands before what a device has seen is noticed by that device anyhow; not so one that has gone
    /// on past it.
    ///
    /// # Errors
    /// [`SchemaError`] when the database does not answer or the role may not.
    pub async fn note_restored(&self) -> Result<(), SchemaError> {
        sqlx::query("update deepsearch_sync.meta set restored = gen_random_uuid()::text")
            .execute(self.pool())
            .await
            .map_err(|source| failed(RESTORED, source))?;
        Ok(())
    }

    async fn delete(&self, sql: &'static str) -> Result<u64, SchemaError> {
        let done = sqlx::query(sql).execute(self.pool()).await;
        let done = done.map_err(|source| failed(ACTION, source))?;
        Ok(done.rows_affected())
    }

    async fn number<T>(&self, sql: &'static str) -> Result<T, SchemaError>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let found = sqlx::query_scalar(sql).fetch_one(self.pool()).await;
        found.map_err(|source| failed(ACTION, source))
    }
}

fn failed(action: &'static str, source: sqlx::Error) -> SchemaError {
    match source.as_database_error() {
        Some(error) if error.code().as_deref() == Some("42501") => SchemaError::Denied {
            action,
            detail: error.message().to_owned(),
        },
        // 42P01, 3F000, 42883, 42703: what it is about is not there yet.
        Some(error) if matches!(error.code().as_deref(), Some("42P01" | "3F000" | "42883" | "42703")) => {
            SchemaError::Behind { pending: 1 }
        }
        _ => SchemaError::Database { action, source },
    }
}
