//! Candidates: the newest rows that match, with what is needed to rank and show them.
//!
//! Ranking all matches of a common word among a million messages takes 300 ms, so only the newest are ranked; a rare
//! word has fewer matches than that, and is found however old it is. What comes after them is on the next page.

use deepsearch_core::ChatId;
use sqlx::SqlitePool;

use super::facets;
use super::query::Query;
use super::vocabulary::Index;
use super::{ChatView, HistoryFilter, HitKind};
use crate::packing::decompress;
use crate::tags;

/// How many rows of each kind are ranked: reading and scoring a page costs several messages.
const MESSAGES: usize = 200;
const PAGES: usize = 50;
const CHATS: usize = 50;
/// How many matches are looked at to find rows that pass the filters, where the index cannot narrow them.
const LOOKED_AT: i64 = 20_000;
/// The same for titles, which no time narrows and which mostly say again what a question says.
const TITLES_LOOKED_AT: i64 = 4_000;
/// How many chats are named to the index, where a filter leaves only some.
const NAMED_CHATS: usize = 64;

/// A row that matches, not yet ranked.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) kind: HitKind,
    /// Of the message, page or title.
    pub(super) seq: i64,
    pub(super) id: String,
    pub(super) chat_id: String,
    pub(super) chat_title: String,
    pub(super) when: i64,
    /// Of a page.
    pub(super) url: Option<String>,
    pub(super) title: Option<String>,
    pub(super) text: String,
}

/// Matches of one kind, newest first.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Everything at or after this number has been looked at; `0` when there is nothing before it.
    pub(super) before: i64,
}

/// A filter, made ready for the index and for the rows.
#[derive(Debug)]
pub(super) struct Scope {
    /// Expressions on facets that all must match: of messages and titles, and of pages.
    chats: Option<String>,
    time: Option<String>,
    host: Option<String>,
    chat_id: Option<String>,
    from: i64,
    until: i64,
    in_trash: bool,
    archived: Option<bool>,
    pinned: Option<bool>,
    collection: Option<String>,
    /// The number of the tag that chats must have; one that no tag has where it is unknown.
    tag: Option<i64>,
    /// The lowest and the highest number of a page of the one chat that is looked in.
    pages: Option<(i64, i64)>,
}

impl Scope {
    pub(super) async fn of(filter: &HistoryFilter, readers: &SqlitePool) -> Result<Self, sqlx::Error> {
        let only_pinned = filter.pinned || filter.view == Some(ChatView::Pinned);
        let mut scope = Self {
            chats: filter.chat.as_ref().map(facets::chat),
            time: time_facets(filter),
            host: filter.host.as_deref().map(facets::host),
            chat_id: filter.chat.as_ref().map(ToString::to_string),
            from: filter.from.map_or(i64::MIN, |at| at.timestamp_millis()),
            until: filter.until.map_or(i64::MAX, |at| at.timestamp_millis()),
            in_trash: filter.view == Some(ChatView::Trash),
            archived: match filter.view {
                Some(ChatView::Active) => Some(false),
                Some(ChatView::Archived) => Some(true),
                _ => None,
            },
            pinned: only_pinned.then_some(true),
            collection: filter.collection.as_ref().map(ToString::to_string),
            tag: match &filter.tag {
                Some(name) => Some(tags::number_of(name, readers).await?.unwrap_or(-1)),
                None => None,
            },
            pages: None,
        };
        if let Some(chat) = &filter.chat {
            scope.pages = pages_of(chat, readers).await?;
        } else if scope.in_trash || scope.archived == Some(true) || only_pinned || scope.is_sorted() {
            scope.chats = scope.name_chats(readers).await?;
        }
        Ok(scope)
    }

    /// Whether only the chats of a collection or with a tag are looked in.
    fn is_sorted(&self) -> bool {
        self.collection.is_some() || self.tag.is_some()
    }

