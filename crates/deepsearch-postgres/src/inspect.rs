//! The data view: the tables as an administrator may look through them, and the sessions they may end.
//!
//! Reads only, in transactions that the database itself holds to that. Tokens never leave the database: a masked column
//! says whether there is something, and a row whose key is a token goes by a hash of it.
//!
//! The owner of the tables asks them; a device asks `administration.rs`, where the database lets administrators in.

use chrono::{DateTime, Utc};
use deepsearch_core::UserId;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::administration;
use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::tables::{CELL, Table};

/// The most rows on one page.
pub const ROWS_ON_A_PAGE: u32 = 200;
/// Up to here rows are counted; beyond, the database's own estimate does.
const COUNTED: i64 = 100_000;

/// A table and how much is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct TableSummary {
    pub table: Table,
    pub rows: i64,
    pub is_estimate: bool,
}

/// A page of a table, in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct TableRows {
    pub columns: Vec<ColumnHead>,
    /// One text a column, cut when it is long; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// `None` when there are no more.
    pub next: Option<RowKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct ColumnHead {
    pub name: &'static str,
    /// A secret: its cells say only that there is something.
    pub is_masked: bool,
}

/// Where a page of a table ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(transparent)]
pub struct RowKey(pub Vec<String>);

/// A session, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct SessionSummary {
    /// SHA-256 of the token, which names the session and opens nothing.
    pub id: String,
    pub user_id: UserId,
    pub name: Option<String>,
    pub email: String,
    pub expires: DateTime<Utc>,
    /// Of DeepSearch on some device; otherwise of the web app.
    pub is_device: bool,
}

impl SessionSummary {
    /// The cursor for the sessions after this one.
    pub fn cursor(&self) -> SessionCursor {
        SessionCursor {
            expires: self.expires,
            id: self.id.clone(),
        }
    }
}

/// Where a page of sessions ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct SessionCursor {
    pub expires: DateTime<Utc>,
    pub id: String,
}

impl SharedDatabase {
    /// Every table, with its number of rows.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device of somebody who is no administrator.
    pub async fn list_tables(&self) -> Result<Vec<TableSummary>, DatabaseError> {
        const ACTION: &str = "count the rows of its tables";
        let summaries = self.owned(async |tx| {
            only_read(tx).await?;
            if self.is_device() {
                return administration::tables(tx).await;
            }
            let mut summaries = Vec::new();
            for table in Table::ALL {
                summaries.push(count(tx, table).await?);
            }
            Ok(summaries)
        });
        summaries.await.doing(ACTION)
    }

    /// A page of a table: `limit` rows, at most 200, after the key.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device of somebody who is no administrator.
    pub async fn list_rows(
        &self,
        table: Table,
        after: Option<&RowKey>,
        limit: u32,
    ) -> Result<TableRows, DatabaseError> {
        const ACTION: &str = "show the rows of the table";
        let limit = i64::from(limit.clamp(1, ROWS_ON_A_PAGE));
        // A key of another table's shape starts from the beginning.
        let after = after.filter(|key| key.0.len() == table.key_length());
        let found = self.owned(async |tx| {
            only_read(tx).await?;
            if self.is_device() {
                administration::rows(tx, table, after, limit + 1).await
            } else {
                rows(tx, table, after, limit + 1).await
            }
        });
        let found = found.await.doing(ACTION)?;
        let is_more = found.len() as i64 > limit;
        let mut rows = Vec::new();
        let mut last = None;
        for (cells, key) in found.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
            rows.push(cells);
            last = Some(RowKey(key));
        }
        rows.iter_mut().flatten().flatten().for_each(cut);
        Ok(TableRows {
            columns: table.heads(),
            rows,
            next: last.filter(|_| is_more),
        })
    }

    /// Sessions, those that last longest first: `limit` of them, at most 200, after the cursor.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device of somebody who is no administrator.
    pub async fn list_sessions(
        &self,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<SessionSummary>, DatabaseError> {
        const ACTION: &str = "list the sessions";
        let sessions = self.owned(async |tx| {
            only_read(tx).await?;
            if self.is_device() {
                return administration::sessions(tx, after, limit).await;
            }
            let rows = sqlx::query!(
                r#"select session_id as "session_id!", user_id, name, email, expires, is_device as "is_device!" from (
                    select encode(sha256(convert_to(session_token, 'UTF8')), 'hex') as session_id, user_id, expires,
                        session_token like 'ds1:%' as is_device
                    from "ai-app-template_session"
                ) as session join "ai-app-template_user" as u on u.id = user_id
                where $1::timestamptz is null or (expires, session_id) < ($1, $2)
                order by expires desc, session_id desc limit $3"#,
                after.map(|cursor| cursor.expires),
                after.map_or("", |cursor| cursor.id.as_str()),
                i64::from(limit.min(ROWS_ON_A_PAGE))
            )
            .fetch_all(tx)
            .await?;
            let sessions = rows.into_iter().map(|row| SessionSummary {
                id: row.session_id,
                user_id: UserId::from_stored(row.user_id),
                name: row.name,
                email: row.email,
                expires: row.expires,
                is_device: row.is_device,
            });
            Ok(sessions.collect())
        });
        sessions.await.doing(ACTION)
    }

    /// Ends the session with this id ([`SessionSummary::id`]), with a device's the device, and says whether there was one.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device of somebody who is no administrator.
    pub async fn end_session(&self, id: &str) -> Result<bool, DatabaseError> {
        const ACTION: &str = "end the session";
        let ended = self.owned(async |tx| match self.is_device() {
            true => administration::end_session(tx, id).await,
            false => {
                sqlx::query_scalar!(r#"select deepsearch.end_session($1) as "ended!""#, id)
                    .fetch_one(tx)
                    .await
            }
        });
        ended.await.doing(ACTION)
    }
}

async fn only_read(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("set transaction read only").execute(tx).await?;
    Ok(())
}

/// The cells of rows, and their keys.
pub(crate) type CellsAndKeys = Vec<(Vec<Option<String>>, Vec<String>)>;

async fn rows(
    tx: &mut PgConnection,
    table: Table,
    after: Option<&RowKey>,
    limit: i64,
) -> Result<CellsAndKeys, sqlx::Error> {
    let mut query = sqlx::query_as(AssertSqlSafe(table.select(after.is_some()))).bind(limit);
    if let Some(key) = after {
        query = query.bind(&key.0);
    }
    query.fetch_all(tx).await
}

async fn count(tx: &mut PgConnection, table: Table) -> Result<TableSummary, sqlx::Error> {
    let name = table.quoted();
    let counted: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "select count(*) from (select from {name} limit $1) as counted"
    )))
    .bind(COUNTED + 1)
    .fetch_one(&mut *tx)
    .await?;
    let estimate: Option<f32> = match counted > COUNTED {
        false => None,
        true => Some(
            sqlx::query_scalar("select reltuples from pg_class where oid = $1::regclass")
                .bind(&name)
                .fetch_one(tx)
                .await?,
        ),
    };
    #[expect(clippy::cast_possible_truncation, reason = "an estimate of rows fits by far")]
    let rows = estimate.map_or(counted, |estimate| (estimate as i64).max(counted));
    Ok(TableSummary {
        table,
        rows,
        is_estimate: estimate.is_some(),
    })
}

/// The statement brings one character more than is shown.
fn cut(cell: &mut String) {
    if let Some((end, _)) = cell.char_indices().nth(CELL) {
        cell.truncate(end);
        cell.push('…');
    }
}
