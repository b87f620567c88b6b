//! Gathers what a page declares about itself: `meta`, `link`, `title`, JSON-LD, the first heading and time.
//!
//! Collects only; `metadata.rs` decides what to believe.

use std::collections::HashMap;

use ego_tree::NodeRef;
use scraper::{Html, Node};
use serde_json::Value;

/// JSON-LD is somebody else's input: nothing is read deeper than this.
const MAX_DATA_DEPTH: usize = 16;

#[derive(Default)]
pub(super) struct Head {
    pub(super) title: Option<String>,
    pub(super) heading: Option<String>,
    pub(super) language: Option<String>,
    pub(super) base: Option<String>,
    /// `rel` and `href` of each icon.
    pub(super) icons: Vec<(String, String)>,
    /// What `rel=author` or `itemprop=author` wraps.
    pub(super) author: Option<String>,
    /// `datetime` of the first `time`.
    pub(super) time: Option<String>,
    pub(super) data: Vec<Value>,
    meta: HashMap<String, String>,
}

impl Head {
    pub(super) fn of(html: &Html) -> Self {
        let mut head = Self::default();
        for node in html.tree.nodes() {
            if let Node::Element(element) = node.value() {
                head.read(node, element);
            }
        }
        head
    }

    /// The first of these `meta` that says anything.
    pub(super) fn meta(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.meta.get(*name)).map(String::as_str)
    }

    /// The title as the page gives it to others, its site's name included.
    pub(super) fn shown_title(&self) -> &str {
        self.meta(&["og:title"]).or(self.title.as_deref()).unwrap_or_default()
    }

    /// Calls `visit` with each object of the JSON-LD, outer before inner.
    pub(super) fn objects<'a>(&'a self, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
        self.data.iter().for_each(|value| walk(value, 0, visit));
    }

    fn read(&mut self, node: NodeRef<'_, Node>, element: &scraper::node::Element) {
        let attr = |name: &str| element.attr(name).map(str::trim).filter(|value| !value.is_empty());
        match element.name() {
            "html" => self.language = attr("lang").or(attr("xml:lang")).map(str::to_owned),
            "base" => self.base = self.base.take().or(attr("href").map(str::to_owned)),
            "title" if self.title.is_none() && !in_graphic(node) => self.title = text(node),
            "h1" if self.heading.is_none() => self.heading = text(node),
            "time" if self.time.is_none() => self.time = attr("datetime").map(str::to_owned),
            "link" => {
                let rel = attr("rel").unwrap_or_default().to_lowercase();
                if let Some(href) = attr("href").filter(|_| rel.contains("icon")) {
                    self.icons.push((rel, href.to_owned()));
                }
            }
            "script" if attr("type").is_some_and(|kind| kind.contains("ld+json")) => {
                let json: String = node
                    .children()
                    .filter_map(|child| Some(&**child.value().as_text()?))
                    .collect();
                self.data.extend(serde_json::from_str::<Value>(json.trim()));
            }
            _ => {}
        }
        if element.name() == "meta" {
            self.declare(&attr);
        }
        self.sign(node, element);
    }

    fn declare<'a>(&mut self, attr: &impl Fn(&str) -> Option<&'a str>) {
        let named = attr("property")
            .or(attr("name"))
            .or(attr("itemprop"))
            .or(attr("http-equiv"));
        if let (Some(name), Some(content)) = (named, attr("content")) {
            self.meta
                .entry(name.to_lowercase())
                .or_insert_with(|| content.to_owned());
        }
    }

    fn sign(&mut self, node: NodeRef<'_, Node>, element: &scraper::node::Element) {
        if self.author.is_none() && element.name() != "link" {
            let mut attrs = element.attrs();
            if attrs.any(|(name, value)| matches!(name, "rel" | "itemprop") && value == "author") {
                self.author = text(node);
            }
        }
    }
}

fn walk<'a>(value: &'a Value, depth: usize, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Array(list) if depth < MAX_DATA_DEPTH => list.iter().for_each(|value| walk(value, depth + 1, visit)),
        Value::Object(map) if depth < MAX_DATA_DEPTH => {
            visit(map);
            map.values().for_each(|value| walk(value, depth + 1, visit));
        }
        _ => {}
    }
}

// A drawing may have a `title` too.
fn in_graphic(node: NodeRef<'_, Node>) -> bool {
    node.ancestors()
        .take(4)
        .filter_map(|above| above.value().as_element())
        .any(|above| above.name() == "svg")
}

fn text(node: NodeRef<'_, Node>) -> Option<String> {
    let texts = node
        .descendants()
        .filter_map(|node| Some(&**node.value().as_text()?))
        .take(200);
    let joined = texts.collect::<Vec<_>>().join(" ");
    let folded = joined.split_whitespace().collect::<Vec<_>>().join(" ");
    (!folded.is_empty()).then_some(folded)
}