    /// The facets of the chats that the filter leaves, where those are few.
    async fn name_chats(&self, readers: &SqlitePool) -> Result<Option<String>, sqlx::Error> {
        // From where the fewest are: those with a tag, else those of a collection.
        let sql = match (self.tag, &self.collection) {
            (Some(_), _) => {
                "select id from chat_tag cross join chat on chat.id = chat_id
                 where tag_id = ?5 and (?4 is null or collection = ?4) and (deleted_at is not null) = ?1
                   and (?2 is null or archived = ?2) and (?3 is null or pinned = ?3) limit ?6"
            }
            (None, Some(_)) => {
                "select id from chat where collection = ?4 and ?5 is null and (deleted_at is not null) = ?1
                   and (?2 is null or archived = ?2) and (?3 is null or pinned = ?3) limit ?6"
            }
            (None, None) => {
                "select id from chat where ?4 is null and ?5 is null and (deleted_at is not null) = ?1
                   and (?2 is null or archived = ?2) and (?3 is null or pinned = ?3) limit ?6"
            }
        };
        let ids: Vec<String> = sqlx::query_scalar(sql)
            .bind(self.in_trash)
            .bind(self.archived)
            .bind(self.pinned)
            .bind(&self.collection)
            .bind(self.tag)
            .bind(NAMED_CHATS as i64 + 1)
            .fetch_all(readers)
            .await?;
        if ids.len() > NAMED_CHATS {
            return Ok(None);
        }
        let facets: Vec<String> = ids
            .into_iter()
            .map(|id| facets::chat(&ChatId::from_stored(id)))
            .collect();
        // No chat at all: an expression that nothing matches.
        Ok(Some(if facets.is_empty() {
            "_none".into()
        } else {
            facets.join(" OR ")
        }))
    }
}

fn time_facets(filter: &HistoryFilter) -> Option<String> {
    if filter.from.is_none() && filter.until.is_none() {
        return None;
    }
    // Nothing was asked here before 2000, and clocks that run ahead do so by less than what 2100 leaves.
    let first = chrono::DateTime::from_timestamp(946_684_800, 0)?;
    let last = chrono::DateTime::from_timestamp(4_102_444_799, 0)?;
    facets::time_range(
        filter.from.unwrap_or(first).max(first),
        filter.until.unwrap_or(last).min(last),
    )
}

async fn pages_of(chat: &ChatId, readers: &SqlitePool) -> Result<Option<(i64, i64)>, sqlx::Error> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "select min(page.seq), max(page.seq) from message join message_source on message_id = message.id
         join page on page.id = page_id where chat_id = ?",
    )
    .bind(chat.as_str())
    .fetch_one(readers)
    .await?;
    Ok(Some(first.zip(last).unwrap_or((0, -1))))
}

/// Looks at matches from the newest on, until enough of them pass the filters.
///
/// First at as many as are enough, passing or not: where the index has fewer, that was all, and it is not asked again
/// (a rare phrase of common words is a walk through everything the index holds of them). Only where it has more, and
/// some did not pass, the rows are sifted by SQLite.
struct Look {
    index: Index,
    found: Found,
    enough: usize,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    First,
    /// Only rows that pass are given.
    Sift,
    /// Not enough rows have passed; where the sifting ended is not known.
    Sifted,
    Over,
}

impl Look {
    fn new(index: Index, enough: usize, before: i64) -> Self {
        Self {
            index,
            found: Found {
                candidates: Vec::new(),
                before,
            },
            enough,
            step: Step::First,
        }
    }

    /// Whether there is more to look at.
    fn goes_on(&self) -> bool {
        matches!(self.step, Step::First | Step::Sift)
    }

    fn gives_all(&self) -> bool {
        self.step == Step::First
    }

    /// How many matches are looked at.
    fn matches(&self) -> i64 {
        match self.index {
            _ if self.gives_all() => self.enough as i64,
            Index::Chat => TITLES_LOOKED_AT,
            Index::Message | Index::Page => LOOKED_AT,
        }
    }

    /// How many rows are wanted.
    fn rows(&self) -> i64 {
        (self.enough - self.found.candidates.len()) as i64
    }

    /// Takes what was read: numbers of matches, with the candidate where one passes the filters.
    fn take(&mut self, rows: impl ExactSizeIterator<Item = (i64, Option<Candidate>)>) {
        let is_short = (rows.len() as i64) < self.rows();
        let mut last = 0;
        for (seq, candidate) in rows {
            last = seq;
            self.found.candidates.extend(candidate);
        }
        self.step = match self.step {
            Step::First if is_short => Step::Over,
            Step::First if self.rows() > 0 => Step::Sift,
            Step::Sift if is_short => Step::Sifted,
            _ => Step::Over,
        };
        match self.step {
            Step::Sifted => {}
            Step::Over if is_short => self.found.before = 0,
            _ => self.found.before = last,
        }
    }

