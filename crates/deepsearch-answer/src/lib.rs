//! The path of one question, in reading order: plan → retrieve → read → rank → write → cite → check.
//!
//! `research` goes round that path many times for one report.
//!
//! Meets engines, crawler and models only through core's traits, and stores nothing: what must be kept leaves as
//! [`Step`]s and as the [`Answer`].

pub mod afterwards;
pub mod check;
pub mod cite;
pub mod evidence;
pub mod links;
pub mod plan;
pub mod read;
pub mod recheck;
pub mod rerank;
pub mod research;
pub mod retrieve;
pub mod write;

mod claims;
mod pipeline;

pub use evidence::Evidence;
pub use pipeline::{Answer, AnswerError, Limits, Pipeline, Question, SearchMode, SoFar, Step};
