//! Chat-model providers behind one trait, streaming; the extractive writer that needs no model; embedding models of this
//! machine.
//!
//! Leaves out prompts: what is asked arrives as a [`deepsearch_core::ChatRequest`]. Reads no environment variable: keys
//! and addresses come in [`ModelsConfig`]. Binaries install the default TLS provider before they call [`Models::new`].

mod config;
mod models;

mod asking;
mod listing;
mod provider;

mod attempt;
mod chat;
mod embedding;
mod errors;

mod extractive;

pub use config::{Deadlines, ModelsConfig, ProviderConfig, Retry};
pub use embedding::ProviderEmbedder;
pub use extractive::ExtractiveWriter;
pub use models::{Models, ProviderStatus, SetUpError};
