//! A row of the feed as the server's functions give it, and the change that it tells of.
//!
//! One shape for all kinds, most of it empty in each. A row that cannot be read is passed over with a word in the log:
//! it was another program's, and the rest must not wait behind it.

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{
    Change, ChatRow, EntityKind, FeedCursor, FeedPage, FlagsRow, MessageRow, Row, ServerInfo, SettingRow,
};
use deepsearch_core::{ChatId, Labels, MessageId};
use serde::Deserialize;

use super::number;

/// `deepsearch_sync.feed_row`, without its place in the feed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FeedRow {
    pub(super) kind: Option<String>,
    pub(super) row_id: Option<String>,
    pub(super) is_deletion: Option<bool>,
    pub(super) chat_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) role: Option<String>,
    pub(super) content: Option<String>,
    pub(super) sources: Option<String>,
    pub(super) metadata: Option<String>,
    pub(super) extras: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
    pub(super) pinned: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) leaf: Option<String>,
    /// JSON: what a setting is, or the labels of a chat.
    pub(super) value: Option<String>,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) is_cut: Option<bool>,
}

/// A row of a pull: what the server says of itself, and an entry of the feed. The last one is the end of the page; an empty
/// page is one row of the server alone.
#[derive(Debug, Deserialize)]
pub(super) struct PulledRow {
    pub(super) epoch: Option<String>,
    pub(super) protocol_min: Option<i32>,
    pub(super) protocol_max: Option<i32>,
    pub(super) now: Option<DateTime<Utc>>,
    pub(super) collected: Option<String>,
    pub(super) horizon: Option<String>,
    pub(super) reached: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) row_id: Option<String>,
    pub(super) is_deletion: Option<bool>,
    pub(super) xid: Option<String>,
    pub(super) seq: Option<i64>,
    pub(super) chat_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) role: Option<String>,
    pub(super) content: Option<String>,
    pub(super) sources: Option<String>,
    pub(super) metadata: Option<String>,
    pub(super) extras: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
    pub(super) pinned: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) leaf: Option<String>,
    pub(super) value: Option<String>,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) is_cut: Option<bool>,
}

/// A checked query for the rows of a pull. One statement, so one snapshot for the horizon and the entries below it.
macro_rules! pulled {
    ($query:ident, [$($as:tt)*], $open:tt, $close:tt, $after:expr, $limit:expr) => {
        sqlx::$query!(
            $($as)*
            $open + "select server.epoch, server.protocol_min, server.protocol_max, server.now, server.collected, \
                server.horizon, pg_snapshot_xmax(pg_current_snapshot())::text as reached, \
                feed.kind, feed.row_id, feed.is_deletion, feed.xid, feed.seq, feed.chat_id, feed.title, feed.role, \
                feed.content, feed.sources, feed.metadata, feed.extras, feed.created_at, feed.updated_at, \
                feed.deleted_at, feed.pinned, feed.archived, feed.leaf, feed.value, feed.at, feed.is_cut \
            from deepsearch.sync_server() as server \
            left join lateral deepsearch.sync_pull($1, $2, $3) as feed on true" + $close,
            $after.xid.to_string(),
            $after.seq,
            $limit
        )
    };
}
pub(super) use pulled;

/// `None` when the server did not say what it is.
pub(super) fn into_page(mut rows: Vec<PulledRow>, after: FeedCursor) -> Option<FeedPage> {
    let first = rows.first()?;
    let server = ServerInfo {
        epoch: first.epoch.clone()?,
        protocol: (first.protocol_min?.unsigned_abs(), first.protocol_max?.unsigned_abs()),
        now: first.now?,
        collected: number(first.collected.as_deref()?),
        reached: number(first.reached.as_deref()?),
    };
    let horizon = FeedCursor {
        xid: number(first.horizon.as_deref()?),
        seq: 0,
    };
    let end = rows.pop().and_then(|row| {
        let place = FeedCursor {
            xid: row.xid.as_deref().map(number)?,
            seq: row.seq?,
        };
        row.is_cut.unwrap_or_default().then_some(place)
    });
    let changes = rows.into_iter().filter_map(|row| {
        into_change(FeedRow {
            kind: row.kind,
            row_id: row.row_id,
            is_deletion: row.is_deletion,
            chat_id: row.chat_id,
            title: row.title,
            role: row.role,
            content: row.content,
            sources: row.sources,
            metadata: row.metadata,
            extras: row.extras,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            pinned: row.pinned,
            archived: row.archived,
            leaf: row.leaf,
            value: row.value,
            at: row.at,
            is_cut: row.is_cut,
        })
    });
    Some(FeedPage {
        server,
        changes: changes.collect(),
        // A restored server's horizon may lie before; its epoch says so, and the cursor does not go back.
        next: end.unwrap_or(horizon).max(after),
        has_more: end.is_some(),
    })
}

/// A checked query for the columns of [`FeedRow`] out of one of the server's functions.
macro_rules! rows {
    ($from:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            crate::sync::feed::FeedRow,
            "select kind, row_id, is_deletion, chat_id, title, role, content, sources, metadata, extras, \
                created_at, updated_at, deleted_at, pinned, archived, leaf, value, at, is_cut " + $from
            $(, $argument)*
        )
    };
}
pub(super) use rows;

/// `None` for a row that cannot be read.
pub(super) fn into_change(found: FeedRow) -> Option<Change> {
    let Some(kind) = found.kind.as_deref().and_then(EntityKind::parse) else {
        return Some(Change::Unknown);
    };
    if found.is_deletion == Some(true) {
        let id = found.row_id?;
        return Some(Change::Delete { kind, id });
    }
    into_row(found).map(Change::Upsert)
}

pub(super) fn into_row(found: FeedRow) -> Option<Row> {
    let (kind, id) = (found.kind.as_deref().and_then(EntityKind::parse)?, found.row_id?);
    Some(match kind {
        EntityKind::Chat => Row::Chat(ChatRow {
            id: ChatId::from_stored(id),
            title: found.title?,
            created_at: found.created_at?,
            updated_at: found.updated_at?,
            deleted_at: found.deleted_at,
        }),
        EntityKind::Flags => Row::Flags(FlagsRow {
            pinned: found.pinned?,
            archived: found.archived?,
            leaf: found.leaf.map(MessageId::from_stored),
            at: found.at?,
            labels: found
                .value
                .and_then(|labels| readable(&id, &labels))
                .filter(Labels::are_readable),
            chat_id: ChatId::from_stored(id),
        }),
        EntityKind::Message => Row::Message(Box::new(MessageRow {
            extras: found.extras.and_then(|extras| readable(&id, &extras)),
            id: MessageId::from_stored(id),
            chat_id: ChatId::from_stored(found.chat_id?),
            role: found.role?,
            content: found.content?,
            sources: found.sources,
            metadata: found.metadata,
            created_at: found.created_at?,
        })),
        EntityKind::Setting => Row::Setting(SettingRow {
            value: readable(&id, &found.value?)?,
            key: id,
            at: found.at?,
        }),
    })
}

fn readable<T: serde::de::DeserializeOwned>(id: &str, json: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(id, %error, "what the server keeps beside a row cannot be read"))
        .ok()
}
