//! Merge: what a row becomes that was changed here and on the server since both were the same.
//!
//! Field by field: what only one side changed is kept; where both changed one field, the later change wins, and the
//! text that lost is handed back.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::Labels;
use deepsearch_core::collection::name_key;
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

/// `are_tags_merged` is a rule that only a test leaves out.
pub(crate) fn merge_flags(
    base: Option<&FlagsRow>,
    ours: &FlagsRow,
    theirs: &FlagsRow,
    are_tags_merged: bool,
) -> Merged<FlagsRow> {
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
    // That there were none is known of a chat that has none yet, so nothing is taken away by who knows no labels.
    let none = Labels::default();
    let base_labels = base.and_then(|row| row.labels.as_ref()).unwrap_or(&none);
    let our_labels = ours.labels.as_ref().unwrap_or(base_labels);
    let their_labels = theirs.labels.as_ref().unwrap_or(base_labels);
    let labels = Labels {
        collection: merge_collection(base_labels, our_labels, their_labels, is_ours_later),
        tags: if are_tags_merged {
            merge_tags(base_labels, our_labels, their_labels, is_ours_later)
        } else if is_ours_later {
            our_labels.tags.clone()
        } else {
            their_labels.tags.clone()
        },
    };
    let are_labels_dirty = labels != *theirs.labels.as_ref().unwrap_or(&none);
    if are_labels_dirty {
        row.labels = Some(labels);
    }
    let is_dirty =
        are_labels_dirty || (row.pinned, row.archived, &row.leaf) != (theirs.pinned, theirs.archived, &theirs.leaf);
    if is_dirty {
        row.at = ours.at.max(just_after(theirs.at));
    }
    Merged {
        row,
        is_dirty,
        lost: None,
    }
}

fn merge_collection(base: &Labels, ours: &Labels, theirs: &Labels, is_ours_later: bool) -> Option<String> {
    let [base_key, our_key, their_key] = [base, ours, theirs].map(Labels::collection_key);
    if our_key == their_key {
        let base = base.collection.as_ref().filter(|_| base_key == our_key);
        return spelled(
            base,
            ours.collection.as_ref(),
            theirs.collection.as_ref(),
            is_ours_later,
        );
    }
    match side(Some(&base_key), &our_key, &their_key, is_ours_later) {
        Side::Ours => ours.collection.clone(),
        Side::Theirs => theirs.collection.clone(),
    }
}

/// Theirs without those that were taken away here, and those that were given here.
fn merge_tags(base: &Labels, ours: &Labels, theirs: &Labels, is_ours_later: bool) -> Vec<String> {
    let (base_keys, our_keys) = (base.tag_keys(), ours.tag_keys());
    let kept = theirs.tags.iter().filter_map(|tag| {
        let key = name_key(tag);
        let is_kept = our_keys.contains(&key) || !base_keys.contains(&key);
        is_kept.then(|| spelled(base.tag_of(&key), ours.tag_of(&key), Some(tag), is_ours_later))?
    });
    let given = ours.tags.iter().filter(|tag| !base_keys.contains(&name_key(tag)));
    Labels::new(None, kept.chain(given.cloned())).tags
}

