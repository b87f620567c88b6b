//! What the shared store promises, on a real PostgreSQL, in modules that mirror `src/`.

mod accounts;
mod administration;
mod chats;
mod contract;
mod device;
mod error;
mod inspect;
mod message_search;
mod messages;
mod overview;
mod plans;
mod search_cache;
mod search_statistics;
mod sessions;
mod user_settings;
mod users;
mod verification_tokens;

mod adopted;
mod attacks;
mod boundary;
mod check;
mod cleaning;
mod database;
mod faults;
mod loss;
mod migrations;
mod people;
mod pooler;
mod slow_line;
mod sync;

mod cluster;
mod support;
mod web_app;
