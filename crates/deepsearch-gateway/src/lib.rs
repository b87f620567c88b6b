//! The sign-in server of a team's shared database. It alone holds the secrets of those who prove who a person is; the
//! app on a desktop is a public client of it (RFC 8252), and gets a database role and a session of its own.
//!
//! Read in the order of a sign-in: `authorize` checks the app's request and sends the browser to a provider, `callback`
//! and `email` take what was proven, `people` finds whose it is, `consent` asks the person, `token` lets the device in,
//! `account` is what it may ask afterwards. Nothing is kept in memory that another gateway would need: flows under way
//! are sealed in cookies, codes are in the database.

pub mod config;
pub mod logs;

mod gateway;
mod search_cache;
mod server;

mod app_request;
mod authorize;
mod callback;
mod consent;
mod email;
mod people;
mod providers;

mod account;
mod device;
mod discovery;
mod token;

mod flow;
mod limits;
mod mail;
mod metrics;
mod tokens;

mod markup;
mod pages;
mod texts;
mod trouble;

pub use config::{Config, ConfigError};
pub use gateway::{Gateway, OpenError};
