//! Decides what a page is called, who wrote it when, and which site it belongs to.
//!
//! The order of belief: what the page declares for machines (JSON-LD, then Open Graph and other `meta`), then what it
//! shows. Nothing is guessed from the text.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deepsearch_core::PictureLink;
use serde_json::{Map, Value};
use url::Url;

use super::dates;
use super::head::Head;

/// A longer "name" is a sentence that was put in the wrong place.
const LONGEST_NAME: usize = 120;
/// In characters, of what a picture shows.
const LONGEST_ALT: usize = 300;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Metadata {
    pub(super) title: String,
    pub(super) author: Option<String>,
    pub(super) site_name: Option<String>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) favicon: Option<Url>,
    pub(super) picture: Option<PictureLink>,
    pub(super) language: Option<String>,
}

impl Metadata {
    pub(super) fn of(head: &Head, url: &Url) -> Self {
        let data = Data::of(head);
        let declared = head.meta(&["og:site_name", "application-name", "al:ios:app_name"]);
        let site_name = declared
            .map(str::to_owned)
            .or(data.publisher)
            .and_then(|name| clean(&name));
        let author = head.meta(&[
            "author",
            "article:author",
            "byl",
            "dc.creator",
            "dcterms.creator",
            "parsely-author",
            "citation_author",
        ]);
        let author = [data.author.as_deref(), author, head.author.as_deref()]
            .into_iter()
            .flatten()
            .find_map(person);
        Self {
            title: title(head, data.headline, site_name.as_deref(), url),
            author,
            published_at: published_at(head, data.published, data.modified),
            favicon: favicon(head, url),
            picture: picture(head, url),
            language: language(head),
            site_name,
        }
    }
}

/// What the JSON-LD says; the outermost object that says it wins.
#[derive(Default)]
struct Data {
    headline: Option<String>,
    author: Option<String>,
    publisher: Option<String>,
    published: Option<String>,
    modified: Option<String>,
}

impl Data {
    fn of(head: &Head) -> Self {
        let mut data = Self::default();
        head.objects(&mut |object| {
            let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
            data.headline = data.headline.take().or_else(|| text("headline"));
            data.published = data
                .published
                .take()
                .or_else(|| text("datePublished").or(text("uploadDate")));
            data.modified = data.modified.take().or_else(|| text("dateModified"));
            data.author = data.author.take().or_else(|| object.get("author").and_then(names));
            let publisher = object.get("publisher").and_then(names);
            let site = || object.get("name").filter(|_| is(object, "WebSite")).and_then(names);
            data.publisher = data.publisher.take().or(publisher).or_else(site);
        });
        data
    }
}

fn is(object: &Map<String, Value>, kind: &str) -> bool {
    object.get("@type").and_then(Value::as_str) == Some(kind)
}

// "author" may be a name, an object with a name, or several of either.
fn names(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => clean(name),
        Value::Object(object) => object.get("name").and_then(Value::as_str).and_then(clean),
        Value::Array(list) => {
            let several: Vec<String> = list
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned).or(names(one)))
                .collect();
            (!several.is_empty()).then(|| several.join(", "))
        }
        _ => None,
    }
}

fn person(text: &str) -> Option<String> {
    let text = clean(text)?;
    let name = text
        .strip_prefix("By ")
        .or(text.strip_prefix("by "))
        .unwrap_or(&text)
        .trim();
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains("://");
    is_name.then(|| name.to_owned())
}

fn clean(text: &str) -> Option<String> {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!folded.is_empty()).then_some(folded)
}

fn title(head: &Head, headline: Option<String>, site: Option<&str>, url: &Url) -> String {
    let shared = head.meta(&["og:title", "twitter:title", "dc.title", "citation_title"]);
    let candidates = [
        shared,
        headline.as_deref(),
        head.title.as_deref(),
        head.heading.as_deref(),
    ];
    let title = candidates.into_iter().flatten().find_map(clean).unwrap_or_default();
    // Titles are dressed up for search engines and end in the site's name; the heading is what readers see.
    let heading = head.heading.as_deref().and_then(clean);
    heading
        .filter(|heading| shares_words(heading, &title))
        .unwrap_or_else(|| without_site(&title, site, url).to_owned())
}

