//! Parses a page, and finds its text where scripts would have to draw it.
//!
//! Scripts are never run. Many pages that need them still carry their text: for browsers without scripts inside
//! `noscript`, or as data for the script inside JSON. Those are read only where the page itself shows next to nothing.

use html5ever::ParseOpts;
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use scraper::{Html, HtmlTreeSink, Node};
use serde_json::Value;

use super::outline::Outline;

/// A page with fewer words of prose shows next to nothing.
const BARE: u32 = 40;
/// A page with fewer words of any kind is drawn by scripts.
const EMPTY: u32 = 120;
const MAX_JSON_DEPTH: usize = 24;

/// A parsed page and its outline.
pub(super) struct Document {
    /// As the page was sent: its head has the metadata.
    pub(super) html: Html,
    /// What stands for the page's body, where that is not the body itself.
    pub(super) carried: Option<Html>,
    /// Whether that is data for scripts, which holds no furniture.
    pub(super) is_data: bool,
    pub(super) outline: Outline,
}

impl Document {
    pub(super) fn parse(source: &str) -> Self {
        let html = parse(source, true);
        let outline = Outline::of(&html, true);
        let stands_in = |other: Html| {
            let better = Outline::of(&other, false);
            (better.prose() > outline.prose() + BARE).then_some((other, better))
        };
        let is_bare = outline.prose() < BARE;
        let unscripted = (is_bare && source.contains("<noscript")).then(|| parse(source, false));
        if let Some((carried, outline)) = unscripted.and_then(stands_in) {
            return Self {
                html,
                carried: Some(carried),
                is_data: false,
                outline,
            };
        }
        let data = if is_bare && outline.words() < EMPTY {
            data(&html)
        } else {
            None
        };
        match data.map(|data| parse(&data, false)).and_then(stands_in) {
            Some((carried, outline)) => Self {
                html,
                carried: Some(carried),
                is_data: true,
                outline,
            },
            None => Self {
                html,
                carried: None,
                is_data: false,
                outline,
            },
        }
    }

    /// The tree that the outline's nodes belong to.
    pub(super) fn tree(&self) -> &Html {
        self.carried.as_ref().unwrap_or(&self.html)
    }
}

fn parse(source: &str, scripting_enabled: bool) -> Html {
    let tree_builder = TreeBuilderOpts {
        scripting_enabled,
        ..TreeBuilderOpts::default()
    };
    let options = ParseOpts {
        tree_builder,
        ..ParseOpts::default()
    };
    html5ever::parse_document(HtmlTreeSink::new(Html::new_document()), options).one(source)
}

/// A document made of the prose in the page's JSON, in its order.
fn data(html: &Html) -> Option<String> {
    let mut found = String::new();
    for node in html.tree.nodes() {
        let Node::Element(element) = node.value() else { continue };
        if element.name() == "script" && element.attr("type").is_some_and(|kind| kind.contains("json")) {
            let json: String = node
                .children()
                .filter_map(|child| Some(&**child.value().as_text()?))
                .collect();
            read_json(&json, &mut found, 0);
        }
        let blobs = element
            .attrs()
            .filter(|(name, value)| name.starts_with("data-") && value.len() > 400);
        blobs.for_each(|(_, json)| read_json(json, &mut found, 0));
    }
    (!found.is_empty()).then(|| format!("<main>{found}</main>"))
}

fn read_json(json: &str, found: &mut String, depth: usize) {
    let is_json = json.trim_start().starts_with(['{', '[']);
    if let Some(value) = is_json.then(|| serde_json::from_str::<Value>(json).ok()).flatten() {
        collect("", &value, found, depth);
    }
}

fn collect(key: &str, value: &Value, found: &mut String, depth: usize) {
    match value {
        _ if depth > MAX_JSON_DEPTH => {}
        Value::Array(list) => list.iter().for_each(|value| collect(key, value, found, depth + 1)),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| collect(key, value, found, depth + 1)),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => read_json(text, found, depth + 1),
        Value::String(text) if is_body(key) && text.split_whitespace().nth(7).is_some() && !found.contains(&**text) => {
            found.extend(["<article>", text, "</article>"]);
        }
        _ => {}
    }
}

// The names that content systems give to the text of an entry.
fn is_body(key: &str) -> bool {
    const BODY: &[&str] = &[
        "articlebody",
        "body",
        "content",
        "cooked",
        "html",
        "text",
        "description",
        "rendered",
        "markdown",
    ];
    let key = key.to_lowercase();
    BODY.iter().any(|name| key == *name)
}
