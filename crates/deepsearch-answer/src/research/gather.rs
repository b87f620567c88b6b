//! Searching for a part, and reading what was found for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deepsearch_core::research::{Lead, PartStage, ReadNote, ResearchEnd, ResearchPart};
use deepsearch_core::text::content_terms;
use deepsearch_core::{FetchError, Page, PageFetcher, SearchHit, SearchQuery};
use deepsearch_rank::{RankOptions, Ranking, canonical_url};
use url::Url;

use super::Desk;
use crate::pipeline::AnswerError;
use crate::plan::{query_from, without_urls};
use crate::read::{ReadLimits, read};
use crate::retrieve::{Retrieved, retrieve};

// A step reads few pages: what they say decides what is searched for next. Where all that is known to ask is the question
// itself, there have to be more of them to say what it goes into.
const PAGES_PER_STEP: usize = 4;
const PAGES_OF_THE_WHOLE: usize = 8;
const LEADS: usize = 2 * PAGES_OF_THE_WHOLE;
const LEADS_PER_HOST: usize = 2;
const MOST_UNREADABLE: usize = 200;
const READ_WITHIN: Duration = Duration::from_secs(15);
const GRACE: Duration = Duration::from_millis(1_500);

impl Desk<'_> {
    pub(super) async fn search(&mut self, id: u32) {
        let Some(part) = self.state.part(id) else { return };
        let text = self.query_of(part);
        let query = self.research.pipeline.query(self.question, &text);
        let retrieved = self.retrieve(query).await;
        self.state.spent.steps += 1;
        if let Some(failure) = &retrieved.failure {
            self.trouble(failure.clone());
        }
        if retrieved.offline && self.state.spent.steps > 1 && self.state.pages.is_empty() {
            self.state.ended = Some(ResearchEnd::Offline);
        }
        let known = self.known_addresses();
        let is_new = |hit: &SearchHit| Url::parse(&hit.url).is_ok_and(|url| !known.contains(&canonical_url(&url)));
        let new = retrieved.hits.into_iter().filter(is_new).collect();
        let found = deepsearch_rank::pick(new, LEADS, LEADS_PER_HOST);
        let Some(part) = self.state.part_mut(id) else { return };
        part.query = None;
        part.queries.push(text);
        part.leads = found.into_iter().map(lead).collect();
        part.stage = PartStage::Found;
    }

    /// Private chats never stand beside a page of the web: once the one was read, the other is not searched.
    async fn retrieve(&mut self, query: SearchQuery) -> Retrieved {
        let pipeline = &self.research.pipeline;
        let mut retrieved = Retrieved::default();
        let queries = [query];
        if !self.state.local {
            retrieved = retrieve(&pipeline.searchers, &queries, &self.steps).await;
        }
        let may_be_local = retrieved.offline || pipeline.model.info().local;
        let nothing_read = self.state.pages.is_empty() && self.state.named.is_empty();
        let turns_local = nothing_read && retrieved.hits.is_empty() && may_be_local && !pipeline.fallback.is_empty();
        if self.state.local || turns_local {
            let local = retrieve(&pipeline.fallback, &queries, &self.steps).await;
            self.state.local |= !local.hits.is_empty();
            retrieved.hits = local.hits;
        }
        retrieved
    }

    fn query_of(&self, part: &ResearchPart) -> String {
        let text = match &part.query {
            Some(query) => query.clone(),
            None => about(&part.question, &self.state.question),
        };
        query_from(&without_urls(&text)).unwrap_or(text)
    }

    fn known_addresses(&self) -> HashSet<String> {
        let read = self.state.pages.iter().map(|page| page.url.as_str());
        let failed = self.state.unreadable.iter().map(String::as_str);
        let all = read.chain(failed).filter_map(|url| Url::parse(url).ok());
        all.map(|url| canonical_url(&url)).collect()
    }

    pub(super) async fn read(&mut self, id: u32) -> Result<(), AnswerError> {
        let Some(part) = self.state.part(id).cloned() else {
            return Ok(());
        };
        let subject = about(&part.question, &self.state.question);
        let options = RankOptions::new(self.research.pipeline.clock.now());
        let ranking = Arc::new(Ranking::new(&subject, &[], options));
        let is_whole = part.question == self.state.question;
        let most = if is_whole { PAGES_OF_THE_WHOLE } else { PAGES_PER_STEP };
        let left = self.state.budget.pages.saturating_sub(self.state.spent.pages) as usize;
        // What the person points at is read whatever the engines found, is waited for, and takes nobody's place.
        let pointed = self.state.named.len().min(left);
        let named: Vec<SearchHit> = self.state.named.drain(..pointed).map(|lead| hit(&lead)).collect();
        let wanted = most.min(left - pointed);
        let hits = others(&part.leads, &named);
        let total = READ_WITHIN.min(self.time_left());
        let fetcher = Noting {
            fetcher: self.research.pipeline.fetcher.as_ref(),
            failed: Mutex::default(),
        };
        let (pointed_at, found) = tokio::join!(
            self.read_some(&fetcher, &ranking, &named, at_once(pointed, pointed, total)),
            self.read_some(&fetcher, &ranking, &hits, at_once(wanted, wanted - wanted / 4, total)),
        );
        let pages: Vec<Page> = pointed_at.into_iter().chain(found).collect();
        self.state.unreadable.extend(fetcher.failed());
        self.state.unreadable.truncate(MOST_UNREADABLE);
        self.keep_pages(pages).await?;
        if let Some(part) = self.state.part_mut(id) {
            part.leads.clear();
            part.stage = PartStage::Read;
        }
        Ok(())
    }

    async fn read_some(
        &self,
        fetcher: &dyn PageFetcher,
        ranking: &Arc<Ranking>,
        hits: &[SearchHit],
        limits: ReadLimits,
    ) -> Vec<Page> {
        if limits.pages == 0 || hits.is_empty() {
            return Vec::new();
        }
        let mut read = read(fetcher, ranking, hits, limits, &self.steps).await;
        read.truncate(limits.pages);
        read.into_iter().map(|read| read.page).collect()
    }

    /// Saves what is new of the pages: two addresses with one text are one page.
    async fn keep_pages(&mut self, pages: Vec<Page>) -> Result<(), AnswerError> {
        let mut known: HashSet<String> = self.state.pages.iter().map(|page| page.content_hash.clone()).collect();
        let new: Vec<Page> = pages
            .into_iter()
            .filter(|page| known.insert(page.content_hash.clone()))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let saved = self.research.notebook.save(new).await.map_err(AnswerError::Notebook)?;
        for page in saved {
            self.state.spent.pages += 1;
            // One that an earlier task had saved before it was killed is the same page.
            if self.state.page(&page.id).is_none() {
                self.state.pages.push(ReadNote::of(&page));
            }
            self.pages.insert(page.id.clone(), Arc::new(page));
        }
        Ok(())
    }
}

