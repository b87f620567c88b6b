//! What kind of page this is: an article, a shelf of goods, a thread, as far as its address and its make-up tell.
//!
//! The same block (a review, a list of links) is content on one kind of page and furniture on another, so the kinds'
//! chances are told to the model that judges blocks. No kind is ever treated by rules of its own.

use serde_json::Value;
use url::Url;

use super::head::Head;
use super::hints::{HINTS, Hint};
use super::outline::{FAR, Outline};
use super::topics::{TOPICS, Told, Topic};

/// One linear rule per kind; they are data (`model.txt`, written by `train.py`).
pub(super) struct Kinds {
    rules: Vec<Rule>,
}

struct Rule {
    bias: f32,
    weights: Vec<f32>,
}

impl Kinds {
    /// Each line: a kind's name, its bias, and one weight per signal.
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let rules = lines.map(|line| {
            let mut numbers = line.split(' ').skip(1).map(|number| number.parse().unwrap_or(0.0));
            Rule {
                bias: numbers.next().unwrap_or(0.0),
                weights: numbers.collect(),
            }
        });
        Self { rules: rules.collect() }
    }

    /// How likely the page is of each kind; together 1.
    pub(super) fn chances(&self, signals: &[(String, f32)]) -> Vec<f32> {
        let told = |rule: &Rule| {
            let products = rule
                .weights
                .iter()
                .zip(signals)
                .map(|(weight, (_, signal))| weight * signal);
            rule.bias + products.sum::<f32>()
        };
        let told: Vec<f32> = self.rules.iter().map(told).collect();
        let most = told.iter().copied().fold(f32::MIN, f32::max);
        let odds: Vec<f32> = told.iter().map(|told| (told - most).exp()).collect();
        let all: f32 = odds.iter().sum();
        odds.into_iter().map(|odds| odds / all).collect()
    }
}

/// Words in an address that say what stands there.
const PATHS: [&[&str]; 9] = [
    &[
        "product", "products", "item", "itm", "dp", "p", "pd", "sku", "listing", "detail", "app",
    ],
    &[
        "collections",
        "collection",
        "category",
        "categories",
        "catpage",
        "c",
        "shop",
        "browse",
        "catalog",
        "genre",
        "l",
    ],
    &[
        "docs",
        "doc",
        "documentation",
        "reference",
        "manual",
        "api",
        "guide",
        "latest",
        "stable",
        "std",
        "sdk",
    ],
    &[
        "forum",
        "forums",
        "thread",
        "threads",
        "topic",
        "topics",
        "t",
        "questions",
        "community",
        "viewtopic",
        "discussion",
    ],
    &[
        "blog", "blogs", "article", "articles", "news", "posts", "post", "story", "guides", "learn", "wiki",
    ],
    &[
        "services",
        "service",
        "solutions",
        "consulting",
        "portfolio",
        "pricing",
        "features",
        "platform",
        "enterprise",
    ],
    &[
        "list",
        "lists",
        "rankings",
        "recent",
        "best",
        "top",
        "recipes",
        "jobs",
        "courses",
        "directory",
        "search",
    ],
    &["20", "2023", "2024", "2025", "2026", "archive"],
    &["how", "what", "why", "vs", "the", "your", "and", "for", "to"],
];

/// Kinds of thing that JSON-LD and `og:type` name.
const THINGS: [&[&str]; 9] = [
    &["product", "offer", "aggregateoffer", "productgroup", "og:product"],
    &[
        "article",
        "newsarticle",
        "blogposting",
        "techarticle",
        "report",
        "recipe",
        "og:article",
    ],
    &[
        "discussionforumposting",
        "qapage",
        "question",
        "comment",
        "socialmediaposting",
    ],
    &["itemlist", "collectionpage", "searchresultspage", "offercatalog"],
    &["service", "professionalservice", "localbusiness", "softwareapplication"],
    &["organization", "website", "corporation", "brand"],
    &["faqpage"],
    &["review", "aggregaterating"],
    &["og:website"],
];

