//! Crawl, extract and index of a whole local web: every page of six manuals over loopback, into the store.
//!
//! The crawler's limits, guard, robots.txt and parsers are as in the app; only the pauses that spare other people's
//! servers are left out. Every page must be in the store afterwards, or is told with the reason.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use deepsearch_core::{ChatId, FetchError, MessageState, Page, PageFetcher, PageId, Source, SystemClock};
use deepsearch_crawl::{CrawlOptions, Crawler};
use deepsearch_sqlite::{FinishedAnswer, HistoryFilter, HistoryQuery, NewTurn, Store, StoreOptions};
use deepsearch_tests::local_web::Site;
use deepsearch_tests::needs;
use futures::StreamExt;
use tokio::sync::mpsc;
use url::Url;

const AIM: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 16;
const PER_HOST: usize = 8;
/// Pages that are saved and indexed in one transaction.
const PER_ANSWER: usize = 40;
/// How many pages are looked for afterwards, by a sentence of theirs.
const LOOKED_FOR: usize = 200;

fn main() -> Result<ExitCode> {
    // The crawler starts this very program again to parse pages.
    if std::env::args().nth(1).is_some_and(|first| first == "__parse") {
        return Ok(deepsearch_crawl::run_parser());
    }
    // As the app does: one TLS provider for the process, whether or not it is needed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())?;
    Ok(ExitCode::SUCCESS)
}

async fn run() -> Result<()> {
    let Some(corpus) = needs::corpus() else {
        println!("crawl: left out, the documents are missing");
        return Ok(());
    };
    let sites = sites(&corpus).await?;
    let pages = interleaved(&sites)?;
    let bytes: u64 = pages
        .iter()
        .map(|(file, _)| std::fs::metadata(file).map_or(0, |file| file.len()))
        .sum();
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path().join("deepsearch.sqlite"), StoreOptions::default()).await?;

    let started = Instant::now();
    let crawled = crawl(&store, pages.iter().map(|(_, url)| url.clone()).collect()).await?;
    let took = started.elapsed();
    println!(
        "crawl: {} pages, {} MB of HTML, from {} sites",
        pages.len(),
        bytes / 1_000_000,
        sites.len()
    );
    println!(
        "crawl, extract and index: {:.1} s (ratio {:.2} of {} s, aim ≤ 1; {:.0} pages/s)",
        took.as_secs_f64(),
        took.as_secs_f64() / AIM.as_secs_f64(),
        AIM.as_secs(),
        pages.len() as f64 / took.as_secs_f64()
    );
    tell_lost(&store, &pages, &crawled).await?;
    tell_found(&store, &crawled.samples).await?;
    store.close().await;
    let size = std::fs::metadata(folder.path().join("deepsearch.sqlite"))?.len();
    println!(
        "crawl: the store has {} MB (ratio {:.2} of the HTML)",
        size / 1_000_000,
        size as f64 / bytes as f64
    );
    Ok(())
}

async fn sites(corpus: &Path) -> Result<Vec<Site>> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(corpus)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    folders.sort();
    let mut sites = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        sites.push(
            Site::serve(folder)
                .await
                .with_context(|| format!("serving `{}`", folder.display()))?,
        );
    }
    Ok(sites)
}

/// Every page of every site, the sites in turn, as a crawl that spares each of them would take them.
fn interleaved(sites: &[Site]) -> Result<Vec<(PathBuf, Url)>> {
    let mut pages = Vec::new();
    for site in sites {
        let files = site.html_files()?;
        let count = files.len();
        pages.extend(
            files
                .into_iter()
                .enumerate()
                .map(|(at, page)| (at * 10_000 / count, page)),
        );
    }
    pages.sort_by_key(|(at, _)| *at);
    Ok(pages.into_iter().map(|(_, page)| page).collect())
}

#[derive(Default)]
struct Crawled {
    lost: HashMap<Url, FetchError>,
    /// Where some pages were saved, to be looked for.
    samples: Vec<(ChatId, PageId, String)>,
}

