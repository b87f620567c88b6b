//! Search statistics: what a team searches for, how often the cache knew it, and how its engines do.
//!
//! The seed's `search_cache` cannot count and may get no columns (drizzle-kit would drop them), so the counts have tables
//! in schema `deepsearch`. They know days and no hours, questions and nobody who asked. Nothing is counted unless the
//! team shares its cache, by which everybody sees what was asked anyway; devices may add to the counts, and only the
//! database's owner and administrators read them.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use crate::administration;
use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

/// What became of one search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountedSearch {
    /// As it was asked; cut at 500 characters.
    pub query: String,
    /// The cache knew it.
    pub cached: bool,
    /// The engines that found something, whether now or when the cache learned it.
    pub answered: Vec<String>,
    pub failed: Vec<String>,
}

/// Counts of a number of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct SearchStatistics {
    /// The first day that is counted.
    pub since: NaiveDate,
    pub searches: i64,
    pub cached: i64,
    /// Most asked first.
    pub queries: Vec<QueryCount>,
    /// Newest first; days without a search are left out.
    pub days: Vec<DayCount>,
    /// Those that answered most first.
    pub engines: Vec<EngineCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct QueryCount {
    pub query: String,
    pub searches: i64,
    pub cached: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct DayCount {
    pub day: NaiveDate,
    pub searches: i64,
    pub cached: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct EngineCount {
    pub engine: String,
    /// Answers that it gave when it was asked.
    pub answers: i64,
    /// Answers of it that the cache gave.
    pub cached: i64,
    pub failures: i64,
}

/// The most questions that are listed.
pub const MOST_ASKED: u32 = 100;

impl SharedDatabase {
    /// Counts a search, today, if the team shares them. Only the database knows the day, so that nobody can write into
    /// another.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer, or does not let this device count.
    pub async fn add_search(&self, search: &CountedSearch) -> Result<(), DatabaseError> {
        const ACTION: &str = "count the search";
        let query = search.query.replace('\0', " ");
        let mut tx = self.begin().await.doing(ACTION)?;
        if !self.may_share(&mut tx).await.doing(ACTION)? {
            return Ok(());
        }
        sqlx::query!(
            "select deepsearch.count_search($1, $2, $3, $4)",
            query,
            search.cached,
            &search.answered,
            &search.failed
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// The counts of the last `days` days, today included, with the `most` questions that were asked most (at most 100).
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device of somebody who is no administrator.
    pub async fn search_statistics(&self, days: u32, most: u32) -> Result<SearchStatistics, DatabaseError> {
        const ACTION: &str = "read the statistics of searches";
        let since = first_day(self.now(), days);
        let counted = self.owned(async |tx| {
            Ok(if self.is_device() {
                (
                    administration::search_queries(tx, since, most.min(MOST_ASKED)).await?,
                    administration::search_days(tx, since).await?,
                    administration::search_engines(tx, since).await?,
                )
            } else {
                (
                    queries(tx, since, most).await?,
                    by_day(tx, since).await?,
                    engines(tx, since).await?,
                )
            })
        });
        let (queries, days, engines) = counted.await.doing(ACTION)?;
        Ok(SearchStatistics {
            since,
            searches: days.iter().map(|day| day.searches).sum(),
            cached: days.iter().map(|day| day.cached).sum(),
            queries,
            days,
            engines,
        })
    }
}

async fn queries(tx: &mut PgConnection, since: NaiveDate, most: u32) -> Result<Vec<QueryCount>, sqlx::Error> {
    sqlx::query_as!(
        QueryCount,
        r#"select query, sum(searches)::bigint as "searches!", sum(cached)::bigint as "cached!"
            from deepsearch.search_count where day >= $1
            group by query order by 2 desc, query collate "C" limit $2"#,
        since,
        i64::from(most.min(MOST_ASKED))
    )
    .fetch_all(tx)
    .await
}

async fn by_day(tx: &mut PgConnection, since: NaiveDate) -> Result<Vec<DayCount>, sqlx::Error> {
    sqlx::query_as!(
        DayCount,
        r#"select day, sum(searches)::bigint as "searches!", sum(cached)::bigint as "cached!"
            from deepsearch.search_count where day >= $1 group by day order by day desc"#,
        since
    )
    .fetch_all(tx)
    .await
}

async fn engines(tx: &mut PgConnection, since: NaiveDate) -> Result<Vec<EngineCount>, sqlx::Error> {
    sqlx::query_as!(
        EngineCount,
        r#"select engine, sum(answers)::bigint as "answers!", sum(cached)::bigint as "cached!",
                sum(failures)::bigint as "failures!"
            from deepsearch.engine_count where day >= $1
            group by engine order by 2 desc, 3 desc, engine collate "C" limit 100"#,
        since
    )
    .fetch_all(tx)
    .await
}

fn first_day(now: DateTime<Utc>, days: u32) -> NaiveDate {
    let today = now.date_naive();
    today
        .checked_sub_days(Days::new(u64::from(days.max(1) - 1)))
        .unwrap_or(NaiveDate::MIN)
}
