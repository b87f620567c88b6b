//! The web's engines: which there are, what each needs, and how one is made.

mod arxiv;
mod brave;
mod duckduckgo;
mod exa;
mod gdelt;
mod hackernews;
mod openalex;
mod reddit;
mod searxng;
mod serper;
mod stackexchange;
mod tavily;
mod wikipedia;

use std::sync::Arc;

use chrono::TimeDelta;
use deepsearch_core::{EngineKind, SearchEngine, SearchError, TimeRange};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use crate::http::Http;

/// What is known of an engine before it is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EngineInfo {
    /// As settings and the command line write it.
    pub id: &'static str,
    pub name: &'static str,
    pub kind: EngineKind,
    pub needs_key: bool,
    /// Whether it has no address of its own and works only once one is set.
    pub needs_url: bool,
    pub home: &'static str,
    /// Where a key is had.
    pub key_url: Option<&'static str>,
    /// The address it has unless another is set.
    #[serde(skip)]
    base: Option<&'static str>,
}

/// What a person set for one engine. Its key shows in no log and no `Debug` output.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    pub key: Option<SecretString>,
    /// Another address than the engine's own: a proxy, a server on this machine, a fake.
    pub base_url: Option<Url>,
}

/// Every engine, those of one kind of page after those of the whole web, in the order in which they are offered.
pub const ENGINES: &[EngineInfo] = &[
    keyed(
        "serper",
        "Serper",
        "https://serper.dev",
        "https://serper.dev/api-keys",
        "https://google.serper.dev",
    ),
    keyed(
        "brave",
        "Brave Search",
        "https://brave.com/search/api/",
        "https://api-dashboard.search.brave.com/app/keys",
        "https://api.search.brave.com",
    ),
    keyed(
        "tavily",
        "Tavily",
        "https://tavily.com",
        "https://app.tavily.com",
        "https://api.tavily.com",
    ),
    keyed(
        "exa",
        "Exa",
        "https://exa.ai",
        "https://dashboard.exa.ai/api-keys",
        "https://api.exa.ai",
    ),
    EngineInfo {
        id: "searxng",
        name: "SearXNG",
        kind: EngineKind::Web,
        needs_key: false,
        needs_url: true,
        home: "https://docs.searxng.org",
        key_url: None,
        base: None,
    },
    // Wikipedia has an address for each language; this one stands for them.
    keyless(
        "wikipedia",
        "Wikipedia",
        "https://www.wikipedia.org",
        "https://en.wikipedia.org",
    ),
    keyless(
        "duckduckgo",
        "DuckDuckGo",
        "https://duckduckgo.com",
        "https://html.duckduckgo.com",
    ),
    special(
        EngineKind::Academic,
        "openalex",
        "OpenAlex",
        "https://openalex.org",
        Some("https://openalex.org/settings/api"),
        "https://api.openalex.org",
    ),
    special(
        EngineKind::Academic,
        "arxiv",
        "arXiv",
        "https://arxiv.org",
        None,
        "https://export.arxiv.org",
    ),
    special(
        EngineKind::Discussions,
        "hackernews",
        "Hacker News",
        "https://hn.algolia.com",
        None,
        "https://hn.algolia.com",
    ),
    special(
        EngineKind::Discussions,
        "stackexchange",
        "Stack Exchange",
        "https://stackexchange.com",
        Some("https://stackapps.com/apps/oauth/register"),
        "https://api.stackexchange.com/2.3",
    ),
    special(
        EngineKind::Discussions,
        "reddit",
        "Reddit",
        "https://www.reddit.com",
        None,
        "https://www.reddit.com",
    ),
    special(
        EngineKind::News,
        "gdelt",
        "GDELT",
        "https://www.gdeltproject.org",
        None,
        "https://api.gdeltproject.org",
    ),
];

