//! Messages: a chat's tree, read one page of the shown branch at a time.
//!
//! Leaves out how an answer comes to be, which is in `turns.rs` and `journal.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::{ChatId, Invalid, Message, MessageId, MessageMetadata, MessageState, Role, Source};
use serde::de::DeserializeOwned;
use sqlx::{SqliteConnection, SqliteExecutor};

use crate::chats;
use crate::error::{Doing, StoreError};
use crate::history;
use crate::outbox::{self, Entity};
use crate::store::Store;
use crate::time::from_millis;

struct MessageRow {
    id: String,
    chat_id: String,
    parent: Option<String>,
    role: String,
    content: String,
    sources: Option<String>,
    metadata: Option<String>,
    created_at: i64,
    state: String,
}

/// `query_as!` over the columns of a [`MessageRow`], between what comes before and after them in the statement.
/// The content of a message being written is what has come of it so far.
macro_rules! select_messages {
    ($before:literal, $rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            MessageRow,
            $before + r#" select message.id as "id!", chat_id as "chat_id!", parent, role as "role!",
            case when state = 'streaming'
                then content || coalesce(
                    (select group_concat(text, '' order by chunk) from journal where message_id = message.id), '')
                else content end as "content!: String",
            sources, metadata, created_at as "created_at!", state as "state!" "# + $rest
            $(, $argument)*
        )
    };
}

