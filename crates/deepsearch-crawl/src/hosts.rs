//! Whose turn it is: how many requests run at once, over all and to one host, and how long they keep apart.
//!
//! A slow host keeps its own queue waiting, never the others': a page takes its place at its host before it takes one
//! of the places shared by all.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::options::Manners;

/// Hosts remembered at once, and for how long after their last page.
const HOSTS: u64 = 4096;
const REMEMBERED: Duration = Duration::from_secs(600);

/// The queues of all hosts.
pub(crate) struct Hosts {
    all: Arc<Semaphore>,
    hosts: Cache<String, Arc<Host>>,
    manners: Manners,
}

struct Host {
    places: Arc<Semaphore>,
    /// When the next request may start.
    next: Mutex<Instant>,
}

/// A page's turn; dropping it lets the next one go.
pub(crate) struct Turn {
    _host: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Hosts {
    pub(crate) fn new(manners: Manners) -> Self {
        Self {
            all: Arc::new(Semaphore::new(manners.at_once.max(1))),
            hosts: Cache::builder().max_capacity(HOSTS).time_to_idle(REMEMBERED).build(),
            manners,
        }
    }

    /// Waits until a request to this host may start. `crawl_delay` is what the host's robots.txt asks for.
    pub(crate) async fn turn(&self, url: &Url, crawl_delay: Option<Duration>) -> Turn {
        let host = self
            .hosts
            .get_with(origin(url), async { Arc::new(Host::new(self.manners.per_host)) })
            .await;
        let place = acquire(&host.places).await;
        host.keep_apart(self.pause(crawl_delay)).await;
        Turn {
            _host: place,
            _all: acquire(&self.all).await,
        }
    }

    fn pause(&self, crawl_delay: Option<Duration>) -> Duration {
        crawl_delay
            .unwrap_or_default()
            .min(self.manners.longest_pause)
            .max(self.manners.pause)
    }
}

impl Host {
    fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Sleeps until the pause after the last start is over, and books the next start.
    async fn keep_apart(&self, pause: Duration) {
        let start = {
            let mut next = self.next.lock().await;
            let start = (*next).max(Instant::now());
            *next = start + pause;
            start
        };
        sleep_until(start).await;
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore)
        .acquire_owned()
        .await
        .expect("these semaphores are never closed")
}

/// Scheme, host and port: what one server and its robots.txt answer for.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
