//! Messages: a chat's turns in the order of their times (seed 3.2).
//!
//! Times are whole milliseconds that rise strictly within a chat, also within one statement, so that the web app's
//! paging by time alone loses nothing (seed R11). What other programs wrote may have equal times: here a page ends at a
//! time and an id.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use deepsearch_core::validate::message_content;
use deepsearch_core::{Chat, ChatId, Invalid, Message, MessageId, MessageMetadata, MessageState, Role, Source, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use crate::chats;
use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

/// The most messages on one page.
pub const MESSAGES_ON_A_PAGE: u32 = 100;

/// What two messages of one chat are apart at least.
const TICK: TimeDelta = TimeDelta::milliseconds(1);

/// How many rows one statement inserts at most; a chat with more in it takes several, in one transaction.
const ROWS_OF_A_STATEMENT: usize = 5_000;

/// Where a page of messages ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageCursor {
    pub created_at: DateTime<Utc>,
    pub id: MessageId,
}

impl MessageCursor {
    /// The cursor for what comes before `message`.
    pub fn before(message: &Message) -> Self {
        Self {
            created_at: message.created_at,
            id: message.id.clone(),
        }
    }
}

/// A chat as it is opened at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatWithMessages {
    pub chat: Chat,
    pub messages: Vec<Message>,
}

struct MessageRow {
    id: String,
    chat_id: String,
    role: String,
    content: String,
    sources: Option<String>,
    metadata: Option<String>,
    created_at: DateTime<Utc>,
}

impl SharedDatabase {
    /// A chat with its first 100 messages, oldest first.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_chat_with_messages(
        &self,
        user: &UserId,
        id: &ChatId,
    ) -> Result<Option<ChatWithMessages>, DatabaseError> {
        const ACTION: &str = "open the chat";
        let mut tx = self.begin().await.doing(ACTION)?;
        let found = match chats::lookup(&mut tx, user, id).await.doing(ACTION)? {
            None => None,
            Some(chat) => Some(ChatWithMessages {
                messages: {
                    let limit = i64::from(MESSAGES_ON_A_PAGE);
                    let rows = self.page(&mut tx, user, id, Which::First, limit).await.doing(ACTION)?;
                    rows.into_iter().map(Message::from).collect()
                },
                chat,
            }),
        };
        tx.commit().await.doing(ACTION)?;
        Ok(found)
    }

    /// A page of a chat, in reading order: its newest `limit` messages, or those before the cursor; at most 100.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn list_messages(
        &self,
        user: &UserId,
        chat: &ChatId,
        before: Option<&MessageCursor>,
        limit: u32,
    ) -> Result<Vec<Message>, DatabaseError> {
        const ACTION: &str = "list the messages";
        let limit = i64::from(limit.min(MESSAGES_ON_A_PAGE));
        let mut tx = self.begin().await.doing(ACTION)?;
        let which = before.map_or(Which::Newest, Which::Before);
        let rows = self.page(&mut tx, user, chat, which, limit).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(rows.into_iter().rev().map(Message::from).collect())
    }

    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_message(&self, user: &UserId, id: &MessageId) -> Result<Option<Message>, DatabaseError> {
        const ACTION: &str = "look up the message";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query_as!(
            MessageRow,
            r#"select message.id, chat_id, role, content, sources::text, metadata::text, message.created_at
            from "ai-app-template_message" as message join "ai-app-template_chat" as chat on chat.id = chat_id
            where message.id = $1 and user_id = $2"#,
            id.as_str(),
            user.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(row.map(Message::from))
    }

    /// Adds messages to a chat in the order given, and says how many were new: one that is there already stays as it
    /// was. Each keeps its time, unless that is not after the one before it; the chat's last activity moves along.
    ///
    /// # Errors
    /// [`DatabaseError::Invalid`] for a message that cannot be kept, [`DatabaseError::NotFound`] for a chat that this
    /// user does not have, [`DatabaseError::Refused`] for an id that a message of another chat has; then none is added.
    pub async fn add_messages(&self, user: &UserId, chat: &ChatId, messages: &[Message]) -> Result<u64, DatabaseError> {
        const ACTION: &str = "add the messages";
        messages.iter().try_for_each(valid_addition)?;
        let mut tx = self.begin().await.doing(ACTION)?;
        // The chat is locked, so that the times of two who write at once do not cross.
        let found = sqlx::query!(
            r#"select id from "ai-app-template_chat" where id = $1 and user_id = $2 for no key update"#,
            chat.as_str(),
            user.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        if found.is_none() {
            return Err(chats::not_found(chat));
        }
        let last = self.last_time(&mut tx, user, chat).await.doing(ACTION)?;
        let added = append(&mut tx, chat, last, messages, ACTION).await?;
        tx.commit().await.doing(ACTION)?;
        Ok(added)
    }

    async fn page(
        &self,
        tx: &mut PgConnection,
        user: &UserId,
        chat: &ChatId,
        which: Which<'_>,
        limit: i64,
    ) -> Result<Vec<MessageRow>, sqlx::Error> {
        if self.is_device() {
            return page_of_device(tx, user, chat, which, limit).await;
        }
        match which {
            Which::First => first(tx, chat, limit).await,
            Which::Newest => newest(tx, user, chat, limit).await,
            Which::Before(cursor) => older(tx, user, chat, cursor, limit).await,
        }
    }

    /// When the newest message of a chat was written.
    async fn last_time(
        &self,
        tx: &mut PgConnection,
        user: &UserId,
        chat: &ChatId,
    ) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        if self.is_device() {
            let row = page_of_device(tx, user, chat, Which::Newest, 1).await?.pop();
            return Ok(row.map(|row| row.created_at));
        }
        sqlx::query_scalar!(
            r#"select created_at from "ai-app-template_message" where chat_id = $1 order by created_at desc limit 1"#,
            chat.as_str()
        )
        .fetch_optional(tx)
        .await
    }
}

