//! Every engine of the web with its real wire format, answering from the local web.
//!
//! Each checks what the real one checks (path, method, key, form) and errs as the real one errs, status and body.
//! Written from the engines' own documentation, apart from the product's clients.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::local_index::{Document, LocalIndex};
use crate::scripted_server::{Asked, Reply, ScriptedServer};

/// The key that the fakes of engines with keys accept.
pub const KEY: &str = "test-key-0123456789";

/// The engines there are fakes of.
pub const ENGINES: &[&str] = &["serper", "brave", "tavily", "exa", "searxng", "wikipedia", "duckduckgo"];

/// How an engine is disposed, each told as this engine tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Answers,
    /// Status 200 and nothing found.
    Empty,
    /// Asks to prove that one is human; an engine that never does limits the rate.
    Captcha,
    RateLimited,
    QuotaUsedUp,
    /// Refuses every key.
    KeyRefused,
    /// Status 500.
    Broken,
    /// Answers, after this long.
    Slow(Duration),
}

/// One engine on a port of its own. Dropping it ends it.
#[derive(Debug)]
pub struct FakeEngine {
    server: ScriptedServer,
    mood: Arc<Mutex<Mood>>,
}

impl FakeEngine {
    /// Starts the fake of `engine`, which is one of [`ENGINES`].
    ///
    /// # Errors
    /// When there is no such fake, or no port is free.
    pub async fn start(engine: &str, index: Arc<LocalIndex>) -> Result<Self> {
        let wire: fn(&Call<'_>) -> Reply = match engine {
            "serper" => serper,
            "brave" => brave,
            "tavily" => tavily,
            "exa" => exa,
            "searxng" => searxng,
            "wikipedia" => wikipedia,
            "duckduckgo" => duckduckgo,
            other => bail!("there is no fake of `{other}`"),
        };
        let mood = Arc::new(Mutex::new(Mood::Answers));
        let current = Arc::clone(&mood);
        let server = ScriptedServer::start(move |asked: &Asked| {
            let mood = *current.lock().expect("no panic while setting the mood");
            let call = Call {
                asked,
                mood,
                index: &index,
            };
            match mood {
                Mood::Broken => Reply::status(500),
                Mood::Slow(delay) => wire(&call).after(delay),
                _ => wire(&call),
            }
        })
        .await?;
        Ok(Self { server, mood })
    }

    /// What `engines.<id>.url` is set to.
    pub fn base(&self) -> &Url {
        self.server.base()
    }

    /// Changes how it answers from now on.
    ///
    /// # Panics
    /// When a server task has panicked.
    pub fn be(&self, mood: Mood) {
        *self.mood.lock().expect("no panic while setting the mood") = mood;
    }

    /// Everything that was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }
}

struct Call<'a> {
    asked: &'a Asked,
    mood: Mood,
    index: &'a LocalIndex,
}

impl Call<'_> {
    fn is(&self, method: &str, path: &str) -> bool {
        self.asked.method == method && self.asked.target.split('?').next() == Some(path)
    }

    fn header(&self, name: &str) -> &str {
        let found = self.asked.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    fn refuses(&self, key: &str) -> bool {
        self.mood == Mood::KeyRefused || key != KEY
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.asked.body).unwrap_or_default()
    }

    fn pair(&self, name: &str) -> Option<String> {
        pair(self.asked.target.split_once('?')?.1, name)
    }

    fn hits(&self, query: &str, limit: Option<u64>) -> Vec<&Document> {
        if self.mood == Mood::Empty {
            return Vec::new();
        }
        self.index
            .search(query, usize::try_from(limit.unwrap_or(10)).unwrap_or(10))
    }
}

