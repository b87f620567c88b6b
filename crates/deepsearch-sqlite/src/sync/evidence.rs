//! Evidence on its way: what an answer rests on, by the hash of its pages, and the pages' texts, each sent once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use deepsearch_core::sync::{MessageEvidence, PageBody, PageRef, wait_of_late_page};
use deepsearch_core::{MediaType, MessageId, Page, PageId, text};
use sqlx::SqliteConnection;
use url::Url;

use super::SyncTx;
use super::brought::{Brought, chat_of};
use crate::citations;
use crate::error::{Doing, StoreError};
use crate::messages::{read_json, write_json};
use crate::packing::decompress;
use crate::pages::{self, PackedPage};
use crate::store::Store;
use crate::time::from_millis;

/// An answer whose pages have not all come.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingEvidence {
    pub message_id: MessageId,
    pub evidence: MessageEvidence,
    /// Hashes of texts that are not on this device, each once.
    pub missing: Vec<String>,
}

/// After this many tries what is missing is taken for lost; about a week.
const TRIES: i64 = 10;

impl SyncTx {
    /// What a message rests on, as it travels; `None` when that is nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn evidence_of(&mut self, id: &MessageId) -> Result<Option<MessageEvidence>, StoreError> {
        const ACTION: &str = "read what an answer rests on";
        let key = id.as_str();
        let rows = sqlx::query!(
            r#"select number as "number!: u32", content_hash as "content_hash!", url as "url!", title as "title!", author,
                site_name, published_at, favicon, language, media_type as "media_type!", fetched_at as "fetched_at!"
            from message_source join page on page.id = page_id
            where message_id = ? and url not like 'files:%' order by number"#,
            key
        )
        .fetch_all(self.tx())
        .await
        .doing(ACTION)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let pages = rows.into_iter().filter_map(|row| {
            Some(PageRef {
                number: row.number,
                content_hash: row.content_hash,
                url: Url::parse(&row.url).ok()?,
                title: row.title,
                author: row.author,
                site_name: row.site_name,
                published_at: row.published_at.map(from_millis),
                favicon: row.favicon.and_then(|url| Url::parse(&url).ok()),
                language: row.language,
                media_type: match row.media_type.as_str() {
                    "html" => MediaType::Html,
                    "pdf" => MediaType::Pdf,
                    _ => MediaType::Text,
                },
                fetched_at: from_millis(row.fetched_at),
            })
        });
        Ok(Some(MessageEvidence {
            pages: pages.collect(),
            citations: citations::list_citations(self.tx(), key).await.doing(ACTION)?,
            checks: citations::list_checks(self.tx(), key).await.doing(ACTION)?,
        }))
    }

    /// Keeps what a message rests on until its pages come.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn keep_evidence(&mut self, id: &MessageId, evidence: &MessageEvidence) -> Result<(), StoreError> {
        const ACTION: &str = "keep what an answer rests on";
        let (id, body) = (id.as_str(), write_json(evidence).doing(ACTION)?);
        sqlx::query!(
            "replace into sync_evidence (message_id, body) select id, ?1 from message where id = ?2",
            body,
            id
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        Ok(())
    }

    /// Forgets what a message rested on: its text is another now, and spans into it mean nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn drop_evidence(&mut self, id: &MessageId) -> Result<(), StoreError> {
        const ACTION: &str = "forget what an answer rested on";
        let id = id.as_str();
        let pages = pages::ids_of_message(self.tx(), id).await.doing(ACTION)?;
        for done in [
            sqlx::query!("delete from citation where message_id = ?", id)
                .execute(self.tx())
                .await,
            sqlx::query!("delete from sentence_check where message_id = ?", id)
                .execute(self.tx())
                .await,
            sqlx::query!("delete from message_source where message_id = ?", id)
                .execute(self.tx())
                .await,
            sqlx::query!("delete from sync_evidence where message_id = ?", id)
                .execute(self.tx())
                .await,
        ] {
            done.doing(ACTION)?;
        }
        pages::delete_unused(self.tx(), &pages).await.doing(ACTION)
    }

    /// Gives a message's evidence to its copy, and says whether there was any.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn move_evidence(&mut self, from: &MessageId, to: &MessageId) -> Result<bool, StoreError> {
        const ACTION: &str = "move what an answer rests on";
        let (from, to) = (from.as_str(), to.as_str());
        let has_some = sqlx::query_scalar!("select number from message_source where message_id = ? limit 1", to)
            .fetch_optional(self.tx())
            .await
            .doing(ACTION)?;
        if has_some.is_some() {
            return Ok(false);
        }
        let moved = sqlx::query!(
            "update message_source set message_id = ? where message_id = ?",
            to,
            from
        )
        .execute(self.tx())
        .await
        .doing(ACTION)?;
        for done in [
            sqlx::query!(
                "update or ignore citation set message_id = ? where message_id = ?",
                to,
                from
            )
            .execute(self.tx())
            .await,
            sqlx::query!(
                "update or ignore sentence_check set message_id = ? where message_id = ?",
                to,
                from
            )
            .execute(self.tx())
            .await,
            sqlx::query!(
                "update or ignore sync_evidence set message_id = ? where message_id = ?",
                to,
                from
            )
            .execute(self.tx())
            .await,
        ] {
            done.doing(ACTION)?;
        }
        Ok(moved.rows_affected() > 0)
    }

    /// Notes that the server may lack the pages of a message. Files of the person's own are not offered to anybody.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn queue_pages(&mut self, id: &MessageId) -> Result<(), StoreError> {
        let id = id.as_str();
        sqlx::query!(
            "insert or ignore into sync_page (content_hash)
             select content_hash from message_source join page on page.id = page_id
             where message_id = ? and url not like 'files:%'",
            id
        )
        .execute(self.tx())
        .await
        .doing("note the pages to be synced")?;
        Ok(())
    }
}

