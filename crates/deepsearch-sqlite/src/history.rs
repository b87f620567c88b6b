//! History search: questions, answers, saved pages and chat titles, found while they are typed.
//!
//! Works without a network. Leaves out the web and the guide, which are engines of `deepsearch-search`.

mod candidates;
mod facets;
mod index;
mod matching;
mod query;
mod tokens;
mod vocabulary;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deepsearch_core::text::Span;
use deepsearch_core::{ChatId, CollectionId, MessageId, PageId};
use serde::{Deserialize, Serialize};

use self::candidates::{Candidate, Found, Scope};
pub(crate) use self::index::{follow, make_up};
use self::query::Query;
pub(crate) use self::vocabulary::prepare;
use crate::chats::ChatView;
use crate::error::{Doing, StoreError};
use crate::store::Store;
use crate::time::from_millis;

/// How many hits one chat has on a page of results, unless only that chat is looked in.
const PER_CHAT: usize = 3;
/// The most hits on one page of results.
const MOST_HITS: u32 = 100;

/// What is looked for. Nothing typed is an error: quotation marks make a phrase, all else are words, the last of which
/// may still be growing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct HistoryQuery {
    pub text: String,
    pub filter: HistoryFilter,
    /// 1 to 100.
    pub limit: u32,
    /// What the page of results before this one gave.
    pub after: Option<HistoryCursor>,
}

/// Narrows a search. The default looks in everything but Trash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct HistoryFilter {
    /// Written, or fetched, at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Written, or fetched, before this time.
    pub until: Option<DateTime<Utc>>,
    pub chat: Option<ChatId>,
    /// Pages of this host or one below it, and answers with a source there.
    pub host: Option<String>,
    /// Only pinned chats.
    pub pinned: bool,
    /// `None` is all but Trash.
    pub view: Option<ChatView>,
    /// Only chats of this collection.
    pub collection: Option<CollectionId>,
    /// Only chats with this tag, in whatever case it is written.
    pub tag: Option<String>,
}

/// Where a page of results ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct HistoryCursor {
    /// The block of candidates that is being shown begins before these numbers: of messages, pages and titles.
    before: [i64; 3],
    /// How many hits of it have been shown.
    shown: usize,
}

/// A page of results, best first; the hits of one chat stand together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct HistoryResults {
    pub hits: Vec<HistoryHit>,
    /// `None` when there are no more.
    pub next: Option<HistoryCursor>,
    /// Nothing held all that was asked for, so these hold some of it, or other forms of the words.
    pub is_relaxed: bool,
}

/// What a hit was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum HitKind {
    Question,
    Answer,
    Page,
    /// The chat's title.
    Chat,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct HistoryHit {
    pub kind: HitKind,
    /// For a page, the newest chat that used it.
    pub chat_id: ChatId,
    pub chat_title: String,
    /// Of a question or an answer.
    pub message_id: Option<MessageId>,
    /// Of a page, with its address and title.
    pub page_id: Option<PageId>,
    pub url: Option<String>,
    pub title: Option<String>,
    /// Plain text on one line; never markup.
    pub snippet: String,
    /// What matched: bytes of `snippet`, in order.
    pub highlights: Vec<Span>,
    /// When the message was written, the page fetched, or the chat last active.
    pub when: DateTime<Utc>,
    /// Comparable within one search only.
    pub score: f64,
    /// How many further hits of the chat were left out here; on the last of its hits.
    pub more_in_chat: usize,
}