impl Store {
    /// A page of the shown branch, in reading order: the newest `limit` messages, or those before `before`.
    /// The cost is that of the page, however long the chat.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_messages(
        &self,
        chat_id: &ChatId,
        before: Option<&MessageId>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        const ACTION: &str = "list the messages";
        let last = match before {
            Some(before) => self.parent_of(before).await.doing(ACTION)?,
            None => shown_leaf(self.readers(), chat_id).await.doing(ACTION)?,
        };
        let chat_id = chat_id.as_str();
        // Walks up from the end of the page, one parent at a time, and no further than its start. `cross join` keeps
        // SQLite from starting at the chat's messages, all of them. A hidden message is walked through and not counted.
        let rows = select_messages!(
            "with recursive branch (id, depth) as (
                select ?1, 0 where ?1 is not null and ?2 > 0
                union
                select parent, depth + (hidden_at is null) from branch cross join message on message.id = branch.id
                where parent is not null and depth + (hidden_at is null) < ?2)",
            "from branch cross join message on message.id = branch.id
             where chat_id = ?3 and hidden_at is null order by depth desc",
            last,
            limit,
            chat_id
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        Ok(rows.into_iter().map(Message::from).collect())
    }

    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_message(&self, id: &MessageId) -> Result<Option<Message>, StoreError> {
        lookup(self.readers(), id).await.doing("look up the message")
    }

    /// The message and those beside it (edits of one question, answers to one question), oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_siblings(&self, id: &MessageId) -> Result<Vec<MessageId>, StoreError> {
        // More than anybody pages through; it bounds what an odd import may bring.
        const LIMIT: u32 = 1_000;
        let id = id.as_str();
        let ids = sqlx::query_scalar!(
            "select sibling.id from message join message as sibling
                on sibling.chat_id = message.chat_id and sibling.parent is message.parent
                and sibling.role = message.role and sibling.hidden_at is null
             where message.id = ? order by sibling.created_at, sibling.id limit ?",
            id,
            LIMIT
        )
        .fetch_all(self.readers())
        .await
        .doing("list the other versions")?;
        Ok(ids.into_iter().map(MessageId::from_stored).collect())
    }

    /// Shows the branch that a message is on, to its newest end, and returns that end; a shown branch that holds it
    /// already stays as it is. This is no activity, but other devices of the person will show the same.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown message.
    pub async fn show_branch(&self, id: &MessageId) -> Result<MessageId, StoreError> {
        const ACTION: &str = "show the branch";
        let mut tx = self.begin(ACTION).await?;
        let Some(message) = lookup(&mut *tx, id).await.doing(ACTION)? else {
            return Err(not_found(id));
        };
        if let Some(leaf) = shown_leaf(&mut *tx, &message.chat_id).await.doing(ACTION)?
            && is_above(&mut tx, id.as_str(), &leaf).await.doing(ACTION)?
        {
            return Ok(MessageId::from_stored(leaf));
        }
        let chat_id = message.chat_id.as_str();
        let leaf = newest_end(&mut tx, id.as_str(), chat_id).await.doing(ACTION)?;
        sqlx::query!("update chat set leaf = ? where id = ?", leaf, chat_id)
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        outbox::add(&mut tx, Entity::Chat, chat_id, self.now())
            .await
            .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(MessageId::from_stored(leaf))
    }

    /// Adds messages made elsewhere, in the order given, and says how many were new. Their times rise strictly within
    /// the chat (seed R11); the branch of the last one is shown.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a message that cannot be kept, [`StoreError::NotFound`] for an unknown chat; then
    /// none is added.
    pub async fn add_messages(&self, chat_id: &ChatId, messages: &[Message]) -> Result<u64, StoreError> {
        const ACTION: &str = "add the messages";
        messages.iter().try_for_each(valid_addition)?;
        let mut tx = self.begin(ACTION).await?;
        if chats::lookup(&mut tx, chat_id).await.doing(ACTION)?.is_none() {
            return Err(chats::not_found(chat_id));
        }
        let mut time = DateTime::<Utc>::MIN_UTC;
        let mut newest = None;
        let mut added = 0;
        for message in messages {
            time = match newest {
                None => next_time(&mut tx, chat_id, message.created_at).await.doing(ACTION)?,
                Some(_) => message.created_at.max(time + TICK),
            };
            if insert(&mut tx, chat_id, message, time, None).await.doing(ACTION)? {
                outbox::add(&mut tx, Entity::Message, message.id.as_str(), self.now())
                    .await
                    .doing(ACTION)?;
                newest = Some(&message.id);
                added += 1;
            }
        }
        if let Some(newest) = newest {
            chats::show_newest(&mut tx, chat_id, newest, time).await.doing(ACTION)?;
        }
        history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(added)
    }

    async fn parent_of(&self, id: &MessageId) -> Result<Option<String>, sqlx::Error> {
        let id = id.as_str();
        let parent = sqlx::query_scalar!("select parent from message where id = ?", id)
            .fetch_optional(self.readers())
            .await?;
        Ok(parent.flatten())
    }
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
            created_at: from_millis(row.created_at),
            state: read_state(&row.state),
            id: MessageId::from_stored(row.id),
            chat_id: ChatId::from_stored(row.chat_id),
            parent: row.parent.map(MessageId::from_stored),
        }
    }
}

/// What two messages of one chat are apart at least.
pub(crate) const TICK: TimeDelta = TimeDelta::milliseconds(1);

pub(crate) fn not_found(id: &MessageId) -> StoreError {
    StoreError::NotFound {
        what: "message",
        id: id.to_string(),
    }
}

pub(crate) async fn lookup(executor: impl SqliteExecutor<'_>, id: &MessageId) -> Result<Option<Message>, sqlx::Error> {
    let id = id.as_str();
    let row = select_messages!("", "from message where id = ?", id)
        .fetch_optional(executor)
        .await?;
    Ok(row.map(Message::from))
}

/// The end of the branch that is shown: the chat's leaf, or its newest message where that is not known or hidden.
pub(crate) async fn shown_leaf(
    executor: impl SqliteExecutor<'_>,
    chat_id: &ChatId,
) -> Result<Option<String>, sqlx::Error> {
    let chat_id = chat_id.as_str();
    let leaf = sqlx::query_scalar!(
        r#"select coalesce(
            (select message.id from chat join message on message.id = chat.leaf
                where chat.id = ?1 and message.chat_id = ?1 and message.hidden_at is null),
            (select id from message where chat_id = ?1 and hidden_at is null order by created_at desc, id desc limit 1)
        ) as "leaf: String""#,
        chat_id
    )
    .fetch_one(executor)
    .await?;
    Ok(leaf)
}

