//! From many hits and pages to the few passages an answer is written from, and from an answer's sentences back to
//! the evidence. Read top to bottom in the order a question meets them.
//!
//! Pure functions: the same input gives the same output on every machine. Leaves out all I/O, the clock (`now` is
//! passed in) and language models.

pub mod canonical;
pub mod fuse;

pub mod split;
pub mod tokens;

mod bm25;
mod duplicates;
mod meaning;
pub mod rank;

pub mod similarity;

pub use canonical::canonical_url;
pub use fuse::{fuse, pick};
pub use meaning::nearness;
pub use rank::{CountedPage, RankOptions, Ranking, rank};
pub use similarity::{
    Assertion, Best, Disagreement, PARTLY, PreparedPage, SUPPORTED, best_sentence, contradicts, similarity, verdict,
};
pub use split::{SplitOptions, headings, passages};
pub use tokens::estimate_tokens;
