//! The shared store: the seed's eight tables in PostgreSQL, which a web app (Drizzle ORM, Auth.js) uses too.
//!
//! One file a table, its checked queries beside its row. Tables are named without a schema: an owner finds those of
//! `public`, a device the views of schema `deepsearch` that show it its own rows only, so the same queries serve both.

mod database;

mod accounts;
mod sessions;
mod users;
mod verification_tokens;

mod chats;
mod message_search;
mod messages;
mod overview;
mod user_settings;

mod search_cache;
mod search_statistics;

mod administration;
mod inspect;
mod tables;

mod feed;
mod sync;

mod check;
mod cleaning;
mod devices;
mod migrations;
mod people;
mod scram;

mod device_requests;
mod device_sessions;
mod links_sent;
mod sign_in;

mod error;
mod failures;

pub use chats::{CHATS_ON_A_PAGE, ChatList};
pub use check::{Difference, Problem};
pub use cleaning::Cleaned;
pub use database::{ConnectError, DeviceAddress, SharedDatabase};
pub use device_requests::{DeviceGrant, DeviceRequest, Polled};
pub use device_sessions::{Device, DeviceKey, DeviceSession, NewSession, SignedIn};
pub use devices::{Admission, DeviceError, DeviceId, session_token_hash};
pub use error::{DatabaseError, Rule};
pub use feed::FeedHorizon;
pub use inspect::{ColumnHead, ROWS_ON_A_PAGE, RowKey, SessionCursor, SessionSummary, TableRows, TableSummary};
pub use links_sent::{LinkLimit, SentLink};
pub use message_search::{MESSAGE_HITS, MessageHit};
pub use messages::{ChatWithMessages, MESSAGES_ON_A_PAGE, MessageCursor};
pub use migrations::{Lost, MigrationStatus, SchemaError, Step, add_migration};
pub use overview::Overview;
pub use scram::scram_verifier;
pub use search_cache::SharedSearchCache;
pub use search_statistics::{CountedSearch, DayCount, EngineCount, MOST_ASKED, QueryCount, SearchStatistics};
pub use sessions::SessionWithUser;
pub use sign_in::{Redeemed, RedeemedFor, Redemption, SecretHash, SignInCode};
pub use sync::SharedSync;
pub use tables::Table;
pub use users::UserWithAccounts;
