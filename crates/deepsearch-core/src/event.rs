//! AnswerEvent: the steps of an answer, in the order they happen, as every face of the app shows them.

use serde::Serialize;

use crate::chat::ChatId;
use crate::citation::{Citation, SentenceCheck};
use crate::error::Failure;
use crate::message::{Message, MessageId, Source};
use crate::page::PageId;
use crate::research::ResearchProgress;
use crate::search::{EngineId, SearchHit};

/// One step of an answer. Events only inform: what must be kept is in [`AnswerEvent::Finished`]'s message.
#[derive(Debug, Clone, PartialEq, Serialize, specta::Type)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AnswerEvent {
    /// The question is saved and the answer has an id; everything after this survives a crash.
    Started {
        chat_id: ChatId,
        question_id: MessageId,
        answer_id: MessageId,
        model: String,
    },
    /// What will be searched for; no queries where no search is needed.
    Planned {
        question: String,
        queries: Vec<String>,
    },
    /// One engine answered one query. `stale` says the hits are from a cache past its time, because nothing else answered.
    Searched {
        engine: EngineId,
        query: String,
        hits: Vec<SearchHit>,
        cached: bool,
        stale: bool,
    },
    /// One engine failed, and which one is asked next, if any.
    SearchFailed {
        engine: EngineId,
        query: String,
        failure: Failure,
        next: Option<EngineId>,
    },
    /// A page was read. Whether it becomes a source is decided when all are read and ranked.
    SourceRead {
        url: String,
        title: String,
        favicon: Option<String>,
    },
    SourceFailed {
        url: String,
        failure: Failure,
    },
    /// Passages were put in the order in which a local embedding model finds them near the question; with a failure
    /// they stay in the order of their words.
    Reranked {
        model: String,
        passages: u32,
        failure: Option<Failure>,
    },
    /// The sources of the answer in the order `[n]` numbers them; `pages` holds their saved pages, in the same order.
    Ranked {
        sources: Vec<Source>,
        pages: Vec<PageId>,
    },
    /// The next piece of the answer's Markdown, its `[n]` already checked.
    Token {
        text: String,
    },
    /// The whole text so far, where it is not what was told before and more: a report whose plan has changed.
    Replaced {
        content: String,
    },
    /// A research, after each of its steps.
    Research {
        progress: ResearchProgress,
    },
    Cited {
        citation: Citation,
    },
    Checked {
        sentences: Vec<SentenceCheck>,
    },
    Titled {
        title: String,
    },
    Suggested {
        questions: Vec<String>,
    },
    /// The answer is complete and saved.
    Finished {
        message: Message,
    },
    /// The answer stopped early; what had come is saved as an interrupted message.
    Failed {
        message: Option<Message>,
        failure: Failure,
    },
}