/// Fetches all pages side by side, and saves them as they come.
async fn crawl(store: &Store, urls: Vec<Url>) -> Result<Crawled> {
    let mut options = CrawlOptions::default();
    options.addresses.allow_private = true;
    options.manners.pause = Duration::ZERO;
    options.manners.per_host = PER_HOST;
    let crawler = Crawler::new(options, Arc::new(SystemClock))?;
    let every = urls.len() / LOOKED_FOR;
    let (sender, mut fetched) = mpsc::channel(2 * PER_ANSWER);
    let fetching = tokio::spawn(async move {
        futures::stream::iter(urls)
            .for_each_concurrent(AT_ONCE, |url| {
                let (crawler, sender) = (crawler.clone(), sender.clone());
                async move {
                    let page = crawler.fetch(&url).await;
                    // An error only says that saving has failed, which is told there.
                    let _ = sender.send((url, page)).await;
                }
            })
            .await;
    });
    let mut crawled = Crawled::default();
    let mut pages = Vec::new();
    while let Some((url, page)) = fetched.recv().await {
        match page {
            Ok(page) => pages.push(page),
            Err(error) => drop(crawled.lost.insert(url, error)),
        }
        if pages.len() == PER_ANSWER {
            save(store, std::mem::take(&mut pages), every, &mut crawled).await?;
        }
    }
    save(store, pages, every, &mut crawled).await?;
    fetching.await?;
    Ok(crawled)
}

/// Saves pages as the sources of an answer, which is how pages come into the store and its index.
async fn save(store: &Store, pages: Vec<Page>, every: usize, crawled: &mut Crawled) -> Result<()> {
    let sources: Vec<Source> = pages.iter().map(source).collect();
    let question = NewTurn {
        question: "What do these pages say?".into(),
        ..NewTurn::default()
    };
    let turn = store.begin_answer(question).await?;
    let ids = store.journal_sources(&turn.answer.id, &sources, &pages).await?;
    let answer = FinishedAnswer {
        content: "That they are kept.".into(),
        metadata: None,
        citations: Vec::new(),
        checks: Vec::new(),
        follow_ups: Vec::new(),
        state: MessageState::Complete,
    };
    store.finish_answer(&turn.answer.id, answer).await?;
    let samples = ids.iter().zip(&pages).step_by(every.max(1)).filter_map(|(id, page)| {
        let span = page.sentences.iter().max_by_key(|span| span.len().min(200))?;
        Some((turn.chat.id.clone(), id.clone(), page.quote(*span).to_owned()))
    });
    crawled.samples.extend(samples);
    Ok(())
}

fn source(page: &Page) -> Source {
    Source {
        title: page.title.clone(),
        url: page.url.to_string(),
        snippet: String::new(),
        favicon: None,
    }
}

async fn tell_lost(store: &Store, pages: &[(PathBuf, Url)], crawled: &Crawled) -> Result<()> {
    let mut lost = 0;
    for (_, url) in pages {
        let reason = match crawled.lost.get(url) {
            Some(error) => error.to_string(),
            None if store.find_page_by_url(url).await?.is_none() => "it was read and is not in the store".into(),
            None => continue,
        };
        lost += 1;
        println!("crawl lost {url}: {reason}");
    }
    println!("crawl: {lost} pages lost (aim 0)");
    Ok(())
}

/// Whether the index knows what the pages say: each sample is looked for by words of one of its sentences.
async fn tell_found(store: &Store, samples: &[(ChatId, PageId, String)]) -> Result<()> {
    let mut found = 0;
    for (chat, page, sentence) in samples {
        let words: Vec<&str> = sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() > 2)
            .collect();
        let query = HistoryQuery {
            text: words.into_iter().take(8).collect::<Vec<_>>().join(" "),
            filter: HistoryFilter {
                chat: Some(chat.clone()),
                ..HistoryFilter::default()
            },
            limit: 100,
            after: None,
        };
        let hits = store.search_history(&query).await?.hits;
        found += usize::from(hits.iter().any(|hit| hit.page_id.as_ref() == Some(page)));
    }
    println!(
        "crawl: history search finds {found} of {} pages by a sentence of theirs (aim all)",
        samples.len()
    );
    Ok(())
}
