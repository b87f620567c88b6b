//! Candidates: the newest rows that match, with what is needed to rank and show them.
//!
//! Ranking all matches of a common word among a million messages takes 300 ms, so only the newest are ranked; a rare
//! word has fewer matches than that, and is found however old it is. What comes after them is on the next page.

use deepsearch_core::ChatId;
use sqlx::SqlitePool;

use super::facets;
use super::query::Query;
use super::{ChatView, HistoryFilter, HitKind};
use crate::packing::decompress;

/// How many rows of each kind are ranked: reading and scoring a page costs several messages.
const MESSAGES: i64 = 200;
const PAGES: i64 = 50;
const CHATS: i64 = 50;
/// How many matches are looked at to find rows that pass the filters, where the index cannot narrow them.
const LOOKED_AT: i64 = 20_000;
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
            pages: None,
        };
        if let Some(chat) = &filter.chat {
            scope.pages = pages_of(chat, readers).await?;
        } else if scope.in_trash || scope.archived == Some(true) || only_pinned {
            scope.chats = scope.name_chats(readers).await?;
        }
        Ok(scope)
    }

    /// The facets of the chats that the filter leaves, where those are few.
    async fn name_chats(&self, readers: &SqlitePool) -> Result<Option<String>, sqlx::Error> {
        let ids: Vec<String> = sqlx::query_scalar(
            "select id from chat where (deleted_at is not null) = ?1 and (?2 is null or archived = ?2)
             and (?3 is null or pinned = ?3) limit ?4",
        )
        .bind(self.in_trash)
        .bind(self.archived)
        .bind(self.pinned)
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

type Row = (i64, String, String, String, i64, String);

pub(super) async fn messages(
    query: &Query,
    scope: &Scope,
    before: i64,
    readers: &SqlitePool,
) -> Result<Found, sqlx::Error> {
    let expression = within(query, [&scope.chats, &scope.time, &scope.host]);
    let rows: Vec<(i64, String, String, String, i64, String, String)> = sqlx::query_as(
        "select hit.seq, message.id, chat.id, chat.title, message.created_at, message.content, message.role
         from (select rowid as seq from history_message where history_message match ?1 and rowid < ?2
               order by rowid desc limit ?3) as hit
         cross join message on message.seq = hit.seq
         cross join chat on chat.id = message.chat_id
         where (?4 is null or chat.id = ?4) and message.created_at >= ?5 and message.created_at < ?6
           and (chat.deleted_at is not null) = ?7 and (?8 is null or chat.archived = ?8)
           and (?9 is null or chat.pinned = ?9)
         limit ?10",
    )
    .bind(&expression)
    .bind(before)
    .bind(LOOKED_AT)
    .bind(&scope.chat_id)
    .bind(scope.from)
    .bind(scope.until)
    .bind(scope.in_trash)
    .bind(scope.archived)
    .bind(scope.pinned)
    .bind(MESSAGES)
    .fetch_all(readers)
    .await?;
    let last = rows.last().map(|row| row.0);
    let bound = next_bound(
        Index::Message,
        &expression,
        before,
        rows.len() as i64 == MESSAGES,
        last,
        readers,
    )
    .await?;
    let candidates = rows
        .into_iter()
        .map(|(seq, id, chat_id, chat_title, when, text, role)| Candidate {
            kind: if role == "user" {
                HitKind::Question
            } else {
                HitKind::Answer
            },
            seq,
            id,
            chat_id,
            chat_title,
            when,
            url: None,
            title: None,
            text,
        });
    Ok(Found {
        candidates: candidates.collect(),
        before: bound,
    })
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
    let expression = within(query, [&scope.chats, &None, &None]);
    let rows: Vec<Row> = sqlx::query_as(
        "select hit.seq, chat.id, chat.id, chat.title, chat.updated_at, chat.title
         from (select rowid as seq from history_chat where history_chat match ?1 and rowid < ?2
               order by rowid desc limit ?3) as hit
         cross join history_title on history_title.seq = hit.seq
         cross join chat on chat.id = history_title.chat_id
         where (?4 is null or chat.id = ?4) and chat.updated_at >= ?5 and chat.updated_at < ?6
           and (chat.deleted_at is not null) = ?7 and (?8 is null or chat.archived = ?8)
           and (?9 is null or chat.pinned = ?9)
         limit ?10",
    )
    .bind(&expression)
    .bind(before)
    .bind(LOOKED_AT)
    .bind(&scope.chat_id)
    .bind(scope.from)
    .bind(scope.until)
    .bind(scope.in_trash)
    .bind(scope.archived)
    .bind(scope.pinned)
    .bind(CHATS)
    .fetch_all(readers)
    .await?;
    let last = rows.last().map(|row| row.0);
    let bound = next_bound(
        Index::Chat,
        &expression,
        before,
        rows.len() as i64 == CHATS,
        last,
        readers,
    )
    .await?;
    let candidates = rows
        .into_iter()
        .map(|(seq, id, chat_id, chat_title, when, text)| Candidate {
            kind: HitKind::Chat,
            seq,
            id,
            chat_id,
            chat_title,
            when,
            url: None,
            title: None,
            text,
        });
    Ok(Found {
        candidates: candidates.collect(),
        before: bound,
    })
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
    let expression = within(query, [&None, &scope.time, &scope.host]);
    let (first, last) = scope.pages.unwrap_or((i64::MIN, i64::MAX - 1));
    let before = before.min(last + 1);
    let rows: Vec<PageRow> = sqlx::query_as(
        "select hit.seq as seq, page.id as id, chat.id as chat_id, chat.title as chat_title, page.fetched_at as fetched_at,
             page.url as url, page.title as title, page.text as text
         from (select rowid as seq from history_page where history_page match ?1 and rowid < ?2 and rowid >= ?11
               order by rowid desc limit ?3) as hit
         cross join page on page.seq = hit.seq
         cross join chat on chat.id = (
             select used.id from message_source join message on message.id = message_id
             join chat as used on used.id = message.chat_id
             where page_id = page.id and (?4 is null or used.id = ?4) and (used.deleted_at is not null) = ?7
               and (?8 is null or used.archived = ?8) and (?9 is null or used.pinned = ?9)
             order by message.seq desc limit 1)
         where page.fetched_at >= ?5 and page.fetched_at < ?6
         limit ?10",
    )
    .bind(&expression)
    .bind(before)
    .bind(LOOKED_AT)
    .bind(&scope.chat_id)
    .bind(scope.from)
    .bind(scope.until)
    .bind(scope.in_trash)
    .bind(scope.archived)
    .bind(scope.pinned)
    .bind(PAGES)
    .bind(first)
    .fetch_all(readers)
    .await?;
    let last = rows.last().map(|row| row.seq);
    let bound = next_bound(
        Index::Page,
        &expression,
        before,
        rows.len() as i64 == PAGES,
        last,
        readers,
    )
    .await?;
    let candidates = rows.into_iter().map(|row| Candidate {
        kind: HitKind::Page,
        seq: row.seq,
        id: row.id,
        chat_id: row.chat_id,
        chat_title: row.chat_title,
        when: row.fetched_at,
        url: Some(row.url),
        title: Some(row.title),
        // A damaged page shows its title.
        text: decompress(&row.text).unwrap_or_default(),
    });
    Ok(Found {
        candidates: candidates.collect(),
        before: bound,
    })
}

#[derive(sqlx::FromRow)]
struct PageRow {
    seq: i64,
    id: String,
    chat_id: String,
    chat_title: String,
    fetched_at: i64,
    url: String,
    title: String,
    text: Vec<u8>,
}

enum Index {
    Message,
    Page,
    Chat,
}

/// Where the next block of candidates begins: before the last row when the block is full, else before what was
/// looked at to fill it.
async fn next_bound(
    index: Index,
    expression: &str,
    before: i64,
    is_full: bool,
    last: Option<i64>,
    readers: &SqlitePool,
) -> Result<i64, sqlx::Error> {
    if is_full {
        return Ok(last.unwrap_or_default());
    }
    let sql = match index {
        Index::Message => {
            "select rowid from history_message where history_message match ? and rowid < ?
             order by rowid desc limit 1 offset ?"
        }
        Index::Page => {
            "select rowid from history_page where history_page match ? and rowid < ? order by rowid desc limit 1 offset ?"
        }
        Index::Chat => {
            "select rowid from history_chat where history_chat match ? and rowid < ? order by rowid desc limit 1 offset ?"
        }
    };
    let last_looked_at: Option<i64> = sqlx::query_scalar(sql)
        .bind(expression)
        .bind(before)
        .bind(LOOKED_AT - 1)
        .fetch_optional(readers)
        .await?;
    Ok(last_looked_at.unwrap_or(0))
}

fn within(query: &Query, narrowing: [&Option<String>; 3]) -> String {
    let mut expression = query.expression();
    for facets in narrowing.into_iter().flatten() {
        expression.push_str(&format!(" AND ({facets})"));
    }
    expression
}
