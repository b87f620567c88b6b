//! The search cache's table (seed 3.3): what engines answered, kept where a team shares it.
//!
//! The seed's table says not whose an entry is, so everybody who may use it sees and may write every entry. It is a tier
//! of the cache only where a team has chosen to share, which the views hold a device to and this file an owner. What lies
//! there is read with suspicion: within a size, as an object, and never believed to be fresh for longer than a week.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::cache::{Cache, CacheError, SearchCache};
use deepsearch_core::validate::CACHED_QUERY_LIMIT;
use sqlx::PgConnection;

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};
use crate::messages::read_json;

/// Largest entry that is kept or taken, in bytes of JSON.
const ENTRY_LIMIT: usize = 512 * 1024;

/// How long an entry may claim to be fresh after it was made.
const BELIEVED: TimeDelta = TimeDelta::days(7);

/// The shared table as a tier of the search cache.
#[derive(Debug, Clone)]
pub struct SharedSearchCache {
    database: SharedDatabase,
}

impl SharedDatabase {
    /// The table that keeps search results.
    pub fn search_cache(&self) -> SharedSearchCache {
        SharedSearchCache { database: self.clone() }
    }

    /// Whether devices share what they search for.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device.
    pub async fn shares_searches(&self) -> Result<bool, DatabaseError> {
        const ACTION: &str = "say whether searches are shared";
        self.owned(async |tx| shares(tx).await).await.doing(ACTION)
    }

    /// Whether this handle may meet the shared searches. A device may try: the database gives it its own where they are
    /// not shared. Who owns the tables reaches them whatever was chosen, so that the choice is looked up.
    pub(crate) async fn may_share(&self, tx: &mut PgConnection) -> Result<bool, sqlx::Error> {
        Ok(self.is_device() || shares(tx).await?)
    }

    /// Lets devices share what they search for, or not any more: then each sees its own, and what was shared runs out.
    ///
    /// # Errors
    /// [`DatabaseError::Denied`] for a device.
    pub async fn share_searches(&self, shared: bool) -> Result<(), DatabaseError> {
        const ACTION: &str = "choose whether searches are shared";
        let chosen = self.owned(async |tx| {
            sqlx::query!(
                "insert into deepsearch.setting (name, value) values ('share_searches', $1)
                on conflict (name) do update set value = excluded.value",
                if shared { "on" } else { "off" }
            )
            .execute(tx)
            .await
        });
        chosen.await.doing(ACTION)?;
        Ok(())
    }

    /// Forgets entries that ran out before a time, and says how many; found by the index of when they run out.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer; what went before is gone.
    pub async fn delete_expired_searches(&self, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
        const ACTION: &str = "forget the searches that ran out";
        // Some at a time, so that a large table is not locked for long.
        const AT_ONCE: i64 = 1_000;
        let mut gone = 0;
        loop {
            let mut tx = self.begin().await.doing(ACTION)?;
            let deleted = sqlx::query!(
                r#"delete from "ai-app-template_search_cache" where id in (
                    select id from "ai-app-template_search_cache" where expires_at < $1 order by expires_at limit $2)"#,
                before,
                AT_ONCE
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
            tx.commit().await.doing(ACTION)?;
            if deleted.rows_affected() == 0 {
                return Ok(gone);
            }
            gone += deleted.rows_affected();
        }
    }
}

#[async_trait]
impl Cache for SharedSearchCache {
    async fn lookup(&self, query: &str) -> Result<Option<SearchCache>, CacheError> {
        self.read(query).await.map_err(|error| cache_error("look up", error))
    }

    async fn add(&self, entry: SearchCache) -> Result<(), CacheError> {
        self.write(entry).await.map_err(|error| cache_error("keep", error))
    }
}

impl SharedSearchCache {
    /// The newest entry that has not run out; where there is none, the newest that has (seed R21).
    async fn read(&self, query: &str) -> Result<Option<SearchCache>, DatabaseError> {
        const ACTION: &str = "look up the search";
        let Some(query) = cacheable(query) else {
            return Ok(None);
        };
        let now = self.database.now();
        let mut tx = self.database.begin().await.doing(ACTION)?;
        if !self.database.may_share(&mut tx).await.doing(ACTION)? {
            return Ok(None);
        }
        let row = sqlx::query!(
            r#"select results::text as "results!", created_at, expires_at from "ai-app-template_search_cache"
            where query = $1 and octet_length(results::text) <= $3
            order by expires_at > $2 desc, created_at desc, id desc limit 1"#,
            query,
            now,
            i32::try_from(ENTRY_LIMIT).unwrap_or(i32::MAX)
        )
        .fetch_optional(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        Ok(row.and_then(|row| {
            let results: serde_json::Value = read_json(&row.results, "results", "of a search")?;
            results.is_object().then(|| SearchCache {
                query: query.to_owned(),
                results,
                created_at: row.created_at,
                expires_at: row.expires_at.min(row.created_at.min(now) + BELIEVED),
            })
        }))
    }

    /// Adds an entry in the place of older ones of its query. Another program's may come between: readers take the
    /// newest.
    async fn write(&self, entry: SearchCache) -> Result<(), DatabaseError> {
        const ACTION: &str = "keep the search";
        let Some(query) = cacheable(&entry.query) else {
            return Ok(());
        };
        let results = serde_json::to_string(&entry.results)
            .map_err(|error| sqlx::Error::Encode(error.into()))
            .doing(ACTION)?;
        if results.len() > ENTRY_LIMIT {
            return Ok(());
        }
        let mut tx = self.database.begin().await.doing(ACTION)?;
        if !self.database.may_share(&mut tx).await.doing(ACTION)? {
            return Ok(());
        }
        sqlx::query!(
            r#"delete from "ai-app-template_search_cache" where query = $1 and created_at <= $2"#,
            query,
            entry.created_at
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        sqlx::query!(
            r#"insert into "ai-app-template_search_cache" (query, results, created_at, expires_at)
            values ($1, $2::text::json, $3, $4)"#,
            query,
            results,
            entry.created_at,
            entry.expires_at
        )
        .execute(&mut *tx)
        .await
        .writing(ACTION, &[("query", query)])?;
        tx.commit().await.doing(ACTION)
    }
}

async fn shares(tx: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
            select from deepsearch.setting where name = 'share_searches' and value = 'on') as "shares!""#
    )
    .fetch_one(tx)
    .await
}

/// The trimmed query, unless it is none or too long to be kept (seed R21).
fn cacheable(query: &str) -> Option<&str> {
    let query = query.trim();
    let fits = !query.is_empty() && query.chars().count() <= CACHED_QUERY_LIMIT && !query.contains('\0');
    fits.then_some(query)
}

fn cache_error(action: &'static str, error: DatabaseError) -> CacheError {
    CacheError {
        tier: "shared table",
        action,
        source: error.into(),
    }
}
