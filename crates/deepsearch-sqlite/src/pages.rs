//! Pages: sources as they read when they were fetched, saved once and shared by all answers that read the same.
//!
//! Text and HTML are compressed (zstd), sentences are gaps and lengths (see `packing.rs`).

use chrono::{DateTime, Utc};
use deepsearch_core::{MediaType, MessageId, Page, PageId};
use sqlx::{SqliteConnection, SqlitePool};
use url::Url;

use crate::error::{Doing, StoreError};
use crate::packing::{compress, decompress, pack_sentences, unpack_sentences};
use crate::store::Store;
use crate::time::from_millis;

struct PageRow {
    id: String,
    url: String,
    title: String,
    author: Option<String>,
    site_name: Option<String>,
    published_at: Option<i64>,
    favicon: Option<String>,
    language: Option<String>,
    media_type: String,
    fetched_at: i64,
    content_hash: String,
    sentences: Vec<u8>,
    text: Vec<u8>,
    html: Option<Vec<u8>>,
}

/// `query_as!` over the columns of a [`PageRow`], with the rest of the statement.
macro_rules! select_pages {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            PageRow,
            r#"select id as "id!", url as "url!", title as "title!", author, site_name, published_at, favicon,
            language, media_type as "media_type!", fetched_at as "fetched_at!", content_hash as "content_hash!",
            sentences as "sentences!", text as "text!", html from "# + $rest
            $(, $argument)*
        )
    };
}

impl Store {
    /// # Errors
    /// [`StoreError::Corrupt`] when the page is there but cannot be unpacked.
    pub async fn lookup_page(&self, id: &PageId) -> Result<Option<Page>, StoreError> {
        let id = id.as_str();
        let row = select_pages!("page where id = ?", id)
            .fetch_optional(self.readers())
            .await
            .doing("look up the page")?;
        row.map(PageRow::unpack).transpose()
    }

    /// The page as it was last read at an address.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the page is there but cannot be unpacked.
    pub async fn find_page_by_url(&self, url: &Url) -> Result<Option<Page>, StoreError> {
        let url = url.as_str();
        let row = select_pages!("page where url = ? order by fetched_at desc, seq desc limit 1", url)
            .fetch_optional(self.readers())
            .await
            .doing("look up the page")?;
        row.map(PageRow::unpack).transpose()
    }

    /// The pages an answer was made from, in the order of its sources. One that is damaged is left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_pages_of(&self, message_id: &MessageId) -> Result<Vec<Page>, StoreError> {
        let id = message_id.as_str();
        let rows = select_pages!(
            "message_source join page on page.id = page_id where message_id = ? order by number",
            id
        )
        .fetch_all(self.readers())
        .await
        .doing("list the pages of the answer")?;
        Ok(rows.into_iter().filter_map(PageRow::unpack_or_leave).collect())
    }
}

/// Every page that was read for a research, whether its report cites it or not.
pub(crate) async fn list_of_research(readers: &SqlitePool, message_id: &MessageId) -> Result<Vec<Page>, StoreError> {
    let id = message_id.as_str();
    let rows = select_pages!(
        "research_page join page on page.id = page_id where message_id = ? order by page.seq",
        id
    )
    .fetch_all(readers)
    .await
    .doing("list the pages of the research")?;
    Ok(rows.into_iter().filter_map(PageRow::unpack_or_leave).collect())
}

impl PageRow {
    fn unpack_or_leave(self) -> Option<Page> {
        self.unpack()
            .inspect_err(|error| tracing::warn!(%error, "a saved page is damaged"))
            .ok()
    }

    fn unpack(self) -> Result<Page, StoreError> {
        let damaged = |source: crate::error::Source| StoreError::Corrupt {
            action: "unpack the page",
            source,
        };
        let text = decompress(&self.text).map_err(|error| damaged(error.into()))?;
        let html = self.html.as_deref().map(decompress).transpose();
        Ok(Page {
            id: PageId::from_stored(self.id),
            url: Url::parse(&self.url).map_err(|error| damaged(error.into()))?,
            title: self.title,
            author: self.author,
            site_name: self.site_name,
            published_at: self.published_at.map(from_millis),
            favicon: self.favicon.and_then(|url| Url::parse(&url).ok()),
            picture: None,
            language: self.language,
            media_type: match self.media_type.as_str() {
                "html" => MediaType::Html,
                "pdf" => MediaType::Pdf,
                _ => MediaType::Text,
            },
            sentences: unpack_sentences(&self.sentences, &text),
            text,
            html: html.map_err(|error| damaged(error.into()))?,
            fetched_at: from_millis(self.fetched_at),
            content_hash: self.content_hash,
        })
    }
}

/// A page as its row holds it.
pub(crate) struct PackedPage {
    page: Page,
    sentences: Vec<u8>,
    text: Vec<u8>,
    html: Option<Vec<u8>>,
}

impl PackedPage {
    pub(crate) async fn pack_all(pages: &[Page]) -> Result<Vec<Self>, StoreError> {
        const ACTION: &str = "compress the pages";
        let pages = pages.to_vec();
        let packed = tokio::task::spawn_blocking(|| pages.into_iter().map(Self::pack).collect());
        let packed: std::io::Result<Vec<Self>> = packed.await.map_err(|error| StoreError::Internal {
            action: ACTION,
            source: error.into(),
        })?;
        packed.doing(ACTION)
    }

