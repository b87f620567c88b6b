//! What the store promises, in modules that mirror `src/`.

mod backups;
mod chats;
mod child;
mod citations;
mod contract;
mod faults;
mod history;
mod journal;
mod messages;
mod outbox;
mod pages;
mod queries;
mod recovery;
mod research;
mod schema;
mod search_cache;
mod settings;
mod store;
mod support;
mod sync;
mod turns;
