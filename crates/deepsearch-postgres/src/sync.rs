//! `SyncRemote` over PostgreSQL: each promise is a function of schema `deepsearch` (migrations 0003 and 0007), called as a device.
//!
//! What goes alone and does not go in time goes once more in pieces, so that one row holds no queue up on a slow line.
//!
//! Leaves out the rules themselves, which the functions keep beside the rows, so that two devices' pushes meet there.

mod feed;
mod parcel;
mod pieces;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deepsearch_core::UserId;
use deepsearch_core::sync::{
    DEVICE_TRANSACTION_LIMIT, EntityKind, FeedCursor, FeedPage, Hindrance, IdPage, PULL_LIMIT, PageBody, Push,
    PushAnswer, Pushed, RecentMark, RecentPage, RemoteError, RemoteSource, Row, ServerInfo, SyncRemote,
};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::database::{Line, SharedDatabase};
use feed::{FeedRow, PulledRow, into_page, into_row};
use parcel::Parcel;

/// Before the gateway ends the transaction, which would look like a server that is away and not like a slow line. A push
/// of 500 rows takes a few hundred milliseconds of the server.
const DEADLINE: Duration = DEVICE_TRANSACTION_LIMIT.saturating_sub(Duration::from_secs(2));

/// Rows of one change: a message, its chat, and how that is kept.
const ONE_CHANGE: usize = 3;

/// How often a device says that it is in use. Its session ends 90 days after it last has.
const PROLONG_EVERY: Duration = Duration::from_secs(12 * 60 * 60);

/// The shared database as a device syncs with it.
#[derive(Debug, Clone)]
pub struct SharedSync {
    database: SharedDatabase,
    deadline: Duration,
    prolonged: Arc<Mutex<Option<Instant>>>,
}

impl SharedSync {
    /// `database` is connected as a device ([`SharedDatabase::connect_device`]).
    pub fn new(database: SharedDatabase) -> Self {
        Self {
            database,
            deadline: DEADLINE,
            prolonged: Arc::default(),
        }
    }

    /// Waits so long for each answer.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Whose rows this device sees; `None` when its session is over.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn signed_in_user(&self) -> Result<Option<UserId>, RemoteError> {
        self.within("say who is signed in", async {
            let mut tx = self.begin().await?;
            let user = sqlx::query_scalar!("select deepsearch.uid()")
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(user.map(UserId::from_stored))
        })
        .await
    }

    /// Moves the end of the session on. What was asked for does not wait for that to work: a server that takes no changes
    /// is read all the same.
    async fn prolong(&self) {
        {
            let mut last = self.prolonged.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|at| at.elapsed() < PROLONG_EVERY) {
                return;
            }
            *last = Some(Instant::now());
        }
        let prolonged = self.within("prolong the session", async {
            let mut tx = self.begin().await?;
            sqlx::query_scalar!("select deepsearch.prolong_session()")
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await
        });
        if let Err(error) = prolonged.await {
            tracing::debug!(%error, "the session was not prolonged");
        }
    }

    async fn begin(&self) -> Result<Line, sqlx::Error> {
        self.database.begin_on_line().await
    }

    async fn within<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, sqlx::Error>> + Send,
    ) -> Result<T, RemoteError> {
        within(self.deadline, action, work).await
    }

    /// Whether something may yet come in pieces. A pooler gives each of them another session.
    fn may_come_in_pieces<T>(&self, came: &Result<T, RemoteError>) -> bool {
        matches!(came, Err(RemoteError::TimedOut { .. })) && !self.database.is_pooled()
    }

    async fn server(&self, tx: &mut PgConnection) -> Result<ServerInfo, sqlx::Error> {
        let row = sqlx::query!(
            r#"select epoch as "epoch!", protocol_min as "min!", protocol_max as "max!", now as "now!",
                collected as "collected!", pg_snapshot_xmax(pg_current_snapshot())::text as "reached!"
            from deepsearch.sync_server()"#
        )
        .fetch_one(tx)
        .await?;
        Ok(ServerInfo {
            epoch: row.epoch,
            protocol: (row.min.unsigned_abs(), row.max.unsigned_abs()),
            now: row.now,
            collected: number(&row.collected),
            reached: number(&row.reached),
        })
    }

    /// The chats from a mark on, and whether there are more.
    async fn recent_chats(
        &self,
        tx: &mut PgConnection,
        after: Option<&RecentMark>,
        limit: i32,
    ) -> Result<Vec<FeedRow>, sqlx::Error> {
        let (at, id) = (after.map(|mark| mark.at), after.map(|mark| mark.id.as_str()));
        feed::rows!("from deepsearch.sync_recent_chats($1, $2, $3)", at, id, limit)
            .fetch_all(tx)
            .await
    }

    async fn recent_messages(
        &self,
        tx: &mut PgConnection,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: i32,
    ) -> Result<Vec<FeedRow>, sqlx::Error> {
        let (at, id) = (after.map(|mark| mark.at), after.map(|mark| mark.id.as_str()));
        feed::rows!(
            "from deepsearch.sync_recent_messages($1, $2, $3, $4)",
            since,
            at,
            id,
            limit
        )
        .fetch_all(tx)
        .await
    }
}

