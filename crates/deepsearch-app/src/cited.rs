//! Where an answer's citations lead outside the window: the page or the file, and the line on which the sentence stands.
//!
//! A program that opens a file cannot be told the sentence in a way that works everywhere, so the line is told to the person.

use std::path::{Path, PathBuf};

use deepsearch_core::{Citation, MessageId, Page, Source, Span};
use serde::Serialize;

use crate::app::App;
use crate::error::AppError;

/// A sentence of a source that an answer cites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CitedSentence {
    pub number: u32,
    pub title: String,
    pub url: String,
    pub quote: String,
    /// In the text that was saved.
    pub span: Span,
    /// The line of the saved text, from 1 on; `None` where that text is not here, as of a file of another device.
    pub line: Option<u32>,
    /// Where the file lies, of a page that was read from one here.
    pub path: Option<PathBuf>,
    /// The line of that file as it is now; `None` where it says the sentence no more, or is no plain text.
    pub file_line: Option<u32>,
}

// As much of a file as is read of one for an answer.
const LARGEST: u64 = 20 << 20;

impl App {
    /// The sentences that an answer cites, each once, in the order of their numbers.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a message that is not there.
    pub async fn cited(&self, answer: &MessageId) -> Result<Vec<CitedSentence>, AppError> {
        let opened = self.open_message(answer).await?;
        let sources = opened.message.sources.unwrap_or_default();
        let mut citations = opened.citations;
        citations.sort_by_key(|citation| (citation.number, citation.page_span));
        citations.dedup_by(|one, other| (one.number, one.page_span) == (other.number, other.page_span));
        let mut cited = Vec::new();
        for citation in citations {
            let page = self.store().lookup_page(&citation.page_id).await?;
            let source = sources.get((citation.number as usize).wrapping_sub(1));
            cited.push(self.place(citation, source, page).await);
        }
        Ok(cited)
    }

    async fn place(&self, citation: Citation, source: Option<&Source>, page: Option<Page>) -> CitedSentence {
        let span = citation.page_span;
        let before = page.as_ref().and_then(|page| page.text.get(..span.start as usize));
        // A page of the web has no file, and a file may have gone.
        let path = match page.as_ref().map(|page| &page.url) {
            Some(url) if url.scheme() == deepsearch_files::SCHEME => self.file_of(url).await.ok(),
            _ => None,
        };
        let file_line = match (&path, before) {
            (Some(path), Some(before)) => line_in(path.clone(), citation.quote.clone(), before.to_owned()).await,
            _ => None,
        };
        CitedSentence {
            number: citation.number,
            title: source.map(|source| source.title.clone()).unwrap_or_default(),
            url: source.map(|source| source.url.clone()).unwrap_or_default(),
            quote: citation.quote,
            span,
            line: before.map(|before| 1 + before.matches('\n').count() as u32),
            path,
            file_line,
        }
    }
}

async fn line_in(path: PathBuf, quote: String, before: String) -> Option<u32> {
    let looking = tokio::task::spawn_blocking(move || {
        let text = plain_text(&path)?;
        line_of(&text, &quote, &before)
    });
    looking.await.ok().flatten()
}

fn plain_text(path: &Path) -> Option<String> {
    let is_small = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST);
    is_small.then(|| std::fs::read_to_string(path).ok()).flatten()
}

/// The line on which a sentence begins, however it is broken into lines. Where it stands more than once, it is the one with
/// as many before it as there are in `before`.
fn line_of(text: &str, sentence: &str, before: &str) -> Option<u32> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let (all, wanted) = (bare(text), bare(sentence));
    if wanted.is_empty() {
        return None;
    }
    let earlier = bare(before).matches(&wanted).count();
    let places: Vec<usize> = all.match_indices(&wanted).map(|(at, _)| at).collect();
    let at = *places.get(earlier).or_else(|| places.last())?;
    let mut seen = 0;
    for (number, line) in (1..).zip(text.lines()) {
        seen += bare(line).len();
        if seen > at {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::line_of;

    const TEXT: &str = "One.\n\nTwo is\nhere. Three.\nTwo is here.\n";

    #[test]
    fn a_sentence_is_found_on_the_line_where_it_begins() {
        assert_eq!(line_of(TEXT, "One.", ""), Some(1));
        assert_eq!(line_of(TEXT, "Two is here.", "One. "), Some(3));
        assert_eq!(line_of(TEXT, "Three.", "One. Two is here. "), Some(4));
    }

    #[test]
    fn of_several_it_is_the_one_that_was_meant() {
        assert_eq!(line_of(TEXT, "Two is here.", "One. Two is here. Three. "), Some(5));
        assert_eq!(line_of("Two is here.", "Two is here.", "Two is here. "), Some(1));
    }

    #[test]
    fn what_is_not_there_has_no_line() {
        assert_eq!(line_of(TEXT, "Four.", ""), None);
        assert_eq!(line_of(TEXT, " ", ""), None);
    }
}
