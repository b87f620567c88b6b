//! Hits to pages: bounded fetches side by side; a failed page is an event and the next hit takes its place. Each page is
//! made ready for ranking while others are still on their way.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_core::event::AnswerEvent;
use deepsearch_core::{ErrorCode, Failure, FetchError, Page, PageFetcher, SearchHit};
use deepsearch_rank::{CountedPage, Ranking};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::pipeline::{Steps, blocking};

/// How much is read and how long that may take.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// Pages wanted, and the most that are fetched at one time.
    pub pages: usize,
    /// With this many read, stragglers get only `grace` more.
    pub enough: usize,
    pub grace: Duration,
    /// After this, what has been read is what there is.
    pub total: Duration,
}

impl ReadLimits {
    /// For a person who said how many pages they want: most of them are waited for, and the stragglers of many longer.
    #[must_use]
    pub fn wanting(self, pages: usize) -> Self {
        let of_usual = pages.div_ceil(self.pages.max(1)).clamp(1, 4) as u32;
        Self {
            pages,
            enough: pages - pages / 4,
            grace: self.grace * of_usual,
            ..self
        }
    }
}

/// A page that was read, with what the question finds in it.
#[derive(Debug)]
pub struct ReadPage {
    pub page: Page,
    pub counted: CountedPage,
}

/// Reads pages in the order of `hits` until enough are there. Pages come back in that order, best hit first.
pub async fn read(
    fetcher: &dyn PageFetcher,
    ranking: &Arc<Ranking>,
    hits: &[SearchHit],
    limits: ReadLimits,
    steps: &Steps,
) -> Vec<ReadPage> {
    let mut waiting = hits
        .iter()
        .enumerate()
        .filter_map(|(at, hit)| Some((at, Url::parse(&hit.url).ok()?)));
    let mut fetching = FuturesUnordered::new();
    let start = |(at, url): (usize, Url)| async move { (at, fetch(fetcher, ranking, &url).await, url) };
    fetching.extend(waiting.by_ref().take(limits.pages).map(start));

    let mut pages: Vec<(usize, ReadPage)> = Vec::new();
    let mut until = Instant::now() + limits.total;
    loop {
        let (at, fetched, url) = tokio::select! {
            biased;
            next = fetching.next() => match next {
                Some(next) => next,
                None => break,
            },
            () = sleep_until(until) => break,
        };
        match fetched {
            Ok(read) => {
                steps.event(read_event(&read.page)).await;
                pages.push((at, read));
            }
            Err(error) => {
                steps
                    .event(AnswerEvent::SourceFailed {
                        url: url.into(),
                        failure: Failure::from(&error),
                    })
                    .await;
                fetching.extend(waiting.next().map(start));
            }
        }
        if pages.len() == limits.enough {
            until = until.min(Instant::now() + limits.grace);
        }
    }
    report_left_behind(&pages, hits, fetching.is_empty(), steps, limits).await;
    pages.sort_by_key(|(at, _)| *at);
    pages.into_iter().map(|(_, page)| page).collect()
}

async fn fetch(fetcher: &dyn PageFetcher, ranking: &Arc<Ranking>, url: &Url) -> Result<ReadPage, FetchError> {
    let page = fetcher.fetch(url).await?;
    let ranking = Arc::clone(ranking);
    let read = blocking(move || ReadPage {
        counted: ranking.count(&page),
        page,
    });
    Ok(read.await)
}

fn read_event(page: &Page) -> AnswerEvent {
    AnswerEvent::SourceRead {
        url: page.url.to_string(),
        title: page.title.clone(),
        favicon: page.favicon.as_ref().map(Url::to_string),
    }
}

/// Nothing read at all within the time is worth a word; stragglers behind enough pages are not.
async fn report_left_behind(
    pages: &[(usize, ReadPage)],
    hits: &[SearchHit],
    finished: bool,
    steps: &Steps,
    limits: ReadLimits,
) {
    if finished || !pages.is_empty() {
        return;
    }
    let failure = Failure::new(
        ErrorCode::TimedOut,
        format!("No page could be read within {:?}.", limits.total),
    );
    if let Some(hit) = hits.first() {
        steps
            .event(AnswerEvent::SourceFailed {
                url: hit.url.clone(),
                failure,
            })
            .await;
    }
}
