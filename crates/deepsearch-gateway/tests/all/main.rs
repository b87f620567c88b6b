//! The sign-in server against real peers: PostgreSQL, a certified OpenID provider, a mail server, and doubles of Discord,
//! GitHub and Google that speak their wire. A browser without a window follows redirects, forms and cookies.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests stand outside of what they look at"
)]

mod support;

mod account;
mod attacks;
mod config;
mod deploy;
mod device_flow;
mod email;
mod pages;
mod providers;
mod search_cache;
mod server;
mod sign_in;
