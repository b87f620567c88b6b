//! Merge: what a row becomes that was changed here and on the server since both were the same.
//!
//! Field by field: what only one side changed is kept; where both changed one field, the later change wins, and the
//! text that lost is handed back.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::sync::{ChatRow, FlagsRow};

/// A merged row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merged<T> {
    pub(crate) row: T,
    /// It differs from the server's, so it is still to be sent.
    pub(crate) is_dirty: bool,
    /// A text of ours that lost.
    pub(crate) lost: Option<String>,
}

/// What a millisecond after a time is: the store keeps no finer ones.
pub(crate) fn just_after(at: DateTime<Utc>) -> DateTime<Utc> {
    at + TimeDelta::milliseconds(1)
}

/// Whose field is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

/// Decides over one field. `is_ours_later` is asked only when both sides changed it.
fn side<T: PartialEq>(base: Option<&T>, ours: &T, theirs: &T, is_ours_later: bool) -> Side {
    if base == Some(ours) || ours == theirs {
        Side::Theirs
    } else if base == Some(theirs) || is_ours_later {
        Side::Ours
    } else {
        Side::Theirs
    }
}

pub(crate) fn merge_chat(base: Option<&ChatRow>, ours: &ChatRow, theirs: &ChatRow) -> Merged<ChatRow> {
    let is_ours_later = (ours.updated_at, &ours.title) > (theirs.updated_at, &theirs.title);
    let title = side(base.map(|row| &row.title), &ours.title, &theirs.title, is_ours_later);
    let millis = |row: &ChatRow| row.deleted_at.map(|at| at.timestamp_millis());
    let trash = side(base.map(millis).as_ref(), &millis(ours), &millis(theirs), is_ours_later);
    let has_ours =
        (title == Side::Ours && ours.title != theirs.title) || (trash == Side::Ours && millis(ours) != millis(theirs));
    let updated_at = if has_ours {
        ours.updated_at.max(just_after(theirs.updated_at))
    } else {
        ours.updated_at.max(theirs.updated_at)
    };
    let did_both_rename = base.is_none_or(|row| row.title != ours.title);
    Merged {
        lost: (title == Side::Theirs && ours.title != theirs.title && did_both_rename).then(|| ours.title.clone()),
        is_dirty: updated_at > theirs.updated_at,
        row: ChatRow {
            title: if title == Side::Ours {
                &ours.title
            } else {
                &theirs.title
            }
            .clone(),
            deleted_at: if trash == Side::Ours {
                ours.deleted_at
            } else {
                theirs.deleted_at
            },
            updated_at,
            ..theirs.clone()
        },
    }
}

pub(crate) fn merge_flags(base: Option<&FlagsRow>, ours: &FlagsRow, theirs: &FlagsRow) -> Merged<FlagsRow> {
    let is_ours_later = ours.at > theirs.at;
    let pinned = side(base.map(|row| &row.pinned), &ours.pinned, &theirs.pinned, is_ours_later);
    let archived = side(
        base.map(|row| &row.archived),
        &ours.archived,
        &theirs.archived,
        is_ours_later,
    );
    let leaf = side(base.map(|row| &row.leaf), &ours.leaf, &theirs.leaf, is_ours_later);
    let mut row = theirs.clone();
    if pinned == Side::Ours {
        row.pinned = ours.pinned;
    }
    if archived == Side::Ours {
        row.archived = ours.archived;
    }
    if leaf == Side::Ours {
        row.leaf.clone_from(&ours.leaf);
    }
    let is_dirty = (row.pinned, row.archived, &row.leaf) != (theirs.pinned, theirs.archived, &theirs.leaf);
    if is_dirty {
        row.at = ours.at.max(just_after(theirs.at));
    }
    Merged {
        row,
        is_dirty,
        lost: None,
    }
}

#[cfg(test)]
mod tests {
    use deepsearch_core::ChatId;
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    fn chat(title: &str, updated_at: i64, deleted_at: Option<i64>) -> ChatRow {
        ChatRow {
            id: ChatId::from_stored("chat_1"),
            title: title.into(),
            created_at: at(0),
            updated_at: at(updated_at),
            deleted_at: deleted_at.map(at),
        }
    }

    #[test]
    fn a_new_name_here_and_activity_there_are_both_kept() {
        let merged = merge_chat(
            Some(&chat("old", 10, None)),
            &chat("new", 20, None),
            &chat("old", 30, None),
        );
        assert_eq!((&*merged.row.title, merged.row.updated_at), ("new", at(31)));
        assert!(merged.is_dirty);
        assert_eq!(merged.lost, None);
    }

    #[test]
    fn of_two_new_names_the_later_wins_and_the_other_is_handed_back() {
        let base = chat("old", 10, None);
        let (early, late) = (chat("early", 20, None), chat("late", 30, None));
        let here = merge_chat(Some(&base), &early, &late);
        assert_eq!((&*here.row.title, here.is_dirty), ("late", false));
        assert_eq!(here.lost.as_deref(), Some("early"));
        let there = merge_chat(Some(&base), &late, &early);
        assert_eq!((&*there.row.title, there.is_dirty), ("late", true));
        assert_eq!(there.lost, None);
    }

    #[test]
    fn a_chat_renamed_here_and_put_into_trash_there_is_renamed_and_in_trash() {
        let merged = merge_chat(
            Some(&chat("old", 10, None)),
            &chat("new", 20, None),
            &chat("old", 15, Some(15)),
        );
        assert_eq!((&*merged.row.title, merged.row.deleted_at), ("new", Some(at(15))));
        assert!(merged.is_dirty);
    }

    #[test]
    fn what_was_not_changed_here_takes_everything_from_there() {
        let base = chat("old", 10, None);
        let theirs = chat("new", 12, Some(11));
        let merged = merge_chat(Some(&base), &base, &theirs);
        assert_eq!(merged.row, theirs);
        assert!(!merged.is_dirty);
        assert_eq!(merged.lost, None);
    }

    fn some_chat() -> impl Strategy<Value = ChatRow> {
        ("[abc]", 0_i64..6, proptest::option::of(0_i64..3)).prop_map(|(title, at, trash)| chat(&title, at, trash))
    }

    proptest! {
        #[test]
        fn a_clean_merge_is_the_servers_row_and_a_dirty_one_is_later(
            base in proptest::option::of(some_chat()), ours in some_chat(), theirs in some_chat(),
        ) {
            let merged = merge_chat(base.as_ref(), &ours, &theirs);
            if merged.is_dirty {
                prop_assert!(merged.row.updated_at > theirs.updated_at);
            } else {
                prop_assert_eq!(&merged.row, &theirs);
            }
            // Merging what came of it once more changes nothing: a page that is applied twice does no harm.
            let again = merge_chat(Some(&theirs), &merged.row, &theirs);
            prop_assert_eq!(&again.row, &merged.row);
            prop_assert_eq!(again.is_dirty, merged.is_dirty);
        }

        #[test]
        fn no_name_is_lost_unseen(base in some_chat(), ours in some_chat(), theirs in some_chat()) {
            let merged = merge_chat(Some(&base), &ours, &theirs);
            let kept = merged.row.title == ours.title || ours.title == base.title;
            prop_assert!(kept || merged.lost.as_deref() == Some(&*ours.title));
        }
    }
}
