//! A row of the feed as the server's functions give it, and the change that it tells of.
//!
//! One shape for all kinds, most of it empty in each. A row that cannot be read is passed over with a word in the log:
//! it was another program's, and the rest must not wait behind it.

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{Change, ChatRow, EntityKind, FlagsRow, MessageRow, Row, SettingRow};
use deepsearch_core::{ChatId, Labels, MessageId};

/// `deepsearch_sync.feed_row`, without its place in the feed.
#[derive(Debug, Default)]
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
