//! The promises of the archive: what is read, what is left out and why, what comes back.

mod export;
mod import;
mod pdf;
mod support;
