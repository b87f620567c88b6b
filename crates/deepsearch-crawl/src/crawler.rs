//! The crawler: from the address of a web page to the page, politely and within its limits.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::{Clock, Errand, FetchError, Page, PageFetcher, PageId, Picture, PictureLink};
use deepsearch_net::Lookup;
use futures::future::{BoxFuture, FutureExt, Shared, WeakShared};
use thiserror::Error;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::download::{Client, Document, Reply, refused, timed_out};
use crate::hosts::{Hosts, Turn};
use crate::media::{Expected, charset, expected};
use crate::options::{CrawlOptions, Limits};
use crate::reader::{Reader, unsupported};
use crate::robots::RobotsRules;
use crate::soft::leads_to_sign_in;

/// Why a crawler cannot be made.
#[derive(Debug, Error)]
#[error("the crawler's HTTP client cannot be set up")]
pub struct CrawlerError(#[source] reqwest::Error);

/// Reads pages of the web. Cheap to clone; clones share connections, queues and parsers.
#[derive(Clone)]
pub struct Crawler {
    shared: Arc<Crawling>,
}

/// A site's icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// `image/png` and the like.
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Larger ones are no icons.
const ICON_BYTES: usize = 128 << 10;
const ICON_TOTAL: Duration = Duration::from_secs(5);

/// A fetch that several callers wait for.
type Fetching = Shared<BoxFuture<'static, Arc<Result<Page, FetchError>>>>;
type WeakFetching = WeakShared<BoxFuture<'static, Arc<Result<Page, FetchError>>>>;

struct Crawling {
    client: Client,
    hosts: Hosts,
    robots: RobotsRules,
    reader: Reader,
    limits: Limits,
    obeys_robots: bool,
    under_way: Mutex<HashMap<Url, WeakFetching>>,
}

impl Crawler {
    /// A crawler on its network's resolver. The process's TLS provider must have been installed.
    ///
    /// # Errors
    /// [`CrawlerError`] when the HTTP client cannot be set up.
    pub fn new(options: CrawlOptions, clock: Arc<dyn Clock>) -> Result<Self, CrawlerError> {
        let lookup = options.network.lookup();
        Self::with_lookup(options, clock, lookup)
    }

    /// A crawler that resolves names by `lookup`; what it answers is checked like any other answer.
    ///
    /// # Errors
    /// [`CrawlerError`] when the HTTP client cannot be set up.
    pub fn with_lookup(
        options: CrawlOptions,
        clock: Arc<dyn Clock>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, CrawlerError> {
        let client =
            Client::new(options.addresses, options.limits.clone(), &options.network, lookup).map_err(CrawlerError)?;
        Ok(Self {
            shared: Arc::new(Crawling {
                client,
                obeys_robots: options.manners.robots,
                hosts: Hosts::new(options.manners),
                robots: RobotsRules::new(),
                reader: Reader::new(options.parser, clock),
                limits: options.limits,
                under_way: Mutex::default(),
            }),
        })
    }

    /// Downloads an icon: a small picture of a raster format, which is told by its bytes and not by what the server
    /// says of it. Never SVG, which is a program.
    ///
    /// # Errors
    /// [`FetchError`], also when what is there is no such picture.
    pub async fn fetch_icon(&self, url: &Url) -> Result<Icon, FetchError> {
        self.shared.icon(url.clone()).await
    }

    /// Copies the picture of a page: downloads it as a page is downloaded, and has it drawn anew.
    ///
    /// # Errors
    /// [`FetchError`], also when what is there is no picture worth showing.
    pub async fn copy_picture(&self, page: &PageId, link: &PictureLink) -> Result<Picture, FetchError> {
        let shared = &self.shared;
        let (at, bytes) = shared.picture(link.url.clone()).await?;
        let drawn = shared.reader.draw(&bytes, &at).await?;
        let bytes = drawn.bytes().ok_or_else(|| FetchError::Unparsable {
            url: at,
            detail: "its parser answered what is no picture".into(),
        })?;
        Ok(Picture {
            page_id: page.clone(),
            url: link.url.clone(),
            alt: link.alt.clone(),
            media_type: if drawn.is_png { "image/png" } else { "image/jpeg" }.into(),
            width: drawn.width,
            height: drawn.height,
            bytes,
        })
    }

    /// The parser pool the crawler uses, for documents that are already here.
    pub fn reader(&self) -> &Reader {
        &self.shared.reader
    }
}

#[async_trait]
impl PageFetcher for Crawler {
    /// Two callers who want one address at the same time share one download.
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let mut url = url.clone();
        url.set_fragment(None);
        let fetching = self.join_or_start(&url);
        let outcome = fetching.await;
        self.forget_finished();
        Arc::try_unwrap(outcome).unwrap_or_else(|shared| match &*shared {
            Ok(page) => Ok(page.clone()),
            Err(error) => Err(copy(error)),
        })
    }
}

impl Crawler {
    fn join_or_start(&self, url: &Url) -> Fetching {
        let mut under_way = self
            .shared
            .under_way
            .lock()
            .expect("no code panics while it holds this lock");
        if let Some(fetching) = under_way.get(url).and_then(WeakShared::upgrade) {
            return fetching;
        }
        let (crawling, address) = (Arc::clone(&self.shared), url.clone());
        let fetching = async move { Arc::new(crawling.read(address).await) }.boxed().shared();
        if let Some(weak) = fetching.downgrade() {
            under_way.insert(url.clone(), weak);
        }
        fetching
    }

    fn forget_finished(&self) {
        let mut under_way = self
            .shared
            .under_way
            .lock()
            .expect("no code panics while it holds this lock");
        under_way.retain(|_, fetching| fetching.upgrade().is_some_and(|fetching| fetching.peek().is_none()));
    }
}

impl Crawling {
    /// Follows an address to its document, every step checked, allowed by robots.txt and in turn.
    async fn read(&self, url: Url) -> Result<Page, FetchError> {
        let mut budget = Budget::new(&url, self.limits.total);
        let (at, document, turn) = self.follow(url, Errand::Page, &mut budget).await?;
        self.document(at, document, turn, &mut budget).await
    }

    /// As a page is read, up to the document's bytes; where they came from in the end.
    async fn picture(&self, url: Url) -> Result<(Url, Vec<u8>), FetchError> {
        let mut budget = Budget::new(&url, self.limits.total);
        let (at, document, _turn) = self.follow(url, Errand::Picture, &mut budget).await?;
        Ok((at, budget.spend(self.client.body(document)).await?))
    }

    async fn follow(&self, url: Url, errand: Errand, budget: &mut Budget) -> Result<(Url, Document, Turn), FetchError> {
        let mut at = url;
        for _ in 0..=self.limits.redirects {
            match self.step(&at, errand, budget).await? {
                (Reply::Document(document), turn) => return Ok((at, document, turn)),
                (Reply::Redirect(next), _) if leads_to_sign_in(&at, &next) => {
                    return Err(FetchError::SignIn { url: at });
                }
                (Reply::Redirect(next), _) => at = next,
            }
        }
        Err(self.led_about(at))
    }

    fn led_about(&self, url: Url) -> FetchError {
        FetchError::Refused {
            url,
            reason: format!("it was redirected more than {} times", self.limits.redirects),
        }
    }

    async fn icon(&self, url: Url) -> Result<Icon, FetchError> {
        let mut budget = Budget::new(&url, ICON_TOTAL);
        let mut at = url;
        for _ in 0..=self.limits.redirects {
            match budget.spend(self.client.ask(&at, Errand::Icon)).await? {
                Reply::Redirect(next) => at = next,
                Reply::Document(document) => {
                    let bytes = budget.spend(self.client.body(document)).await?;
                    return picture(at, bytes);
                }
            }
        }
        Err(self.led_about(at))
    }

    async fn step(&self, url: &Url, errand: Errand, budget: &mut Budget) -> Result<(Reply, Turn), FetchError> {
        self.client.check(url).map_err(|forbidden| refused(url, &forbidden))?;
        let crawl_delay = budget.spend(self.allowed(url)).await?;
        let turn = timeout(self.limits.queue, self.hosts.turn(url, crawl_delay)).await;
        let turn = turn.map_err(|_| timed_out(url, self.limits.queue))?;
        Ok((budget.spend(self.client.ask(url, errand)).await?, turn))
    }

    /// The pause that the site asks for, if its robots.txt lets us read the page at all.
    async fn allowed(&self, url: &Url) -> Result<Option<Duration>, FetchError> {
        if !self.obeys_robots {
            return Ok(None);
        }
        let robots = self.robots.of(url, &self.client).await;
        let robots = robots.map_err(|error| without_robots(url, &error))?;
        if robots.is_url_allowed(url) {
            return Ok(robots.crawl_delay());
        }
        Err(FetchError::Robots {
            host: url.host_str().unwrap_or_default().to_owned(),
        })
    }

    async fn document(
        &self,
        url: Url,
        document: Document,
        turn: Turn,
        budget: &mut Budget,
    ) -> Result<Page, FetchError> {
        let content_type = document.content_type();
        let expected: Expected = expected(content_type.as_deref()).map_err(|media| unsupported(&url, media))?;
        let bytes = budget.spend(self.client.body(document)).await?;
        // The next page may be downloaded while this one is parsed.
        drop(turn);
        self.reader
            .parse_as(expected, &bytes, charset(content_type.as_deref()), &url)
            .await
    }
}

fn picture(url: Url, bytes: Vec<u8>) -> Result<Icon, FetchError> {
    const FORMATS: [&str; 5] = [
        "image/png",
        "image/vnd.microsoft.icon",
        "image/jpeg",
        "image/gif",
        "image/webp",
    ];
    if bytes.len() > ICON_BYTES {
        return Err(FetchError::TooLarge { url, limit: ICON_BYTES });
    }
    let media_type = infer::get(&bytes).map(|kind| kind.mime_type()).unwrap_or_default();
    match FORMATS.iter().find(|format| **format == media_type) {
        Some(media_type) => Ok(Icon { media_type, bytes }),
        None => Err(unsupported(&url, media_type.to_owned())),
    }
}

/// The time a page may take in all, not counting what it waits for its turn.
struct Budget {
    url: Url,
    total: Duration,
    left: Duration,
}

impl Budget {
    fn new(url: &Url, total: Duration) -> Self {
        Self {
            url: url.clone(),
            total,
            left: total,
        }
    }

    async fn spend<T>(&mut self, work: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
        let start = Instant::now();
        let done = timeout(self.left, work).await;
        self.left = self.left.saturating_sub(start.elapsed());
        done.unwrap_or_else(|_| Err(timed_out(&self.url, self.total)))
    }
}

/// A site whose robots.txt cannot be had cannot be had itself: the page is what the reader of the error asked for.
fn without_robots(page: &Url, error: &FetchError) -> FetchError {
    match copy(error) {
        FetchError::TimedOut { limit, .. } => timed_out(page, limit),
        FetchError::Unreachable { source, .. } => FetchError::Unreachable {
            url: page.clone(),
            source,
        },
        FetchError::Private { .. } => FetchError::Private { url: page.clone() },
        other => other,
    }
}

/// A shared error for one more caller; the cause, which cannot be copied, is kept in words.
fn copy(error: &FetchError) -> FetchError {
    match error {
        FetchError::Refused { url, reason } => FetchError::Refused {
            url: url.clone(),
            reason: reason.clone(),
        },
        FetchError::Robots { host } => FetchError::Robots { host: host.clone() },
        FetchError::TimedOut { url, limit } => timed_out(url, *limit),
        FetchError::Unreachable { url, source } => FetchError::Unreachable {
            url: url.clone(),
            source: in_words(&**source).into(),
        },
        FetchError::Status { url, status } => FetchError::Status {
            url: url.clone(),
            status: *status,
        },
        FetchError::TooLarge { url, limit } => FetchError::TooLarge {
            url: url.clone(),
            limit: *limit,
        },
        FetchError::Unsupported { url, media_type } => unsupported(url, media_type.clone()),
        FetchError::Unparsable { url, detail } => FetchError::Unparsable {
            url: url.clone(),
            detail: detail.clone(),
        },
        FetchError::ParserLost { url, detail } => FetchError::ParserLost {
            url: url.clone(),
            detail: detail.clone(),
        },
        FetchError::Empty { url } => FetchError::Empty { url: url.clone() },
        FetchError::SignIn { url } => FetchError::SignIn { url: url.clone() },
        FetchError::Captcha { url } => FetchError::Captcha { url: url.clone() },
        FetchError::NeedsScript { url } => FetchError::NeedsScript { url: url.clone() },
        FetchError::Unknown { url } => FetchError::Unknown { url: url.clone() },
        FetchError::Private { url } => FetchError::Private { url: url.clone() },
    }
}

fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