    fn pack(page: Page) -> std::io::Result<Self> {
        Ok(Self {
            sentences: pack_sentences(&page.sentences),
            text: compress(&page.text)?,
            html: page.html.as_deref().map(compress).transpose()?,
            page,
        })
    }
}

/// Saves pages, and returns the ids that they are saved under.
pub(crate) async fn save_all(tx: &mut SqliteConnection, pages: &[PackedPage]) -> Result<Vec<PageId>, sqlx::Error> {
    let mut ids = Vec::with_capacity(pages.len());
    for page in pages {
        ids.push(save(tx, page).await?);
    }
    Ok(ids)
}

/// Saves a page, and returns the id that it is saved under.
pub(crate) async fn save(tx: &mut SqliteConnection, packed: &PackedPage) -> Result<PageId, sqlx::Error> {
    let page = &packed.page;
    match meet(tx, page.url.as_str(), &page.content_hash, page.fetched_at).await? {
        Some(id) => Ok(id),
        None => insert(tx, packed).await,
    }
}

/// The id of a page that is here and was read again and found the same: only the time moves, by which the newest of an
/// address is known.
pub(crate) async fn meet(
    tx: &mut SqliteConnection,
    url: &str,
    hash: &str,
    fetched_at: DateTime<Utc>,
) -> Result<Option<PageId>, sqlx::Error> {
    let fetched_at = fetched_at.timestamp_millis();
    let known = sqlx::query_scalar!(
        "update page set fetched_at = max(fetched_at, ?) where url = ? and content_hash = ? returning id",
        fetched_at,
        url,
        hash
    )
    .fetch_optional(tx)
    .await?;
    Ok(known.map(PageId::from_stored))
}

async fn insert(tx: &mut SqliteConnection, packed: &PackedPage) -> Result<PageId, sqlx::Error> {
    let page = &packed.page;
    // An imported file may name one that another page has.
    let own = page.id.as_str();
    let taken = sqlx::query_scalar!(r#"select 1 as "taken!: i64" from page where id = ?"#, own)
        .fetch_optional(&mut *tx)
        .await?;
    let page_id = taken.map_or_else(|| page.id.clone(), |_| PageId::new());
    let (id, url, host) = (page_id.as_str(), page.url.as_str(), page.host());
    let (published_at, favicon) = (
        page.published_at.map(|at| at.timestamp_millis()),
        page.favicon.as_ref().map(Url::as_str),
    );
    let media_type = match page.media_type {
        MediaType::Html => "html",
        MediaType::Pdf => "pdf",
        MediaType::Text => "text",
    };
    let fetched_at = page.fetched_at.timestamp_millis();
    sqlx::query!(
        "insert into page (id, url, host, title, author, site_name, published_at, favicon, language, media_type,
            fetched_at, content_hash, sentences, text, html)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        url,
        host,
        page.title,
        page.author,
        page.site_name,
        published_at,
        favicon,
        page.language,
        media_type,
        fetched_at,
        page.content_hash,
        packed.sentences,
        packed.text,
        packed.html
    )
    .execute(tx)
    .await?;
    Ok(page_id)
}

/// Makes `pages` the numbered sources of an answer, in order.
pub(crate) async fn link(tx: &mut SqliteConnection, message_id: &str, pages: &[PageId]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from message_source where message_id = ?", message_id)
        .execute(&mut *tx)
        .await?;
    for (number, page_id) in (1_i64..).zip(pages) {
        let page_id = page_id.as_str();
        sqlx::query!(
            "insert into message_source (message_id, number, page_id) values (?, ?, ?)",
            message_id,
            number,
            page_id
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Adds the page of one source, unless that source has one.
pub(crate) async fn add_source(
    tx: &mut SqliteConnection,
    message_id: &str,
    number: u32,
    page_id: &PageId,
) -> Result<(), sqlx::Error> {
    let page_id = page_id.as_str();
    sqlx::query!(
        "insert or ignore into message_source (message_id, number, page_id) values (?, ?, ?)",
        message_id,
        number,
        page_id
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn ids_of_chat(tx: &mut SqliteConnection, chat_id: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select page_id as "page_id!" from message join message_source on message_id = message.id
           where chat_id = ?1
           union
           select page_id from message join research_page on message_id = message.id where chat_id = ?1
           union
           select page_id from message join recheck_page on message_id = message.id where chat_id = ?1"#,
        chat_id
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn ids_of_message(tx: &mut SqliteConnection, message_id: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select page_id as "page_id!" from message_source where message_id = ?1
           union
           select page_id from research_page where message_id = ?1
           union
           select page_id from recheck_page where message_id = ?1"#,
        message_id
    )
    .fetch_all(tx)
    .await
}

/// Deletes those of `pages` that no answer refers to any more.
pub(crate) async fn delete_unused(tx: &mut SqliteConnection, pages: &[String]) -> Result<(), sqlx::Error> {
    for id in pages {
        sqlx::query!(
            "delete from page where id = ?1 and not exists (select 1 from message_source where page_id = ?1)
                and not exists (select 1 from citation where page_id = ?1)
                and not exists (select 1 from research_page where page_id = ?1)
                and not exists (select 1 from recheck_page where page_id = ?1)",
            id
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
