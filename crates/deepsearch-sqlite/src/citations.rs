//! Citations and checks: what an answer rests on, down to the sentence.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deepsearch_core::{Citation, Evidence, Invalid, MessageId, PageId, SentenceCheck, Source, Span, Verdict};
use sqlx::SqliteConnection;

use crate::error::{Doing, StoreError};
use crate::messages::{self, read_json, write_json};
use crate::store::Store;
use crate::time::from_millis;

/// All that is kept of what an answer rests on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnswerEvidence {
    /// `[n]` cites `sources[n - 1]`.
    pub sources: Vec<Source>,
    /// The saved pages of the sources, in their order, without their text.
    pub pages: Vec<SourcePage>,
    pub citations: Vec<Citation>,
    pub checks: Vec<SentenceCheck>,
    /// Questions to ask next.
    pub follow_ups: Vec<String>,
}

/// A saved page as a source of an answer; [`Store::lookup_page`] has the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePage {
    /// The number that `[n]` cites it by.
    pub number: u32,
    pub page_id: PageId,
    pub title: String,
    pub url: String,
    pub fetched_at: DateTime<Utc>,
}

impl Store {
    /// What an answer rests on; `None` for an unknown message.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_evidence(&self, message_id: &MessageId) -> Result<Option<AnswerEvidence>, StoreError> {
        const ACTION: &str = "look up what the answer rests on";
        // One transaction, so that its parts belong together also while the answer is being finished.
        let mut tx = self.readers().begin().await.doing(ACTION)?;
        let Some(message) = messages::lookup(&mut *tx, message_id).await.doing(ACTION)? else {
            return Ok(None);
        };
        let id = message_id.as_str();
        let evidence = AnswerEvidence {
            sources: message.sources.unwrap_or_default(),
            pages: list_source_pages(&mut tx, id).await.doing(ACTION)?,
            citations: list_citations(&mut tx, id).await.doing(ACTION)?,
            checks: list_checks(&mut tx, id).await.doing(ACTION)?,
            follow_ups: list_follow_ups(&mut tx, id).await.doing(ACTION)?,
        };
        Ok(Some(evidence))
    }
}

/// Makes these the citations and checks of an answer. Each is bound to the page that is saved for its number: the
/// page it was made with may have been saved before, under another id.
pub(crate) async fn replace(
    tx: &mut SqliteConnection,
    message_id: &MessageId,
    citations: &[Citation],
    checks: &[SentenceCheck],
) -> Result<(), StoreError> {
    const ACTION: &str = "keep what the answer rests on";
    let id = message_id.as_str();
    sqlx::query!("delete from citation where message_id = ?", id)
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
    sqlx::query!("delete from sentence_check where message_id = ?", id)
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
    let pages: HashMap<u32, PageId> = list_source_pages(tx, id)
        .await
        .doing(ACTION)?
        .into_iter()
        .map(|page| (page.number, page.page_id))
        .collect();
    for (position, citation) in (0_i64..).zip(citations) {
        let page_id = page_of(&pages, citation.number)?;
        insert_citation(tx, id, position, citation, page_id)
            .await
            .doing(ACTION)?;
    }
    for (position, check) in (0_i64..).zip(checks) {
        let mut evidence = check.evidence.clone();
        if let Some(evidence) = &mut evidence {
            evidence.page_id = page_of(&pages, evidence.number)?.clone();
        }
        insert_check(tx, id, position, check, evidence.as_ref())
            .await
            .doing(ACTION)?;
    }
    Ok(())
}

fn page_of(pages: &HashMap<u32, PageId>, number: u32) -> Result<&PageId, Invalid> {
    pages.get(&number).ok_or_else(|| Invalid::Malformed {
        field: "citation",
        value: format!("[{number}]"),
        expected: "number of one of the answer's sources",
    })
}

