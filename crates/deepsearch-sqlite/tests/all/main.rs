//! What the store promises, in modules that mirror `src/`.

mod backups;
mod chats;
mod child;
mod citations;
mod contract;
mod engine_events;
mod faults;
mod history;
mod journal;
mod ledgers;
mod messages;
mod model_use;
mod outbox;
mod pages;
mod queries;
mod rechecks;
mod recovery;
mod research;
mod schema;
mod search_cache;
mod settings;
mod sorting;
mod store;
mod support;
mod sync;
mod turns;