/// The numbers a page's kind is told from, with their names.
pub(super) fn signals(outline: &Outline, head: &Head, url: &Url) -> Vec<(String, f32)> {
    let mut signals = Vec::with_capacity(160);
    let mut put = |name: String, value: f64| signals.push((name, value as f32));
    let words = f64::from(outline.words().max(1));
    let blocks = outline.blocks.len().max(1) as f64;
    put("log words".into(), words.ln());
    put("log blocks".into(), blocks.ln());
    put("words a block".into(), (words / blocks).ln());
    let root = outline.elements.first();
    put("prose".into(), f64::from(outline.prose()) / words);
    put("links".into(), root.map_or(0.0, |root| f64::from(root.linked)) / words);
    let mut hints = [0_u32; HINTS];
    let mut topics = [0_u32; TOPICS];
    let (mut prices, mut grammar, mut persons, mut code) = (0_u32, 0_u32, [0_u32; 3], 0_u32);
    for block in &outline.blocks {
        for (count, level) in hints.iter_mut().zip(outline.elements[block.element].hints) {
            *count += u32::from(level < FAR) * block.words;
        }
        let told = Told::of(&block.text);
        if block.words <= 8 {
            topics
                .iter_mut()
                .zip(told.topics)
                .for_each(|(count, more)| *count += u32::from(more > 0));
        }
        grammar += u32::from(told.grammar);
        for (count, more) in persons.iter_mut().zip([told.i, told.you, told.we]) {
            *count += u32::from(more);
        }
        prices += u32::from(block.words <= 8 && block.text.contains(['$', '€', '£', '¥']));
        code += u32::from(block.text.contains(['{', ';', '=', '>']));
    }
    for (name, count) in Hint::NAMES.iter().zip(hints) {
        put(format!("words in {name}"), f64::from(count) / words);
    }
    for (name, count) in Topic::NAMES.iter().zip(topics) {
        put(format!("labels of {name}"), (f64::from(count) / blocks).sqrt());
    }
    put("prices".into(), (f64::from(prices) / blocks).sqrt());
    put("code".into(), (f64::from(code) / blocks).sqrt());
    put("grammar".into(), f64::from(grammar) / words);
    for (name, count) in ["I", "you", "we"].iter().zip(persons) {
        put(format!("says {name}"), (f64::from(count) / words).sqrt());
    }
    address(url, &mut put);
    things(head, &mut put);
    signals
}

fn address(url: &Url, put: &mut impl FnMut(String, f64)) {
    let path = url.path().to_lowercase();
    let host = url.host_str().unwrap_or_default().to_lowercase();
    let parts: Vec<&str> = path.split(|char: char| !char.is_alphanumeric()).collect();
    for (at, words) in PATHS.iter().enumerate() {
        let is_told =
            parts.iter().any(|part| words.contains(part)) || host.split('.').any(|part| words.contains(&part));
        put(format!("address {at}"), f64::from(u8::from(is_told)));
    }
    put("address depth".into(), path.matches('/').count().min(8) as f64);
    put("address words".into(), (parts.len().min(30) as f64).ln_1p());
    put("address bare".into(), f64::from(u8::from(path.len() <= 1)));
}

fn things(head: &Head, put: &mut impl FnMut(String, f64)) {
    let mut named = Vec::new();
    head.objects(&mut |object| match object.get("@type") {
        Some(Value::String(name)) => named.push(name.to_lowercase()),
        Some(Value::Array(names)) => named.extend(names.iter().filter_map(Value::as_str).map(str::to_lowercase)),
        _ => {}
    });
    if let Some(kind) = head.meta(&["og:type"]) {
        named.push(format!("og:{}", kind.to_lowercase()));
    }
    for (at, things) in THINGS.iter().enumerate() {
        let count = named.iter().filter(|name| things.contains(&name.as_str())).count();
        put(format!("thing {at}"), (count as f64).ln_1p());
    }
}