impl Store {
    /// Hashes of pages that the server may lack, the shortest first, without these. It looks at every one that waits, so
    /// it is asked for many at a time.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_queued_pages(&self, without: &[String], limit: u32) -> Result<Vec<String>, StoreError> {
        const ACTION: &str = "list the pages to be synced";
        let without = write_json(&without).doing(ACTION)?;
        sqlx::query_scalar!(
            "select content_hash from sync_page where content_hash not in (select value from json_each(?))
             order by (select length(text) + coalesce(length(html), 0) from page
                where page.content_hash = sync_page.content_hash limit 1), content_hash limit ?",
            without,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)
    }

    /// Takes pages out of the queue: the server has them, or refuses those that are named again with why. What is refused
    /// stays here and is kept in mind.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn settle_pages(&self, hashes: &[String], refused: &[(String, String)]) -> Result<(), StoreError> {
        const ACTION: &str = "forget the pages that were synced";
        let now = self.now().timestamp_millis();
        let mut tx = self.begin(ACTION).await?;
        for hash in hashes {
            sqlx::query!("delete from sync_page where content_hash = ?", hash)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
            sqlx::query!("delete from sync_dead where entity = 'page' and entity_id = ?", hash)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
        }
        for (hash, reason) in refused {
            sqlx::query!(
                "insert into sync_dead (entity, entity_id, reason, at) values ('page', ?, ?, ?)",
                hash,
                reason,
                now
            )
            .execute(&mut *tx)
            .await
            .doing(ACTION)?;
        }
        tx.commit().await.doing(ACTION)
    }

    /// The text of a saved page, by its hash. A damaged one is none.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn lookup_page_body(&self, hash: &str) -> Result<Option<PageBody>, StoreError> {
        let row = sqlx::query!("select text, html from page where content_hash = ? limit 1", hash)
            .fetch_optional(self.readers())
            .await
            .doing("read a page to sync")?;
        Ok(row.and_then(|row| {
            let text = decompress(&row.text)
                .inspect_err(|error| tracing::warn!(%error, hash, "a saved page cannot be unpacked"))
                .ok()?;
            Some(PageBody {
                content_hash: hash.to_owned(),
                text,
                html: row.html.and_then(|html| decompress(&html).ok()),
            })
        }))
    }

    /// Answers whose pages have not all come and may be asked for again now.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_waiting_evidence(&self, limit: u32) -> Result<Vec<WaitingEvidence>, StoreError> {
        const ACTION: &str = "list the answers whose pages have not come";
        let now = self.now().timestamp_millis();
        let rows = sqlx::query!(
            "select message_id, body from sync_evidence where next_try <= ? order by next_try limit ?",
            now,
            limit
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        let mut waiting: Vec<WaitingEvidence> = rows
            .into_iter()
            .map(|row| WaitingEvidence {
                // What cannot be read names no pages, and is given up when it is kept.
                evidence: read_json(&row.body, "evidence", &row.message_id).unwrap_or_default(),
                message_id: MessageId::from_stored(row.message_id),
                missing: Vec::new(),
            })
            .collect();
        let here = self.known_pages(&waiting).await?;
        let here: HashSet<&str> = here.iter().map(|(_, hash)| &**hash).collect();
        for answer in &mut waiting {
            for page in &answer.evidence.pages {
                let hash = &page.content_hash;
                if !here.contains(&**hash) && !answer.missing.contains(hash) {
                    answer.missing.push(hash.clone());
                }
            }
        }
        Ok(waiting)
    }

    /// Address and hash of each page here that has the text of one that answers rest on.
    async fn known_pages(&self, answers: &[WaitingEvidence]) -> Result<HashSet<(String, String)>, StoreError> {
        const ACTION: &str = "look for saved pages";
        let pages = answers.iter().flat_map(|answer| &answer.evidence.pages);
        let hashes: HashSet<&str> = pages.map(|page| &*page.content_hash).collect();
        let hashes = write_json(&hashes).doing(ACTION)?;
        let rows = sqlx::query!(
            "select url, content_hash from page where content_hash in (select value from json_each(?))",
            hashes
        )
        .fetch_all(self.readers())
        .await
        .doing(ACTION)?;
        Ok(rows.into_iter().map(|row| (row.url, row.content_hash)).collect())
    }

    /// Binds answers to their pages, as many as are here or among `bodies`, by their hashes, which were held against their
    /// texts. What is still missing is asked for again later, and less and less often; it is taken for lost in the end,
    /// unless it is one of `late`: on a line that was too slow for it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn bind_evidence(
        &self,
        answers: &[WaitingEvidence],
        bodies: &HashMap<String, PageBody>,
        late: &HashSet<String>,
    ) -> Result<(), StoreError> {
        const ACTION: &str = "bind answers to their pages";
        let new = self.pack_new(answers, bodies).await?;
        let mut tx = self.begin(ACTION).await?;
        // Answers of one chat often share their pages.
        let mut saved: HashMap<Address<'_>, (Option<PageId>, DateTime<Utc>)> = HashMap::new();
        let mut brought = Brought::default();
        for answer in answers {
            let id = answer.message_id.as_str();
            let is_here = sqlx::query_scalar!("select message_id from sync_evidence where message_id = ?", id)
                .fetch_optional(&mut *tx)
                .await
                .doing(ACTION)?;
            if is_here.is_none() {
                continue;
            }
            sqlx::query!("delete from message_source where message_id = ?", id)
                .execute(&mut *tx)
                .await
                .doing(ACTION)?;
            let mut found = HashSet::new();
            for page in answer.evidence.pages.iter().filter(|page| page.number >= 1) {
                let address = address(page);
                if saved.get(&address).is_none_or(|(_, at)| *at < page.fetched_at) {
                    let page_id = save(&mut tx, page, new.get(&address)).await.doing(ACTION)?;
                    saved.insert(address, (page_id, page.fetched_at));
                }
                if let Some((Some(page_id), _)) = saved.get(&address) {
                    pages::add_source(&mut tx, id, page.number, page_id)
                        .await
                        .doing(ACTION)?;
                    found.insert(page.number);
                }
            }
            let mut evidence = answer.evidence.clone();
            evidence.citations.retain(|citation| found.contains(&citation.number));
            for check in &mut evidence.checks {
                check.evidence = check
                    .evidence
                    .take()
                    .filter(|evidence| found.contains(&evidence.number));
            }
            citations::replace(&mut tx, &answer.message_id, &evidence.citations, &evidence.checks).await?;
            let is_whole = evidence.pages.iter().all(|page| found.contains(&page.number));
            if is_whole {
                sqlx::query!("delete from sync_evidence where message_id = ?", id)
                    .execute(&mut *tx)
                    .await
                    .doing(ACTION)?;
            } else {
                let is_late = answer.missing.iter().any(|hash| late.contains(hash));
                wait_longer(&mut tx, id, is_late, self.now()).await.doing(ACTION)?;
            }
            brought.merge(chat_of(&mut tx, &answer.message_id).await.doing(ACTION)?);
        }
        crate::history::follow(&mut tx).await.doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        brought.tell(self.brought());
        Ok(())
    }

    /// Those pages of answers that are not here yet, as far as their texts are, each made ready once.
    async fn pack_new<'a>(
        &self,
        answers: &'a [WaitingEvidence],
        bodies: &HashMap<String, PageBody>,
    ) -> Result<HashMap<Address<'a>, PackedPage>, StoreError> {
        let known = self.known_pages(answers).await?;
        let mut seen: HashSet<Address<'_>> = known.iter().map(|(url, hash)| (&**url, &**hash)).collect();
        let (mut addresses, mut new) = (Vec::new(), Vec::new());
        for page in answers.iter().flat_map(|answer| &answer.evidence.pages) {
            let address = address(page);
            if !seen.insert(address) {
                continue;
            }
            // The same text may be here from another address.
            let here = match bodies.get(&page.content_hash) {
                Some(_) => None,
                None => self.lookup_page_body(&page.content_hash).await?,
            };
            if let Some(body) = bodies.get(&page.content_hash).or(here.as_ref()) {
                addresses.push(address);
                new.push(page_of(page, body));
            }
        }
        let packed = PackedPage::pack_all(&new).await?;
        Ok(addresses.into_iter().zip(packed).collect())
    }
}

