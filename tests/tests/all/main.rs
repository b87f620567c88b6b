//! Journeys across crates, on a local web with the real wire formats; and the promises of that world itself.

mod peers;
