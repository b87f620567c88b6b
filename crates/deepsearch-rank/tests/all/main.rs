//! The promises of the ranker, one module per module of `src/`.

mod canonical;
mod contradiction;
mod fuse;
mod rank;
mod similarity;
mod split;
mod tokens;

mod fixtures {
    //! Pages and hits made by hand.

    use chrono::{DateTime, Utc};
    use deepsearch_core::{MediaType, Page, PageId, SearchHit, text};

    pub(crate) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).expect("a valid time")
    }

    pub(crate) fn page(url: &str, title: &str, text: &str) -> Page {
        Page {
            id: PageId::parse(format!("page_{url}")).expect("a short url"),
            url: url.parse().expect("a valid url"),
            title: title.into(),
            author: None,
            site_name: None,
            published_at: None,
            favicon: None,
            picture: None,
            language: None,
            media_type: MediaType::Html,
            text: text.into(),
            sentences: text::sentences(text),
            html: None,
            fetched_at: now(),
            content_hash: String::new(),
        }
    }

    pub(crate) fn hit(url: &str) -> SearchHit {
        SearchHit {
            title: format!("Title of {url}"),
            url: url.into(),
            snippet: String::new(),
            favicon: None,
            published_at: None,
        }
    }
}