#[async_trait]
impl SyncRemote for SharedSync {
    async fn pull(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError> {
        let mut page = self.pull_at_once(after, limit).await;
        if limit == 1 && self.may_come_in_pieces(&page) {
            page = self.pull_in_pieces(after).await;
        }
        let page = page?;
        self.prolong().await;
        Ok(page)
    }

    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError> {
        self.within("count the changes", async {
            let mut tx = self.begin().await?;
            let found = sqlx::query_scalar!(
                r#"select deepsearch.sync_count($1, $2) as "count!""#,
                after.xid.to_string(),
                after.seq
            )
            .fetch_one(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(found.unsigned_abs())
        })
        .await
    }

    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        let page = self.recent_at_once(since, after, limit).await;
        // Chats are never too much.
        let message = after.filter(|mark| mark.kind == EntityKind::Message);
        match message {
            Some(mark) if limit == 1 && self.may_come_in_pieces(&page) => self.recent_in_pieces(since, mark).await,
            _ => page,
        }
    }

    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError> {
        self.within("list what there is", async {
            let mut tx = self.begin().await?;
            let mut ids = sqlx::query_scalar!(
                r#"select id as "id!" from deepsearch.sync_ids($1, $2, $3) as id"#,
                kind.as_str(),
                after,
                count(limit)
            )
            .fetch_all(&mut *tx)
            .await?;
            let server = self.server(&mut tx).await?;
            tx.commit().await?;
            let most = count(limit).unsigned_abs() as usize;
            let has_more = ids.len() > most;
            ids.truncate(most);
            Ok(IdPage { server, ids, has_more })
        })
        .await
    }

    async fn push(&self, push: &Push) -> Result<Pushed, RemoteError> {
        let rows = write(PUSH, &push.rows)?;
        let mut pushed = self.push_at_once(push, &rows).await;
        if push.rows.len() <= ONE_CHANGE && Parcel::is_for(&rows) && self.may_come_in_pieces(&pushed) {
            pushed = self.push_in_pieces(push, &rows).await;
        }
        pushed?.ok_or(RemoteError::EpochChanged)
    }

    async fn list_missing_pages(&self, hashes: &[String]) -> Result<Vec<String>, RemoteError> {
        self.within("compare the saved pages", async {
            let mut tx = self.begin().await?;
            let missing = sqlx::query_scalar!(
                r#"select hash as "hash!" from deepsearch.sync_missing_pages($1) as hash"#,
                hashes
            )
            .fetch_all(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(missing)
        })
        .await
    }

    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError> {
        let put = self.put_page_at_once(page).await;
        match self.may_come_in_pieces(&put) {
            true => self.put_page_in_pieces(page).await,
            false => put,
        }
    }

    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        let page = self.page_at_once(hash).await;
        match self.may_come_in_pieces(&page) {
            true => self.page_in_pieces(hash).await,
            false => page,
        }
    }

    fn forget_connections(&self) {
        self.database.forget_connections();
    }
}

const PULL: &str = "read the changes";
const RECENT: &str = "read what is recent";
const PUSH: &str = "write";
const PUT_PAGE: &str = "keep a saved page";
const PAGE: &str = "read a saved page";

/// What may be too much for a slow line, at once.
impl SharedSync {
    async fn pull_at_once(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError> {
        self.within(PULL, async {
            let mut tx = self.begin().await?;
            let rows = feed::pulled!(query_as, [PulledRow,], "", "", after, count(limit))
                .fetch_all(&mut *tx)
                .await?;
            tx.commit().await?;
            into_page(rows, after).ok_or(sqlx::Error::RowNotFound)
        })
        .await
    }

    async fn recent_at_once(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        self.within(RECENT, async {
            let mut tx = self.begin().await?;
            let limit = count(limit);
            let mut found = Vec::new();
            if after.is_none() {
                found = feed::rows!("from deepsearch.sync_settings()")
                    .fetch_all(&mut *tx)
                    .await?;
            }
            // The end of the chats is a mark of its own kind: what follows it are messages, from the newest on.
            let is_among_messages = after.is_some_and(|mark| mark.kind == EntityKind::Message);
            let page = if is_among_messages {
                self.recent_messages(&mut tx, since, after.filter(|mark| !mark.id.is_empty()), limit)
                    .await?
            } else {
                self.recent_chats(&mut tx, after.filter(|mark| mark.kind == EntityKind::Chat), limit)
                    .await?
            };
            // After the rows: all of them were written before what it says.
            let server = self.server(&mut tx).await?;
            tx.commit().await?;
            Ok(recent_page(server, found, page, since, is_among_messages))
        })
        .await
    }

    /// `None` when the server stands before what the device has seen of it. It is put back only by ending every
    /// connection, so that what is true here is true of the whole push.
    async fn push_at_once(&self, push: &Push, rows: &str) -> Result<Option<Pushed>, RemoteError> {
        self.within(PUSH, async {
            let mut tx = self.begin().await?;
            let answers = sqlx::query_scalar!(
                r#"select case when pg_snapshot_xmax(pg_current_snapshot()) >= $4::text::xid8
                    then deepsearch.sync_push($1, $2, $3::text::json)
                    end as "answers: Json<Vec<PushAnswer>>""#,
                push.epoch,
                push.protocol.cast_signed(),
                rows,
                push.seen.to_string()
            )
            .fetch_one(&mut *tx)
            .await?;
            let Some(Json(answers)) = answers else { return Ok(None) };
            let reached = reached(&mut tx).await?;
            tx.commit().await?;
            Ok(Some(Pushed { answers, reached }))
        })
        .await
    }

    async fn put_page_at_once(&self, page: &PageBody) -> Result<(), RemoteError> {
        self.within(PUT_PAGE, async {
            let mut tx = self.begin().await?;
            sqlx::query!(
                "select deepsearch.sync_put_page($1, $2, $3)",
                page.content_hash,
                page.text,
                page.html
            )
            .fetch_one(&mut *tx)
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn page_at_once(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        self.within(PAGE, async {
            let mut tx = self.begin().await?;
            let found = sqlx::query!(
                r#"select page_text as "text!", page_html as "html?" from deepsearch.sync_page($1)"#,
                hash
            )
            .fetch_optional(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(found.map(|row| PageBody {
                content_hash: hash.to_owned(),
                text: row.text,
                html: row.html,
            }))
        })
        .await
    }
}

/// How far the server has come with a push that is not committed yet, and with what it was compared with: each statement
/// of the push saw what was committed by then.
async fn reached(tx: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let reached = sqlx::query!(
        r#"select pg_snapshot_xmax(pg_current_snapshot())::text as "reached!",
            pg_current_xact_id_if_assigned()::text as own"#
    )
    .fetch_one(tx)
    .await?;
    let own = reached.own.map_or(0, |own| number(&own) + 1);
    Ok(number(&reached.reached).max(own))
}

/// `first` came before the page, which is of chats or of messages.
fn recent_page(
    server: ServerInfo,
    first: Vec<FeedRow>,
    page: Vec<FeedRow>,
    since: DateTime<Utc>,
    is_among_messages: bool,
) -> RecentPage {
    let is_cut = page.first().and_then(|row| row.is_cut).unwrap_or_default();
    let next = match page.last() {
        Some(last) if is_cut => mark(last, is_among_messages),
        _ if is_among_messages => None,
        _ => Some(RecentMark {
            kind: EntityKind::Message,
            at: since,
            id: String::new(),
        }),
    };
    RecentPage {
        server,
        rows: first.into_iter().chain(page).flat_map(with_flags).collect(),
        next,
    }
}

/// A chat's row carries its flags, which are a row of their own.
fn with_flags(mut found: FeedRow) -> Vec<Row> {
    let flags = (found.kind.as_deref() == Some("chat") && found.at.is_some()).then(|| FeedRow {
        kind: Some(EntityKind::Flags.as_str().to_owned()),
        row_id: found.row_id.clone(),
        pinned: found.pinned,
        archived: found.archived,
        leaf: found.leaf.take(),
        value: found.value.take(),
        at: found.at,
        ..FeedRow::default()
    });
    [Some(found), flags]
        .into_iter()
        .flatten()
        .filter_map(into_row)
        .collect()
}

fn mark(last: &FeedRow, is_message: bool) -> Option<RecentMark> {
    Some(RecentMark {
        kind: if is_message {
            EntityKind::Message
        } else {
            EntityKind::Chat
        },
        at: if is_message { last.created_at } else { last.updated_at }?,
        id: last.row_id.clone()?,
    })
}

/// `xid8` has no type in sqlx, so it travels as text.
pub(crate) fn number(xid: &str) -> u64 {
    xid.parse().unwrap_or_default()
}

fn count(limit: u32) -> i32 {
    limit.clamp(1, PULL_LIMIT).cast_signed()
}

fn write(action: &'static str, value: &impl Serialize) -> Result<String, RemoteError> {
    serde_json::to_string(value).map_err(|source| failed(action, source))
}

fn failed(action: &'static str, source: impl Into<RemoteSource>) -> RemoteError {
    let source = source.into();
    RemoteError::Failed { action, source }
}

async fn within<T>(
    deadline: Duration,
    action: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, RemoteError> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done.map_err(|error| remote_error(action, error)),
        Err(_) => Err(RemoteError::TimedOut { action }),
    }
}

fn remote_error(action: &'static str, error: sqlx::Error) -> RemoteError {
    let Some(told) = error.as_database_error() else {
        return match error {
            sqlx::Error::PoolTimedOut => RemoteError::TimedOut { action },
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                RemoteError::Offline {
                    action,
                    source: error.into(),
                }
            }
            error => failed(action, error),
        };
    };
    match told.code().as_deref() {
        // The session ended, or the device's role lost its login.
        Some("DS002" | "28000" | "28P01") => RemoteError::SignedOut,
        Some("DS010") => RemoteError::EpochChanged,
        Some("DS011") => protocol_error(told),
        Some("DS012" | "54000") => RemoteError::Refused {
            action,
            reason: told.message().to_owned(),
        },
        Some("25006") => hindered(Hindrance::ReadOnly, action, error),
        Some("53100") => hindered(Hindrance::DiskFull, action, error),
        Some("53300") => hindered(Hindrance::Crowded, action, error),
        // What no text or time can be, as a NUL: it is that the next time, too.
        Some(code) if code.starts_with("22") => RemoteError::Refused {
            action,
            reason: told.message().to_owned(),
        },
        // A time limit, a lock, two pushes that met crosswise: nothing was written, and the next try goes through.
        Some("57014" | "55P03" | "25P03" | "40P01" | "40001") => RemoteError::TimedOut { action },
        Some(code) if code.starts_with("08") || code.starts_with("57P") => RemoteError::Offline {
            action,
            source: error.into(),
        },
        _ => failed(action, error),
    }
}

fn hindered(hindrance: Hindrance, action: &'static str, error: sqlx::Error) -> RemoteError {
    RemoteError::Hindered {
        action,
        hindrance,
        source: error.into(),
    }
}

fn protocol_error(told: &dyn sqlx::error::DatabaseError) -> RemoteError {
    let range = told
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .and_then(|told| told.detail()?.split_once(' '))
        .and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
    let (min, max) = range.unwrap_or_default();
    RemoteError::Protocol { min, max }
}
