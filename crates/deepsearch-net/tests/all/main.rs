//! Promises of the one way out: what private mode holds back, and what the ledger is told.

mod ledger;
mod private;
mod server;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deepsearch_net::{Lookup, Network};

/// A resolver that knows every name to be this computer, and counts what it is asked.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Lookup for Counting {
    async fn lookup(&self, _host: &str) -> std::io::Result<Vec<IpAddr>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    }
}

fn network() -> (Network, Arc<Counting>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let lookup = Arc::new(Counting::default());
    (Network::new(None, lookup.clone()), lookup)
}
