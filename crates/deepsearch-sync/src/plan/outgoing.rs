//! Outgoing: what of a changed chat the server does not know yet, and under which time it is sent.
//!
//! A time follows from what is kept alone, so that a push which is sent again says the same.

use deepsearch_core::Chat;
use deepsearch_core::sync::{ChatRow, FlagsRow};
use deepsearch_sqlite::LocalChat;

use super::merge::just_after;

/// The part of a chat that the shared table has.
pub(crate) fn chat_row(chat: &Chat) -> ChatRow {
    ChatRow {
        id: chat.id.clone(),
        title: chat.title.clone(),
        created_at: chat.created_at,
        updated_at: chat.updated_at,
        deleted_at: chat.deleted_at,
    }
}

/// The part of a chat that is ours, as of its last change.
pub(crate) fn flags_row(local: &LocalChat) -> FlagsRow {
    let changed_at = local.pending.unwrap_or(local.chat.updated_at);
    let base_at = local.flags_base.as_ref().map(|base| just_after(base.at));
    FlagsRow {
        chat_id: local.chat.id.clone(),
        pinned: local.chat.pinned,
        archived: local.chat.archived,
        leaf: local.chat.leaf.clone(),
        at: base_at.map_or(changed_at, |at| at.max(changed_at)),
        labels: Some(local.labels.clone()),
    }
}

/// `None` when the server knows it all.
pub(crate) fn outgoing_chat(local: &LocalChat) -> Option<ChatRow> {
    let mut row = chat_row(&local.chat);
    let Some(base) = &local.base else {
        return Some(row);
    };
    let has_moved = row.deleted_at != base.deleted_at;
    if has_moved || row.title != base.title {
        row.updated_at = row.updated_at.max(just_after(base.updated_at));
        // Going to Trash and coming back are no activity here, but must not lose against what happened before them.
        if has_moved && let Some(changed_at) = local.pending {
            row.updated_at = row.updated_at.max(changed_at);
        }
        return Some(row);
    }
    (row.updated_at > base.updated_at).then_some(row)
}

/// `None` when the server knows them all. One that keeps no labels is not told of them.
pub(crate) fn outgoing_flags(local: &LocalChat, has_labels: bool) -> Option<FlagsRow> {
    let mut row = flags_row(local);
    if !has_labels {
        row.labels = None;
    }
    let is_same = match &local.flags_base {
        Some(base) => (row.pinned, row.archived, &row.leaf) == (base.pinned, base.archived, &base.leaf),
        None => !row.pinned && !row.archived && row.leaf.is_none(),
    };
    let known = local.flags_base.as_ref().and_then(|base| base.labels.as_ref());
    let are_labels_same = match (&row.labels, known) {
        (None, _) => true,
        (Some(ours), Some(known)) => ours == known,
        (Some(ours), None) => ours.is_empty(),
    };
    (!is_same || !are_labels_same).then_some(row)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use deepsearch_core::{ChatId, Labels};

    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    fn synced() -> LocalChat {
        let chat = Chat {
            id: ChatId::from_stored("chat_1"),
            title: "title".into(),
            created_at: at(0),
            updated_at: at(10),
            deleted_at: None,
            pinned: false,
            archived: false,
            leaf: None,
        };
        LocalChat {
            base: Some(chat_row(&chat)),
            flags_base: None,
            pending: Some(at(50)),
            offered: false,
            labels: Labels::default(),
            has_left_out: false,
            chat,
        }
    }

    #[test]
    fn what_the_server_knows_is_not_sent() {
        assert_eq!(outgoing_chat(&synced()), None);
        assert_eq!(outgoing_flags(&synced(), true), None);
    }

    #[test]
    fn a_pin_sends_the_flags_and_no_chat() {
        let mut local = synced();
        local.chat.pinned = true;
        assert_eq!(outgoing_chat(&local), None);
        assert_eq!(outgoing_flags(&local, true).unwrap().at, at(50));
    }

    #[test]
    fn a_tag_sends_the_flags_also_if_it_is_only_spelled_otherwise_unless_the_server_keeps_none() {
        let mut local = synced();
        local.labels = Labels::new(None, ["Rust".into()]);
        let row = outgoing_flags(&local, true).unwrap();
        assert_eq!(row.labels.as_ref(), Some(&local.labels));
        assert_eq!(outgoing_flags(&local, false), None);
        local.flags_base = Some(FlagsRow {
            labels: Some(Labels::new(None, ["rust".into()])),
            ..row
        });
        assert!(outgoing_flags(&local, true).is_some());
        local.flags_base.as_mut().unwrap().labels = Some(local.labels.clone());
        assert_eq!(outgoing_flags(&local, true), None);
        local.labels.collection = Some("Work".into());
        assert!(outgoing_flags(&local, true).is_some());
        local.labels = Labels::default();
        let row = outgoing_flags(&local, true).unwrap();
        assert_eq!(row.labels, Some(Labels::default()), "that there are none is told too");
    }

    #[test]
    fn a_chat_moved_to_trash_is_later_than_what_came_before_it() {
        let mut local = synced();
        local.chat.deleted_at = Some(at(50));
        assert_eq!(outgoing_chat(&local).unwrap().updated_at, at(50));
    }

    #[test]
    fn a_change_is_later_than_the_row_it_changed_even_on_a_slow_clock() {
        let mut local = synced();
        local.chat.title = "another".into();
        local.pending = Some(at(3));
        assert_eq!(outgoing_chat(&local).unwrap().updated_at, at(11));
    }
}