impl Store {
    /// Searches the history. A text without any word finds nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn search_history(&self, query: &HistoryQuery) -> Result<HistoryResults, StoreError> {
        const ACTION: &str = "search the history";
        let wanted = Query::parse(&query.text);
        if wanted.phrases.is_empty() {
            return Ok(HistoryResults::default());
        }
        let scope = Scope::of(&query.filter, self.readers()).await.doing(ACTION)?;
        let mut block = self
            .first_block(&wanted, &scope, query.after.as_ref())
            .await
            .doing(ACTION)?;
        let is_relaxed = block.candidates.is_empty() && query.after.is_none();
        let wanted = if is_relaxed { wanted.relaxed() } else { wanted };
        if is_relaxed {
            block = self.block_of_any(&wanted, &scope).await.doing(ACTION)?;
        }
        let (now, query) = (self.now(), query.clone());
        // Up to 300 texts are read through.
        tokio::task::spawn_blocking(move || block.into_results(&wanted, &query, now, is_relaxed))
            .await
            .map_err(|error| StoreError::Internal {
                action: ACTION,
                source: error.into(),
            })
    }

    /// Makes the index of the history anew from the tables, for when it is damaged or doubted.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written; what is missing then is made up for at the next opening.
    pub async fn rebuild_history_index(&self) -> Result<(), StoreError> {
        const ACTION: &str = "index the history";
        let mut tx = self.begin(ACTION).await?;
        index::forget(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        make_up(self.writer()).await
    }

    /// The first block that holds anything. A filter that the index knows nothing of may leave blocks empty.
    async fn first_block(
        &self,
        query: &Query,
        scope: &Scope,
        after: Option<&HistoryCursor>,
    ) -> Result<Block, sqlx::Error> {
        const MOST: usize = 50;
        let mut before = after.map_or([i64::MAX; 3], |cursor| cursor.before);
        let mut block = Block::default();
        for _ in 0..MOST {
            block = self.block(query, scope, before).await?;
            if !block.candidates.is_empty() || block.next == [0; 3] {
                break;
            }
            before = block.next;
        }
        Ok(block)
    }

    async fn block(&self, query: &Query, scope: &Scope, before: [i64; 3]) -> Result<Block, sqlx::Error> {
        let [messages, pages, titles] = before;
        let readers = self.readers();
        let (messages, pages, titles) = tokio::try_join!(
            candidates::messages(query, scope, messages, readers),
            candidates::pages(query, scope, pages, readers),
            candidates::titles(query, scope, titles, readers),
        )?;
        Ok(Block::of([messages, pages, titles]))
    }

    /// The newest matches of each word for itself, so that a common one does not drown a rare one.
    async fn block_of_any(&self, query: &Query, scope: &Scope) -> Result<Block, sqlx::Error> {
        let mut block = Block::default();
        for phrase in &query.phrases {
            let word = Query {
                phrases: vec![phrase.clone()],
            };
            for candidate in self.block(&word, scope, [i64::MAX; 3]).await?.candidates {
                let is_new = |known: &Candidate| known.id != candidate.id || known.kind != candidate.kind;
                if block.candidates.iter().all(is_new) {
                    block.candidates.push(candidate);
                }
            }
        }
        Ok(block)
    }
}

/// The candidates that are ranked together.
#[derive(Debug, Default)]
struct Block {
    candidates: Vec<Candidate>,
    /// Where it begins, so that what is written meanwhile does not shift its pages.
    from: [i64; 3],
    /// Where the next one begins; zeros when there is none.
    next: [i64; 3],
}

impl Block {
    fn of(found: [Found; 3]) -> Self {
        let mut block = Self::default();
        for (kind, found) in found.into_iter().enumerate() {
            block.from[kind] = found.candidates.first().map_or(0, |first| first.seq + 1);
            block.next[kind] = found.before;
            block.candidates.extend(found.candidates);
        }
        block
    }

    fn into_results(
        mut self,
        wanted: &Query,
        query: &HistoryQuery,
        now: DateTime<Utc>,
        is_relaxed: bool,
    ) -> HistoryResults {
        let candidates = std::mem::take(&mut self.candidates);
        let scored = candidates.into_iter().map(|candidate| {
            let score = rank(&candidate, wanted, now, is_relaxed);
            (candidate, score)
        });
        let per_chat = if query.filter.chat.is_some() {
            usize::MAX
        } else {
            PER_CHAT
        };
        let ranked = group(scored.collect(), per_chat);
        let shown = query.after.as_ref().map_or(0, |cursor| cursor.shown);
        let limit = query.limit.clamp(1, MOST_HITS) as usize;
        let count = ranked.len();
        let hits = ranked.into_iter().skip(shown).take(limit);
        HistoryResults {
            hits: hits.map(|ranked| ranked.into_hit(wanted)).collect(),
            next: self.cursor(shown + limit, count),
            is_relaxed,
        }
    }

