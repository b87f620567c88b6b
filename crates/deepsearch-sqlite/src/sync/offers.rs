//! Offers: chats from before the sign-in stay on this device until the person hands them over.

use chrono::{DateTime, Utc};
use deepsearch_core::ChatId;
use serde::{Deserialize, Serialize};

use super::SyncTx;
use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::time::from_millis;

/// A chat that may be handed over to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct ChatOffer {
    pub chat_id: ChatId,
    pub title: String,
    pub updated_at: DateTime<Utc>,
    /// The person has said no; it may be handed over all the same.
    pub declined: bool,
}

impl Store {
    /// Chats that may be handed over, by id after one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_chat_offers(&self, after: Option<&ChatId>, limit: u32) -> Result<Vec<ChatOffer>, StoreError> {
        let after = after.map_or("", ChatId::as_str);
        let rows = sqlx::query!(
            r#"select sync_offer.chat_id as "chat_id!", title as "title!", updated_at as "updated_at!",
                declined as "declined!: bool"
            from sync_offer cross join chat on chat.id = sync_offer.chat_id
            where sync_offer.chat_id > ? order by sync_offer.chat_id limit ?"#,
            after,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list the chats to hand over")?;
        let offers = rows.into_iter().map(|row| ChatOffer {
            chat_id: ChatId::from_stored(row.chat_id),
            title: row.title,
            updated_at: from_millis(row.updated_at),
            declined: row.declined,
        });
        Ok(offers.collect())
    }

    /// Hands chats over to the account: they are sent from now on.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn accept_chat_offers(&self, chats: &[ChatId]) -> Result<(), StoreError> {
        let mut tx = self.begin_sync().await?;
        for chat in chats {
            tx.accept_offer(chat).await?;
        }
        tx.commit().await
    }

    /// Keeps chats on this device.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn decline_chat_offers(&self, chats: &[ChatId]) -> Result<(), StoreError> {
        const ACTION: &str = "keep the chats on this device";
        let mut tx = self.begin(ACTION).await?;
        for chat in chats {
            let id = chat.as_str();
            sqlx::query!("update sync_offer set declined = 1 where chat_id = ?", id)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)
    }
}

impl SyncTx {
    /// Hands a chat over, with all of its messages that have ended; nothing when it is not on offer.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn accept_offer(&mut self, chat: &ChatId) -> Result<(), StoreError> {
        const ACTION: &str = "hand over a chat";
        let (id, now) = (chat.as_str(), self.now().timestamp_millis());
        let taken = sqlx::query!("delete from sync_offer where chat_id = ?", id)
            .execute(self.tx())
            .await
            .doing(ACTION)?;
        if taken.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query!(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at) values ('chat', ?, 'upsert', ?)",
            id,
            now
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        sqlx::query!(
            "insert or ignore into outbox (entity, entity_id, operation, changed_at)
             select 'message', id, 'upsert', ? from message where chat_id = ? and synced = 0 and state <> 'streaming'
             order by created_at",
            now,
            id
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }
}
