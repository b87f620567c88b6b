//! Chats as a whole, in and out: all branches with their evidence. An import is one transaction for each chat.

use chrono::{DateTime, Utc};
use deepsearch_core::{Chat, ChatId, Citation, Labels, Message, MessageId, Page, PageId, SentenceCheck};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::messages::{self, write_json};
use crate::outbox::{self, Entity};
use crate::store::Store;
use crate::{chats, citations, history, labels, pages};

/// A message that was made elsewhere, with what it rests on.
#[derive(Debug, Clone)]
pub struct ImportedMessage {
    pub message: Message,
    /// The page that is saved for each source: its number, and its place in the list of pages.
    pub pages: Vec<(u32, usize)>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
    pub follow_ups: Vec<String>,
}

/// What became of a chat that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    New,
    /// It was here; so many messages are new.
    Extended(u64),
    Unchanged,
}

impl Store {
    /// Every message of a chat, all branches, oldest first. One that is being written is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_all_messages(&self, chat_id: &ChatId) -> Result<Vec<Message>, StoreError> {
        const ACTION: &str = "list the messages";
        let id = chat_id.as_str();
        let ids = sqlx::query_scalar!(
            "select id from message where chat_id = ? and hidden_at is null and state <> 'streaming'
             order by created_at, id",
            id
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let message = messages::lookup(self.readers(), &MessageId::from_stored(id)).await;
            all.extend(message.doing(ACTION)?);
        }
        Ok(all)
    }

    /// What [`Store::import_chat`] would do; nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for what cannot be kept.
    pub async fn preview_chat(&self, chat: &Chat, imported: &[ImportedMessage]) -> Result<Imported, StoreError> {
        valid(chat, imported)?;
        if self.lookup_chat(&chat.id).await?.is_none() {
            return Ok(Imported::New);
        }
        let mut added = 0;
        for one in imported {
            added += u64::from(self.lookup_message(&one.message.id).await?.is_none());
        }
        Ok(match added {
            0 => Imported::Unchanged,
            added => Imported::Extended(added),
        })
    }

    /// Adds a chat with its messages, each after its parent. What is here already stays as it is, so that doing it again
    /// changes nothing; what is new of a known chat is added behind what it has. One that is new is sorted as it was, as far
    /// as there is room for collections and tags; also tells which of them it could not be given.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for what cannot be kept; then nothing of the chat is.
    pub async fn import_chat(
        &self,
        chat: &Chat,
        labels: &Labels,
        imported: &[ImportedMessage],
        saved: &[Page],
    ) -> Result<(Imported, Vec<String>), StoreError> {
        const ACTION: &str = "import the chat";
        valid(chat, imported)?;
        let now = self.now();
        // A file may say what it likes: no page of one is newer than any to come.
        let mut saved = saved.to_vec();
        for page in &mut saved {
            page.fetched_at = page.fetched_at.min(now);
        }
        let packed = pages::PackedPage::pack_all(&saved).await?;
        let mut tx = self.begin(ACTION).await?;
        let is_new = chats::make(&mut tx, chat).await.doing(ACTION)?;
        let mut page_ids: Option<Vec<PageId>> = None;
        let mut last: Option<DateTime<Utc>> = None;
        let mut added = 0;
        let mut refused = Vec::new();
        for one in imported {
            let id = &one.message.id;
            if messages::lookup(&mut *tx, id).await.doing(ACTION)?.is_some() {
                continue;
            }
            let time = one.message.created_at;
            let time = match last {
                None if is_new => time,
                None => messages::next_time(&mut tx, &chat.id, time).await.doing(ACTION)?,
                Some(last) => time.max(last + messages::TICK),
            };
            last = Some(time);
            messages::insert(&mut tx, &chat.id, &one.message, time, None)
                .await
                .doing(ACTION)?;
            if !one.pages.is_empty() && page_ids.is_none() {
                page_ids = Some(pages::save_all(&mut tx, &packed).await.doing(ACTION)?);
            }
            for (number, at) in &one.pages {
                if let Some(page) = page_ids.as_ref().and_then(|ids| ids.get(*at)) {
                    pages::add_source(&mut tx, id.as_str(), *number, page)
                        .await
                        .doing(ACTION)?;
                }
            }
            citations::replace(&mut tx, id, &one.citations, &one.checks).await?;
            if !one.follow_ups.is_empty() {
                let (json, key) = (write_json(&one.follow_ups).doing(ACTION)?, id.as_str());
                sqlx::query!("update message set follow_ups = ? where id = ?", json, key)
                    .execute(&mut *tx)
                    .await
                    .doing(ACTION)?;
            }
            outbox::add(&mut tx, Entity::Message, id.as_str(), now)
                .await
                .doing(ACTION)?;
            added += 1;
        }
        if is_new {
            let left_out = labels::put(&mut tx, &chat.id, labels, now).await?;
            refused = left_out.collection.into_iter().chain(left_out.tags).collect();
            outbox::add(&mut tx, Entity::Chat, chat.id.as_str(), now)
                .await
                .doing(ACTION)?;
        } else if let Some(at) = last {
            match &chat.leaf {
                Some(leaf) if goes_on(&mut tx, &chat.id, leaf).await.doing(ACTION)? => {
                    chats::show_newest(&mut tx, &chat.id, leaf, at).await.doing(ACTION)?;
                }
                // What was written here since is what is shown.
                _ => chats::touch(&mut tx, &chat.id, at).await.doing(ACTION)?,
            }
        }
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let came = match (is_new, added) {
            (true, _) => Imported::New,
            (false, 0) => Imported::Unchanged,
            (false, added) => Imported::Extended(added),
        };
        Ok((came, refused))
    }
}

/// Whether a message goes on from what is shown of its chat.
async fn goes_on(tx: &mut SqliteConnection, chat_id: &ChatId, leaf: &MessageId) -> Result<bool, sqlx::Error> {
    let (chat, leaf) = (chat_id.as_str(), leaf.as_str());
    // The bound only stops a circle, which a damaged file may hold.
    sqlx::query_scalar!(
        r#"with recursive above (id, depth) as (
            select ?1, 0
            union all
            select (select parent from message where id = above.id and chat_id = ?2), depth + 1
            from above where above.id is not null and depth < 1000000)
        select (select leaf from chat where id = ?2) is null
            or exists (select 1 from above where id = (select leaf from chat where id = ?2)) as "goes_on!: bool""#,
        leaf,
        chat
    )
    .fetch_one(tx)
    .await
}

fn valid(chat: &Chat, imported: &[ImportedMessage]) -> Result<(), StoreError> {
    deepsearch_core::chat::valid_title(&chat.title)?;
    Ok(imported
        .iter()
        .try_for_each(|one| messages::valid_addition(&one.message))?)
}
