//! Salvage: copies what can be read out of a damaged store into a good one.
//!
//! A table is read in one go; where that fails, in halves, and so on down to the rows that are lost. What the good
//! store (a backup) has already is brought up to date where the damaged one is newer.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::error::{Doing, StoreError, is_about_room_or_locks};

/// What was copied, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// Rows that were new, or newer than those of the backup.
    pub rows: u64,
    /// Places of rows that could not be read. A place may have been empty, so this is at most what is lost.
    pub lost: u64,
    /// Chats whose title was lost while messages of theirs were saved; they are called "Recovered chat".
    pub untitled_chats: u64,
}

const ACTION: &str = "save what the damaged store holds";
/// More than any row's number: what is looked through where the last one cannot be read.
const HIGHEST: i64 = 1 << 40;
/// Readings that may fail where the last row's number is not known: beyond the rows that there are, a damaged page fails
/// every one of them. Low numbers are read first, so what this leaves unread is mostly nothing.
const MOST_FAILED: u32 = 20_000;

/// Copies what the damaged file holds into the store of the connection. Each step commits for itself, because a disk
/// that fails to read a row rolls back all that is open; whoever calls uses the store only when this has ended well.
pub(crate) async fn salvage(damaged: &Path, connection: &mut SqliteConnection) -> Result<Salvaged, StoreError> {
    execute(connection, "pragma foreign_keys = off").await.doing(ACTION)?;
    let attached = sqlx::query("attach ? as damaged")
        .bind(read_only_address(damaged))
        .execute(&mut *connection)
        .await
        .map(drop);
    let readable = match attached {
        Ok(()) => execute(connection, "select count(*) from damaged.sqlite_schema").await,
        Err(error) => Err(error),
    };
    let mut salvaged = Salvaged::default();
    match readable {
        Err(error) if is_about_room_or_locks(&error) => return Err(error).doing(ACTION),
        // A file whose list of tables is gone has nothing left that could be told apart.
        Err(error) => {
            tracing::error!(%error, "the damaged store does not say any more what is in it");
            return Ok(salvaged);
        }
        Ok(()) => {}
    }
    copy_tables(connection, &mut salvaged).await.doing(ACTION)?;
    mend_references(connection, &mut salvaged).await.doing(ACTION)?;
    Ok(salvaged)
}

/// How the rows of a table are found, and what happens to those that are there already.
struct Table {
    name: &'static str,
    key: &'static str,
    on_conflict: &'static str,
}

/// Tables with a number for each row.
const NUMBERED: &[Table] = &[
    Table {
        name: "chat",
        key: "rowid",
        on_conflict: "on conflict (id) do update set title = excluded.title, updated_at = excluded.updated_at,
            deleted_at = excluded.deleted_at, pinned = excluded.pinned, archived = excluded.archived,
            leaf = excluded.leaf, collection = excluded.collection where excluded.updated_at >= chat.updated_at",
    },
    Table {
        name: "page",
        key: "seq",
        on_conflict: "",
    },
    Table {
        name: "page_picture",
        key: "seq",
        on_conflict: "",
    },
    // What is complete never changes, so the backup's row is as good, and surely whole.
    Table {
        name: "message",
        key: "seq",
        on_conflict: "on conflict (id) do update set content = excluded.content, sources = excluded.sources,
            metadata = excluded.metadata, follow_ups = excluded.follow_ups, state = excluded.state,
            owner = excluded.owner where message.state <> 'complete'",
    },
    Table {
        name: "outbox",
        key: "seq",
        on_conflict: "on conflict (entity, entity_id) do update set seq = excluded.seq,
            operation = excluded.operation, changed_at = excluded.changed_at where excluded.seq > outbox.seq",
    },
    Table {
        name: "user_settings",
        key: "id",
        on_conflict: "on conflict (id) do update set theme = excluded.theme, language = excluded.language,
            default_model = excluded.default_model, enable_search_by_default = excluded.enable_search_by_default,
            max_search_results = excluded.max_search_results, updated_at = excluded.updated_at",
    },
    Table {
        name: "collection",
        key: "rowid",
        on_conflict: "",
    },
    Table {
        name: "tag",
        key: "id",
        on_conflict: "",
    },
    Table {
        name: "saved_search",
        key: "rowid",
        on_conflict: "",
    },
    Table {
        name: "engine_event",
        key: "id",
        on_conflict: "",
    },
];

