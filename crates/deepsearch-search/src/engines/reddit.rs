//! Reddit: what people say to each other. No key; it turns away networks that ask it much, which is told as such.

use async_trait::async_trait;
use chrono::DateTime;
use deepsearch_core::{EngineKind, SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, shortened};
use crate::hits::collect;
use crate::http::{items, json};

const QUERY_CHARACTERS: usize = 500;

pub(super) struct Reddit(pub(super) Endpoint);

#[derive(Deserialize)]
struct Listing {
    data: Children,
}

#[derive(Deserialize)]
struct Children {
    children: Vec<Value>,
}

#[derive(Deserialize)]
struct Thing {
    data: Post,
}

#[derive(Deserialize)]
struct Post {
    title: String,
    permalink: String,
    #[serde(default)]
    selftext: String,
    #[serde(default)]
    subreddit_name_prefixed: String,
    #[serde(default)]
    score: i64,
    #[serde(default)]
    num_comments: i64,
    created_utc: Option<f64>,
    #[serde(default)]
    over_18: bool,
}

#[async_trait]
impl SearchEngine for Reddit {
    fn id(&self) -> &str {
        self.0.engine
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Discussions
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, .. } = &self.0;
        let mut url = self.0.url("search.json");
        let range = match query.time_range {
            None => "all",
            Some(TimeRange::Day) => "day",
            Some(TimeRange::Week) => "week",
            Some(TimeRange::Month) => "month",
            Some(TimeRange::Year) => "year",
        };
        url.query_pairs_mut()
            .append_pair("q", &shortened(&query.text, QUERY_CHARACTERS, usize::MAX))
            .append_pair("type", "link")
            .append_pair("sort", "relevance")
            .append_pair("t", range)
            // Otherwise its texts come with HTML's entities in them.
            .append_pair("raw_json", "1")
            .append_pair("limit", &query.limit.clamp(1, 50).to_string());
        let answer = http.send(engine, http.get(url)).await?;
        match answer.status {
            200 => {}
            // There is no key to refuse: the network is.
            403 => {
                return Err(SearchError::Captcha {
                    engine: (*engine).into(),
                });
            }
            _ => return Err(http.refusal(engine, &answer)),
        }
        let found: Listing = json(engine, &answer.body)?;
        let posts = items::<Thing>(found.data.children).map(|thing| thing.data);
        collect(engine, query, posts.filter(|post| !post.over_18).filter_map(hit))
    }
}

fn hit(post: Post) -> Option<SearchHit> {
    if !post.permalink.starts_with("/r/") && !post.permalink.starts_with("/user/") {
        return None;
    }
    Some(SearchHit {
        title: post.title,
        url: format!("https://www.reddit.com{}", post.permalink),
        snippet: format!(
            "{}, {} points, {} comments. {}",
            post.subreddit_name_prefixed, post.score, post.num_comments, post.selftext
        ),
        favicon: None,
        published_at: post.created_utc.and_then(|at| DateTime::from_timestamp(at as i64, 0)),
    })
}
