//! Real servers for tests and chores, each on a free port of this machine with a folder of its own, and no trace
//! afterwards; a proxy that writes down what goes by, and one that is slow.
//!
//! Knows no product code, so that every crate's tests, and `xtask`, may use it.

mod node;
mod pgbouncer;
mod ports;
mod postgres;
mod recording;
mod redis;
mod slow_line;

pub use node::{Node, Peer};
pub use pgbouncer::{PgBouncer, has_pgbouncer};
pub use ports::free_port;
pub use postgres::{Postgres, has_postgres};
pub use recording::{Exchange, RecordingProxy};
pub use redis::Redis;
pub use slow_line::SlowLine;
