//! How a chat is sorted, by names: what goes out of a store with it and is made again in another one, whose ids are others.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::collection::{TAGS_OF_A_CHAT, name_key, valid_name};

/// As many tags as one chat may have.
pub const TAGS_LIMIT: usize = TAGS_OF_A_CHAT as usize;

/// The collection that a chat is in and its tags. What is read may have been written by anyone: a name that is no text is
/// read as an empty one, so that [`NamedLabels::keep_valid`] tells of it and the chat is not lost over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NamedLabels {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl NamedLabels {
    /// Whether the chat is in no collection and has no tag.
    pub fn is_empty(&self) -> bool {
        self.collection.is_none() && self.tags.is_empty()
    }

    /// Leaves out what cannot be given, and says how many names that were. A tag that is there twice is there once.
    pub fn keep_valid(&mut self) -> usize {
        let named = usize::from(self.collection.is_some()) + self.tags.len();
        let mut doubles = 0;
        self.collection = self.collection.take().and_then(|name| valid("the collection", &name));
        let mut known = BTreeSet::new();
        let mut kept = Vec::new();
        for tag in std::mem::take(&mut self.tags) {
            match valid("the tag", &tag) {
                Some(tag) if known.contains(&name_key(&tag)) => doubles += 1,
                Some(tag) if kept.len() < TAGS_LIMIT => {
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

impl<'de> Deserialize<'de> for NamedLabels {
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
