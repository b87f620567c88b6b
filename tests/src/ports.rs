//! Addresses of this machine where nobody listens.

use std::net::Ipv4Addr;

use anyhow::Result;
use deepsearch_servers::free_port;
use url::Url;

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
