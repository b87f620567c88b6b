//! Engine events: every time a search engine was asked, when, how long it took, and why it failed. A bounded past.

use deepsearch_core::EngineEvent;

use crate::error::{Doing, StoreError};
use crate::messages::write_json;
use crate::store::Store;
use crate::time::from_millis;

/// Of each engine so many are kept, the newest.
pub const EVENTS_KEPT: i64 = 500;

impl Store {
    /// Adds what happened, oldest first, and forgets what is too long ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_engine_events(&self, events: &[EngineEvent]) -> Result<(), StoreError> {
        const ACTION: &str = "keep how the engines are doing";
        if events.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(ACTION).await?;
        for event in events {
            let (at, took) = (event.at.timestamp_millis(), event.milliseconds);
            let failure = event.failure.as_ref().map(write_json).transpose().doing(ACTION)?;
            sqlx::query!(
                "insert into engine_event (engine, at, milliseconds, failure) values (?, ?, ?, ?)",
                event.engine,
                at,
                took,
                failure
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        }
        let mut engines: Vec<&str> = events.iter().map(|event| event.engine.as_str()).collect();
        engines.sort_unstable();
        engines.dedup();
        for engine in engines {
            sqlx::query!(
                "delete from engine_event where engine = ?1 and id <=
                 (select id from engine_event where engine = ?1 order by id desc limit 1 offset ?2)",
                engine,
                EVENTS_KEPT
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)
    }

    /// What happened, the newest first: of one engine, or of all.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_engine_events(&self, engine: Option<&str>, limit: u32) -> Result<Vec<EngineEvent>, StoreError> {
        let rows = sqlx::query!(
            r#"select engine, at, milliseconds as "milliseconds: u32", failure from engine_event
               where ?1 is null or engine = ?1 order by id desc limit ?2"#,
            engine,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list how the engines have been doing")?;
        let event = |row: (String, i64, u32, Option<String>)| EngineEvent {
            engine: row.0,
            at: from_millis(row.1),
            milliseconds: row.2,
            // A failure that cannot be read was one all the same.
            failure: row.3.map(|json| {
                serde_json::from_str(&json).unwrap_or_else(|_| {
                    deepsearch_core::Failure::new(deepsearch_core::ErrorCode::Internal, "It failed.")
                })
            }),
        };
        Ok(rows
            .into_iter()
            .map(|row| event((row.engine, row.at, row.milliseconds, row.failure)))
            .collect())
    }
}
