//! Chats: a user's list, a chat's title, Trash (seed 3.1).
//!
//! Each statement names the user: nobody's chat is read or changed by its id alone. What a chat has only on a device
//! (pinned, archived, the branch that is shown) is not here, and reads as if nothing had been chosen.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::chat::valid_title;
use deepsearch_core::{Chat, ChatCursor, ChatId, Message, UserId};
use sqlx::{PgConnection, Postgres, Transaction};

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::messages;

/// The most chats on one page of the list.
pub const CHATS_ON_A_PAGE: u32 = 50;

/// Which chats are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChatList {
    /// Those that are not in Trash (seed 8.3).
    #[default]
    Active,
    Trash,
}

struct ChatRow {
    id: String,
    title: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl SharedDatabase {
    /// A user's chats by last activity, newest first: `limit` of them, at most 50, after the cursor.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn list_chats(
        &self,
        user: &UserId,
        which: ChatList,
        after: Option<&ChatCursor>,
        limit: u32,
    ) -> Result<Vec<Chat>, DatabaseError> {
        const ACTION: &str = "list the chats";
        let mut tx = self.begin().await.doing(ACTION)?;
        let rows = sqlx::query_as!(
            ChatRow,
            r#"select id, title, created_at, updated_at, deleted_at from "ai-app-template_chat"
            where user_id = $1 and (deleted_at is not null) = $2
                and ($3::timestamptz is null or (updated_at, id collate "C") < ($3, $4))
            order by updated_at desc, id collate "C" desc limit $5"#,
            user.as_str(),
            which == ChatList::Trash,
            after.map(|cursor| cursor.updated_at),
            after.map_or("", |cursor| cursor.id.as_str()),
            i64::from(limit.min(CHATS_ON_A_PAGE))
        )
        .fetch_all(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(rows.into_iter().map(Chat::from).collect())
    }

    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn lookup_chat(&self, user: &UserId, id: &ChatId) -> Result<Option<Chat>, DatabaseError> {
        const ACTION: &str = "look up the chat";
        let mut tx = self.begin().await.doing(ACTION)?;
        let chat = lookup(&mut tx, user, id).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(chat)
    }

    /// Adds a chat as it is. One of this user that is there already stays as it was.
    ///
    /// # Errors
    /// [`DatabaseError::Invalid`] for a title that cannot be kept, [`DatabaseError::Refused`] when the id is another's
    /// or the user unknown.
    pub async fn add_chat(&self, user: &UserId, chat: &Chat) -> Result<(), DatabaseError> {
        const ACTION: &str = "add the chat";
        let mut tx = self.begin().await.doing(ACTION)?;
        if !insert(&mut tx, user, chat, ACTION).await? && lookup(&mut tx, user, &chat.id).await.doing(ACTION)?.is_none()
        {
            return Err(DatabaseError::taken(ACTION, "id"));
        }
        tx.commit().await.doing(ACTION)
    }

    /// Starts a chat with its first messages: both, or neither (seed 7.2).
    ///
    /// # Errors
    /// [`DatabaseError`] as of [`add_chat`](Self::add_chat) and [`add_messages`](Self::add_messages); a chat that is
    /// there already is [`DatabaseError::Refused`].
    pub async fn add_chat_with_messages(
        &self,
        user: &UserId,
        chat: &Chat,
        messages: &[Message],
    ) -> Result<(), DatabaseError> {
        const ACTION: &str = "start the chat";
        messages.iter().try_for_each(messages::valid_addition)?;
        let mut tx = self.begin().await.doing(ACTION)?;
        if !insert(&mut tx, user, chat, ACTION).await? {
            return Err(DatabaseError::taken(ACTION, "id"));
        }
        messages::append(&mut tx, &chat.id, None, messages, ACTION).await?;
        tx.commit().await.doing(ACTION)
    }

    /// Gives a chat another title, which counts as activity (seed R14).
    ///
    /// # Errors
    /// [`DatabaseError::Invalid`] for a title that cannot be kept, [`DatabaseError::NotFound`] for a chat that this user
    /// does not have.
    pub async fn rename_chat(&self, user: &UserId, id: &ChatId, title: &str) -> Result<Chat, DatabaseError> {
        const ACTION: &str = "rename the chat";
        let title = valid_title(title)?;
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query_as!(
            ChatRow,
            r#"update "ai-app-template_chat" set title = $3, updated_at = greatest(updated_at, $4)
            where id = $1 and user_id = $2 returning id, title, created_at, updated_at, deleted_at"#,
            id.as_str(),
            user.as_str(),
            title,
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .writing(ACTION, &[("title", title)])?;
        finish(tx, row, id, ACTION).await
    }

    /// Puts a chat into Trash. One that is there already keeps its time.
    ///
    /// # Errors
    /// [`DatabaseError::NotFound`] for a chat that this user does not have.
    pub async fn delete_chat(&self, user: &UserId, id: &ChatId) -> Result<Chat, DatabaseError> {
        const ACTION: &str = "move the chat to Trash";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query_as!(
            ChatRow,
            r#"update "ai-app-template_chat" set deleted_at = coalesce(deleted_at, $3)
            where id = $1 and user_id = $2 returning id, title, created_at, updated_at, deleted_at"#,
            id.as_str(),
            user.as_str(),
            self.now()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        finish(tx, row, id, ACTION).await
    }

    /// Takes a chat out of Trash.
    ///
    /// # Errors
    /// [`DatabaseError::NotFound`] for a chat that this user does not have.
    pub async fn restore_chat(&self, user: &UserId, id: &ChatId) -> Result<Chat, DatabaseError> {
        const ACTION: &str = "restore the chat";
        let mut tx = self.begin().await.doing(ACTION)?;
        let row = sqlx::query_as!(
            ChatRow,
            r#"update "ai-app-template_chat" set deleted_at = null
            where id = $1 and user_id = $2 returning id, title, created_at, updated_at, deleted_at"#,
            id.as_str(),
            user.as_str()
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        finish(tx, row, id, ACTION).await
    }

    /// Deletes a chat with its messages; there is no way back.
    ///
    /// # Errors
    /// [`DatabaseError::NotFound`] for a chat that this user does not have.
    pub async fn delete_chat_forever(&self, user: &UserId, id: &ChatId) -> Result<(), DatabaseError> {
        const ACTION: &str = "delete the chat";
        let mut tx = self.begin().await.doing(ACTION)?;
        let deleted = sqlx::query!(
            r#"delete from "ai-app-template_chat" where id = $1 and user_id = $2"#,
            id.as_str(),
            user.as_str()
        )
        .execute(&mut *tx)
        .await
        .deleting(ACTION)?;
        if deleted.rows_affected() == 0 {
            return Err(not_found(id));
        }
        tx.commit().await.doing(ACTION)
    }

    /// Deletes for ever what a user has had in Trash for longer than `older_than`, and says how many chats that were.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer; what went before is gone.
    pub async fn purge_deleted_chats(&self, user: &UserId, older_than: TimeDelta) -> Result<u64, DatabaseError> {
        const ACTION: &str = "empty Trash";
        // Some at a time, so that nobody waits for the locks of all of them.
        const AT_ONCE: i64 = 100;
        let before = self.now() - older_than;
        let mut purged = 0;
        loop {
            let mut tx = self.begin().await.doing(ACTION)?;
            let deleted = sqlx::query!(
                r#"delete from "ai-app-template_chat" where id in (
                    select id from "ai-app-template_chat" where user_id = $1 and deleted_at < $2 limit $3)"#,
                user.as_str(),
                before,
                AT_ONCE
            )
            .execute(&mut *tx)
            .await
            .deleting(ACTION)?;
            tx.commit().await.doing(ACTION)?;
            if deleted.rows_affected() == 0 {
                return Ok(purged);
            }
            purged += deleted.rows_affected();
        }
    }
}

impl From<ChatRow> for Chat {
    fn from(row: ChatRow) -> Self {
        Self {
            id: ChatId::from_stored(row.id),
            title: row.title,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            pinned: false,
            archived: false,
            leaf: None,
        }
    }
}

pub(crate) fn not_found(id: &ChatId) -> DatabaseError {
    DatabaseError::NotFound {
        what: "chat",
        id: id.to_string(),
    }
}

pub(crate) async fn lookup(tx: &mut PgConnection, user: &UserId, id: &ChatId) -> Result<Option<Chat>, sqlx::Error> {
    let row = sqlx::query_as!(
        ChatRow,
        r#"select id, title, created_at, updated_at, deleted_at from "ai-app-template_chat"
        where id = $1 and user_id = $2"#,
        id.as_str(),
        user.as_str()
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Chat::from))
}

/// Inserts a chat, and says whether it was new.
async fn insert(
    tx: &mut PgConnection,
    user: &UserId,
    chat: &Chat,
    action: &'static str,
) -> Result<bool, DatabaseError> {
    let title = valid_title(&chat.title)?;
    let inserted = sqlx::query!(
        r#"insert into "ai-app-template_chat" (id, user_id, title, created_at, updated_at, deleted_at)
        values ($1, $2, $3, $4, greatest($4::timestamptz, $5), $6) on conflict (id) do nothing"#,
        chat.id.as_str(),
        user.as_str(),
        title,
        chat.created_at,
        chat.updated_at,
        chat.deleted_at
    )
    .execute(tx)
    .await
    .writing(
        action,
        &[("id", chat.id.as_str()), ("user_id", user.as_str()), ("title", title)],
    )?;
    Ok(inserted.rows_affected() > 0)
}

/// Moves a chat's last activity, in the transaction of what happened. Never backwards (seed R14).
pub(crate) async fn touch(tx: &mut PgConnection, id: &ChatId, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"update "ai-app-template_chat" set updated_at = greatest(updated_at, $2) where id = $1"#,
        id.as_str(),
        at
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn finish(
    tx: Transaction<'static, Postgres>,
    row: Option<ChatRow>,
    id: &ChatId,
    action: &'static str,
) -> Result<Chat, DatabaseError> {
    let chat = row.map(Chat::from).ok_or_else(|| not_found(id))?;
    tx.commit().await.doing(action)?;
    Ok(chat)
}
