//! Loss: what a way back would throw away, looked at before its first step.
//!
//! Rows that a later migration makes again from others (the feed's, their clocks, what a page is used by) are none.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::database::SharedDatabase;

/// Up to here is counted.
const COUNTED: i64 = 100_000;

/// What would be gone, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub what: &'static str,
    /// 100,001 stands for more.
    pub count: i64,
}

/// What came with a migration and goes with it.
struct Kept {
    since: i64,
    what: &'static str,
    table: &'static str,
    /// Which of its rows.
    rows: &'static str,
}

/// A table of the seed: it goes only if we have made it.
macro_rules! seed {
    ($what:literal, $name:literal) => {
        Kept {
            since: 1,
            what: $what,
            table: concat!("public.\"ai-app-template_", $name, "\""),
            rows: concat!(
                "exists (select from deepsearch.note where about = 'created ai-app-template_",
                $name,
                "')"
            ),
        }
    };
}

macro_rules! kept {
    ($since:literal, $what:literal, $table:literal, $rows:literal) => {
        Kept {
            since: $since,
            what: $what,
            table: $table,
            rows: $rows,
        }
    };
}

const KEPT: &[Kept] = &[
    seed!("users", "user"),
    seed!("accounts of providers", "account"),
    seed!("sessions", "session"),
    seed!("verification tokens", "verification_token"),
    seed!("chats", "chat"),
    seed!("messages", "message"),
    seed!("cached searches", "search_cache"),
    seed!("settings of users", "user_settings"),
    kept!(
        2,
        "devices that are signed in",
        "deepsearch.device",
        "revoked_at is null"
    ),
    kept!(
        2,
        "devices that are connected at this moment",
        "pg_catalog.pg_stat_activity",
        "datname = current_database() and usename like 'deepsearch\\_device\\_%'"
    ),
    kept!(
        2,
        "cached searches of one person each",
        "deepsearch.own_search",
        "expires_at > now()"
    ),
    kept!(2, "settings of the database", "deepsearch.setting", "true"),
    kept!(3, "saved pages", "deepsearch_sync.page", "true"),
    kept!(
        3,
        "answers' citations and checks",
        "deepsearch_sync.message_extras",
        "true"
    ),
    kept!(
        3,
        "chats that are pinned, archived or sorted",
        "deepsearch_sync.chat_flags",
        "true"
    ),
    kept!(
        3,
        "deletions that some device may not have heard of",
        "deepsearch_sync.change",
        "op = 'D'"
    ),
    kept!(4, "counts of searches", "deepsearch.search_count", "true"),
    kept!(4, "counts of what engines answered", "deepsearch.engine_count", "true"),
    kept!(
        5,
        "people who are signing in",
        "deepsearch.sign_in_identity",
        "expires_at > now()"
    ),
    kept!(
        5,
        "sign-ins on their way to an app",
        "deepsearch.sign_in_code",
        "expires_at > now() and redeemed_at is null"
    ),
    kept!(
        5,
        "devices that wait to be let in",
        "deepsearch.device_request",
        "expires_at > now() and state in ('waiting', 'allowed')"
    ),
    kept!(
        7,
        "chats with a collection or tags",
        "deepsearch_sync.chat_flags",
        "collection is not null or json_array_length(tags) > 0"
    ),
];

impl SharedDatabase {
    /// What is lost when these migrations are taken back.
    pub(super) async fn would_lose(&self, going: &[i64]) -> Result<Vec<Lost>, sqlx::Error> {
        self.owned(async |tx| {
            let mut lost = Vec::new();
            for kept in KEPT.iter().filter(|kept| going.contains(&kept.since)) {
                let count = count(tx, kept).await?;
                let what = kept.what;
                lost.extend((count > 0).then_some(Lost { what, count }));
            }
            Ok(lost)
        })
        .await
    }
}

async fn count(tx: &mut PgConnection, kept: &Kept) -> Result<i64, sqlx::Error> {
    let Kept { table, rows, .. } = kept;
    // A web app may have dropped a table of its own.
    let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(&mut *tx)
        .await?;
    if !is_there {
        return Ok(0);
    }
    let limit = COUNTED + 1;
    sqlx::query_scalar(AssertSqlSafe(format!(
        "select count(*) from (select from {table} where {rows} limit {limit}) as kept"
    )))
    .fetch_one(tx)
    .await
}

pub(super) fn in_words(lost: &[Lost]) -> String {
    let mut words = String::new();
    for (place, Lost { what, count }) in lost.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        // Writing to a text does not fail.
        let _ = match count {
            ..=COUNTED => write!(words, "{comma}{what} ({count})"),
            _ => write!(words, "{comma}{what} (more than {COUNTED})"),
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_are_not_counted() {
        let lost = [(3, "chats"), (COUNTED + 1, "messages")].map(|(count, what)| Lost { what, count });
        assert_eq!(in_words(&lost), "chats (3), messages (more than 100000)");
    }
}
