//! Labels: how a person sorts a chat, by name, as it travels between devices. A collection has no id that two devices
//! share: it is the same one where its name is.
//!
//! What comes from the server may say anything; [`Labels::bounded`] is what of it can be kept and sent back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::collection::{NAME_LIMIT, TAGS_OF_A_CHAT, name_key};

/// The most tags of one chat that travel: two devices may each have given it all that one keeps.
pub const TAG_LIMIT: usize = 2 * TAGS_OF_A_CHAT as usize;

/// The collection that a chat is in, and its tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    #[serde(default)]
    pub collection: Option<String>,
    /// In the order of their keys ([`name_key`]), each once.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Labels {
    /// Of names that differ in case alone the first is kept, and of too many tags the first ones.
    pub fn new(collection: Option<String>, tags: impl IntoIterator<Item = String>) -> Self {
        let mut kept: BTreeMap<String, String> = BTreeMap::new();
        for tag in tags {
            if kept.len() == TAG_LIMIT {
                break;
            }
            kept.entry(name_key(&tag)).or_insert(tag);
        }
        let tags = kept.into_values().collect();
        Self { collection, tags }
    }

    pub fn is_empty(&self) -> bool {
        self.collection.is_none() && self.tags.is_empty()
    }

    /// Whether both say the same. Capital letters make no other label.
    pub fn is_like(&self, other: &Self) -> bool {
        self.collection_key() == other.collection_key() && self.tag_keys() == other.tag_keys()
    }

    pub fn collection_key(&self) -> Option<String> {
        self.collection.as_deref().map(name_key)
    }

    pub fn tag_keys(&self) -> BTreeSet<String> {
        self.tags.iter().map(|tag| name_key(tag)).collect()
    }

    /// What of these no server refuses, whoever wrote them.
    #[must_use]
    pub fn bounded(self) -> Self {
        let can_travel =
            |name: &String| !name.is_empty() && !name.contains('\0') && name.chars().nth(NAME_LIMIT).is_none();
        let tags = self.tags.into_iter().filter(can_travel);
        Self::new(self.collection.filter(can_travel), tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_letters_make_no_other_label() {
        let labels = Labels::new(Some("Work".into()), ["rust".into(), "Ärger".into(), "RUST".into()]);
        assert_eq!(labels.tags, ["rust", "Ärger"]);
        assert!(labels.is_like(&Labels::new(Some("WORK".into()), ["ärger".into(), "Rust".into()])));
        assert!(!labels.is_like(&Labels::new(None, labels.tags.clone())));
    }

    #[test]
    fn what_no_server_would_take_is_left_out() {
        let hostile = Labels {
            collection: Some("x".repeat(NAME_LIMIT + 1)),
            tags: (0..1_000)
                .map(|number| format!("{number:03}"))
                .chain([String::new()])
                .collect(),
        };
        let kept = hostile.bounded();
        assert_eq!((kept.collection, kept.tags.len()), (None, TAG_LIMIT));
    }
}