/// Which messages of a chat.
#[derive(Clone, Copy)]
enum Which<'a> {
    /// In reading order; the others come newest first.
    First,
    Newest,
    Before(&'a MessageCursor),
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            role: row.role.parse().unwrap_or(Role::System),
            content: row.content,
            sources: row
                .sources
                .and_then(|json| read_json(&json, "sources", &row.id))
                .map(Source::all_of),
            metadata: row
                .metadata
                .and_then(|json| read_json(&json, "metadata", &row.id))
                .map(MessageMetadata::of),
            created_at: row.created_at,
            state: MessageState::Complete,
            id: MessageId::from_stored(row.id),
            chat_id: ChatId::from_stored(row.chat_id),
            parent: None,
        }
    }
}

/// What may be written: a message that has ended and holds to seed 8.2.
pub(crate) fn valid_addition(message: &Message) -> Result<(), Invalid> {
    if message.state == MessageState::Streaming {
        return Err(Invalid::Malformed {
            field: "message",
            value: message.id.to_string(),
            expected: "message that has ended",
        });
    }
    message_content(&message.content)?;
    message.validate()
}

/// Appends to a chat that nobody else writes to, one that is locked or that this transaction made, after its `last`
/// message.
pub(crate) async fn append(
    tx: &mut PgConnection,
    chat: &ChatId,
    last: Option<DateTime<Utc>>,
    messages: &[Message],
    action: &'static str,
) -> Result<u64, DatabaseError> {
    let times = rising_times(last, messages);
    let mut newest: Option<DateTime<Utc>> = None;
    let mut added = 0;
    for (messages, times) in messages
        .chunks(ROWS_OF_A_STATEMENT)
        .zip(times.chunks(ROWS_OF_A_STATEMENT))
    {
        let inserted = insert(tx, chat, messages, times, action).await?;
        added += inserted.len() as u64;
        newest = inserted.into_iter().max().or(newest);
    }
    if added < messages.len() as u64 {
        refuse_ids_of_other_chats(tx, chat, messages, action).await?;
    }
    if let Some(newest) = newest {
        chats::touch(tx, chat, newest).await.doing(action)?;
    }
    Ok(added)
}

/// Each message's own time in whole milliseconds, or just after the one before it (seed R11).
fn rising_times(mut last: Option<DateTime<Utc>>, messages: &[Message]) -> Vec<DateTime<Utc>> {
    let rising = messages.iter().map(|message| {
        let own = message.created_at.trunc_subsecs(3);
        // Another program's time may lie between two milliseconds: the next whole one is after it all the same.
        let time = last.map_or(own, |last| own.max(last.trunc_subsecs(3) + TICK));
        last = Some(time);
        time
    });
    rising.collect()
}

