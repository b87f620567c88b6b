//! What the index of folders promises, on real files.

mod changes;
mod formats;
mod searching;
mod support;
