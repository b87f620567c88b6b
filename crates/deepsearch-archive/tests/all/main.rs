//! The promises of the archive: what is read, what is left out and why, what comes back.

mod export;
mod import;
mod labels;
mod pdf;
mod support;
