//! Chats as they are opened: a page of messages, each with what it rests on and the other branches beside it.
//!
//! Listing, renaming, pinning, Trash and the like are the store's own verbs; nothing is to be added to them here.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::recheck::RecheckNote;
use deepsearch_core::{Chat, ChatId, Citation, Message, MessageId, MessageState, PageId, Role, SentenceCheck};
use serde::Serialize;

use crate::app::App;
use crate::ask::{PLACES, Scope, Turn};
use crate::error::AppError;
use crate::folders::AttachedFile;

/// A page of a chat, in reading order.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct OpenChat {
    pub chat: Chat,
    pub messages: Vec<OpenMessage>,
    /// Whether there are older messages than these.
    pub has_older: bool,
    /// Where the newest of these answers looked, if that was asked for; the next question begins there.
    pub places: Vec<Scope>,
}

/// A message with its evidence.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct OpenMessage {
    #[serde(flatten)]
    pub message: Message,
    /// The files that a question was asked with on this machine.
    pub files: Vec<AttachedFile>,
    /// The saved pages of `sources`, in their order.
    pub pages: Vec<SavedSource>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
    pub follow_ups: Vec<String>,
    /// The branches at this place, this one included, oldest first.
    pub siblings: Vec<MessageId>,
    /// Of an answer that was checked again, or is to be.
    pub recheck: Option<RecheckNote>,
}

/// A saved page as a source.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct SavedSource {
    pub number: u32,
    pub page_id: PageId,
    pub title: String,
    pub url: String,
    pub fetched_at: DateTime<Utc>,
}

/// Messages among which the last answer is looked for.
const REMEMBERED: u32 = 10;

impl App {
    /// Opens a chat at its newest `limit` messages, or those before `before`.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chat that is not there.
    pub async fn open_chat(&self, id: &ChatId, before: Option<&MessageId>, limit: u32) -> Result<OpenChat, AppError> {
        let chat = self.chat(id).await?;
        // One more than is shown tells whether there are older ones.
        let mut page = self.store().list_messages(id, before, limit.saturating_add(1)).await?;
        let has_older = page.len() > limit as usize;
        if has_older {
            page.remove(0);
        }
        let places = places_of(&page);
        let mut messages = Vec::with_capacity(page.len());
        for message in page {
            messages.push(self.with_evidence(message).await?);
        }
        Ok(OpenChat {
            chat,
            messages,
            has_older,
            places,
        })
    }

    /// Where a chat was asked for to look last: for a face whose next question says nothing of it. Empty where that was left
    /// to the settings, and for a new chat.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a message that is not there.
    pub async fn remembered_places(&self, turn: &Turn) -> Result<Vec<Scope>, AppError> {
        let chat = match turn {
            Turn::New => return Ok(Vec::new()),
            Turn::In(chat) => chat.clone(),
            Turn::Continuing(answer) => return Ok(places_of(&[self.message(answer).await?])),
            Turn::Editing(question) | Turn::Regenerating(question) => self.message(question).await?.chat_id,
        };
        Ok(places_of(&self.store().list_messages(&chat, None, REMEMBERED).await?))
    }

    /// One message with its evidence.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a message that is not there.
    pub async fn open_message(&self, id: &MessageId) -> Result<OpenMessage, AppError> {
        let message = self.message(id).await?;
        self.with_evidence(message).await
    }

    async fn with_evidence(&self, message: Message) -> Result<OpenMessage, AppError> {
        let siblings = self.store().list_siblings(&message.id).await?;
        let files = match message.role {
            Role::User => self.store().list_attached_files(&message.id).await?,
            _ => Vec::new(),
        };
        let evidence = match message.role {
            Role::Assistant => self.store().lookup_evidence(&message.id).await?.unwrap_or_default(),
            _ => Default::default(),
        };
        let recheck = match message.role {
            Role::Assistant => self.recheck_note(&message.id).await?,
            _ => None,
        };
        let saved = |page: deepsearch_sqlite::SourcePage| SavedSource {
            number: page.number,
            page_id: page.page_id,
            title: page.title,
            url: page.url,
            fetched_at: page.fetched_at,
        };
        Ok(OpenMessage {
            message,
            files: files.into_iter().filter_map(AttachedFile::of).collect(),
            pages: evidence.pages.into_iter().map(saved).collect(),
            citations: evidence.citations,
            checks: evidence.checks,
            follow_ups: evidence.follow_ups,
            siblings,
            recheck,
        })
    }

    /// A chat, wherever it is filed.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for one that is not there.
    pub async fn chat(&self, id: &ChatId) -> Result<Chat, AppError> {
        let unknown = || AppError::Unknown {
            what: "chat",
            id: id.to_string(),
        };
        self.store().lookup_chat(id).await?.ok_or_else(unknown)
    }

    pub(crate) async fn message(&self, id: &MessageId) -> Result<Message, AppError> {
        let unknown = || AppError::Unknown {
            what: "message",
            id: id.to_string(),
        };
        self.store().lookup_message(id).await?.ok_or_else(unknown)
    }

    /// Forgets everything in Trash. Returns how many chats that were.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be written.
    pub async fn empty_trash(&self) -> Result<u64, AppError> {
        // What was deleted within this very millisecond too.
        Ok(self.store().purge_deleted(TimeDelta::milliseconds(-1)).await?)
    }

    /// Forgets what has lain in Trash longer than the setting says. Returns how many chats that were.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be written.
    pub async fn purge_trash(&self) -> Result<u64, AppError> {
        let days = self.wired().settings.number("trash.days", 30);
        Ok(self.store().purge_deleted(TimeDelta::days(days)).await?)
    }
}

/// The places that the newest whole answer keeps. One that is unknown here, of a later version, is left out.
fn places_of(messages: &[Message]) -> Vec<Scope> {
    let is_answer = |message: &&Message| message.role == Role::Assistant && message.state != MessageState::Streaming;
    let newest = messages.iter().rev().find(is_answer);
    let places = newest.and_then(|answer| answer.metadata.as_ref()?.other.get(PLACES)?.as_array());
    let known = |place: &serde_json::Value| serde_json::from_value(place.clone()).ok();
    places.into_iter().flatten().filter_map(known).collect()
}
