//! An index of the local web, so that fake engines answer from what is really there.
//!
//! As rough as a fake may be: the words of a page's beginning, title first. How good the order is proves nothing.

use std::collections::HashMap;

use anyhow::{Context, Result};
use deepsearch_core::text::content_terms;
use url::Url;

use crate::local_web::Site;

/// How much of a page's text is indexed, in characters.
const INDEXED: usize = 3_000;
const SNIPPET: usize = 160;

/// A page as an engine knows it.
#[derive(Debug, Clone)]
pub struct Document {
    pub title: String,
    pub url: Url,
    pub snippet: String,
    counts: HashMap<String, f32>,
}

/// All pages of some sites. Titles are unique, as Wikipedia's are.
#[derive(Debug, Default)]
pub struct LocalIndex {
    documents: Vec<Document>,
    document_frequency: HashMap<String, f32>,
}

impl LocalIndex {
    /// Indexes every HTML file of the sites whose path contains one of `within` (all of them when that is empty).
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(sites: &[&Site], within: &[&str]) -> Result<Self> {
        let mut index = Self::default();
        for site in sites {
            for (file, url) in site.html_files()? {
                if within.is_empty() || within.iter().any(|part| url.path().contains(part)) {
                    let html = std::fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
                    index.add(url, &String::from_utf8_lossy(&html));
                }
            }
        }
        Ok(index)
    }

    /// Adds one page.
    pub fn add(&mut self, url: Url, html: &str) {
        let title = unique(&self.documents, title(html).unwrap_or_else(|| url.path().to_owned()));
        let text: String = text(body(html)).chars().take(INDEXED).collect();
        let mut counts = HashMap::new();
        for term in content_terms(&text) {
            *counts.entry(term).or_default() += 1.0;
        }
        // A word of the title weighs as much as five of the text.
        for term in content_terms(&title) {
            *counts.entry(term).or_default() += 5.0;
        }
        for term in counts.keys() {
            *self.document_frequency.entry(term.clone()).or_default() += 1.0;
        }
        let snippet = text.chars().take(SNIPPET).collect();
        self.documents.push(Document {
            title,
            url,
            snippet,
            counts,
        });
    }

    pub fn len(&self) -> usize {
        self.documents.len()
    }

    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    pub fn by_title(&self, title: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.title == title)
    }

    /// The best pages for a query, at most `limit`.
    pub fn search(&self, query: &str, limit: usize) -> Vec<&Document> {
        let terms = content_terms(query);
        let mut scored: Vec<(f32, &Document)> = self
            .documents
            .iter()
            .map(|document| {
                (
                    terms.iter().map(|term| self.weight(document, term)).sum::<f32>(),
                    document,
                )
            })
            .filter(|(score, _)| *score > 0.0)
            .collect();
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scored.into_iter().take(limit).map(|(_, document)| document).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand pages")]
    fn weight(&self, document: &Document, term: &str) -> f32 {
        let Some(count) = document.counts.get(term) else {
            return 0.0;
        };
        let rarity = (self.documents.len() as f32 / self.document_frequency[term]).ln() + 0.1;
        count / (count + 2.0) * rarity
    }
}

fn unique(documents: &[Document], title: String) -> String {
    let taken = |candidate: &str| documents.iter().any(|document| document.title == candidate);
    if !taken(&title) {
        return title;
    }
    let numbered = (2..).map(|number| format!("{title} ({number})"));
    numbered
        .into_iter()
        .find(|candidate| !taken(candidate))
        .unwrap_or(title)
}

fn title(html: &str) -> Option<String> {
    let title = text(html.split_once("<title>")?.1.split_once("</title>")?.0);
    Some(title).filter(|title| !title.is_empty())
}

/// From where the page proper is likely to begin.
fn body(html: &str) -> &str {
    let starts = ["<main", "role=\"main\"", "<h1", "<body"];
    let start = starts.iter().find_map(|mark| html.find(mark)).unwrap_or(0);
    let rest = &html[start..];
    // A mark may stand within a tag, whose rest is no text.
    rest.find('>').map_or(rest, |end| &rest[end + 1..])
}

/// The text between the tags, on one line.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = ["script", "style"]
            .iter()
            .filter(|name| tag.starts_with(**name))
            .find_map(|name| Some(tag.split_once(&format!("</{name}>"))?.1))
            .or_else(|| Some(tag.split_once('>')?.1))
            .unwrap_or_default();
        if text.len() > 8 * INDEXED {
            rest = "";
        }
    }
    text.push_str(rest);
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#8212;", "—")
        .replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str) -> Url {
        Url::parse("http://127.0.0.1:1/")
            .and_then(|base| base.join(path))
            .expect("a URL")
    }

    #[test]
    fn a_page_is_found_by_its_words_and_not_by_its_markup() {
        let mut index = LocalIndex::default();
        index.add(
            page("a.html"),
            "<title>Sorting</title><body class=zebra><script>let giraffe</script><p>How lists are <b>sorted</b>.",
        );
        index.add(page("b.html"), "<title>Maps</title><body><p>Keys and values.");
        let found = |query: &str| {
            index
                .search(query, 10)
                .iter()
                .map(|d| d.title.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("sort a list"), ["Sorting"]);
        assert_eq!(found("zebra giraffe"), Vec::<String>::new());
    }

    #[test]
    fn two_pages_of_one_title_can_be_told_apart() {
        let mut index = LocalIndex::default();
        index.add(page("a.html"), "<title>Index</title>one");
        index.add(page("b.html"), "<title>Index</title>two");
        assert_eq!(
            index.by_title("Index (2)").map(|document| document.url.path()),
            Some("/b.html")
        );
    }
}
