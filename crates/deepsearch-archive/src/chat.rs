//! A chat with everything that belongs to it, apart from any store: what an archive holds.

use std::collections::{HashMap, HashSet};

use deepsearch_core::validate::MESSAGE_UTF16_LIMIT;
use deepsearch_core::{Chat, Citation, Message, Page, PageId, SentenceCheck};
use serde::{Deserialize, Serialize};

/// A chat, whole. Its JSON is one element of our format, see `guide/import-export.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedChat {
    pub chat: Chat,
    /// All branches, each message after its parent.
    pub messages: Vec<ArchivedMessage>,
    /// The saved pages that the messages rest on, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Page>,
}

/// A message with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedMessage {
    #[serde(flatten)]
    pub message: Message,
    /// Which page is saved for which of the sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageOfSource>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<SentenceCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<String>,
}

/// `[number]` cites this page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageOfSource {
    pub number: u32,
    pub page_id: PageId,
}

impl ArchivedMessage {
    /// A message that rests on nothing that was saved.
    pub fn bare(message: Message) -> Self {
        Self {
            message,
            pages: Vec::new(),
            citations: Vec::new(),
            checks: Vec::new(),
            follow_ups: Vec::new(),
        }
    }
}

impl ArchivedChat {
    /// The messages of the branch that is shown, in reading order.
    pub fn shown(&self) -> Vec<&ArchivedMessage> {
        let by_id: HashMap<&str, &ArchivedMessage> = self
            .messages
            .iter()
            .map(|message| (message.message.id.as_str(), message))
            .collect();
        let leaf = self
            .chat
            .leaf
            .as_ref()
            .and_then(|leaf| by_id.get(leaf.as_str()).copied());
        let mut next = leaf.or(self.messages.last());
        let mut branch = Vec::new();
        // The count stops a circle, which a file may hold.
        while let Some(message) = next.filter(|_| branch.len() < self.messages.len()) {
            branch.push(message);
            next = message
                .message
                .parent
                .as_ref()
                .and_then(|id| by_id.get(id.as_str()).copied());
        }
        branch.reverse();
        branch
    }

    /// Leaves out what refers to pages that are not here, and says how many references that were.
    pub(crate) fn drop_dangling_evidence(&mut self) -> usize {
        let known: HashSet<PageId> = self.pages.iter().map(|page| page.id.clone()).collect();
        let mut dropped = 0;
        for message in &mut self.messages {
            let before = message.citations.len() + message.pages.len() + message.checks.len();
            message
                .pages
                .retain(|page| page.number > 0 && known.contains(&page.page_id));
            let pages: HashMap<u32, &PageId> = message.pages.iter().map(|page| (page.number, &page.page_id)).collect();
            let fits = |number: u32, id: &PageId| pages.get(&number) == Some(&id);
            message
                .citations
                .retain(|citation| fits(citation.number, &citation.page_id));
            message.checks.retain(|check| {
                let evidence = check.evidence.as_ref();
                evidence.is_none_or(|evidence| fits(evidence.number, &evidence.page_id))
            });
            dropped += before - message.citations.len() - message.pages.len() - message.checks.len();
        }
        dropped
    }
}

/// Text within what a message may hold, and whether something had to be left out.
pub(crate) fn within_limit(text: String) -> (String, bool) {
    const MARK: &str = "\n\n[…]";
    let mut units = 0;
    let mut keep = 0;
    for (at, letter) in text.char_indices() {
        units += letter.len_utf16();
        if units > MESSAGE_UTF16_LIMIT {
            return (format!("{}{MARK}", &text[..keep]), true);
        }
        if units <= MESSAGE_UTF16_LIMIT - MARK.encode_utf16().count() {
            keep = at + letter.len_utf8();
        }
    }
    (text, false)
}
