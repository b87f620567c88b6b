//! A peer that runs in Node: see `tests/sign-in-peers`.

use serde_json::Value;

use super::missing;

/// Ends when it is dropped.
pub(crate) struct Peer(deepsearch_servers::Peer);

impl Peer {
    /// `None` where Node or the packages are missing; the test passes by then.
    pub(crate) fn start(kind: &str, options: &Value) -> Option<Self> {
        let peer = deepsearch_servers::Peer::start(kind, &options.to_string()).expect("the peer starts");
        if peer.is_none() {
            missing("Node, or the packages of tests/sign-in-peers");
        }
        peer.map(Self)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.0.url(path)
    }

    /// What it tells next.
    pub(crate) fn next(&self) -> Value {
        let line = self.0.next_line().expect("the peer tells something");
        serde_json::from_str(&line).expect("it tells JSON")
    }

    /// Whether it has nothing to tell.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.is_silent()
    }
}
