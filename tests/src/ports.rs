//! Ports of this machine that nobody listens on.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};
use url::Url;

/// A port that nobody listens on now. Another program may take it before you do: start what needs it at once.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr().context("finding a free port")?.port())
}

/// An address where a connection is refused at once.
///
/// # Errors
/// When the system has no free port.
///
/// # Panics
/// Never: an address and a port make a URL.
pub fn nobody() -> Result<Url> {
    Ok(Url::parse(&format!("http://{}:{}/", Ipv4Addr::LOCALHOST, free_port()?))
        .expect("an address and a port make a URL"))
}
