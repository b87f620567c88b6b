//! Ports of this machine that nobody listens on.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Below those that a system gives to whoever asks for any port (from 32768 on Linux, from 49152 elsewhere), so that
/// no connection and no listener of another test takes one of these in the meantime.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
const TRIES: u16 = 100;

/// A port that nobody listens on now. Start what needs it soon: another caller may draw the same one, if seldom.
///
/// # Errors
/// When a hundred of them are taken.
pub fn free_port() -> Result<u16> {
    // Each of these is keyed anew by the system's randomness, also in processes that start at the same moment.
    let drawn = || RandomState::new().hash_one(()) % u64::from(PORTS.end - PORTS.start);
    for _ in 0..TRIES {
        let port = PORTS.start + u16::try_from(drawn())?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("{TRIES} ports of {PORTS:?} are all taken")
}
