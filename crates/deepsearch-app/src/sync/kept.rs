//! How the last run ended, for other programs with this data folder and for the next start. A file beside the store:
//! written every few seconds, it must not look like a change of what the store holds.

use chrono::{DateTime, TimeDelta, Utc};
use deepsearch_core::Failure;
use serde::{Deserialize, Serialize};

use super::link::Link;
use super::{SyncRemedy, SyncState, SyncStatus};
use crate::config::Config;

pub(crate) const FILE: &str = "sync.json";

/// A look that brings nothing is told this often.
const FRESH: TimeDelta = TimeDelta::seconds(30);

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) link: String,
    pub(super) synced_at: Option<DateTime<Utc>>,
    is_offline: bool,
    failure: Option<Failure>,
    needs_sign_in: bool,
}

impl Kept {
    pub(super) fn state(&self) -> SyncState {
        match &self.failure {
            Some(failure) => SyncState::Error {
                failure: failure.clone(),
                remedy: if self.needs_sign_in {
                    SyncRemedy::SignIn
                } else {
                    SyncRemedy::TryAgain
                },
            },
            None if self.is_offline => SyncState::Offline,
            None if self.synced_at.is_some() => SyncState::Idle,
            None => SyncState::Waiting,
        }
    }
}

pub(super) fn read(config: &Config) -> Option<Kept> {
    let text = std::fs::read(config.home.join(FILE)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Keeps how a run ended. What cannot be kept is only not told.
pub(super) fn keep(config: &Config, link: &Link, status: &SyncStatus) {
    let before = read(config).unwrap_or_default();
    let (failure, needs_sign_in) = match &status.state {
        SyncState::Error { failure, remedy } => (Some(failure.clone()), *remedy == SyncRemedy::SignIn),
        _ => (None, false),
    };
    let link = link.name();
    let known = before.synced_at.filter(|_| before.link == link);
    let now = Kept {
        link,
        synced_at: status.synced_at.or(known),
        is_offline: status.state == SyncState::Offline,
        failure,
        needs_sign_in,
    };
    let is_fresh = match (before.synced_at, now.synced_at) {
        (Some(before), Some(now)) => now - before < FRESH,
        (before, now) => before == now,
    };
    let is_same = Kept {
        synced_at: before.synced_at,
        ..now.clone()
    } == before;
    if is_same && is_fresh {
        return;
    }
    let path = config.home.join(FILE);
    let unfinished = path.with_extension("json.part");
    let kept = serde_json::to_vec(&now)
        .map_err(std::io::Error::from)
        .and_then(|json| std::fs::write(&unfinished, json))
        .and_then(|()| std::fs::rename(&unfinished, &path));
    if let Err(error) = kept {
        tracing::debug!(%error, "how sync ended is not kept");
    }
}