/// Whether at least half of the words of `heading` are in `title`.
fn shares_words(heading: &str, title: &str) -> bool {
    let words = |text: &str| {
        let words = text
            .split(|char: char| !char.is_alphanumeric())
            .filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<HashSet<_>>()
    };
    let (heading, title) = (words(heading), words(title));
    !heading.is_empty() && heading.intersection(&title).count() * 2 >= heading.len()
}

const SEPARATORS: [&str; 8] = [" | ", " - ", " – ", " — ", " · ", " :: ", " « ", " • "];

fn without_site<'a>(title: &'a str, site: Option<&str>, url: &Url) -> &'a str {
    let host = url.host_str().unwrap_or_default().trim_start_matches("www.");
    let is_site = |part: &str| {
        let part = squeezed(part);
        let label = squeezed(host.split('.').next().unwrap_or_default());
        !part.is_empty() && (site.map(squeezed).as_ref() == Some(&part) || part == label || part == squeezed(host))
    };
    let cut = |separator: &&str| {
        let last = title
            .rsplit_once(*separator)
            .filter(|(_, name)| is_site(name))
            .map(|(rest, _)| rest);
        last.or_else(|| {
            title
                .split_once(*separator)
                .filter(|(name, _)| is_site(name))
                .map(|(_, rest)| rest)
        })
    };
    SEPARATORS.iter().find_map(cut).unwrap_or(title).trim()
}

fn squeezed(name: &str) -> String {
    name.chars()
        .filter(|char| char.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn published_at(head: &Head, published: Option<String>, modified: Option<String>) -> Option<DateTime<Utc>> {
    const PUBLISHED: &[&str] = &[
        "article:published_time",
        "og:published_time",
        "datepublished",
        "date",
        "dc.date",
        "dc.date.issued",
        "dcterms.created",
        "dcterms.date",
        "citation_publication_date",
        "citation_date",
        "parsely-pub-date",
        "sailthru.date",
        "pubdate",
        "publish-date",
        "publish_date",
        "article.published",
        "datecreated",
    ];
    const MODIFIED: &[&str] = &[
        "article:modified_time",
        "og:updated_time",
        "datemodified",
        "last-modified",
    ];
    let declared = [published.as_deref(), head.meta(PUBLISHED), head.time.as_deref()];
    let changed = [modified.as_deref(), head.meta(MODIFIED)];
    declared.into_iter().chain(changed).flatten().find_map(dates::read)
}

fn base(head: &Head, url: &Url) -> Url {
    let base = head.base.as_deref().and_then(|base| url.join(base).ok());
    base.unwrap_or_else(|| url.clone())
}

/// What the page gives to those who link to it, which is seldom a logo or an ornament.
fn picture(head: &Head, url: &Url) -> Option<PictureLink> {
    let declared = head.meta(&[
        "og:image:secure_url",
        "og:image",
        "og:image:url",
        "twitter:image",
        "twitter:image:src",
    ])?;
    let url = base(head, url).join(declared).ok()?;
    let alt = head.meta(&["og:image:alt", "twitter:image:alt"]).unwrap_or_default();
    matches!(url.scheme(), "http" | "https").then(|| PictureLink {
        url,
        alt: alt.chars().take(LONGEST_ALT).collect(),
    })
}

fn favicon(head: &Head, url: &Url) -> Option<Url> {
    let base = base(head, url);
    let small = head
        .icons
        .iter()
        .find(|(rel, _)| rel.split(' ').any(|word| word == "icon"));
    let declared = small.or(head.icons.first()).and_then(|(_, href)| base.join(href).ok());
    // Where none is declared, browsers ask for this one.
    declared
        .or_else(|| url.join("/favicon.ico").ok())
        .filter(|icon| matches!(icon.scheme(), "http" | "https"))
}

fn language(head: &Head) -> Option<String> {
    let declared =
        head.language
            .as_deref()
            .or(head.meta(&["content-language", "og:locale", "dc.language", "language"]))?;
    let tag = declared.split([',', ';']).next()?.trim().replace('_', "-");
    let is_tag = (2..=35).contains(&tag.len()) && tag.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    is_tag.then_some(tag)
}
