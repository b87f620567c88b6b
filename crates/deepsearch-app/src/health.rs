//! What is remembered of the engines when the app ends: whoever was told to come back later does not come back at once
//! only because it was started again.

use deepsearch_core::EngineEvent;
use deepsearch_core::page::content_hash;
use deepsearch_search::{ENGINES, EngineInfo, Failover, Memory};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::app::{App, Wired, engine_config, ready_engines};
use crate::config::Resolved;
use crate::error::AppError;

/// Beside the settings, a row for each engine, so that two processes overwrite no engine that only the other asked.
fn key(engine: &str) -> String {
    format!("health.{engine}")
}

/// An engine's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Tells one key and address from another: who set a new key does not wait for the old one's rest to end.
    set_up: String,
    #[serde(flatten)]
    memory: Memory,
}

/// Tells a new search what is remembered of its engines, and returns that.
pub(crate) fn recall(web: &Failover, settings: &Resolved) -> Vec<Kept> {
    let kept: Vec<Kept> = ready_engines(settings)
        .filter_map(|info| {
            let (value, _) = settings.get(&key(info.id))?;
            let kept = Kept::deserialize(value).ok()?;
            let is_the_same = kept.memory.health.engine == info.id && kept.set_up == set_up(settings, info);
            is_the_same.then_some(kept)
        })
        .collect();
    kept.iter().for_each(|kept| web.recall(&kept.memory));
    kept
}

/// Events that are given at once.
const EVENTS_AT_ONCE: u32 = 500;

impl App {
    /// Every time an engine was asked, the newest first, as far back as it is kept: of one engine, or of all.
    ///
    /// # Errors
    /// [`AppError::UnknownEngine`] for one that there is not.
    pub async fn engine_history(&self, engine: Option<&str>, limit: u32) -> Result<Vec<EngineEvent>, AppError> {
        if let Some(id) = engine.filter(|id| ENGINES.iter().all(|info| info.id != *id)) {
            return Err(AppError::UnknownEngine { id: id.to_owned() });
        }
        let limit = limit.clamp(1, EVENTS_AT_ONCE);
        Ok(self.store().list_engine_events(engine, limit).await?)
    }

    /// Keeps how the engines are doing now: a row for each that was asked since the last time.
    pub(crate) async fn keep_health(&self, wired: &Wired) {
        if self.store().is_read_only() {
            return;
        }
        if let Err(error) = self.store().add_engine_events(&wired.take_engine_events()).await {
            tracing::warn!(%error, "how the engines did is not kept");
        }
        let mut known = wired.known_health.lock().await;
        for memory in wired.web.memories() {
            let engine = memory.health.engine.clone();
            let Some(info) = ready_engines(&wired.settings).find(|info| info.id == engine) else {
                continue;
            };
            let kept = Kept {
                set_up: set_up(&wired.settings, info),
                memory,
            };
            if known.contains(&kept) {
                continue;
            }
            let value = serde_json::to_value(&kept).unwrap_or_default();
            if let Err(error) = self.store().update_setting(&key(&engine), &value).await {
                tracing::warn!(%error, engine, "how the engine is doing will be forgotten");
                continue;
            }
            known.retain(|known| known.memory.health.engine != engine);
            known.push(kept);
        }
    }
}

/// A few digits of a digest, which tell nothing of a key but whether it is the same.
fn set_up(settings: &Resolved, info: &EngineInfo) -> String {
    let config = engine_config(settings, info);
    let key = config.key.as_ref().map_or("", |key| key.expose_secret());
    let url = config.base_url.as_ref().map_or("", url::Url::as_str);
    let mut digest = content_hash(&format!("{url}\n{key}"));
    digest.truncate(8);
    digest
}
