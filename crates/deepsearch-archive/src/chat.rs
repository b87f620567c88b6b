//! A chat with everything that belongs to it, apart from any store: what an archive holds.

use std::collections::{HashMap, HashSet};

use deepsearch_core::page::content_hash;
use deepsearch_core::validate::MESSAGE_UTF16_LIMIT;
use deepsearch_core::{Chat, ChatId, Citation, Labels, Message, MessageId, Page, PageId, SentenceCheck, Span};
use serde::{Deserialize, Serialize};

/// A chat, whole. Its JSON is one element of our format, see `guide/import-export.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedChat {
    pub chat: Chat,
    /// Only our own JSON tells them: what is read by others is not to say how somebody sorts their chats.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
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

    /// Whether all ids are such as this app and others on the shared tables make.
    pub(crate) fn has_valid_ids(&self) -> bool {
        ChatId::parse(self.chat.id.as_str()).is_ok()
            && self
                .messages
                .iter()
                .all(|message| MessageId::parse(message.message.id.as_str()).is_ok())
    }

    /// Lets a message that names one as its parent which does not stand before it follow none, and says how many that
    /// were: a file may hold a circle, of which no branch has an end.
    pub(crate) fn drop_circles(&mut self) -> usize {
        let mut seen = HashSet::new();
        let mut dropped = 0;
        for message in &mut self.messages {
            let message = &mut message.message;
            message.chat_id = self.chat.id.clone();
            let parent = message.parent.take_if(|parent| !seen.contains(parent));
            dropped += usize::from(parent.is_some());
            seen.insert(message.id.clone());
        }
        dropped
    }

    /// Leaves out evidence that is not what it says: of a page that is not here, or a quote that does not stand there. What
    /// a page's text is, its hash says, which is therefore taken anew. Says how many references that were.
    pub(crate) fn drop_false_evidence(&mut self) -> usize {
        for page in &mut self.pages {
            page.content_hash = content_hash(&page.text);
        }
        let known: HashMap<PageId, &str> = (self.pages.iter())
            .map(|page| (page.id.clone(), page.text.as_str()))
            .collect();
        let stands = |id: &PageId, span: Span, quote: &str| {
            known
                .get(id)
                .is_some_and(|text| !quote.is_empty() && text.get(span.range()) == Some(quote))
        };
        let mut dropped = 0;
        for message in &mut self.messages {
            let before = message.citations.len() + message.pages.len() + message.checks.len();
            message
                .pages
                .retain(|page| page.number > 0 && known.contains_key(&page.page_id));
            let pages: HashMap<u32, &PageId> = message.pages.iter().map(|page| (page.number, &page.page_id)).collect();
            let fits = |number: u32, id: &PageId| pages.get(&number) == Some(&id);
            message.citations.retain(|citation| {
                fits(citation.number, &citation.page_id)
                    && stands(&citation.page_id, citation.page_span, &citation.quote)
            });
            message.checks.retain(|check| {
                check.evidence.as_ref().is_none_or(|evidence| {
                    fits(evidence.number, &evidence.page_id)
                        && stands(&evidence.page_id, evidence.page_span, &evidence.quote)
                })
            });
            dropped += before - message.citations.len() - message.pages.len() - message.checks.len();
        }
        let used = self.messages.iter().flat_map(|message| &message.pages);
        let used: HashSet<PageId> = used.map(|page| page.page_id.clone()).collect();
        self.pages.retain(|page| used.contains(&page.id));
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
