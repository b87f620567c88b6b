//! What the store promises, in modules that mirror `src/`.

mod chats;
mod citations;
mod journal;
mod messages;
mod outbox;
mod pages;
mod queries;
mod search_cache;
mod settings;
mod store;
mod support;
mod turns;
