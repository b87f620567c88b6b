//! Pictures: a copy of what each page shows itself with, shared by all answers that rest on the page.

use deepsearch_core::{MessageId, PageId, Picture, SourcePicture};
use url::Url;

use crate::error::{Doing, StoreError};
use crate::store::Store;

/// Of one answer, so many are listed.
const OF_AN_ANSWER: i64 = 20;

impl Store {
    /// Keeps the picture of a saved page; one that is there already stays, as its page does.
    ///
    /// # Errors
    /// [`StoreError`]; also when there is no such page any more.
    pub async fn keep_picture(&self, picture: &Picture) -> Result<(), StoreError> {
        const ACTION: &str = "keep the picture of a page";
        let (page, url) = (picture.page_id.as_str(), picture.url.as_str());
        let mut tx = self.begin(ACTION).await?;
        sqlx::query!(
            "insert into page_picture (page_id, url, alt, media_type, width, height, bytes) values (?, ?, ?, ?, ?, ?, ?)
            on conflict (page_id) do nothing",
            page,
            url,
            picture.alt,
            picture.media_type,
            picture.width,
            picture.height,
            picture.bytes
        )
        .execute(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)
    }

    /// The pictures of an answer's sources, in the order of the sources. One that several pages show is given once.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn list_pictures_of(&self, message_id: &MessageId) -> Result<Vec<SourcePicture>, StoreError> {
        let id = message_id.as_str();
        let rows = sqlx::query!(
            r#"select number as "number!: u32", page.title as "title!", page_picture.page_id as "page_id!",
                page_picture.url as "url!", alt as "alt!", page_picture.media_type as "media_type!",
                width as "width!: u32", height as "height!: u32", bytes as "bytes!"
            from message_source join page on page.id = message_source.page_id
            join page_picture on page_picture.page_id = page.id
            where message_id = ? order by number limit ?"#,
            id,
            OF_AN_ANSWER
        )
        .fetch_all(self.readers())
        .await
        .doing("list the pictures of the answer")?;
        let mut pictures: Vec<SourcePicture> = Vec::new();
        for row in rows {
            let Ok(url) = Url::parse(&row.url) else { continue };
            if pictures.iter().any(|other| other.picture.bytes == row.bytes) {
                continue;
            }
            pictures.push(SourcePicture {
                number: row.number,
                title: row.title,
                picture: Picture {
                    page_id: PageId::from_stored(row.page_id),
                    url,
                    alt: row.alt,
                    media_type: row.media_type,
                    width: row.width,
                    height: row.height,
                    bytes: row.bytes,
                },
            });
        }
        Ok(pictures)
    }

    /// Whether a copy of the page's picture is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn has_picture(&self, page: &PageId) -> Result<bool, StoreError> {
        let id = page.as_str();
        let found = sqlx::query_scalar!(r#"select 1 as "one!" from page_picture where page_id = ?"#, id)
            .fetch_optional(self.readers())
            .await
            .doing("look for the picture of a page")?;
        Ok(found.is_some())
    }
}