    /// What was found, with where the sifting ended.
    async fn end(mut self, expression: &str, readers: &SqlitePool) -> Result<Found, sqlx::Error> {
        if self.step == Step::Sifted {
            let sql = match self.index {
                Index::Message => {
                    "select rowid from history_message where history_message match ? and rowid < ?
                     order by rowid desc limit 1 offset ?"
                }
                Index::Page => {
                    "select rowid from history_page where history_page match ? and rowid < ?
                     order by rowid desc limit 1 offset ?"
                }
                Index::Chat => {
                    "select rowid from history_chat where history_chat match ? and rowid < ?
                     order by rowid desc limit 1 offset ?"
                }
            };
            let last: Option<i64> = sqlx::query_scalar(sql)
                .bind(expression)
                .bind(self.found.before)
                .bind(self.matches() - 1)
                .fetch_optional(readers)
                .await?;
            self.found.before = last.unwrap_or(0);
        }
        Ok(self.found)
    }
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    seq: i64,
    id: String,
    /// `None` where the message or its chat does not pass the filter; then there is no text either.
    chat_id: Option<String>,
    chat_title: Option<String>,
    created_at: i64,
    text: Option<String>,
    role: String,
}

pub(super) async fn messages(
    query: &Query,
    scope: &Scope,
    before: i64,
    readers: &SqlitePool,
) -> Result<Found, sqlx::Error> {
    let expression = within(query, Index::Message, [&scope.chats, &scope.time, &scope.host], readers).await?;
    let mut look = Look::new(Index::Message, MESSAGES, before);
    while look.goes_on() {
        let rows: Vec<MessageRow> = sqlx::query_as(
            "select hit.seq as seq, message.id as id, chat.id as chat_id, chat.title as chat_title,
                 message.created_at as created_at, iif(chat.id is null, null, message.content) as text,
                 message.role as role
             from (select rowid as seq from history_message where history_message match ?1 and rowid < ?2
                   order by rowid desc limit ?3) as hit
             cross join message on message.seq = hit.seq
             left join chat on chat.id = iif(message.created_at >= ?5 and message.created_at < ?6, message.chat_id, null)
               and (?4 is null or chat.id = ?4) and (chat.deleted_at is not null) = ?7 and (?8 is null or chat.archived = ?8)
               and (?9 is null or chat.pinned = ?9)
               and (?12 is null or chat.collection = ?12)
               and (?13 is null or exists (select 1 from chat_tag where chat_id = chat.id and tag_id = ?13))
             where ?10 or chat.id is not null limit ?11",
        )
        .bind(&expression)
        .bind(look.found.before)
        .bind(look.matches())
        .bind(&scope.chat_id)
        .bind(scope.from)
        .bind(scope.until)
        .bind(scope.in_trash)
        .bind(scope.archived)
        .bind(scope.pinned)
        .bind(look.gives_all())
        .bind(look.rows())
        .bind(&scope.collection)
        .bind(scope.tag)
        .fetch_all(readers)
        .await?;
        look.take(rows.into_iter().map(|row| (row.seq, row.into_candidate())));
    }
    look.end(&expression, readers).await
}

