//! Model use: tokens by month and model, and by chat. The months outlive the chats: what was used stays used.

use chrono::{DateTime, Utc};
use deepsearch_core::{ChatId, MessageMetadata, TokenUsage};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::store::Store;

/// What one model was used for, in a month or in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUse {
    pub model: String,
    pub answers: u32,
    /// Tokens that it read.
    pub prompt: u64,
    /// Tokens that it wrote.
    pub completion: u64,
}

/// A month, and what was used in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthUse {
    /// As `2026-11`, in UTC.
    pub month: String,
    pub of: ModelUse,
}

/// A chat, and what was used in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatUse {
    pub chat_id: ChatId,
    pub title: String,
    pub of: ModelUse,
}

impl Store {
    /// What was used by month and model, the newest month and in it the most used model first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_month_use(&self, month: Option<&str>, limit: u32) -> Result<Vec<MonthUse>, StoreError> {
        let rows = sqlx::query!(
            r#"select month, model, answers as "answers: u32", prompt, completion from model_use
               where ?1 is null or month = ?1
               order by month desc, prompt + completion desc, model limit ?2"#,
            month,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing("list what models were used for")?;
        let month = |month, model, answers, prompt: i64, completion: i64| MonthUse {
            month,
            of: of(model, answers, prompt, completion),
        };
        Ok(rows
            .into_iter()
            .map(|row| month(row.month, row.model, row.answers, row.prompt, row.completion))
            .collect())
    }

    /// What was used in one chat, or in those that used most of the 2,000 that were active last, which bounds what is
    /// read; by chat and model, the most used first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_chat_use(&self, chat: Option<&ChatId>, chats: u32) -> Result<Vec<ChatUse>, StoreError> {
        let chat = chat.map(ChatId::as_str);
        let rows = sqlx::query!(
            r#"with looked_at as (
                   select id from chat where id = ?1
                   union all
                   select id from (
                       select id from chat as recent
                       where ?1 is null and deleted_at is null and archived = 0
                           and (updated_at, id) < (9223372036854775807, '')
                       order by recent.updated_at desc, recent.id desc limit 2000
                   )
               ), used as (
                   select chat_id, cast(spent.key as text) as model, json_extract(spent.value, '$.prompt') as prompt,
                       json_extract(spent.value, '$.completion') as completion
                   from looked_at cross join message on chat_id = looked_at.id
                   cross join json_each(case
                       when metadata is null or not json_valid(metadata) then '{}'
                       when json_type(metadata, '$.tokensByModel') = 'object'
                           then json_extract(metadata, '$.tokensByModel')
                       when json_type(metadata, '$.model') = 'text' and json_type(metadata, '$.tokens') = 'object'
                           then json_object(json_extract(metadata, '$.model'), json_extract(metadata, '$.tokens'))
                       else '{}'
                   end) as spent
                   where role = 'assistant'
                       and case spent.type when 'object' then json_type(spent.value, '$.prompt') end = 'integer'
                       and case spent.type when 'object' then json_type(spent.value, '$.completion') end = 'integer'
               ), most as (
                   select chat_id, sum(prompt + completion) as total from used
                   group by chat_id order by total desc, chat_id limit ?2
               )
               select most.chat_id as "chat_id!: String", chat.title as "title!: String", used.model as "model!: String",
                   count(*) as "answers!: u32", sum(used.prompt) as "prompt!: i64",
                   sum(used.completion) as "completion!: i64"
               from most join used on used.chat_id = most.chat_id join chat on chat.id = most.chat_id
               group by most.chat_id, used.model
               order by most.total desc, most.chat_id, sum(used.prompt + used.completion) desc"#,
            chat,
            chats
        )
        .fetch_all(self.readers())
        .await
        .doing("list what models were used for")?;
        Ok(rows
            .into_iter()
            .map(|row| ChatUse {
                chat_id: ChatId::from_stored(row.chat_id),
                title: row.title,
                of: of(row.model, row.answers, row.prompt, row.completion),
            })
            .collect())
    }
}

fn of(model: String, answers: u32, prompt: i64, completion: i64) -> ModelUse {
    ModelUse {
        model,
        answers,
        prompt: prompt.unsigned_abs(),
        completion: completion.unsigned_abs(),
    }
}

/// Counts what an answer used, where its provider told, for each model. What was counted `before` for an answer that goes
/// on is not counted again: its metadata says what all of it used.
pub(crate) async fn count(
    tx: &mut SqliteConnection,
    before: Option<&MessageMetadata>,
    metadata: Option<&MessageMetadata>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let counted = before.map(MessageMetadata::spent).unwrap_or_default();
    let month = now.format("%Y-%m").to_string();
    for (model, tokens) in metadata.map(MessageMetadata::spent).unwrap_or_default() {
        let already = counted.get(&model).copied();
        let TokenUsage { prompt, completion, .. } = tokens.beyond(already.unwrap_or_default());
        let answers = u32::from(already.is_none());
        sqlx::query!(
            "insert into model_use (month, model, answers, prompt, completion) values (?1, ?2, ?3, ?4, ?5)
         on conflict (month, model) do update set answers = answers + excluded.answers,
             prompt = prompt + excluded.prompt, completion = completion + excluded.completion",
            month,
            model,
            answers,
            prompt,
            completion
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
