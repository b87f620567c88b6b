//! Favicons: sites' small pictures, fetched by the guarded crawler and kept in memory, so that no window ever asks a site
//! for anything.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use deepsearch_crawl::Crawler;
use url::Url;

/// As many as are kept; then all are forgotten, which costs a download each at most.
const KEPT: usize = 512;

/// Icons by their address, as `data:` addresses; `None` for those that cannot be had.
#[derive(Default)]
pub(crate) struct Favicons {
    known: Mutex<HashMap<Url, Option<String>>>,
}

impl Favicons {
    pub(crate) async fn get(&self, url: &Url, crawler: &Crawler) -> Option<String> {
        if let Some(known) = self.known().get(url) {
            return known.clone();
        }
        let icon = crawler.fetch_icon(url).await;
        let data = icon
            .map(|icon| format!("data:{};base64,{}", icon.media_type, BASE64_STANDARD.encode(icon.bytes)))
            .inspect_err(|error| tracing::debug!(%error, "no favicon"))
            .ok();
        let mut known = self.known();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(url.clone(), data.clone());
        data
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Url, Option<String>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
