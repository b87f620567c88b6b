//! Pages: the texts of saved sources travel beside the rows, each once, and nothing waits for them.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use deepsearch_core::RemoteError;
use deepsearch_core::page::content_hash;
use deepsearch_core::sync::{PAGE_LIMIT, PageBody, wait_of_late_page};
use deepsearch_sqlite::WaitingEvidence;

use crate::engine::SyncEngine;
use crate::error::SyncError;

/// Pages or answers looked at together.
const BATCH: u32 = 50;
/// Texts that are kept together, in bytes, or little more: those of an answer come whole.
const MOST_BYTES: usize = 16 << 20;
/// Pages that wait are put in order so many at a time: each time costs as much as the queue is long.
const IN_ORDER: u32 = 5_000;
/// Answers whose pages are brought in one run; the next run goes on.
const RUN: usize = 500;
/// Pages of one run that may fail to come in time. By then it is the server, or a line for nothing larger.
const LATE: usize = 3;

/// Pages that were too much for the line: after how many tries, and when there is another.
pub(crate) type LatePages = HashMap<String, (u32, DateTime<Utc>)>;

impl SyncEngine {
    /// Sends the texts that the server lacks, short ones first: what is too long for a slow line keeps none from going.
    pub(crate) async fn send_pages(&self) -> Result<(), SyncError> {
        loop {
            let later = self.pages_for_later();
            let queued = self.store.list_queued_pages(&later, IN_ORDER).await?;
            if queued.is_empty() {
                return Ok(());
            }
            for hashes in queued.chunks(BATCH as usize) {
                if !self.send_in_time(hashes).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Sends those of these that the server lacks, and says whether none was too much for the line.
    async fn send_in_time(&self, hashes: &[String]) -> Result<bool, SyncError> {
        let missing: HashSet<String> = self.remote.list_missing_pages(hashes).await?.into_iter().collect();
        // An answer keeps its quotes; only the rest of a page that is refused does not travel.
        let (mut settled, mut refused) = (Vec::with_capacity(hashes.len()), Vec::new());
        let mut is_late = false;
        for hash in hashes {
            if missing.contains(hash)
                && let Some(body) = self.store.lookup_page_body(hash).await?
            {
                match self.send_page(body).await {
                    Ok(()) => self.sent(hash),
                    Err(RemoteError::Refused { reason, .. }) => {
                        tracing::info!(reason, hash, "a saved page stays on this device");
                        refused.push((hash.clone(), reason));
                    }
                    Err(RemoteError::TimedOut { .. }) => {
                        self.send_later(hash);
                        is_late = true;
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            settled.push(hash.clone());
        }
        self.store.settle_pages(&settled, &refused).await?;
        Ok(!is_late)
    }

    async fn send_page(&self, body: PageBody) -> Result<(), RemoteError> {
        match within_limit(body) {
            Some(body) => self.remote.put_page(&body).await,
            None => Err(RemoteError::Refused {
                action: "keep a saved page",
                reason: "a page of more than two megabytes is not kept".into(),
            }),
        }
    }

    fn sent(&self, hash: &str) {
        self.late_pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(hash);
    }

    /// What is not to be sent yet.
    fn pages_for_later(&self) -> Vec<String> {
        let now = self.store.device_now();
        let late = self.late_pages.lock().unwrap_or_else(PoisonError::into_inner);
        let later = late.iter().filter(|(_, (_, next))| *next > now);
        later.map(|(hash, _)| hash.clone()).collect()
    }

    fn send_later(&self, hash: &str) {
        tracing::info!(hash, "a saved page was not sent in time, and is tried again later");
        let now = self.store.device_now();
        let mut late = self.late_pages.lock().unwrap_or_else(PoisonError::into_inner);
        let (tries, next) = late.entry(hash.to_owned()).or_insert((0, now));
        *next = now + wait_of_late_page(*tries);
        *tries += 1;
    }

    /// Brings the texts that answers from elsewhere rest on. An answer whose pages do not come in time waits for its next
    /// try, and the others do not.
    pub(crate) async fn bring_pages(&self) -> Result<(), SyncError> {
        let (mut looked_at, mut late) = (0, 0);
        while looked_at < RUN && late < LATE {
            let waiting = self.store.list_waiting_evidence(BATCH).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let mut came = Came::default();
            let mut failed = Ok(());
            let mut ready = 0;
            for answer in &waiting {
                failed = self.bring_missing(answer, &mut came).await;
                if failed.is_err() {
                    break;
                }
                ready += 1;
                if came.bytes > MOST_BYTES || late + came.late.len() >= LATE {
                    break;
                }
            }
            let answers = &waiting[..ready];
            self.store.bind_evidence(answers, &came.pages, &came.late).await?;
            // What had come before is kept.
            failed?;
            looked_at += ready;
            late += came.late.len();
        }
        Ok(())
    }

    /// Brings what an answer misses, as far as it has not come for another.
    async fn bring_missing(&self, answer: &WaitingEvidence, came: &mut Came) -> Result<(), SyncError> {
        for hash in &answer.missing {
            if came.pages.contains_key(hash) || came.late.contains(hash) || came.nothing.contains(hash) {
                continue;
            }
            match self.bring_page(hash).await? {
                Brought::Page(body) => {
                    came.bytes += body.text.len() + body.html.as_ref().map_or(0, String::len);
                    came.pages.insert(hash.clone(), body);
                }
                Brought::Late => {
                    came.late.insert(hash.clone());
                }
                Brought::Nothing => {
                    came.nothing.insert(hash.clone());
                }
            }
        }
        Ok(())
    }

    /// A page's text, if the server has it and it is what its hash says.
    async fn bring_page(&self, hash: &str) -> Result<Brought, SyncError> {
        let page = match self.remote.lookup_page(hash).await {
            Err(RemoteError::TimedOut { .. }) => {
                tracing::info!(hash, "a saved page did not come in time, and is asked for again later");
                return Ok(Brought::Late);
            }
            page => page?,
        };
        let genuine = page.filter(|page| {
            let is_genuine = page.content_hash == hash && content_hash(&page.text) == hash;
            if !is_genuine {
                tracing::warn!(hash, "the server gave another page for a hash");
            }
            is_genuine && page.text.len() <= PAGE_LIMIT
        });
        Ok(genuine.map_or(Brought::Nothing, Brought::Page))
    }
}

/// What came for some answers, by the hashes of the pages.
#[derive(Default)]
struct Came {
    pages: HashMap<String, PageBody>,
    /// Of those.
    bytes: usize,
    /// These did not come in time.
    late: HashSet<String>,
    /// These the server lacks.
    nothing: HashSet<String>,
}

/// What came of asking for a page.
enum Brought {
    Page(PageBody),
    /// The server lacks it, or has something else.
    Nothing,
    /// It did not come in time.
    Late,
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
