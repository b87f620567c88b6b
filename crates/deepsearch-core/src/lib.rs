//! The nouns of DeepSearch and the rules they keep, read top to bottom in the order a question meets them.
//!
//! Leaves out all I/O: the network, the clock, chance and storage are traits here and implemented elsewhere.

pub mod chat;
pub mod citation;
pub mod collection;
pub mod event;
pub mod ids;
pub mod labels;
pub mod message;
pub mod page;
pub mod recheck;
pub mod research;
pub mod settings;
pub mod user;

pub mod cache;
pub mod clock;
pub mod embedder;
pub mod fetch;
pub mod ledger;
pub mod model;
pub mod search;
pub mod sync;

pub mod error;
pub mod text;
pub mod validate;

#[cfg(feature = "contract")]
pub mod contract;

pub use cache::{Cache, CacheError, Freshness};
pub use chat::{Chat, ChatCursor, ChatId};
pub use citation::{Citation, Evidence, SentenceCheck, Verdict};
pub use clock::{Clock, SystemClock};
pub use collection::{CollectionId, SavedSearchId};
pub use embedder::Embedder;
pub use error::{ErrorCode, Failure};
pub use event::AnswerEvent;
pub use fetch::{FetchError, PageFetcher};
pub use labels::Labels;
pub use ledger::{AnswerLedger, Contact, Errand, Ledger, SentText, SentTurn};
pub use message::{Message, MessageId, MessageMetadata, MessageState, Role, Source, TokenUsage};
pub use model::{ChatModel, ChatRequest, ModelError, ModelEvent, ModelId, ModelInfo, NumberedPassage, Purpose, Turn};
pub use page::{MediaType, Page, PageId, Passage, Picture, PictureLink, SourcePicture};
pub use research::{PlanEdit, ResearchBudget, ResearchProgress, ResearchState};
pub use search::{
    Attempt, EngineEvent, EngineId, EngineKind, SearchEngine, SearchError, SearchHit, SearchOutcome, SearchQuery,
    SearchResults, Searcher, TimeRange,
};
pub use settings::UserSettings;
pub use sync::{RemoteError, SyncRemote};
pub use text::Span;
pub use user::{Account, Session, User, UserId, VerificationToken};
pub use validate::Invalid;
