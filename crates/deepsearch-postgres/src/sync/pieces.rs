//! What may be too much for a slow line, in pieces.
//!
//! The server's functions are asked as they are at once, in a session in which the large text stays behind.

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{FeedCursor, FeedPage, PageBody, Push, Pushed, RecentMark, RecentPage, RemoteError};
use serde::de::DeserializeOwned;

use super::feed::{self, FeedRow, PulledRow, into_page};
use super::parcel::Parcel;
use super::{PAGE, PULL, PUSH, PUT_PAGE, RECENT, SharedSync, failed, reached, recent_page, write};

impl SharedSync {
    pub(super) async fn pull_in_pieces(&self, after: FeedCursor) -> Result<FeedPage, RemoteError> {
        let mut parcel = self.parcel(PULL).await?;
        let fill = feed::pulled!(
            query,
            [],
            "select length(set_config('deepsearch.parcel', (select json_agg(page)::text from (",
            ") as page), false))",
            after,
            1
        );
        self.within(PULL, fill.fetch_one(parcel.session())).await?;
        let rows: Vec<PulledRow> = read(PULL, &parcel.take().await?)?;
        into_page(rows, after).ok_or_else(|| failed(PULL, sqlx::Error::RowNotFound))
    }

    pub(super) async fn recent_in_pieces(
        &self,
        since: DateTime<Utc>,
        after: &RecentMark,
    ) -> Result<RecentPage, RemoteError> {
        let mut parcel = self.parcel(RECENT).await?;
        let mark = Some(after).filter(|mark| !mark.id.is_empty());
        let fill = sqlx::query!(
            "select length(set_config('deepsearch.parcel', (
                select coalesce(json_agg(found), '[]')::text from deepsearch.sync_recent_messages($1, $2, $3, 1) as found
            ), false))",
            since,
            mark.map(|mark| mark.at),
            mark.map(|mark| mark.id.as_str())
        );
        self.within(RECENT, fill.fetch_one(parcel.session())).await?;
        let page: Vec<FeedRow> = read(RECENT, &parcel.take().await?)?;
        let server = self
            .within(RECENT, async {
                let mut tx = self.begin().await?;
                let server = self.server(&mut tx).await?;
                tx.commit().await?;
                Ok(server)
            })
            .await?;
        Ok(recent_page(server, Vec::new(), page, since, true))
    }

    /// What it is superseded by may be as large as what was sent.
    pub(super) async fn push_in_pieces(&self, push: &Push, rows: &str) -> Result<Option<Pushed>, RemoteError> {
        let mut parcel = self.parcel(PUSH).await?;
        parcel.put(rows).await?;
        let tx = parcel.session();
        let reached = self
            .within(PUSH, async {
                sqlx::raw_sql("begin").execute(&mut *tx).await?;
                let is_written = sqlx::query_scalar!(
                    r#"select case when pg_snapshot_xmax(pg_current_snapshot()) >= $3::text::xid8 then length(set_config(
                        'deepsearch.parcel',
                        deepsearch.sync_push($1, $2, current_setting('deepsearch.parcel')::json)::text, false
                    )) end is not null as "is_written!""#,
                    push.epoch,
                    push.protocol.cast_signed(),
                    push.seen.to_string()
                )
                .fetch_one(&mut *tx)
                .await?;
                let reached = reached(&mut *tx).await?;
                sqlx::raw_sql("commit").execute(&mut *tx).await?;
                Ok(is_written.then_some(reached))
            })
            .await?;
        let Some(reached) = reached else { return Ok(None) };
        let answers = read(PUSH, &parcel.take().await?)?;
        Ok(Some(Pushed { answers, reached }))
    }

    pub(super) async fn put_page_in_pieces(&self, page: &PageBody) -> Result<(), RemoteError> {
        let mut parcel = self.parcel(PUT_PAGE).await?;
        parcel.put(&write(PUT_PAGE, page)?).await?;
        let put = sqlx::query!(
            "select deepsearch.sync_put_page($1, page ->> 'text', page ->> 'html')
            from (select current_setting('deepsearch.parcel')::json as page) as parcel",
            page.content_hash
        );
        self.within(PUT_PAGE, put.fetch_one(parcel.session())).await?;
        parcel.close();
        Ok(())
    }

    pub(super) async fn page_in_pieces(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        let mut parcel = self.parcel(PAGE).await?;
        let fill = sqlx::query!(
            "select length(set_config('deepsearch.parcel', coalesce((
                select json_build_object('content_hash', $1::text, 'text', page_text, 'html', page_html)::text
                from deepsearch.sync_page($1)
            ), 'null'), false))",
            hash
        );
        self.within(PAGE, fill.fetch_one(parcel.session())).await?;
        read(PAGE, &parcel.take().await?)
    }

    async fn parcel(&self, action: &'static str) -> Result<Parcel, RemoteError> {
        Parcel::open(&self.database, action, self.deadline).await
    }
}

fn read<T: DeserializeOwned>(action: &'static str, json: &str) -> Result<T, RemoteError> {
    serde_json::from_str(json).map_err(|source| failed(action, source))
}