/// Makes the engine `id`; `None` when there is none of that name, or when it needs an address and has none.
/// An engine without the key it needs is made, and says so when it is asked.
pub fn engine(id: &str, config: EngineConfig, http: &Http) -> Option<Arc<dyn SearchEngine>> {
    let info = ENGINES.iter().find(|info| info.id == id)?;
    let has_own_address = config.base_url.is_some();
    let base = config.base_url.or_else(|| Url::parse(info.base?).ok())?;
    let endpoint = Endpoint {
        engine: info.id,
        http: http.clone(),
        key: config.key.filter(|key| !key.expose_secret().trim().is_empty()),
        base,
        has_own_address,
    };
    Some(match id {
        "serper" => Arc::new(serper::Serper(endpoint)),
        "brave" => Arc::new(brave::Brave(endpoint)),
        "tavily" => Arc::new(tavily::Tavily(endpoint)),
        "exa" => Arc::new(exa::Exa(endpoint)),
        "searxng" => Arc::new(searxng::Searxng(endpoint)),
        "openalex" => Arc::new(openalex::OpenAlex(endpoint)),
        "arxiv" => Arc::new(arxiv::Arxiv(endpoint)),
        "hackernews" => Arc::new(hackernews::HackerNews(endpoint)),
        "stackexchange" => Arc::new(stackexchange::StackExchange(endpoint)),
        "reddit" => Arc::new(reddit::Reddit(endpoint)),
        "gdelt" => Arc::new(gdelt::Gdelt(endpoint)),
        "wikipedia" => Arc::new(wikipedia::Wikipedia(endpoint)),
        "duckduckgo" => Arc::new(duckduckgo::DuckDuckGo(endpoint)),
        _ => return None,
    })
}

/// Where an engine is and what it takes to talk to it.
struct Endpoint {
    engine: &'static str,
    http: Http,
    key: Option<SecretString>,
    base: Url,
    /// Whether the address was set, rather than being the engine's own.
    has_own_address: bool,
}

impl Endpoint {
    /// An address below the base, which may have a path of its own.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// The key as a header: `prefix` and the key, marked so that it is not logged.
    fn key(&self, prefix: &str) -> Result<HeaderValue, SearchError> {
        let engine = || self.engine.to_owned();
        let key = self
            .key
            .as_ref()
            .ok_or_else(|| SearchError::KeyMissing { engine: engine() })?;
        let value = HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret().trim()));
        // What cannot stand in a header is no key of any engine.
        let mut value = value.map_err(|_| SearchError::KeyRefused { engine: engine() })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The beginning of a question, for engines that refuse long ones: whole words within the limits.
fn shortened(text: &str, characters: usize, words: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    for word in text.split_whitespace().take(words) {
        let more = word.chars().count() + usize::from(length > 0);
        if length + more > characters {
            break;
        }
        if length > 0 {
            short.push(' ');
        }
        short.push_str(word);
        length += more;
    }
    // One endless word, as in scripts that write no spaces.
    if short.is_empty() {
        text.trim().chars().take(characters).collect()
    } else {
        short
    }
}

const fn keyed(
    id: &'static str,
    name: &'static str,
    home: &'static str,
    key_url: &'static str,
    base: &'static str,
) -> EngineInfo {
    EngineInfo {
        id,
        name,
        kind: EngineKind::Web,
        needs_key: true,
        needs_url: false,
        home,
        key_url: Some(key_url),
        base: Some(base),
    }
}

/// The days that a range reaches back.
fn days(range: TimeRange) -> TimeDelta {
    TimeDelta::days(match range {
        TimeRange::Day => 1,
        TimeRange::Week => 7,
        TimeRange::Month => 31,
        TimeRange::Year => 366,
    })
}

/// An engine of one kind of page, which works without a key.
const fn special(
    kind: EngineKind,
    id: &'static str,
    name: &'static str,
    home: &'static str,
    key_url: Option<&'static str>,
    base: &'static str,
) -> EngineInfo {
    EngineInfo {
        id,
        name,
        kind,
        needs_key: false,
        needs_url: false,
        home,
        key_url,
        base: Some(base),
    }
}

const fn keyless(id: &'static str, name: &'static str, home: &'static str, base: &'static str) -> EngineInfo {
    EngineInfo {
        id,
        name,
        kind: EngineKind::Web,
        needs_key: false,
        needs_url: false,
        home,
        key_url: None,
        base: Some(base),
    }
}
