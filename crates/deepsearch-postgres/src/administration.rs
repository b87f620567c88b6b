//! The data view from a device: what `migrations/postgres/0006_administration.up.sql` shows an administrator.
//!
//! Nothing is decided here. Each function of the database looks at `is_admin` of whoever is signed in, at every call.

use chrono::NaiveDate;
use deepsearch_core::UserId;
use sqlx::PgConnection;

use crate::inspect::{CellsAndKeys, RowKey, SessionCursor, SessionSummary, TableSummary};
use crate::search_statistics::{DayCount, EngineCount, QueryCount};
use crate::tables::Table;

pub(crate) async fn tables(tx: &mut PgConnection) -> Result<Vec<TableSummary>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select table_name as "table_name!", row_count as "row_count!", is_estimate as "is_estimate!"
        from deepsearch.admin_tables()"#
    )
    .fetch_all(tx)
    .await?;
    // A newer database may have a table that this version cannot show.
    let summaries = rows.into_iter().filter_map(|row| {
        Some(TableSummary {
            table: Table::named(&row.table_name)?,
            rows: row.row_count,
            is_estimate: row.is_estimate,
        })
    });
    Ok(summaries.collect())
}

pub(crate) async fn rows(
    tx: &mut PgConnection,
    table: Table,
    after: Option<&RowKey>,
    limit: i64,
) -> Result<CellsAndKeys, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select cells as "cells!: Vec<Option<String>>", row_key as "row_key!: Vec<String>"
        from deepsearch.admin_rows($1, $2, $3)"#,
        table.name(),
        after.map(|key| key.0.as_slice()) as Option<&[String]>,
        i32::try_from(limit).unwrap_or(i32::MAX)
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.cells, row.row_key)).collect())
}

pub(crate) async fn sessions(
    tx: &mut PgConnection,
    after: Option<&SessionCursor>,
    limit: u32,
) -> Result<Vec<SessionSummary>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select session_id as "session_id!", user_id as "user_id!", name as "name?", email as "email!",
            expires as "expires!", is_device as "is_device!"
        from deepsearch.admin_sessions($1, $2, $3)"#,
        after.map(|cursor| cursor.expires),
        after.map(|cursor| cursor.id.as_str()),
        i32::try_from(limit).unwrap_or(i32::MAX)
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
}

pub(crate) async fn end_session(tx: &mut PgConnection, id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select deepsearch.admin_end_session($1) as "ended!""#, id)
        .fetch_one(tx)
        .await
}

pub(crate) async fn search_queries(
    tx: &mut PgConnection,
    since: NaiveDate,
    most: u32,
) -> Result<Vec<QueryCount>, sqlx::Error> {
    sqlx::query_as!(
        QueryCount,
        r#"select query as "query!", searches as "searches!", cached as "cached!"
        from deepsearch.admin_search_queries($1, $2)"#,
        since,
        i32::try_from(most).unwrap_or(i32::MAX)
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn search_days(tx: &mut PgConnection, since: NaiveDate) -> Result<Vec<DayCount>, sqlx::Error> {
    sqlx::query_as!(
        DayCount,
        r#"select day as "day!", searches as "searches!", cached as "cached!" from deepsearch.admin_search_days($1)"#,
        since
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn search_engines(tx: &mut PgConnection, since: NaiveDate) -> Result<Vec<EngineCount>, sqlx::Error> {
    sqlx::query_as!(
        EngineCount,
        r#"select engine as "engine!", answers as "answers!", cached as "cached!", failures as "failures!"
        from deepsearch.admin_search_engines($1)"#,
        since
    )
    .fetch_all(tx)
    .await
}
