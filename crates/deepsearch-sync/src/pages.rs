//! Pages: the texts of saved sources travel beside the rows, each once, and nothing waits for them.

use std::collections::HashMap;

use deepsearch_core::RemoteError;
use deepsearch_core::page::content_hash;
use deepsearch_core::sync::{PAGE_LIMIT, PageBody};

use crate::engine::SyncEngine;
use crate::error::SyncError;

/// Pages or answers looked at together.
const BATCH: u32 = 50;
/// Answers whose pages are brought in one run; the next run goes on.
const RUN: usize = 500;

impl SyncEngine {
    /// Sends the texts that the server lacks.
    pub(crate) async fn send_pages(&self) -> Result<(), SyncError> {
        loop {
            let hashes = self.store.list_queued_pages(BATCH).await?;
            if hashes.is_empty() {
                return Ok(());
            }
            // An answer keeps its quotes; only the rest of a page that is refused does not travel.
            let mut refused = Vec::new();
            for hash in self.remote.list_missing_pages(&hashes).await? {
                let Some(body) = self.store.lookup_page_body(&hash).await? else {
                    continue;
                };
                let Some(body) = within_limit(body) else {
                    refused.push((hash, "a page of more than two megabytes is not kept".to_owned()));
                    continue;
                };
                match self.remote.put_page(&body).await {
                    Err(RemoteError::Refused { reason, .. }) => {
                        tracing::info!(reason, hash, "a saved page stays on this device");
                        refused.push((hash, reason));
                    }
                    sent => sent?,
                }
            }
            self.store.settle_pages(&hashes, &refused).await?;
        }
    }

    /// Brings the texts that answers from elsewhere rest on.
    pub(crate) async fn bring_pages(&self) -> Result<(), SyncError> {
        let mut looked_at = 0;
        while looked_at < RUN {
            let waiting = self.store.list_waiting_evidence(BATCH).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            looked_at += waiting.len();
            // Answers of one chat often share their pages.
            let mut brought: HashMap<String, Option<PageBody>> = HashMap::new();
            for answer in &waiting {
                let mut bodies = Vec::with_capacity(answer.missing.len());
                for hash in &answer.missing {
                    if !brought.contains_key(hash) {
                        brought.insert(hash.clone(), self.bring_page(hash).await?);
                    }
                    bodies.extend(brought.get(hash).cloned().flatten());
                }
                self.store.bind_evidence(answer, &bodies).await?;
            }
        }
        Ok(())
    }

    /// A page's text, if the server has it and it is what its hash says.
    async fn bring_page(&self, hash: &str) -> Result<Option<PageBody>, SyncError> {
        let page = self.remote.lookup_page(hash).await?;
        Ok(page.filter(|page| {
            let is_genuine = page.content_hash == hash && content_hash(&page.text) == hash;
            if !is_genuine {
                tracing::warn!(hash, "the server gave another page for a hash");
            }
            is_genuine && page.text.len() <= PAGE_LIMIT
        }))
    }
}

/// A page too large to travel goes without its layout, or not at all.
fn within_limit(mut page: PageBody) -> Option<PageBody> {
    if page.text.len() > PAGE_LIMIT {
        return None;
    }
    let html = page.html.as_ref().map_or(0, String::len);
    if page.text.len() + html > PAGE_LIMIT {
        page.html = None;
    }
    Some(page)
}