/// Tables that belong to messages, and have no number of their own.
const OF_MESSAGES: &[&str] = &[
    "journal",
    "message_source",
    "citation",
    "sentence_check",
    "ledger",
    "contact",
    "sent_text",
    "research",
    "research_page",
    "recheck",
    "recheck_page",
    "recheck_schedule",
];

async fn copy_tables(connection: &mut SqliteConnection, salvaged: &mut Salvaged) -> Result<(), sqlx::Error> {
    for table in NUMBERED {
        let Some(copy) = Copy::of(connection, table).await? else {
            continue;
        };
        let lost = salvaged.lost;
        copy.numbers(connection, salvaged).await?;
        if table.name == "chat" && salvaged.lost == lost {
            delete_what_was_deleted(connection).await?;
        }
    }
    let ids: Vec<String> = sqlx::query_scalar("select id from message order by id")
        .fetch_all(&mut *connection)
        .await?;
    for &name in OF_MESSAGES {
        let table = Table {
            name,
            key: "message_id",
            on_conflict: "",
        };
        if let Some(copy) = Copy::of(connection, &table).await? {
            copy.keys(connection, &ids, salvaged).await?;
        }
    }
    let tags = Table {
        name: "chat_tag",
        key: "chat_id",
        on_conflict: "",
    };
    if let Some(copy) = Copy::of(connection, &tags).await? {
        let chats: Vec<String> = sqlx::query_scalar("select id from chat order by id")
            .fetch_all(&mut *connection)
            .await?;
        copy.keys(connection, &chats, salvaged).await?;
    }
    let settings = Table {
        name: "setting",
        key: "key",
        on_conflict: "on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at
            where excluded.updated_at >= setting.updated_at",
    };
    if let Some(copy) = Copy::of(connection, &settings).await? {
        let letters: Vec<String> = ('\u{1}'..='z').map(String::from).collect();
        copy.keys(connection, &letters, salvaged).await?;
    }
    let months = Table {
        name: "model_use",
        key: "month",
        on_conflict: "",
    };
    if let Some(copy) = Copy::of(connection, &months).await? {
        let years: Vec<String> = (2020..2100).map(|year| year.to_string()).collect();
        copy.keys(connection, &years, salvaged).await?;
    }
    Ok(())
}

/// A statement that copies the rows of a table whose keys are in a range: at or after `?1`, before `?2`.
struct Copy {
    name: &'static str,
    key: &'static str,
    statement: String,
}

impl Copy {
    /// `None` for a table that the damaged store does not have, being older.
    async fn of(connection: &mut SqliteConnection, table: &Table) -> Result<Option<Self>, sqlx::Error> {
        let Table { name, key, on_conflict } = table;
        let columns: Vec<String> = sqlx::query_scalar(
            "select name from pragma_table_info(?1, 'main') where name in (select name from pragma_table_info(?1, 'damaged'))",
        )
        .bind(*name)
        .fetch_all(connection)
        .await?;
        let columns = columns.join(", ");
        Ok((!columns.is_empty()).then(|| Self {
            name,
            key,
            statement: format!(
                "insert or ignore into main.{name} ({columns}) select {columns} from damaged.{name}
                 where {key} >= ?1 and {key} < ?2 {on_conflict}"
            ),
        }))
    }

