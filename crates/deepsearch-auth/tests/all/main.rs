//! Promises of signing in that need no gateway. Those that do, and the attacks, are in the workspace's `tests/`, beside
//! the scripted gateway.

mod callback;
mod gateway;
mod vault;
