//! The use cases of DeepSearch, behind one [`App`]: what the window and the command line call.
//!
//! Builds and wires every part. Knows neither Tauri nor the terminal.

mod abstracts;
mod app;

mod ask;
mod carry;
mod changes;
mod chats;
mod cited;
mod counted;
mod favicons;
mod folders;
mod ledger;
mod library;
mod local;
mod offered_folders;
mod pictures;
mod recheck;
mod recheck_due;
mod reranking;
mod research;
mod runs;
mod sites;
mod sorting;
mod tally;
mod usage;
mod web_search;

mod account;
mod sign_in;
mod sync;

mod backups;
mod data;
mod database;
mod doctor;
mod files;
mod health;

mod elsewhere;
mod session_cache;
mod share;
mod shared_database;

mod config;
mod programs;
mod secrets;
mod settings;

mod error;
mod export;

pub use account::SignedOut;
pub use app::{App, AppOptions};
pub use ask::{AskRequest, Scope, Turn};
pub use backups::{check_backup, list_backups, restore_backup, tell};
pub use carry::ImportReport;
pub use changes::Change;
pub use chats::{OpenChat, OpenMessage, SavedSource};
pub use cited::CitedSentence;
pub use config::{Config, Origin};
pub use data::DataFolder;
pub use database::{DatabaseView, SessionPage};
pub use doctor::{Finding, Found, Grade, Part};
pub use error::AppError;
pub use export::{ExportChoice, ExportProgress};
pub use folders::{AttachedFile, FolderList};
pub use library::{EngineStatus, PageReader};
pub use offered_folders::{FolderStanding, OfferedFolder};
pub use programs::program_beside;
pub use recheck::RecheckHistory;
pub use recheck_due::DueRecheck;
pub use reranking::Reranking;
pub use research::{Depth, ResearchOptions, ResearchSummary};
pub use runs::RunningAnswer;
pub use settings::{SETTINGS, SettingInfo, SettingKind, SettingValue};
pub use share::Admitted;
pub use shared_database::{OwnedDatabase, add_migration};
pub use sign_in::{AccountState, GatewayInfo, SignInStep, SignedIn, is_callback};
pub use sync::{SyncConflict, SyncRemedy, SyncState, SyncStatus};
pub use usage::{Usage, UsedChat, UsedModel, UsedMonth};
pub use web_search::WebResults;

pub use deepsearch_archive::{Format, Note, Origin as ImportOrigin, Reason};
pub use deepsearch_auth::{Account, AuthError, Device, Place, Provider, Session, SessionAbout, SessionUser, Way};
pub use deepsearch_crawl::run_parser;
pub use deepsearch_files::{Folder, FolderProblem, FolderProgress, Report as FolderReport};
pub use deepsearch_llm::ProviderStatus;
pub use deepsearch_postgres::{
    Cleaned, Difference, MigrationStatus, Problem, RowKey, SearchStatistics, SessionCursor, SessionSummary, Step,
    TableRows, TableSummary,
};
pub use deepsearch_search::{ENGINES, EngineHealth, EngineState};
pub use deepsearch_sqlite::{
    Backup, BackupKind, Before, BulkChange, BulkDone, ChatCursor, ChatFilter, ChatLabels, ChatOffer, ChatView,
    Collection, ConflictKind, HistoryFilter, HistoryHit, HistoryQuery, HistoryResults, OpeningStep, Recovery, Replaced,
    SavedQuery, SavedSearch, SyncCounts, Tag,
};
pub use deepsearch_sync::SyncProgress;
pub use secrecy::SecretString;
