//! The shared store: the seed's eight tables in PostgreSQL, which a web app (Drizzle ORM, Auth.js) uses too.
//!
//! One file a table, its checked queries beside its row. Tables are named without a schema: an owner finds those of
//! `public`, a device the views of schema `deepsearch` that show it its own rows only, so the same queries serve both.

mod database;
mod sync;

mod check;
mod cleaning;
mod devices;
mod failures;
mod migrations;
mod people;
mod scram;

pub use check::{Difference, Problem};
pub use cleaning::Cleaned;
pub use database::{ConnectError, SharedDatabase};
pub use devices::{Admission, DeviceError, DeviceId, session_token_hash};
pub use migrations::{MigrationStatus, SchemaError, Step, add_migration};
pub use scram::scram_verifier;
pub use sync::SharedSync;