    async fn numbers(&self, connection: &mut SqliteConnection, salvaged: &mut Salvaged) -> Result<(), sqlx::Error> {
        let last = format!("select coalesce(max({}), 0) from damaged.{}", self.key, self.name);
        let last: Result<i64, _> = sqlx::query_scalar(AssertSqlSafe(last))
            .fetch_one(&mut *connection)
            .await;
        let mut failures_left = if last.is_ok() { u32::MAX } else { MOST_FAILED };
        let end = last.map_or(HIGHEST, |last| last.clamp(0, HIGHEST) + 1);
        let mut ranges = vec![(0_i64, end)];
        while let Some((start, end)) = ranges.pop() {
            let copied = sqlx::query(AssertSqlSafe(self.statement.clone()))
                .bind(start)
                .bind(end)
                .execute(&mut *connection)
                .await;
            match copied {
                Ok(done) => salvaged.rows += done.rows_affected(),
                Err(error) => {
                    self.split(error, start, end, &mut ranges, salvaged)?;
                    failures_left -= 1;
                    if failures_left == 0 {
                        salvaged.lost += 1;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn split(
        &self,
        error: sqlx::Error,
        start: i64,
        end: i64,
        ranges: &mut Vec<(i64, i64)>,
        salvaged: &mut Salvaged,
    ) -> Result<(), sqlx::Error> {
        let middle = start + (end - start) / 2;
        if !is_of_the_row(&error) {
            return Err(error);
        }
        if middle == start {
            tracing::debug!(%error, table = self.name, row = start, "a row is lost");
            salvaged.lost += 1;
        } else {
            ranges.extend([(middle, end), (start, middle)]);
        }
        Ok(())
    }

    /// As `numbers`, with the ranges that `keys` bound.
    async fn keys(
        &self,
        connection: &mut SqliteConnection,
        keys: &[String],
        salvaged: &mut Salvaged,
    ) -> Result<(), sqlx::Error> {
        const AFTER_ALL: &str = "\u{10FFFF}";
        let mut ranges = vec![(0, keys.len())];
        while let Some((start, end)) = ranges.pop() {
            let Some(first) = keys.get(start) else {
                continue;
            };
            let copied = sqlx::query(AssertSqlSafe(self.statement.clone()))
                .bind(first)
                .bind(keys.get(end).map_or(AFTER_ALL, String::as_str))
                .execute(&mut *connection)
                .await;
            match copied {
                Ok(done) => salvaged.rows += done.rows_affected(),
                Err(error) if !is_of_the_row(&error) => return Err(error),
                Err(_) if end - start > 1 => {
                    let middle = start + (end - start) / 2;
                    ranges.extend([(middle, end), (start, middle)]);
                }
                Err(error) => {
                    tracing::debug!(%error, table = self.name, key = first, "rows are lost");
                    salvaged.lost += 1;
                }
            }
        }
        Ok(())
    }
}

/// Whether an error comes of what was read, and not of the place it is copied to.
fn is_of_the_row(error: &sqlx::Error) -> bool {
    !is_about_room_or_locks(error)
}

/// The backup may hold chats that have been deleted since; they stay deleted. What was read without a loss is the table,
/// so that is what is asked: its index may be damaged all the same.
async fn delete_what_was_deleted(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "delete from message where chat_id not in (select id from damaged.chat not indexed)",
        "delete from chat where id not in (select id from damaged.chat not indexed)",
    ] {
        execute(connection, statement).await?;
    }
    Ok(())
}

/// Gives messages that lost their chat another, and lets go of what belongs to rows that are lost.
async fn mend_references(connection: &mut SqliteConnection, salvaged: &mut Salvaged) -> Result<(), sqlx::Error> {
    let made = sqlx::query(
        "insert into chat (id, title, created_at, updated_at)
         select chat_id, 'Recovered chat', min(created_at), max(created_at) from message
         where chat_id not in (select id from chat) group by chat_id",
    )
    .execute(&mut *connection)
    .await?;
    salvaged.untitled_chats = made.rows_affected();
    for statement in [
        "delete from history_title where chat_id not in (select id from chat)",
        "delete from journal where message_id not in (select id from message)",
        "delete from message_source where message_id not in (select id from message) or page_id not in (select id from page)",
        "delete from page_picture where page_id not in (select id from page)",
        "delete from citation where message_id not in (select id from message) or page_id not in (select id from page)",
        "delete from sentence_check where message_id not in (select id from message)",
        "delete from research where message_id not in (select id from message)",
        "delete from research_page where message_id not in (select message_id from research) or page_id not in (select id from page)",
        "delete from recheck where message_id not in (select id from message)",
        "delete from chat_tag where chat_id not in (select id from chat) or tag_id not in (select id from tag)",
        "update chat set collection = null where collection not in (select id from collection)",
        "delete from recheck_page where page_id not in (select id from page) or not exists (select 1 from recheck
            where recheck.message_id = recheck_page.message_id and recheck.checked_at = recheck_page.checked_at)",
        "delete from recheck_schedule where message_id not in (select id from message)",
    ] {
        execute(connection, statement).await?;
    }
    Ok(())
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(drop)
}

/// An address under which SQLite changes nothing, not even by playing the log into the file.
fn read_only_address(path: &Path) -> String {
    let mut address = String::from("file:");
    for byte in path.to_string_lossy().replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                address.push(char::from(byte))
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?mode=ro"
}