async fn insert_citation(
    tx: &mut SqliteConnection,
    message_id: &str,
    position: i64,
    citation: &Citation,
    page_id: &PageId,
) -> Result<(), sqlx::Error> {
    let page_id = page_id.as_str();
    sqlx::query!(
        "insert into citation (message_id, position, number, marker_start, marker_end, sentence_start, sentence_end,
            page_id, page_start, page_end, quote)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        message_id,
        position,
        citation.number,
        citation.marker.start,
        citation.marker.end,
        citation.sentence.start,
        citation.sentence.end,
        page_id,
        citation.page_span.start,
        citation.page_span.end,
        citation.quote
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_check(
    tx: &mut SqliteConnection,
    message_id: &str,
    position: i64,
    check: &SentenceCheck,
    evidence: Option<&Evidence>,
) -> Result<(), sqlx::Error> {
    let verdict = verdict_str(check.verdict);
    let evidence = evidence.map(write_json).transpose()?;
    sqlx::query!(
        "insert into sentence_check (message_id, position, sentence_start, sentence_end, verdict, evidence)
         values (?, ?, ?, ?, ?, ?)",
        message_id,
        position,
        check.sentence.start,
        check.sentence.end,
        verdict,
        evidence
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn list_source_pages(tx: &mut SqliteConnection, message_id: &str) -> Result<Vec<SourcePage>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select number as "number!: u32", page_id as "page_id!", title as "title!", url as "url!",
            fetched_at as "fetched_at!"
        from message_source join page on page.id = page_id where message_id = ? order by number"#,
        message_id
    )
    .fetch_all(tx)
    .await?;
    let pages = rows.into_iter().map(|row| SourcePage {
        number: row.number,
        page_id: PageId::from_stored(row.page_id),
        title: row.title,
        url: row.url,
        fetched_at: from_millis(row.fetched_at),
    });
    Ok(pages.collect())
}

pub(crate) async fn list_citations(tx: &mut SqliteConnection, message_id: &str) -> Result<Vec<Citation>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select number as "number: u32", marker_start as "marker_start: u32", marker_end as "marker_end: u32",
            sentence_start as "sentence_start: u32", sentence_end as "sentence_end: u32", page_id,
            page_start as "page_start: u32", page_end as "page_end: u32", quote
        from citation where message_id = ? order by position"#,
        message_id
    )
    .fetch_all(tx)
    .await?;
    let citations = rows.into_iter().map(|row| Citation {
        number: row.number,
        marker: span(row.marker_start, row.marker_end),
        sentence: span(row.sentence_start, row.sentence_end),
        page_id: PageId::from_stored(row.page_id),
        page_span: span(row.page_start, row.page_end),
        quote: row.quote,
    });
    Ok(citations.collect())
}

pub(crate) async fn list_checks(
    tx: &mut SqliteConnection,
    message_id: &str,
) -> Result<Vec<SentenceCheck>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select sentence_start as "sentence_start: u32", sentence_end as "sentence_end: u32", verdict, evidence
        from sentence_check where message_id = ? order by position"#,
        message_id
    )
    .fetch_all(tx)
    .await?;
    let checks = rows.into_iter().map(|row| SentenceCheck {
        sentence: span(row.sentence_start, row.sentence_end),
        verdict: read_verdict(&row.verdict),
        evidence: row.evidence.and_then(|json| read_json(&json, "evidence", message_id)),
    });
    Ok(checks.collect())
}

async fn list_follow_ups(tx: &mut SqliteConnection, message_id: &str) -> Result<Vec<String>, sqlx::Error> {
    let json = sqlx::query_scalar!("select follow_ups from message where id = ?", message_id)
        .fetch_optional(tx)
        .await?;
    Ok(json
        .flatten()
        .and_then(|json| read_json(&json, "follow_ups", message_id))
        .unwrap_or_default())
}

/// A span out of a row; one that ends before it starts is empty.
fn span(start: u32, end: u32) -> Span {
    Span {
        start,
        end: end.max(start),
    }
}

fn verdict_str(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "supported",
        Verdict::Partly => "partly",
        Verdict::NotFound => "not_found",
    }
}

fn read_verdict(verdict: &str) -> Verdict {
    match verdict {
        "supported" => Verdict::Supported,
        "partly" => Verdict::Partly,
        _ => Verdict::NotFound,
    }
}
