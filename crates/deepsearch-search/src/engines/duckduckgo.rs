//! DuckDuckGo: no key; the page it makes for browsers without scripts, asked as its own form asks.
//!
//! It answers a person's pace. To whoever asks faster it shows a CAPTCHA, which is passed on as what it is.

use std::sync::LazyLock;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deepsearch_core::{SearchEngine, SearchError, SearchHit, SearchQuery, SearchResults, TimeRange};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, REFERER};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::{Endpoint, shortened};
use crate::hits::{collect, published};
use crate::http::unreadable;
use crate::locale::Locale;

const QUERY_CHARACTERS: usize = 499;
/// DuckDuckGo's regions: country, then language.
const REGIONS: &[&str] = &[
    "ar-es", "at-de", "au-en", "be-fr", "be-nl", "bg-bg", "br-pt", "ca-en", "ca-fr", "ch-de", "ch-fr", "cl-es",
    "cn-zh", "co-es", "ct-ca", "cz-cs", "de-de", "dk-da", "ee-et", "es-ca", "es-es", "fi-fi", "fr-fr", "gr-el",
    "hk-tzh", "hr-hr", "hu-hu", "id-en", "ie-en", "il-en", "in-en", "is-is", "it-it", "jp-jp", "kr-kr", "lt-lt",
    "lv-lv", "mx-es", "my-en", "nl-nl", "no-no", "nz-en", "pe-es", "ph-en", "pk-en", "pl-pl", "pt-pt", "ro-ro",
    "ru-ru", "se-sv", "sg-en", "sk-sk", "sl-sl", "th-en", "tr-tr", "tw-tzh", "ua-uk", "uk-en", "us-en", "us-es",
    "vn-en", "xa-ar", "za-en",
];
const EVERYWHERE: &str = "wt-wt";

pub(super) struct DuckDuckGo(pub(super) Endpoint);

#[async_trait]
impl SearchEngine for DuckDuckGo {
    fn id(&self) -> &str {
        self.0.engine
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchResults, SearchError> {
        let Endpoint { engine, http, base, .. } = &self.0;
        let mut request = http
            .post(self.0.url("html/"))
            .header(ACCEPT, "text/html")
            .header(REFERER, base.as_str())
            .form(&form(query));
        if let Some(language) = query.locale.as_deref().filter(|_| Locale::of(query).is_some()) {
            request = request.header(ACCEPT_LANGUAGE, language.replace('_', "-"));
        }
        let answer = http.send(engine, request).await?;
        match answer.status {
            200 => read(engine, query, &answer.body, http.now()),
            202 | 403 | 418 => Err(SearchError::Captcha {
                engine: (*engine).into(),
            }),
            _ => Err(http.refusal(engine, &answer)),
        }
    }
}

fn form(query: &SearchQuery) -> Vec<(&'static str, String)> {
    // `!w` and a leading backslash lead straight to another site instead of to results.
    let words = query
        .text
        .split_whitespace()
        .map(|word| word.trim_start_matches(['!', '\\']));
    let text = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut form = vec![
        ("q", shortened(&text, QUERY_CHARACTERS, usize::MAX)),
        ("b", String::new()),
        (
            "kl",
            Locale::of(query)
                .map_or(EVERYWHERE, |locale| region(&locale))
                .to_owned(),
        ),
    ];
    if let Some(range) = query.time_range {
        let letter = match range {
            TimeRange::Day => "d",
            TimeRange::Week => "w",
            TimeRange::Month => "m",
            TimeRange::Year => "y",
        };
        form.push(("df", letter.to_owned()));
    }
    form
}

fn region(locale: &Locale) -> &'static str {
    let language = match locale.language.as_str() {
        // English is spoken everywhere, so that without a country it means no region.
        "en" if locale.region.is_none() => return EVERYWHERE,
        "ja" => "jp",
        "ko" => "kr",
        "nb" | "nn" => "no",
        "zh" if locale.is_traditional() => "tzh",
        language => language,
    };
    let country = locale.region.as_deref().map(|region| match region {
        "GB" => "uk".to_owned(),
        region => region.to_ascii_lowercase(),
    });
    let known = |wanted: String| REGIONS.iter().copied().find(|region| *region == wanted);
    let exact = country.and_then(|country| known(format!("{country}-{language}")));
    if exact.is_some() || language == "en" {
        return exact.unwrap_or(EVERYWHERE);
    }
    // The country named like the language is where it is at home.
    let anywhere = || {
        REGIONS
            .iter()
            .copied()
            .find(|region| region.ends_with(&format!("-{language}")))
    };
    known(format!("{language}-{language}"))
        .or_else(anywhere)
        .unwrap_or(EVERYWHERE)
}

fn read(engine: &str, query: &SearchQuery, body: &str, now: DateTime<Utc>) -> Result<SearchResults, SearchError> {
    let page = Html::parse_document(body);
    if page.select(&PARTS.captcha).next().is_some() {
        return Err(SearchError::Captcha { engine: engine.into() });
    }
    // A page without a list of results, not even an empty one, is not the page we know.
    if page.select(&PARTS.list).next().is_none() {
        return Err(unreadable(engine, "a page without a list of results"));
    }
    collect(
        engine,
        query,
        page.select(&PARTS.result).filter_map(|result| hit(result, now)),
    )
}

fn hit(result: ElementRef<'_>, now: DateTime<Utc>) -> Option<SearchHit> {
    let title = result.select(&PARTS.title).next()?;
    let dates = result.select(&PARTS.extra).flat_map(|extra| extra.text());
    Some(SearchHit {
        title: title.text().collect(),
        url: destination(title.attr("href")?)?,
        snippet: result
            .select(&PARTS.snippet)
            .next()
            .map(|snippet| snippet.text().collect())
            .unwrap_or_default(),
        favicon: None,
        published_at: dates.filter_map(|text| published(text, now)).next(),
    })
}

/// Where a link leads: itself, or what its redirect hides in `uddg`. An advertisement leads nowhere.
fn destination(href: &str) -> Option<String> {
    let url = Url::parse("https://html.duckduckgo.com/html/").ok()?.join(href).ok()?;
    if !url.host_str()?.ends_with("duckduckgo.com") {
        return Some(url.into());
    }
    match url.path() {
        "/y.js" => None,
        "/l/" => {
            let (_, target) = url.query_pairs().find(|(name, _)| name == "uddg")?;
            // Advertisements are redirected twice.
            let is_advertisement = Url::parse(&target).ok()?.path() == "/y.js" && target.contains("duckduckgo.com");
            (!is_advertisement).then(|| target.into_owned())
        }
        _ => Some(url.into()),
    }
}

struct Parts {
    captcha: Selector,
    list: Selector,
    result: Selector,
    title: Selector,
    snippet: Selector,
    extra: Selector,
}

static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let selector = |css| Selector::parse(css).expect("the selectors are constants and tested");
    Parts {
        captcha: selector("#challenge-form, [class*='anomaly-modal']"),
        list: selector("#links, .results, .no-results"),
        result: selector(".web-result:not(.result--ad)"),
        title: selector("a.result__a"),
        snippet: selector(".result__snippet"),
        extra: selector(".result__extras span"),
    }
});
