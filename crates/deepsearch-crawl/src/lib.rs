//! Polite fetching, address guard, extraction of web pages, PDF and text to readable pages.

pub mod extract;
