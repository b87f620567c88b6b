//! Reads pages: polite fetching behind an address guard, and extraction of HTML, PDF and text to readable pages.
//!
//! Read in the order a page takes: `crawler` asks `address` whether it may, `robots` whether it should and `hosts` when;
//! `download` brings the bytes within their limits, `media` says what they are, and `parse` reads them in a
//! child process, where `extract` finds what a person came to read and `soft` what only pretends to be a page.

mod address;
mod crawler;
mod download;
mod extract;
mod hosts;
mod media;
mod options;
mod parse;
mod reader;
mod robots;
mod soft;

pub use address::{AddressRules, Forbidden, is_public};
pub use crawler::{Crawler, CrawlerError, Icon};
pub use extract::{ExtractError, Extracted, extract_html};
#[doc(hidden)]
pub use extract::{Training, training_rows};
pub use options::{CrawlOptions, Limits, Manners, ParserCommand, ParserOptions, ROBOTS_NAME, USER_AGENT};
pub use parse::child::run_parser;
pub use reader::{Reader, plain_text};