fn pair(form: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(form.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn error(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json", body.to_string().into_bytes())
}

fn serper(call: &Call<'_>) -> Reply {
    let says = |status: u16, message: &str| error(status, &json!({ "message": message, "statusCode": status }));
    let request = call.json();
    match call.mood {
        _ if !call.is("POST", "/search") => says(404, "Not Found"),
        _ if call.refuses(call.header("x-api-key")) => says(403, "Unauthorized."),
        Mood::RateLimited | Mood::Captcha => says(429, "Too many requests"),
        Mood::QuotaUsedUp => says(400, "Not enough credits"),
        _ => {
            let Some(query) = request["q"].as_str().filter(|query| !query.is_empty()) else {
                return says(400, "Missing query parameter");
            };
            let organic: Vec<Value> = (1..)
                .zip(call.hits(query, request["num"].as_u64()))
                .map(|(position, hit)| {
                    json!({ "title": hit.title, "link": hit.url, "snippet": hit.snippet, "position": position })
                })
                .collect();
            Reply::json(&json!({
                "searchParameters": { "q": query, "type": "search", "engine": "google" },
                "organic": organic,
                "credits": 1,
            }))
        }
    }
}

fn brave(call: &Call<'_>) -> Reply {
    let says = |status: u16, code: &str| {
        let body = json!({
            "type": "ErrorResponse",
            "error": { "id": "0", "status": status, "code": code, "detail": code, "meta": {} },
            "time": 0,
        });
        error(status, &body)
    };
    match call.mood {
        _ if !call.is("GET", "/res/v1/web/search") => says(404, "NOT_FOUND"),
        _ if call.refuses(call.header("x-subscription-token")) => says(422, "SUBSCRIPTION_TOKEN_INVALID"),
        Mood::RateLimited | Mood::Captcha => says(429, "RATE_LIMITED").header("x-ratelimit-reset", "1, 86400"),
        Mood::QuotaUsedUp => says(429, "QUOTA_LIMITED"),
        _ => {
            let Some(query) = call
                .pair("q")
                .filter(|query| !query.is_empty() && query.chars().count() <= 400)
            else {
                return says(422, "VALIDATION");
            };
            let limit = call.pair("count").map_or(Some(20), |count| count.parse().ok());
            if limit.is_none_or(|limit| limit > 20) {
                return says(422, "VALIDATION");
            }
            let results: Vec<Value> = call
                .hits(&query, limit)
                .into_iter()
                .map(|hit| {
                    json!({
                        "type": "search_result", "title": escaped(&hit.title), "url": hit.url,
                        "description": escaped(&hit.snippet), "language": "en", "family_friendly": true,
                    })
                })
                .collect();
            let mut answer = json!({ "type": "search", "query": { "original": query } });
            // As Brave does: no `web` at all where there is nothing.
            if !results.is_empty() {
                answer["web"] = json!({ "type": "search", "results": results });
            }
            Reply::json(&answer)
        }
    }
}

fn tavily(call: &Call<'_>) -> Reply {
    let says = |status: u16, message: &str| error(status, &json!({ "detail": { "error": message } }));
    let request = call.json();
    let key = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    match call.mood {
        _ if !call.is("POST", "/search") => says(404, "Not Found"),
        _ if call.refuses(key) => says(401, "Unauthorized: missing or invalid API key."),
        Mood::RateLimited | Mood::Captcha => says(429, "Your request has been blocked due to excessive requests."),
        Mood::QuotaUsedUp => says(432, "This request exceeds your plan's set usage limit."),
        _ => {
            let Some(query) = request["query"].as_str().filter(|query| query.chars().count() <= 400) else {
                return says(400, "Query is missing or too long. Max query length is 400 characters.");
            };
            let limit = request["max_results"].as_u64().unwrap_or(5);
            let results: Vec<Value> = call
                .hits(query, Some(limit.min(20)))
                .into_iter()
                .map(|hit| {
                    json!({
                        "url": hit.url, "title": hit.title, "content": hit.snippet, "score": 0.9, "raw_content": null,
                    })
                })
                .collect();
            Reply::json(&json!({
                "query": query, "follow_up_questions": null, "answer": null, "images": [], "results": results,
                "response_time": 0.4, "request_id": "0",
            }))
        }
    }
}

fn exa(call: &Call<'_>) -> Reply {
    let says = |status: u16, tag: &str| error(status, &json!({ "requestId": "0", "error": tag, "tag": tag }));
    let request = call.json();
    match call.mood {
        _ if !call.is("POST", "/search") => says(404, "NOT_FOUND"),
        _ if call.refuses(call.header("x-api-key")) => says(401, "INVALID_API_KEY"),
        Mood::RateLimited | Mood::Captcha => says(429, "RATE_LIMIT_EXCEEDED"),
        Mood::QuotaUsedUp => says(402, "NO_MORE_CREDITS"),
        _ => {
            let Some(query) = request["query"].as_str().filter(|query| !query.is_empty()) else {
                return says(400, "INVALID_REQUEST_BODY");
            };
            let wants_highlights = !request["contents"]["highlights"].is_null();
            let results: Vec<Value> = call
                .hits(query, request["numResults"].as_u64())
                .into_iter()
                .map(|hit| {
                    let mut result = json!({ "id": hit.url, "url": hit.url, "title": hit.title, "author": null });
                    if wants_highlights {
                        result["highlights"] = json!([hit.snippet]);
                        result["highlightScores"] = json!([0.5]);
                    }
                    result
                })
                .collect();
            Reply::json(&json!({
                "requestId": "0", "resolvedSearchType": "neural", "results": results, "costDollars": { "total": 0.005 },
            }))
        }
    }
}

fn searxng(call: &Call<'_>) -> Reply {
    let page = |status: u16, text: &str| {
        let html = format!("<!DOCTYPE html><html><head><title>SearXNG</title></head><body>{text}</body></html>");
        Reply::new(status, "text/html; charset=utf-8", html.into_bytes())
    };
    if !call.is("GET", "/search") {
        return page(404, "Page not found");
    }
    let Some(query) = call.pair("q").filter(|query| !query.is_empty()) else {
        return page(400, "No query");
    };
    match call.mood {
        // A fresh installation: JSON is not among its formats. It has no keys.
        Mood::KeyRefused => return page(403, "Forbidden"),
        Mood::RateLimited | Mood::QuotaUsedUp => return page(429, "Too Many Requests"),
        _ if call.pair("format").as_deref() != Some("json") => return page(200, "results for people"),
        _ => {}
    }
    let is_captcha = call.mood == Mood::Captcha;
    let hits = if is_captcha {
        Vec::new()
    } else {
        call.hits(&query, None)
    };
    let results: Vec<Value> = (1..)
        .zip(hits)
        .map(|(position, hit)| {
            json!({
                "url": hit.url, "title": hit.title, "content": hit.snippet, "publishedDate": null, "engine": "local",
                "template": "default.html", "engines": ["local"], "positions": [position], "score": 1.0,
                "category": "general",
            })
        })
        .collect();
    Reply::json(&json!({
        "query": query, "number_of_results": 0, "results": results, "answers": [], "corrections": [],
        "infoboxes": [], "suggestions": [],
        "unresponsive_engines": if is_captcha { json!([["duckduckgo", "CAPTCHA"]]) } else { json!([]) },
    }))
}

/// Articles are where MediaWiki has them, at `/wiki/TITLE`, and lead on to the page itself.
fn wikipedia(call: &Call<'_>) -> Reply {
    if let Some(title) = call.asked.target.strip_prefix("/wiki/") {
        let title = pair(&format!("title={}", title.replace('+', "%2B")), "title").unwrap_or_default();
        return match call.index.by_title(&title.replace('_', " ")) {
            Some(document) => Reply::redirect(document.url.as_str()),
            None => Reply::status(404),
        };
    }
    if !call.is("GET", "/w/api.php") || call.header("user-agent").is_empty() {
        return Reply::status(403);
    }
    let is_search = call.pair("action").as_deref() == Some("query") && call.pair("list").as_deref() == Some("search");
    let query = call.pair("srsearch").unwrap_or_default();
    match call.mood {
        Mood::RateLimited | Mood::Captcha | Mood::QuotaUsedUp => {
            return Reply::new(429, "text/html", b"Too many requests".to_vec()).header("retry-after", "1");
        }
        Mood::KeyRefused => return Reply::status(403),
        // MediaWiki tells errors with status 200.
        _ if !is_search => return Reply::json(&json!({ "error": { "code": "badvalue", "info": "no such module" } })),
        _ if query.is_empty() || query.chars().count() > 300 => {
            return Reply::json(&json!({ "error": { "code": "cirrussearch-query-too-long", "info": "too long" } }));
        }
        _ => {}
    }
    let limit = call.pair("srlimit").and_then(|limit| limit.parse().ok());
    let hits = call.hits(&query, limit);
    let search: Vec<Value> = (1..)
        .zip(&hits)
        .map(|(id, hit)| {
            json!({
                "ns": 0, "title": hit.title, "pageid": id, "size": 1000, "wordcount": 100,
                "snippet": format!("<span class=\"searchmatch\">{}</span>", escaped(&hit.snippet)),
                "timestamp": "2025-01-01T00:00:00Z",
            })
        })
        .collect();
    Reply::json(&json!({
        "batchcomplete": true, "query": { "searchinfo": { "totalhits": hits.len() }, "search": search },
    }))
}

fn duckduckgo(call: &Call<'_>) -> Reply {
    let page = |status: u16, body: &str| {
        let html = format!(
            "<!DOCTYPE html><html><head><title>DuckDuckGo</title></head><body class=\"body--html\">{body}</body></html>"
        );
        Reply::new(status, "text/html; charset=UTF-8", html.into_bytes())
    };
    let query = match call.asked.method.as_str() {
        _ if !(call.is("POST", "/html/") || call.is("GET", "/html/")) => return Reply::status(404),
        "POST" => pair(&call.asked.body, "q"),
        _ => call.pair("q"),
    };
    match call.mood {
        Mood::Captcha | Mood::RateLimited | Mood::QuotaUsedUp => return page(202, CAPTCHA),
        Mood::KeyRefused => return Reply::status(403),
        _ => {}
    }
    let hits = call.hits(&query.unwrap_or_default(), None);
    if hits.is_empty() {
        return page(
            200,
            "<div id=\"links\" class=\"results\"><div class=\"result results_links results_links_deep result--no-result\">\
             <div class=\"no-results\">No results.</div></div></div>",
        );
    }
    let results: String = hits.iter().map(|hit| duckduckgo_result(hit)).collect();
    page(
        200,
        &format!("<div id=\"links\" class=\"results\">{ADVERTISEMENT}{results}</div>"),
    )
}

fn duckduckgo_result(hit: &Document) -> String {
    let link: String = form_urlencoded::byte_serialize(hit.url.as_str().as_bytes()).collect();
    format!(
        "<div class=\"result results_links results_links_deep web-result \"><div class=\"links_main links_deep \
         result__body\"><h2 class=\"result__title\"><a rel=\"nofollow\" class=\"result__a\" \
         href=\"//duckduckgo.com/l/?uddg={link}&amp;rut=0\">{}</a></h2><div class=\"result__extras\"><div \
         class=\"result__extras__url\"><a class=\"result__url\" href=\"//duckduckgo.com/l/?uddg={link}\">{}</a></div>\
         </div><a class=\"result__snippet\" href=\"//duckduckgo.com/l/?uddg={link}\">{}</a><div class=\"clear\"></div>\
         </div></div>",
        escaped(&hit.title),
        hit.url.host_str().unwrap_or_default(),
        escaped(&hit.snippet),
    )
}

const CAPTCHA: &str = "<form id=\"challenge-form\" action=\"//duckduckgo.com/anomaly.js\" method=\"POST\">\
    <div class=\"anomaly-modal__title\">Unfortunately, bots use DuckDuckGo too.</div></form>";

/// Every page of results has one; it must never become a source.
const ADVERTISEMENT: &str = "<div class=\"result results_links results_links_deep result--ad \"><h2 \
    class=\"result__title\"><a class=\"result__a\" href=\"https://duckduckgo.com/y.js?ad_domain=example.com\">Buy \
    now</a></h2><a class=\"result__snippet\" href=\"https://duckduckgo.com/y.js\">An advertisement</a></div>";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
