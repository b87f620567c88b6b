//! Engines of one kind of page with their real wire formats: OpenAlex for papers, Stack Exchange for discussions, GDELT for
//! news. Each checks what the real one checks, and finds what has a telling word of the question.
//!
//! Written from the engines' own documentation, apart from the product's clients.

use std::collections::BTreeMap;

use anyhow::Result;
use deepsearch_core::text::content_terms;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::scripted_server::{Asked, Reply, ScriptedServer};

/// A paper as OpenAlex knows it.
#[derive(Debug, Clone)]
pub struct Paper {
    pub title: &'static str,
    pub year: i32,
    pub doi: &'static str,
    pub authors: &'static [&'static str],
    pub journal: &'static str,
    pub says: &'static str,
    /// Where anybody can read it.
    pub page: Url,
}

/// A question of a forum, with what was written under it.
#[derive(Debug, Clone)]
pub struct Thread {
    pub title: &'static str,
    pub body: &'static str,
    pub score: i64,
    pub answers: i64,
    pub page: Url,
}

/// An article of a newspaper.
#[derive(Debug, Clone)]
pub struct Article {
    pub title: &'static str,
    /// As GDELT writes it: `20261122T103000Z`.
    pub seen: &'static str,
    pub country: &'static str,
    pub page: Url,
}

/// # Errors
/// When no port is free.
pub async fn openalex(papers: Vec<Paper>) -> Result<ScriptedServer> {
    ScriptedServer::start(move |asked| {
        if path(asked) != "/works" || asked.method != "GET" {
            return Reply::status(404);
        }
        let Some(query) = pair(asked, "search").filter(|query| !query.is_empty()) else {
            return Reply::new(
                400,
                "application/json",
                json!({ "error": "Invalid query" }).to_string().into(),
            );
        };
        let found = papers.iter().filter(|paper| shares(&query, &[paper.title, paper.says]));
        let works: Vec<Value> = found.map(work).collect();
        Reply::json(&json!({
            "meta": { "count": works.len(), "page": 1, "per_page": 10 }, "results": works, "group_by": [],
        }))
    })
    .await
}

fn work(paper: &Paper) -> Value {
    let mut index: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, word) in paper.says.split_whitespace().enumerate() {
        index.entry(word).or_default().push(at);
    }
    let author = |name: &&str| json!({ "author_position": "middle", "author": { "display_name": name } });
    json!({
        "doi": format!("https://doi.org/{}", paper.doi),
        "display_name": paper.title,
        "publication_year": paper.year,
        "publication_date": format!("{}-05-04", paper.year),
        "primary_location": { "landing_page_url": format!("https://doi.org/{}", paper.doi), "pdf_url": null,
            "source": { "id": "https://openalex.org/S1", "display_name": paper.journal } },
        "best_oa_location": { "landing_page_url": paper.page, "pdf_url": null, "source": null },
        "authorships": paper.authors.iter().map(author).collect::<Vec<_>>(),
        "abstract_inverted_index": index,
    })
}

/// # Errors
/// When no port is free.
pub async fn stack_exchange(threads: Vec<Thread>) -> Result<ScriptedServer> {
    ScriptedServer::start(move |asked| {
        let refused = |name: &str, message: &str| {
            let body = json!({ "error_id": 400, "error_name": name, "error_message": message });
            Reply::new(400, "application/json", body.to_string().into())
        };
        if path(asked) != "/search/advanced" || asked.method != "GET" {
            return refused("no_method", "this method cannot be called this way");
        }
        if pair(asked, "site").is_none_or(|site| site.is_empty()) {
            return refused("bad_parameter", "site is required");
        }
        let query = pair(asked, "q").unwrap_or_default();
        let found = threads
            .iter()
            .filter(|thread| shares(&query, &[thread.title, thread.body]));
        let items: Vec<Value> = (1..)
            .zip(found)
            .map(|(id, thread)| {
                json!({
                    "tags": ["lighthouses"], "title": thread.title, "body": format!("<p>{}</p>", thread.body),
                    "link": thread.page, "score": thread.score, "answer_count": thread.answers,
                    "is_answered": thread.answers > 0, "creation_date": 1_700_000_000, "question_id": id,
                })
            })
            .collect();
        Reply::json(&json!({ "items": items, "has_more": false, "quota_max": 300, "quota_remaining": 299 }))
    })
    .await
}

/// # Errors
/// When no port is free.
pub async fn gdelt(articles: Vec<Article>) -> Result<ScriptedServer> {
    ScriptedServer::start(move |asked| {
        let says = |text: &str| Reply::new(200, "text/html; charset=utf-8", text.to_owned().into());
        if path(asked) != "/api/v2/doc/doc" {
            return Reply::status(404);
        }
        // As GDELT does: what it does not take it says in words, with status 200.
        let query = pair(asked, "query").unwrap_or_default();
        if query.split_whitespace().any(|word| word.chars().count() < 3) {
            return says("The specified phrase is too short.");
        }
        if pair(asked, "mode").as_deref() != Some("artlist") || pair(asked, "format").as_deref() != Some("json") {
            return says("<html><body>a page for people</body></html>");
        }
        let found = articles.iter().filter(|article| shares(&query, &[article.title]));
        let list: Vec<Value> = found
            .map(|article| {
                json!({
                    "url": article.page, "url_mobile": "", "title": article.title, "seendate": article.seen,
                    "socialimage": "", "domain": article.page.host_str(), "language": "English",
                    "sourcecountry": article.country,
                })
            })
            .collect();
        // No list at all where there is nothing.
        Reply::json(&if list.is_empty() {
            json!({})
        } else {
            json!({ "articles": list })
        })
    })
    .await
}

fn path(asked: &Asked) -> &str {
    asked.target.split('?').next().unwrap_or_default()
}

fn pair(asked: &Asked, name: &str) -> Option<String> {
    let form = asked.target.split_once('?')?.1;
    form_urlencoded::parse(form.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn shares(query: &str, texts: &[&str]) -> bool {
    let known = content_terms(&texts.join(" "));
    content_terms(query).iter().any(|term| known.contains(term))
}