/// Where a saved page was read, and the hash of what was read there: what makes it another.
type Address<'a> = (&'a str, &'a str);

fn address(page: &PageRef) -> Address<'_> {
    (page.url.as_str(), &page.content_hash)
}

/// The id under which a page is here, or is now that it has come; `None` where its text has not.
async fn save(
    tx: &mut SqliteConnection,
    page: &PageRef,
    new: Option<&PackedPage>,
) -> Result<Option<PageId>, sqlx::Error> {
    match new {
        Some(packed) => Ok(Some(pages::save(tx, packed).await?)),
        None => pages::meet(tx, page.url.as_str(), &page.content_hash, page.fetched_at).await,
    }
}

fn page_of(page: &PageRef, body: &PageBody) -> Page {
    Page {
        id: PageId::new(),
        url: page.url.clone(),
        title: page.title.clone(),
        author: page.author.clone(),
        site_name: page.site_name.clone(),
        published_at: page.published_at,
        favicon: page.favicon.clone(),
        picture: None,
        language: page.language.clone(),
        media_type: page.media_type,
        sentences: text::sentences(&body.text),
        text: body.text.clone(),
        html: body.html.clone(),
        fetched_at: page.fetched_at,
        content_hash: body.content_hash.clone(),
    }
}

async fn wait_longer(
    tx: &mut SqliteConnection,
    message_id: &str,
    is_late: bool,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let tries = sqlx::query_scalar!("select tries from sync_evidence where message_id = ?", message_id)
        .fetch_one(&mut *tx)
        .await?;
    if !is_late && tries + 1 >= TRIES {
        sqlx::query!("delete from sync_evidence where message_id = ?", message_id)
            .execute(tx)
            .await?;
        return Ok(());
    }
    let before = u32::try_from(tries).unwrap_or_default();
    let next = (now + wait_of_late_page(before)).timestamp_millis();
    // As often as it comes late, it keeps one more.
    let tries = (tries + 1).min(TRIES - 1);
    sqlx::query!(
        "update sync_evidence set tries = ?, next_try = ? where message_id = ?",
        tries,
        next,
        message_id
    )
    .execute(tx)
    .await?;
    Ok(())
}
