//! Labels: how a person sorts a chat, by name, as it goes along with the chat into an archive and to other devices. A
//! collection has no id that two stores share: it is the same one where its name is.
//!
//! Whoever reads them reads what anybody may have written. A name that is no text is read as an empty one, so that the
//! chat is not lost over it; [`Labels::keep_valid`] and [`Labels::bounded`] then leave it out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::collection::{NAME_LIMIT, TAGS_OF_A_CHAT, name_key, valid_name};

/// The most tags of one chat that travel: two devices may each have given it all that one keeps.
pub const TAG_LIMIT: usize = 2 * TAGS_OF_A_CHAT as usize;

/// The collection that a chat is in, and its tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Labels {
    pub collection: Option<String>,
    pub tags: Vec<String>,
}

impl Labels {
    /// Tags come into the order of their keys ([`name_key`]). Of names that differ in case alone the first is kept, and of
    /// too many tags the first ones.
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

    /// Whether the chat is in no collection and has no tag.
    pub fn is_empty(&self) -> bool {
        self.collection.is_none() && self.tags.is_empty()
    }

    /// Whether each name is one. Where one could not be read, nothing may be taken from what the others say.
    pub fn are_readable(&self) -> bool {
        self.collection.iter().chain(&self.tags).all(|name| !name.is_empty())
    }

    pub fn collection_key(&self) -> Option<String> {
        self.collection.as_deref().map(name_key)
    }

    pub fn tag_keys(&self) -> BTreeSet<String> {
        self.tags.iter().map(|tag| name_key(tag)).collect()
    }

    /// The tag of that key, as it is spelled here.
    pub fn tag_of(&self, key: &str) -> Option<&String> {
        self.tags.iter().find(|tag| name_key(tag) == key)
    }

    /// What of these no server refuses, whoever wrote them.
    #[must_use]
    pub fn bounded(self) -> Self {
        let can_travel =
            |name: &String| !name.is_empty() && !name.contains('\0') && name.chars().nth(NAME_LIMIT).is_none();
        let tags = self.tags.into_iter().filter(can_travel);
        Self::new(self.collection.filter(can_travel), tags)
    }

    /// Makes names fit for this store, leaves out those that cannot be given, and says how many that were. A tag that is
    /// there twice is there once.
    pub fn keep_valid(&mut self) -> usize {
        let named = usize::from(self.collection.is_some()) + self.tags.len();
        let mut doubles = 0;
        self.collection = self.collection.take().and_then(|name| valid("the collection", &name));
        let mut known = BTreeSet::new();
        let mut kept = Vec::new();
        for tag in std::mem::take(&mut self.tags) {
            match valid("the tag", &tag) {
                Some(tag) if known.contains(&name_key(&tag)) => doubles += 1,
                Some(tag) if kept.len() < TAGS_OF_A_CHAT as usize => {
                    known.insert(name_key(&tag));
                    kept.push(tag);
                }
                _ => {}
            }
        }
        self.tags = kept;
        named - doubles - usize::from(self.collection.is_some()) - self.tags.len()
    }
}

fn valid(field: &'static str, name: &str) -> Option<String> {
    valid_name(field, name).ok()
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |value: Value| match value {
            Value::String(text) => text,
            _ => String::new(),
        };
        let unreadable = || vec![String::new()];
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::default(),
            Value::Object(mut members) => Self {
                collection: members.remove("collection").filter(|name| !name.is_null()).map(text),
                tags: match members.remove("tags") {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(tags)) => tags.into_iter().map(text).collect(),
                    Some(_) => unreadable(),
                },
            },
            _ => Self {
                collection: None,
                tags: unreadable(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_letters_make_no_other_label() {
        let labels = Labels::new(Some("Work".into()), ["rust".into(), "Ärger".into(), "RUST".into()]);
        assert_eq!(labels.tags, ["rust", "Ärger"]);
        let other = Labels::new(Some("WORK".into()), ["ärger".into(), "Rust".into()]);
        assert_eq!(labels.collection_key(), other.collection_key());
        assert_eq!(labels.tag_keys(), other.tag_keys());
        assert_eq!(other.tag_of("rust").map(String::as_str), Some("Rust"));
        assert_ne!(labels, other, "but they are spelled otherwise");
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

    #[test]
    fn what_is_no_name_is_read_as_none_and_the_rest_is_read() {
        let read = |json: &str| serde_json::from_str::<Labels>(json).unwrap().bounded();
        let named = Labels::new(Some("Work".into()), ["a".into()]);
        assert_eq!(read(r#"{"collection": "Work", "tags": [7, "a", null]}"#), named);
        assert_eq!(read(&serde_json::to_string(&named).unwrap()), named);
        for nothing in [r#"{"collection": ["Work"], "tags": "a"}"#, "null", "7", "{}"] {
            assert!(read(nothing).is_empty(), "{nothing}");
        }
    }
}
