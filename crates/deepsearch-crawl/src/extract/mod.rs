//! Turns the HTML of a page into what a person came to read, and who wrote it when.
//!
//! Knows nothing of the network or of other formats: a decoded document comes in, readable text goes out. Read in the
//! order a page takes: `document` parses it, `outline` flattens it to blocks of text, `kind` guesses what kind of page it
//! is, `features` describes each block (with `hints` from tags and class names, `topics` from words and `standing` from
//! where it is), `forest` says how likely each is content, `choose` picks the best set, `render` writes it down; `head`,
//! `metadata` and `dates` say what the page declares.

mod choose;
mod dates;
mod document;
mod features;
mod forest;
mod head;
mod hints;
mod kind;
mod metadata;
mod outline;
mod render;
mod standing;
mod topics;

use chrono::{DateTime, Utc};
use deepsearch_core::PictureLink;
use serde::{Deserialize, Serialize};
use url::Url;

use choose::Candidate;
use document::Document;
use forest::MODEL;
use head::Head;
use metadata::Metadata;
use outline::Outline;

/// The readable part of one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// The page's own title, without the name of its site; empty when it has none.
    pub title: String,
    /// Who wrote it, as the page says.
    pub author: Option<String>,
    /// The name of the site.
    pub site_name: Option<String>,
    /// When it was published (or last changed, where only that is told).
    pub published_at: Option<DateTime<Utc>>,
    /// Absolute address of the site's small icon.
    pub favicon: Option<Url>,
    /// The picture that the page shows itself with.
    pub picture: Option<PictureLink>,
    /// BCP 47 tag, as the page declares it.
    pub language: Option<String>,
    /// The main content: one block per line; cells of a table row are joined by ` | `.
    pub text: String,
    /// The same content as sanitised HTML, for the reader view.
    pub html: Option<String>,
}

/// Why a document gave no readable page.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// Scripts draw the page, or it holds nothing but navigation.
    #[error("found no readable text in `{url}`; it may need a browser to show itself")]
    NoText {
        /// The page.
        url: Url,
    },
}

/// Finds the main content of `html`, which was fetched from `url`.
///
/// # Errors
/// [`ExtractError::NoText`] when the page has no text at all, not even a description of itself.
pub fn extract_html(html: &str, url: &Url) -> Result<Extracted, ExtractError> {
    let document = Document::parse(html);
    let head = Head::of(&document.html);
    let kept = content(&document, &head, url);

    let base = head
        .base
        .as_deref()
        .and_then(|base| url.join(base).ok())
        .unwrap_or_else(|| url.clone());
    let mut text = render::text(&document.outline, &kept);
    let mut html = render::html(document.tree(), &document.outline, &kept, &base);
    if text.is_empty() {
        // A page drawn by scripts still says what it is about to those who link to it.
        text = head
            .meta(&["og:description", "description", "twitter:description"])
            .unwrap_or_default()
            .trim()
            .to_owned();
        html = format!("<p>{}</p>", ammonia::clean_text(&text));
    }
    if text.is_empty() {
        return Err(ExtractError::NoText { url: url.clone() });
    }
    let Metadata {
        title,
        author,
        site_name,
        published_at,
        favicon,
        picture,
        language,
    } = Metadata::of(&head, url);
    Ok(Extracted {
        title,
        author,
        site_name,
        published_at,
        favicon,
        picture,
        language,
        text,
        html: Some(html),
    })
}

/// A page with fewer words is shorter than what the model knows: its prose is kept even against the model.
const SHORT: u32 = 150;

/// The blocks to keep, by their place in the outline.
fn content(document: &Document, head: &Head, url: &Url) -> Vec<usize> {
    let outline = &document.outline;
    if document.is_data {
        return (0..outline.blocks.len()).collect();
    }
    let rows = judged(document, head, url);
    let candidates = outline.blocks.iter().zip(&rows).map(|(block, row)| Candidate {
        probability: MODEL.forest.probability(row),
        words: block.words,
    });
    let verdicts = choose::keep(&candidates.collect::<Vec<_>>());
    let is_short = outline.words() < SHORT;
    let reads_on = |at: usize| is_short && standing::is_prose(&outline.blocks[at]) && !outline.is_furniture(at);
    (0..verdicts.len())
        .filter(|&at| verdicts[at] || reads_on(at) || is_enclosed(outline, &verdicts, at))
        .collect()
}

/// Whether a block is a cell of a small table that stands between kept blocks of one text. Cells say too little each for
/// the model to see that they belong there.
fn is_enclosed(outline: &Outline, verdicts: &[bool], at: usize) -> bool {
    const NEAR: usize = 24;
    let block = &outline.blocks[at];
    if block.linked > 0 || outline.is_furniture(at) {
        return false;
    }
    let mut above = outline.ancestors(block.element).take(5);
    let table = above.find(|&at| &*outline.elements[at].name == "table");
    let Some(text) = table.and_then(|table| outline.elements[table].parent) else {
        return false;
    };
    let is_of_text = |&at: &usize| {
        let mut above = outline.ancestors(outline.blocks[at].element).take(4);
        verdicts[at] && above.any(|at| at == text)
    };
    let after = verdicts.len().min(at + NEAR);
    (at.saturating_sub(NEAR)..at).any(|at| is_of_text(&at)) && (at + 1..after).any(|at| is_of_text(&at))
}

/// One row per block, as the forest was trained on: what each block is like, and what kind the page seems to be.
fn judged(document: &Document, head: &Head, url: &Url) -> Vec<Vec<f32>> {
    let chances = MODEL.kinds.chances(&kind::signals(&document.outline, head, url));
    let mut rows = features::table(&document.outline, head).rows;
    rows.iter_mut().for_each(|row| row.extend(&chances));
    rows
}

#[cfg(test)]
fn rows(html: &str, url: &Url) -> Vec<Vec<f32>> {
    let document = Document::parse(html);
    judged(&document, &Head::of(&document.html), url)
}

/// What the model is trained on.
#[doc(hidden)]
#[derive(Debug, Serialize)]
pub struct Training {
    /// The names of the columns of each block's row.
    pub columns: Vec<String>,
    /// Each block's text with its row of numbers.
    pub blocks: Vec<(String, Vec<f32>)>,
    /// What the kind of the page is told from.
    pub signals: Vec<(String, f32)>,
}

#[doc(hidden)]
pub fn training_rows(html: &str, url: &Url) -> Training {
    let document = Document::parse(html);
    let head = Head::of(&document.html);
    let table = features::table(&document.outline, &head);
    let signals = kind::signals(&document.outline, &head, url);
    let texts = document.outline.blocks.into_iter().map(|block| block.text);
    Training {
        columns: table.names,
        blocks: texts.zip(table.rows).collect(),
        signals,
    }
}