/// The time of the next message of a chat: now, or just after the last one (seed R11).
pub(crate) async fn next_time(
    tx: &mut SqliteConnection,
    chat_id: &ChatId,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, sqlx::Error> {
    let chat_id = chat_id.as_str();
    let last = sqlx::query_scalar!(
        r#"select max(created_at) as "last: i64" from message where chat_id = ?"#,
        chat_id
    )
    .fetch_one(tx)
    .await?;
    Ok(last.map_or(now, |last| now.max(from_millis(last) + TICK)))
}

/// Inserts a message at a time of its chat, and says whether it was new.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    chat_id: &ChatId,
    message: &Message,
    created_at: DateTime<Utc>,
    owner: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let (id, chat_id, created_at) = (message.id.as_str(), chat_id.as_str(), created_at.timestamp_millis());
    let parent = message.parent.as_ref().map(MessageId::as_str);
    let (role, state) = (message.role.as_str(), state_str(message.state));
    let sources = message.sources.as_ref().map(write_json).transpose()?;
    let metadata = message.metadata.as_ref().map(write_json).transpose()?;
    let inserted = sqlx::query!(
        "insert into message (id, chat_id, parent, role, content, sources, metadata, created_at, state, owner)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
        id,
        chat_id,
        parent,
        role,
        message.content,
        sources,
        metadata,
        created_at,
        state,
        owner
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

pub(crate) fn write_json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Reads JSON of a row; what cannot be read is missing, with a note in the log, and breaks nothing around it.
pub(crate) fn read_json<T: DeserializeOwned>(json: &str, column: &'static str, id: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, column, id, "a row holds JSON that cannot be read"))
        .ok()
}

pub(crate) fn state_str(state: MessageState) -> &'static str {
    match state {
        MessageState::Streaming => "streaming",
        MessageState::Complete => "complete",
        MessageState::Interrupted => "interrupted",
    }
}

pub(crate) fn read_state(state: &str) -> MessageState {
    match state {
        "streaming" => MessageState::Streaming,
        "interrupted" => MessageState::Interrupted,
        _ => MessageState::Complete,
    }
}

pub(crate) fn valid_addition(message: &Message) -> Result<(), Invalid> {
    if message.state == MessageState::Streaming {
        return Err(Invalid::Malformed {
            field: "message",
            value: message.id.to_string(),
            expected: "message that has ended",
        });
    }
    message.validate()
}

/// Whether a message is the end of a branch, or stands on the way to it.
async fn is_above(tx: &mut SqliteConnection, id: &str, leaf: &str) -> Result<bool, sqlx::Error> {
    // `union` also stops at a circle, which a damaged file may hold.
    sqlx::query_scalar!(
        r#"with recursive above (id) as (
            select ?1
            union
            select parent from above cross join message on message.id = above.id where parent is not null)
        select exists (select 1 from above where id = ?2) as "is_above!: bool""#,
        leaf,
        id
    )
    .fetch_one(tx)
    .await
}

/// Follows the newest child from a message downward.
pub(crate) async fn newest_end(tx: &mut SqliteConnection, id: &str, chat_id: &str) -> Result<String, sqlx::Error> {
    // The bound only stops a circle, which a damaged file may hold.
    sqlx::query_scalar!(
        r#"with recursive branch (id, depth) as (
            select ?1, 0
            union all
            select (select child.id from message as child where child.chat_id = ?2 and child.parent = branch.id
                        and child.hidden_at is null
                    order by child.created_at desc, child.id desc limit 1), depth + 1
            from branch where branch.id is not null and depth < 1000000)
        select id as "id!: String" from branch where id is not null order by depth desc limit 1"#,
        id,
        chat_id
    )
    .fetch_one(tx)
    .await
}