/// How one name is spelled that both have. Where they did not agree on it before, nobody has renamed it: theirs holds.
fn spelled(
    base: Option<&String>,
    ours: Option<&String>,
    theirs: Option<&String>,
    is_ours_later: bool,
) -> Option<String> {
    let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else {
        return theirs.cloned();
    };
    Some(match side(Some(base), ours, theirs, is_ours_later) {
        Side::Ours => ours.clone(),
        Side::Theirs => theirs.clone(),
    })
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

    fn flags(at_millis: i64, collection: Option<&str>, tags: &[&str]) -> FlagsRow {
        FlagsRow {
            chat_id: ChatId::from_stored("chat_1"),
            pinned: false,
            archived: false,
            leaf: None,
            at: at(at_millis),
            labels: Some(Labels::new(
                collection.map(Into::into),
                tags.iter().map(|tag| (*tag).into()),
            )),
        }
    }

    fn unlabelled(at_millis: i64) -> FlagsRow {
        FlagsRow {
            labels: None,
            ..flags(at_millis, None, &[])
        }
    }

    #[test]
    fn tags_that_were_given_and_taken_on_two_devices_are_all_given_and_taken() {
        let base = flags(1, None, &["a", "b", "c"]);
        let ours = flags(2, None, &["b", "c", "ours"]);
        let theirs = flags(3, None, &["a", "b", "theirs"]);
        let merged = merge_flags(Some(&base), &ours, &theirs, true);
        assert_eq!(merged.row.labels.unwrap().tags, ["b", "ours", "theirs"]);
        assert!(merged.is_dirty && merged.row.at == at(4));
    }

    #[test]
    fn what_was_sorted_on_each_device_before_they_met_is_put_together() {
        let here = merge_flags(
            None,
            &flags(5, None, &["a"]),
            &flags(3, Some("Work"), &["A", "b"]),
            true,
        );
        assert_eq!(
            here.row.labels.unwrap(),
            Labels::new(Some("Work".into()), ["A".into(), "b".into()])
        );
        assert!(!here.is_dirty);
        let there = merge_flags(None, &flags(3, Some("work"), &["b"]), &flags(5, None, &["a"]), true);
        assert_eq!(
            there.row.labels.unwrap(),
            Labels::new(Some("work".into()), ["a".into(), "b".into()])
        );
        assert!(there.is_dirty);
    }

    #[test]
    fn of_two_collections_the_later_one_holds_and_one_that_is_only_spelled_otherwise_is_the_same() {
        let base = flags(1, Some("Old"), &[]);
        for (ours, theirs, kept) in [
            (flags(3, Some("Ours"), &[]), flags(2, Some("Theirs"), &[]), Some("Ours")),
            (
                flags(2, Some("Ours"), &[]),
                flags(3, Some("Theirs"), &[]),
                Some("Theirs"),
            ),
            (flags(3, Some("OLD"), &[]), flags(2, None, &[]), None),
            (flags(2, None, &[]), flags(3, Some("old"), &[]), None),
        ] {
            let merged = merge_flags(Some(&base), &ours, &theirs, true);
            assert_eq!(merged.row.labels.unwrap().collection.as_deref(), kept);
        }
    }

    #[test]
    fn a_new_spelling_is_kept_from_whichever_side_it_came_and_of_two_the_later() {
        let base = flags(1, Some("work"), &["rust", "sea"]);
        let ours = flags(2, Some("Work"), &["Rust", "sea"]);
        let theirs = flags(3, Some("work"), &["rust", "SEA"]);
        let merged = merge_flags(Some(&base), &ours, &theirs, true);
        let expected = Labels::new(Some("Work".into()), ["Rust".into(), "SEA".into()]);
        assert_eq!((merged.row.labels, merged.is_dirty), (Some(expected), true));

        let (early, late) = (flags(2, Some("WORK"), &["rust"]), flags(3, Some("Work"), &["rust"]));
        let here = merge_flags(Some(&base), &early, &late, true);
        assert_eq!((here.row.labels, here.is_dirty), (late.labels.clone(), false));
        let there = merge_flags(Some(&base), &late, &early, true);
        assert_eq!((there.row.labels, there.is_dirty), (late.labels, true));
    }

    #[test]
    fn a_row_of_a_program_that_knows_no_labels_takes_none_away() {
        let known = flags(1, Some("Work"), &["a"]);
        for base in [None, Some(&known)] {
            let merged = merge_flags(base, &flags(2, Some("Work"), &["a", "b"]), &unlabelled(3), true);
            assert_eq!(
                merged.row.labels.unwrap(),
                Labels::new(Some("Work".into()), ["a".into(), "b".into()])
            );
            assert!(merged.is_dirty);
        }
        assert!(!merge_flags(None, &flags(2, None, &[]), &unlabelled(3), true).is_dirty);
    }

    fn some_flags() -> impl Strategy<Value = FlagsRow> {
        let tags = proptest::collection::btree_set("[abcAB]", 0..4);
        (0_i64..5, proptest::option::of("[xyX]"), tags, any::<bool>()).prop_map(|(at, collection, tags, pinned)| {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            FlagsRow {
                pinned,
                ..flags(at, collection.as_deref(), &tags)
            }
        })
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
        fn no_tag_is_lost_that_nobody_took_away(base in some_flags(), ours in some_flags(), theirs in some_flags()) {
            let merged = merge_flags(Some(&base), &ours, &theirs, true);
            let [base, ours, theirs, kept] = [&base, &ours, &theirs, &merged.row].map(|row| row.labels.clone().unwrap().tag_keys());
            for tag in ours.union(&theirs) {
                let was_taken_away = base.contains(tag) && !(ours.contains(tag) && theirs.contains(tag));
                prop_assert_eq!(kept.contains(tag), !was_taken_away);
            }
            let again = merge_flags(Some(&merged.row), &merged.row, &merged.row, true);
            prop_assert_eq!((again.row, again.is_dirty), (merged.row, false));
        }

        #[test]
        fn no_name_is_lost_unseen(base in some_chat(), ours in some_chat(), theirs in some_chat()) {
            let merged = merge_chat(Some(&base), &ours, &theirs);
            let kept = merged.row.title == ours.title || ours.title == base.title;
            prop_assert!(kept || merged.lost.as_deref() == Some(&*ours.title));
        }
    }
}
