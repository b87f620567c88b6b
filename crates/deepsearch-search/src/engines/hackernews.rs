//! Hacker News, through Algolia's search of it: stories with what was said under them. No key.

use async_trait::async_trait;
use deepsearch_core::{EngineKind, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults};
use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, days, shortened};
use crate::hits::{collect, from_html, published};
use crate::http::{items, json};

const QUERY_CHARACTERS: usize = 500;
const DISCUSSION: &str = "https://news.ycombinator.com/item?id=";

pub(super) struct HackerNews(pub(super) Endpoint);

#[derive(Deserialize)]
struct Found {
    hits: Vec<Value>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "objectID")]
    id: String,
    title: Option<String>,
    story_title: Option<String>,
    story_text: Option<String>,
    comment_text: Option<String>,
    points: Option<i64>,
    num_comments: Option<i64>,
    created_at: Option<String>,
}

#[async_trait]
impl SearchEngine for HackerNews {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Discussions
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let mut url = self.0.url("api/v1/search");
        url.query_pairs_mut()
            .append_pair("query", &shortened(&query.text, QUERY_CHARACTERS, usize::MAX))
            .append_pair("tags", "(story,comment)")
            // Of a whole question rarely every word is said in one place.
            .append_pair("removeWordsIfNoResults", "allOptional")
            .append_pair("hitsPerPage", &query.limit.clamp(1, 50).to_string());
        if let Some(range) = query.time_range {
            let since = (http.now() - days(range)).timestamp();
            url.query_pairs_mut()
                .append_pair("numericFilters", &format!("created_at_i>{since}"));
        }
        let answer = http.send(engine, http.get(url)).await?;
        if answer.status != 200 {
            return Err(http.refusal(engine, &answer));
        }
        let found: Found = json(engine, &answer.body)?;
        let now = http.now();
        collect(engine, query, items(found.hits).filter_map(|item| hit(item, now)))
    }
}

fn hit(item: Item, now: chrono::DateTime<chrono::Utc>) -> Option<SearchHit> {
    // Ids are numbers; anything else would be part of another address.
    let id = Some(item.id).filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))?;
    let said = item.comment_text.or(item.story_text).unwrap_or_default();
    let counts = match (item.points, item.num_comments) {
        (Some(points), Some(comments)) => format!("{points} points, {comments} comments. "),
        _ => String::new(),
    };
    Some(SearchHit {
        title: from_html(&item.title.or(item.story_title)?),
        url: format!("{DISCUSSION}{id}"),
        snippet: format!("{counts}{}", from_html(&said)),
        favicon: None,
        published_at: item.created_at.as_deref().and_then(|date| published(date, now)),
    })
}
