//! The world that journeys run in: a web of real documents, engines with their real wire formats, models that follow
//! a script, servers that misbehave on purpose, the `deepsearch` command itself, and a desktop with its window on it.
//!
//! Nothing here imitates the product: everything speaks over a socket or a process, as the real peer would.

pub mod bench;
pub mod browser;
pub mod certificates;
pub mod cli;
#[cfg(target_os = "linux")]
pub mod desktop;
pub mod embedding_server;
pub mod engines;
pub mod gateway;
pub mod kinds_of_page;
pub mod local_index;
pub mod local_web;
pub mod model_server;
pub mod needs;
pub mod ports;
pub mod programs;
pub mod purpose;
pub mod redis;
pub mod scripted_server;
pub mod sign_in;
pub mod small_web;
pub mod team;
