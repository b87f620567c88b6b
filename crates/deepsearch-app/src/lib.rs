//! The use cases of DeepSearch, behind one [`App`]: what the window and the command line call.
//!
//! Builds and wires every part. Knows neither Tauri nor the terminal.

mod app;

mod ask;
mod chats;
mod library;
mod local;
mod backups;
mod doctor;

mod settings;
mod config;
mod secrets;

mod error;

pub use app::{App, AppOptions};
pub use ask::{AskRequest, Scope, Turn};
pub use chats::{ChatView, OpenChat, OpenMessage};
pub use config::{Config, Origin};
pub use doctor::{Finding, Grade};
pub use error::AppError;
pub use settings::{SETTINGS, SettingInfo, SettingKind, SettingValue};

pub use deepsearch_search::{ENGINES, EngineHealth};
