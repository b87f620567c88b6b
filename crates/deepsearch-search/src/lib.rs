//! Search engines, one file each, and what makes them one dependable search: failover, health, the cache in front.
//!
//! Leaves out reading the pages that are found, and ranking them.

pub mod engines;
mod hits;
mod http;
mod locale;

pub mod guide;

mod cached;
pub mod failover;
pub mod health;

pub use engines::{ENGINES, EngineConfig, EngineInfo, engine};
pub use failover::{Anew, Failover, Limits};
pub use guide::Guide;
pub use health::{EngineHealth, EngineState, LastFailure, Memory};
pub use http::{Http, HttpLimits};