/// Inserts rows in one statement, and returns the times of those that were new.
async fn insert(
    tx: &mut PgConnection,
    chat: &ChatId,
    messages: &[Message],
    times: &[DateTime<Utc>],
    action: &'static str,
) -> Result<Vec<DateTime<Utc>>, DatabaseError> {
    let texts = |text: fn(&Message) -> &str| -> Vec<String> { messages.iter().map(|m| text(m).to_owned()).collect() };
    let sources: Vec<Option<String>> = messages
        .iter()
        .map(|message| write_json(message.sources.as_ref()))
        .collect::<Result<_, _>>()
        .doing(action)?;
    let metadata: Vec<Option<String>> = messages
        .iter()
        .map(|message| write_json(message.metadata.as_ref()))
        .collect::<Result<_, _>>()
        .doing(action)?;
    let fields: Vec<(&'static str, &str)> = messages
        .iter()
        .flat_map(|message| [("id", message.id.as_str()), ("content", &message.content)])
        .collect();
    sqlx::query_scalar!(
        r#"insert into "ai-app-template_message" (id, chat_id, role, content, sources, metadata, created_at)
        select id, $1, role, content, sources::json, metadata::json, created_at
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
            as new (id, role, content, sources, metadata, created_at)
        on conflict (id) do nothing returning created_at"#,
        chat.as_str(),
        &texts(|message| message.id.as_str()),
        &texts(|message| message.role.as_str()),
        &texts(|message| &message.content),
        &sources as &[Option<String>],
        &metadata as &[Option<String>],
        times
    )
    .fetch_all(tx)
    .await
    .writing(action, &fields)
}

/// Ids that were there already are those of a message added before, or the caller's mistake.
async fn refuse_ids_of_other_chats(
    tx: &mut PgConnection,
    chat: &ChatId,
    messages: &[Message],
    action: &'static str,
) -> Result<(), DatabaseError> {
    let ids: Vec<String> = messages.iter().map(|message| message.id.to_string()).collect();
    let strangers = sqlx::query_scalar!(
        r#"select exists (select from unnest($2::text[]) as given (id) where not exists (
            select from "ai-app-template_message" as message where message.id = given.id and chat_id = $1)) as "any!""#,
        chat.as_str(),
        &ids
    )
    .fetch_one(tx)
    .await
    .doing(action)?;
    if strangers {
        return Err(DatabaseError::taken(action, "id"));
    }
    Ok(())
}

/// A device's pages come from a function: through the view, each costs as much as the chat is long.
async fn page_of_device(
    tx: &mut PgConnection,
    user: &UserId,
    chat: &ChatId,
    which: Which<'_>,
    limit: i64,
) -> Result<Vec<MessageRow>, sqlx::Error> {
    let before = match which {
        Which::Before(cursor) => Some(cursor),
        Which::First | Which::Newest => None,
    };
    sqlx::query_as!(
        MessageRow,
        r#"select id as "id!", chat_id as "chat_id!", role as "role!", content as "content!", sources::text,
            metadata::text, created_at as "created_at!"
        from deepsearch.list_messages($1, $2, $3, $4, $5, $6)"#,
        user.as_str(),
        chat.as_str(),
        before.map(|cursor| cursor.created_at),
        before.map(|cursor| cursor.id.as_str()),
        matches!(which, Which::First),
        i32::try_from(limit).unwrap_or(i32::MAX)
    )
    .fetch_all(tx)
    .await
}

async fn first(tx: &mut PgConnection, chat: &ChatId, limit: i64) -> Result<Vec<MessageRow>, sqlx::Error> {
    sqlx::query_as!(
        MessageRow,
        r#"select id, chat_id, role, content, sources::text, metadata::text, created_at
        from "ai-app-template_message" where chat_id = $1 order by created_at, id collate "C" limit $2"#,
        chat.as_str(),
        limit
    )
    .fetch_all(tx)
    .await
}

async fn newest(
    tx: &mut PgConnection,
    user: &UserId,
    chat: &ChatId,
    limit: i64,
) -> Result<Vec<MessageRow>, sqlx::Error> {
    sqlx::query_as!(
        MessageRow,
        r#"select id, chat_id, role, content, sources::text, metadata::text, created_at
        from "ai-app-template_message"
        where chat_id = $1 and exists (select from "ai-app-template_chat" where id = $1 and user_id = $2)
        order by created_at desc, id collate "C" desc limit $3"#,
        chat.as_str(),
        user.as_str(),
        limit
    )
    .fetch_all(tx)
    .await
}

async fn older(
    tx: &mut PgConnection,
    user: &UserId,
    chat: &ChatId,
    before: &MessageCursor,
    limit: i64,
) -> Result<Vec<MessageRow>, sqlx::Error> {
    // The condition on the time alone is what an index can use. That the chat is named as it is, rather than found by a
    // query, lets the planner know how long it is: in a long one it reads the page and nothing else.
    sqlx::query_as!(
        MessageRow,
        r#"select id, chat_id, role, content, sources::text, metadata::text, created_at
        from "ai-app-template_message"
        where chat_id = $1 and exists (select from "ai-app-template_chat" where id = $1 and user_id = $2)
            and created_at <= $3 and (created_at, id collate "C") < ($3, $4)
        order by created_at desc, id collate "C" desc limit $5"#,
        chat.as_str(),
        user.as_str(),
        before.created_at,
        before.id.as_str(),
        limit
    )
    .fetch_all(tx)
    .await
}

/// Absent is NULL, never the JSON value `null` (seed part 3).
fn write_json(value: Option<&impl Serialize>) -> Result<Option<String>, sqlx::Error> {
    value
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Reads JSON of a row; what cannot be read is missing, with a note in the log, and breaks nothing around it.
pub(crate) fn read_json<T: DeserializeOwned>(json: &str, column: &'static str, id: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, column, id, "a row holds JSON that cannot be read"))
        .ok()
}
