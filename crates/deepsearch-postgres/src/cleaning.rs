//! Cleaning: what has run out goes, so that the shared tables do not grow for ever. Run it now and then; nothing depends
//! on it.
//!
//! A few thousand rows at a time, each a transaction of its own: nobody waits long, and one that ends early has done its
//! part.

use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor};

use crate::database::SharedDatabase;
use crate::migrations::SchemaError;

const ACTION: &str = "remove what has run out";
const BATCH: u64 = 5000;
/// A device is made in a few hundredths of a second, and ended in as many.
const DEVICES: u64 = 200;
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
    /// Those of them that were revoked just now, because nobody had used them for 180 days.
    pub idle_devices: u64,
    /// Notes of what was deleted, which every device has seen by now.
    pub tombstones: u64,
}

impl SharedDatabase {
    /// Removes sessions, verification tokens and cached searches that have run out, the roles of revoked devices and of
    /// those that nobody has used for half a year, and tombstones older than a device may stay away.
    ///
    /// # Errors
    /// [`SchemaError`] when the database does not answer or the role may not; what went before is gone.
    pub async fn clean(&self) -> Result<Cleaned, SchemaError> {
        let run_out = "expires <= now()";
        let mut cleaned = Cleaned {
            sessions: self.delete(r#""ai-app-template_session""#, run_out).await?,
            verification_tokens: self.delete(r#""ai-app-template_verification_token""#, run_out).await?,
            ..Cleaned::default()
        };
        for table in [r#""ai-app-template_search_cache""#, "deepsearch.own_search"] {
            cleaned.searches += self.delete(table, "expires_at <= now()").await?;
        }
        for table in ["deepsearch.search_count", "deepsearch.engine_count"] {
            cleaned.search_counts += self.delete(table, "day < current_date - 400").await?;
        }
        // Their sessions went above, if they had not gone before.
        let idle = format!(
            "select count(deepsearch.revoke_device(id)) from (
                select id from deepsearch.device
                where revoked_at is null and coalesce(last_seen_at, created_at) < now() - interval '180 days'
                    and not exists (select from \"ai-app-template_session\" as session
                        where session.session_token = device.session_token)
                limit {DEVICES}) as idle"
        );
        cleaned.idle_devices = self.repeat(&idle, DEVICES).await?;
        cleaned.devices = self
            .repeat("select deepsearch.drop_revoked_devices()::bigint", 1000)
            .await?;
        let has_tombstones = "select (to_regprocedure('deepsearch_sync.collect(interval)') is not null)::int::bigint";
        if self.number(has_tombstones).await? > 0 {
            cleaned.tombstones = self.collect().await?;
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
        let noting = self.owned(async |tx| {
            sqlx::query("update deepsearch_sync.meta set restored = gen_random_uuid()::text")
                .execute(tx)
                .await
        });
        noting.await.map_err(|source| failed(RESTORED, source))?;
        Ok(())
    }

    async fn delete(&self, table: &str, rows: &str) -> Result<u64, SchemaError> {
        let batch = format!(
            "with gone as (
                delete from {table} where ctid = any (array(select ctid from {table} where {rows} limit {BATCH}))
                returning 1)
            select count(*) from gone"
        );
        self.repeat(&batch, BATCH).await
    }

    /// Until less than a whole batch is left.
    async fn repeat(&self, sql: &str, batch: u64) -> Result<u64, SchemaError> {
        let mut all = 0;
        loop {
            let gone = self.number(sql).await?;
            all += gone;
            if gone < batch {
                return Ok(all);
            }
        }
    }

    async fn number(&self, sql: &str) -> Result<u64, SchemaError> {
        let number = self.owned(async |tx| sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(tx).await);
        let number: i64 = number.await.map_err(|source| failed(ACTION, source))?;
        Ok(number.unsigned_abs())
    }

    /// One statement looks through all of a team's rows, so it has longer.
    async fn collect(&self) -> Result<u64, SchemaError> {
        let collect = async {
            let mut tx = self.begin().await?;
            tx.execute("set local statement_timeout = '10min'").await?;
            let gone: i64 = sqlx::query_scalar("select deepsearch_sync.collect()")
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(gone.unsigned_abs())
        };
        collect.await.map_err(|source| failed(ACTION, source))
    }
}

fn failed(action: &'static str, source: sqlx::Error) -> SchemaError {
    match source.as_database_error() {
        // 42P01, 3F000, 42883, 42703: what it is about is not there yet.
        Some(error) if matches!(error.code().as_deref(), Some("42P01" | "3F000" | "42883" | "42703")) => {
            SchemaError::Behind { pending: 1 }
        }
        _ => SchemaError::of(source, action),
    }
}
