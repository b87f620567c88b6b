//! Collections, tags and saved searches: how a person sorts chats. Here are their ids and what a name of one may be.
//!
//! A collection is of chats; a `Folder` is one of the person's files, and has nothing to do with it.

use unicode_normalization::UnicodeNormalization;

use crate::validate::{Invalid, chars_between};

crate::ids::id!(
    /// A collection of chats: `coll_` and a UUID version 7.
    CollectionId, "coll_"
);

crate::ids::id!(
    /// A search that was kept: `srch_` and a UUID version 7.
    SavedSearchId, "srch_"
);

/// Longest name of a collection, a tag or a saved search, in code points.
pub const NAME_LIMIT: usize = 80;

/// A name that may be given: on one line, composed, 1 to 80 code points.
///
/// # Errors
/// [`Invalid`] when nothing is left, or too much.
pub fn valid_name(field: &'static str, name: &str) -> Result<String, Invalid> {
    // Controls would let a name break out of its line; those that steer the direction of text reach beyond it.
    let is_unseen = |c: &char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let spaced: String = name.chars().map(|c| if is_unseen(&c) { ' ' } else { c }).collect();
    let name: String = spaced.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
    chars_between(field, &name, 1, NAME_LIMIT)?;
    Ok(name)
}

/// The most tags that one chat has.
pub const TAGS_OF_A_CHAT: u32 = 30;

/// What two names have in common that differ in case alone.
pub fn name_key(name: &str) -> String {
    name.trim().nfkc().collect::<String>().to_lowercase()
}
