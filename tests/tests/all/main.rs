//! Journeys across crates, on a local web with the real wire formats; and the promises of that world itself.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests stand outside of what they look at"
)]

mod engines;
mod guide;
mod only_here;
mod peers;
mod real_model;
mod rechecking;
mod settings_at_once;
mod sign_in;
mod sync_clock;
mod sync_made_anew;
mod team_view;
mod watching;

/// A client of this machine's servers.
fn client() -> reqwest::Client {
    install_tls();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn install_tls() {
    // Err only says that another test was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