fn at_once(pages: usize, enough: usize, total: Duration) -> ReadLimits {
    ReadLimits {
        pages,
        enough: enough.max(1),
        grace: GRACE,
        total,
    }
}

/// What was found, without what is read anyway.
fn others(leads: &[Lead], named: &[SearchHit]) -> Vec<SearchHit> {
    let address = |url: &str| Url::parse(url).ok().map(|url| canonical_url(&url));
    let known: HashSet<String> = named.iter().filter_map(|hit| address(&hit.url)).collect();
    let is_other = |lead: &&Lead| address(&lead.url).is_none_or(|url| !known.contains(&url));
    leads.iter().filter(is_other).map(hit).collect()
}

/// What a part is about, for a search and for the ranking: a part that names nothing of the question's topic is about it
/// all the same.
pub(super) fn about(part: &str, question: &str) -> String {
    let topic = content_terms(question);
    let own = content_terms(part);
    let shared = own.iter().filter(|term| topic.contains(term)).count();
    if shared > 0 || topic.is_empty() {
        return part.to_owned();
    }
    format!("{part} {}", topic_words(question))
}

/// The words of a question that say what it is about.
pub(super) fn topic_words(question: &str) -> String {
    const MOST: usize = 6;
    let bare = question
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling: Vec<&str> = bare.filter(|word| !content_terms(word).is_empty()).take(MOST).collect();
    telling.join(" ")
}

fn lead(hit: SearchHit) -> Lead {
    Lead {
        url: hit.url,
        title: hit.title,
        published_at: hit.published_at,
    }
}

fn hit(lead: &Lead) -> SearchHit {
    SearchHit {
        title: lead.title.clone(),
        url: lead.url.clone(),
        snippet: String::new(),
        favicon: None,
        published_at: lead.published_at,
    }
}

/// A fetcher that notes what it could not read.
struct Noting<'a> {
    fetcher: &'a dyn PageFetcher,
    failed: Mutex<Vec<String>>,
}

impl Noting<'_> {
    fn failed(self) -> Vec<String> {
        self.failed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PageFetcher for Noting<'_> {
    async fn fetch(&self, url: &Url) -> Result<Page, FetchError> {
        let fetched = self.fetcher.fetch(url).await;
        if fetched.is_err() {
            self.failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(url.to_string());
        }
        fetched
    }
}