    fn cursor(&self, shown: usize, count: usize) -> Option<HistoryCursor> {
        if shown < count {
            return Some(HistoryCursor {
                before: self.from,
                shown,
            });
        }
        (self.next != [0; 3]).then_some(HistoryCursor {
            before: self.next,
            shown: 0,
        })
    }
}

struct Ranked {
    candidate: Candidate,
    score: f64,
    more_in_chat: usize,
}

/// What the text says decides; between equals, the newer.
fn rank(candidate: &Candidate, wanted: &Query, now: DateTime<Utc>, is_relaxed: bool) -> f64 {
    const HALF_LIFE_DAYS: f64 = 180.0;
    let (usual, of_kind) = match candidate.kind {
        HitKind::Question | HitKind::Answer => (200.0, 1.0),
        HitKind::Page => (1_000.0, 0.9),
        HitKind::Chat => (10.0, 1.1),
    };
    let mut score = matching::score(&candidate.text, wanted, usual);
    if let Some(title) = &candidate.title {
        score += 0.5 * matching::coverage(title, wanted);
    }
    if is_relaxed {
        score *= matching::coverage(&candidate.text, wanted);
    }
    let days = (now - from_millis(candidate.when)).num_hours().max(0) as f64 / 24.0;
    score * of_kind * (0.7 + 0.3 * (-days / HALF_LIFE_DAYS).exp2())
}

/// Brings the hits of one chat together, behind its best, and leaves out all but the first few.
fn group(mut scored: Vec<(Candidate, f64)>, per_chat: usize) -> Vec<Ranked> {
    scored.sort_by(|(left, left_score), (right, right_score)| {
        let newer = || (right.when, right.seq).cmp(&(left.when, left.seq));
        right_score.total_cmp(left_score).then_with(newer)
    });
    let mut places = HashMap::new();
    let mut chats: Vec<Vec<Ranked>> = Vec::new();
    for (candidate, score) in scored {
        let place = *places.entry(candidate.chat_id.clone()).or_insert_with(|| {
            chats.push(Vec::new());
            chats.len() - 1
        });
        chats[place].push(Ranked {
            candidate,
            score,
            more_in_chat: 0,
        });
    }
    chats.iter_mut().for_each(|chat| leave_out(chat, per_chat));
    chats.into_iter().flatten().collect()
}

fn leave_out(chat: &mut Vec<Ranked>, per_chat: usize) {
    // Each hit shows the title, which is mostly the question too: as a hit of its own it only says that again.
    if chat.iter().any(|hit| hit.candidate.kind != HitKind::Chat) {
        chat.retain(|hit| hit.candidate.kind != HitKind::Chat);
    }
    let more = chat.len().saturating_sub(per_chat);
    chat.truncate(per_chat);
    if let Some(last) = chat.last_mut() {
        last.more_in_chat = more;
    }
}

impl Ranked {
    fn into_hit(self, wanted: &Query) -> HistoryHit {
        let Candidate {
            kind,
            id,
            chat_id,
            chat_title,
            when,
            url,
            title,
            text,
            ..
        } = self.candidate;
        let snippet = matching::snippet(&text, wanted);
        let is_message = matches!(kind, HitKind::Question | HitKind::Answer);
        HistoryHit {
            kind,
            message_id: is_message.then(|| MessageId::from_stored(id.clone())),
            page_id: (kind == HitKind::Page).then(|| PageId::from_stored(id)),
            chat_id: ChatId::from_stored(chat_id),
            chat_title,
            url,
            title,
            snippet: snippet.text,
            highlights: snippet.highlights,
            when: from_millis(when),
            score: self.score,
            more_in_chat: self.more_in_chat,
        }
    }
}
