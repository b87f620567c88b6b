//! The journal: what has come of an answer while it streams, so that a kill loses at most the last instants.
//!
//! Chunks are appended about four times a second and folded into the message when it ends, or when the store is
//! opened after a crash.

use chrono::{DateTime, Utc};
use deepsearch_core::{Invalid, MessageId, Page, PageId, Source};
use sqlx::{SqliteConnection, SqlitePool};

use crate::error::{Doing, StoreError};
use crate::history;
use crate::messages::write_json;
use crate::outbox::{self, Entity};
use crate::pages::{self, PackedPage};
use crate::store::Store;

impl Store {
    /// Keeps the next piece of an answer that this program is writing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not being written here.
    pub async fn journal_text(&self, answer_id: &MessageId, text: &str) -> Result<(), StoreError> {
        match self.add_chunk(answer_id, text).await {
            Err(error) if self.made_room(&error) => self.add_chunk(answer_id, text).await,
            done => done,
        }
    }

    async fn add_chunk(&self, answer_id: &MessageId, text: &str) -> Result<(), StoreError> {
        const ACTION: &str = "keep the answer's next words";
        let (id, owner) = (answer_id.as_str(), self.owner_id());
        let mut tx = self.begin(ACTION).await?;
        let added = sqlx::query!(
            "insert into journal (message_id, chunk, text)
             select id, (select coalesce(max(chunk), 0) + 1 from journal where message_id = message.id), ?1
             from message where id = ?2 and owner = ?3",
            text,
            id,
            owner
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        if added.rows_affected() == 0 {
            return Err(not_streaming(answer_id));
        }
        tx.commit().await.doing(ACTION)
    }

    /// Keeps what an answer will cite before it is written, so that its `[n]` hold also when it is cut off: `[n]` is
    /// `sources[n - 1]`, read from `pages[n - 1]`. Calling it again replaces what was kept.
    ///
    /// Returns the ids the pages are saved under, in order: a page that was saved before keeps the id it had.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the answer is not being written here, [`StoreError::Invalid`] when a source
    /// cannot be kept or is without its page.
    pub async fn journal_sources(
        &self,
        answer_id: &MessageId,
        sources: &[Source],
        pages: &[Page],
    ) -> Result<Vec<PageId>, StoreError> {
        const ACTION: &str = "keep the answer's sources";
        sources.iter().try_for_each(Source::validate)?;
        if sources.len() != pages.len() {
            return Err(StoreError::Invalid(Invalid::Malformed {
                field: "sources",
                value: format!("{} sources, {} pages", sources.len(), pages.len()),
                expected: "list with one page for each source",
            }));
        }
        // Compressing takes a while, and the writer's lock is not held for it.
        let packed = PackedPage::pack_all(pages).await?;
        let json = write_json(&sources).doing(ACTION)?;
        let id = answer_id.as_str();
        let mut tx = self.begin(ACTION).await?;
        if !self.is_writing(&mut tx, answer_id).await.doing(ACTION)? {
            return Err(not_streaming(answer_id));
        }
        sqlx::query!("update message set sources = ? where id = ?", json, id)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        let ids = pages::save_all(&mut tx, &packed).await.doing(ACTION)?;
        pages::link(&mut tx, id, &ids).await.doing(ACTION)?;
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(ids)
    }
}

pub(crate) fn not_streaming(answer_id: &MessageId) -> StoreError {
    StoreError::NotFound {
        what: "answer being written here with the id",
        id: answer_id.to_string(),
    }
}

/// Folds the journal of a message into its content.
pub(crate) async fn fold(tx: &mut SqliteConnection, message_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update message set content = content ||
            coalesce((select group_concat(text, '' order by chunk) from journal where message_id = message.id), '')
         where id = ?",
        message_id
    )
    .execute(&mut *tx)
    .await?;
    clear(tx, message_id).await
}

pub(crate) async fn clear(tx: &mut SqliteConnection, message_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from journal where message_id = ?", message_id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends every answer whose process has gone: it becomes interrupted, with the text that had come.
pub(crate) async fn interrupt_orphans(
    writer: &SqlitePool,
    alive: &[String],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    const ACTION: &str = "keep the answers that were cut off";
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.doing(ACTION)?;
    let streaming = sqlx::query!(r#"select id, owner as "owner!" from message where owner is not null"#)
        .fetch_all(&mut *tx)
        .await
        .doing(ACTION)?;
    for message in streaming.iter().filter(|message| !alive.contains(&message.owner)) {
        interrupt(&mut tx, &message.id, now).await.doing(ACTION)?;
        tracing::info!(
            message = message.id,
            "an answer that was cut off is kept as interrupted"
        );
    }
    history::follow(&mut tx).await.doing(ACTION)?;
    tx.commit().await.doing(ACTION)
}

async fn interrupt(tx: &mut SqliteConnection, message_id: &str, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    fold(tx, message_id).await?;
    sqlx::query!(
        "update message set state = 'interrupted', owner = null, synced = 0 where id = ?",
        message_id
    )
    .execute(&mut *tx)
    .await?;
    outbox::add(tx, Entity::Message, message_id, now).await
}