impl MessageRow {
    fn into_candidate(self) -> Option<Candidate> {
        Some(Candidate {
            kind: if self.role == "user" {
                HitKind::Question
            } else {
                HitKind::Answer
            },
            seq: self.seq,
            id: self.id,
            chat_id: self.chat_id?,
            chat_title: self.chat_title?,
            when: self.created_at,
            url: None,
            title: None,
            text: self.text?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct TitleRow {
    seq: i64,
    /// `None` where the chat does not pass the filter.
    chat_id: Option<String>,
    chat_title: Option<String>,
    updated_at: Option<i64>,
}

pub(super) async fn titles(
    query: &Query,
    scope: &Scope,
    before: i64,
    readers: &SqlitePool,
) -> Result<Found, sqlx::Error> {
    // A title has no host.
    if scope.host.is_some() {
        return Ok(Found::default());
    }
    let expression = within(query, Index::Chat, [&scope.chats, &None, &None], readers).await?;
    let mut look = Look::new(Index::Chat, CHATS, before);
    while look.goes_on() {
        let rows: Vec<TitleRow> = sqlx::query_as(
            "select hit.seq as seq, chat.id as chat_id, chat.title as chat_title, chat.updated_at as updated_at
             from (select rowid as seq from history_chat where history_chat match ?1 and rowid < ?2
                   order by rowid desc limit ?3) as hit
             cross join history_title on history_title.seq = hit.seq
             left join chat on chat.id = history_title.chat_id
               and (?4 is null or chat.id = ?4) and chat.updated_at >= ?5 and chat.updated_at < ?6
               and (chat.deleted_at is not null) = ?7 and (?8 is null or chat.archived = ?8)
               and (?9 is null or chat.pinned = ?9)
               and (?12 is null or chat.collection = ?12)
               and (?13 is null or exists (select 1 from chat_tag where chat_id = chat.id and tag_id = ?13))
             where ?10 or chat.id is not null limit ?11",
        )
        .bind(&expression)
        .bind(look.found.before)
        .bind(look.matches())
        .bind(&scope.chat_id)
        .bind(scope.from)
        .bind(scope.until)
        .bind(scope.in_trash)
        .bind(scope.archived)
        .bind(scope.pinned)
        .bind(look.gives_all())
        .bind(look.rows())
        .bind(&scope.collection)
        .bind(scope.tag)
        .fetch_all(readers)
        .await?;
        look.take(rows.into_iter().map(|row| (row.seq, row.into_candidate())));
    }
    look.end(&expression, readers).await
}

impl TitleRow {
    fn into_candidate(self) -> Option<Candidate> {
        let (id, title) = (self.chat_id?, self.chat_title?);
        Some(Candidate {
            kind: HitKind::Chat,
            seq: self.seq,
            id: id.clone(),
            chat_id: id,
            chat_title: title.clone(),
            when: self.updated_at?,
            url: None,
            title: None,
            text: title,
        })
    }
}

#[derive(sqlx::FromRow)]
struct PageRow {
    seq: i64,
    id: String,
    /// `None` where the page, or each chat that used it, does not pass the filter; then there is no text either.
    chat_id: Option<String>,
    chat_title: Option<String>,
    fetched_at: i64,
    url: String,
    title: String,
    text: Option<Vec<u8>>,
}

/// A page is shown with the newest of the chats that used it and pass the filter; one without any is not shown.
pub(super) async fn pages(
    query: &Query,
    scope: &Scope,
    before: i64,
    readers: &SqlitePool,
) -> Result<Found, sqlx::Error> {
    // Every page has every letter.
    if query.is_single_letter() {
        return Ok(Found::default());
    }
    let expression = within(query, Index::Page, [&None, &scope.time, &scope.host], readers).await?;
    let (first, last) = scope.pages.unwrap_or((i64::MIN, i64::MAX - 1));
    let mut look = Look::new(Index::Page, PAGES, before.min(last + 1));
    while look.goes_on() {
        let rows: Vec<PageRow> = sqlx::query_as(
            "select hit.seq as seq, page.id as id, chat.id as chat_id, chat.title as chat_title,
                 page.fetched_at as fetched_at, page.url as url, page.title as title,
                 iif(chat.id is null, null, page.text) as text
             from (select rowid as seq from history_page where history_page match ?1 and rowid < ?2 and rowid >= ?12
                   order by rowid desc limit ?3) as hit
             cross join page on page.seq = hit.seq
             left join chat on page.fetched_at >= ?5 and page.fetched_at < ?6 and chat.id = (
                 select used.id from message_source join message on message.id = message_id
                 join chat as used on used.id = message.chat_id
                 where page_id = page.id and (?4 is null or used.id = ?4) and (used.deleted_at is not null) = ?7
                   and (?8 is null or used.archived = ?8) and (?9 is null or used.pinned = ?9)
                   and (?13 is null or used.collection = ?13)
                   and (?14 is null or exists (select 1 from chat_tag where chat_id = used.id and tag_id = ?14))
                 order by message.seq desc limit 1)
             where ?10 or chat.id is not null limit ?11",
        )
        .bind(&expression)
        .bind(look.found.before)
        .bind(look.matches())
        .bind(&scope.chat_id)
        .bind(scope.from)
        .bind(scope.until)
        .bind(scope.in_trash)
        .bind(scope.archived)
        .bind(scope.pinned)
        .bind(look.gives_all())
        .bind(look.rows())
        .bind(first)
        .bind(&scope.collection)
        .bind(scope.tag)
        .fetch_all(readers)
        .await?;
        look.take(rows.into_iter().map(|row| (row.seq, row.into_candidate())));
    }
    look.end(&expression, readers).await
}

impl PageRow {
    fn into_candidate(self) -> Option<Candidate> {
        Some(Candidate {
            kind: HitKind::Page,
            seq: self.seq,
            id: self.id,
            chat_id: self.chat_id?,
            chat_title: self.chat_title?,
            when: self.fetched_at,
            url: Some(self.url),
            title: Some(self.title),
            // A damaged page shows its title.
            text: decompress(&self.text?).unwrap_or_default(),
        })
    }
}

async fn within(
    query: &Query,
    index: Index,
    narrowing: [&Option<String>; 3],
    readers: &SqlitePool,
) -> Result<String, sqlx::Error> {
    let mut expression = index.expression(query, readers).await?;
    for facets in narrowing.into_iter().flatten() {
        expression.push_str(&format!(" AND ({facets})"));
    }
    Ok(expression)
}
