//! Favicons: sites' small pictures, fetched by the guarded crawler while an answer reads a site, and kept in the data
//! folder. Looking at an old chat asks nobody for anything, so no site learns that it is looked at.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use deepsearch_core::Page;
use deepsearch_crawl::Crawler;
use deepsearch_net::carried;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use url::Url;

/// As many sites have their icon kept; then the oldest goes.
const KEPT: usize = 1000;
/// In bytes, as a `data:` address. A larger one is no icon.
const LARGEST: usize = 64 << 10;
const FRESH: Duration = Duration::from_hours(30 * 24);

type Fetching = Shared<BoxFuture<'static, ()>>;

/// Icons by the host of their site, as `data:` addresses.
pub(crate) struct Favicons {
    folder: PathBuf,
    fetching: Mutex<HashMap<String, Fetching>>,
}

impl Favicons {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            fetching: Mutex::default(),
        }
    }

    /// Begins to fetch the icon of a page that has just been read, unless it is there or on its way.
    pub(crate) fn fetch(self: &Arc<Self>, page: &Page, crawler: &Arc<Crawler>) {
        let Some(host) = host(&page.url) else { return };
        let Some(icon) = page.favicon.clone().or_else(|| page.url.join("/favicon.ico").ok()) else {
            return;
        };
        let path = self.path(&host);
        let mut fetching = self.fetching();
        if fetching.contains_key(&host) || is_fresh(&path) {
            return;
        }
        let (favicons, crawler, site) = (Arc::clone(self), Arc::clone(crawler), host.clone());
        let work = async move {
            if let Err(error) = fetch(&icon, path, &crawler).await {
                tracing::debug!(%error, "no favicon");
            }
            favicons.fetching().remove(&site);
        };
        let work = work.boxed().shared();
        fetching.insert(host, work.clone());
        tokio::spawn(carried(work));
    }

    /// The icon of a page's site, if it is kept or on its way.
    pub(crate) async fn get(&self, page: &Url) -> Option<String> {
        let host = host(page)?;
        let fetching = self.fetching().get(&host).cloned();
        if let Some(fetching) = fetching {
            fetching.await;
        }
        tokio::fs::read_to_string(self.path(&host)).await.ok()
    }

    /// A host has no separators in it; the colon of a port is none on Windows' disks.
    fn path(&self, host: &str) -> PathBuf {
        self.folder.join(format!("{}.icon", host.replace(':', "_")))
    }

    fn fetching(&self) -> std::sync::MutexGuard<'_, HashMap<String, Fetching>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host(page: &Url) -> Option<String> {
    if !matches!(page.scheme(), "http" | "https") {
        return None;
    }
    let host = page.host_str()?;
    Some(
        page.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// The crawler's own deadline holds.
async fn fetch(icon: &Url, path: PathBuf, crawler: &Crawler) -> Result<(), Box<dyn Error + Send + Sync>> {
    let icon = crawler.fetch_icon(icon).await?;
    let data = format!("data:{};base64,{}", icon.media_type, BASE64_STANDARD.encode(icon.bytes));
    if data.len() <= LARGEST {
        tokio::task::spawn_blocking(move || keep(&path, &data)).await??;
    }
    Ok(())
}

fn is_fresh(path: &Path) -> bool {
    let age = std::fs::metadata(path)
        .and_then(|file| file.modified())
        .map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if age < FRESH)
}

fn keep(path: &Path, data: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut kept: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(folder)?
        .filter_map(|file| file.ok())
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    kept.sort();
    for (_, oldest) in kept.iter().take((kept.len() + 1).saturating_sub(KEPT)) {
        std::fs::remove_file(oldest)?;
    }
    // Whole or not at all: half a picture would be kept for a month.
    let draft = path.with_extension("part");
    std::fs::write(&draft, data)?;
    std::fs::rename(draft, path)
}
