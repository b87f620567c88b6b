//! Evidence: what an answer may rest on, numbered as `[n]` cites it.

use std::sync::OnceLock;

use deepsearch_core::{NumberedPassage, Page, Passage, Source, Span};
use deepsearch_rank::{Best, PreparedPage};

/// The sources of an answer: `pages[n - 1]` is what `[n]` cites, `passages` are the parts a model is shown.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub pages: Vec<Page>,
    pub passages: Vec<NumberedPassage>,
    /// The pages' sentences, ready to be compared with the answer's. Made when they are first needed: the first word
    /// of an answer does not wait for what only its end needs.
    prepared: Vec<OnceLock<PreparedPage>>,
}

impl Evidence {
    /// Numbers the pages by their best passage. Pages without a passage are no evidence and are left out.
    pub fn number(pages: Vec<Page>, mut passages: Vec<Passage>) -> Self {
        let mut order: Vec<usize> = Vec::new();
        for passage in &mut passages {
            let at = order
                .iter()
                .position(|page| *page == passage.page)
                .unwrap_or(order.len());
            if at == order.len() {
                order.push(passage.page);
            }
            passage.page = at;
        }
        let mut pages: Vec<Option<Page>> = pages.into_iter().map(Some).collect();
        let pages = order.into_iter().filter_map(|at| pages[at].take()).collect();
        Self::of_pages(pages, passages)
    }

    /// Evidence whose pages already have their numbers, as those of an interrupted answer do.
    pub fn of_pages(pages: Vec<Page>, passages: Vec<Passage>) -> Self {
        let numbered = |passage: Passage| NumberedPassage {
            number: passage.page as u32 + 1,
            page_id: passage.page_id,
            title: pages[passage.page].title.clone(),
            url: pages[passage.page].url.to_string(),
            span: passage.span,
            text: passage.text,
            score: passage.score,
        };
        let passages = passages.into_iter().map(numbered).collect();
        let prepared = pages.iter().map(|_| OnceLock::new()).collect();
        Self {
            pages,
            passages,
            prepared,
        }
    }

    /// Makes the pages ready for [`Evidence::nearest`] ahead of time. Takes some milliseconds a page.
    pub fn prepare(&self) {
        for number in 1..=self.pages.len() as u32 {
            self.prepared(number);
        }
    }

    fn prepared(&self, number: u32) -> Option<&PreparedPage> {
        let page = self.page(number)?;
        let prepared = self.prepared.get(number as usize - 1)?;
        Some(prepared.get_or_init(|| PreparedPage::new(page)))
    }

    /// The page that `[number]` cites.
    pub fn page(&self, number: u32) -> Option<&Page> {
        self.pages.get((number as usize).checked_sub(1)?)
    }

    /// The sentence of that page which comes nearest to a claim; `None` where not a word is shared.
    pub fn nearest(&self, number: u32, claim: &str) -> Option<Best> {
        self.prepared(number)?.best_sentence(claim, None)
    }

    /// The first sentence that was shown of that page: where a citation leads when nothing comes near.
    pub fn opening(&self, number: u32) -> Option<Span> {
        let page = self.page(number)?;
        let shown = self
            .passages
            .iter()
            .find(|passage| passage.number == number)
            .map(|passage| passage.span);
        let inside = |span: &&Span| shown.is_none_or(|shown| shown.contains(**span));
        page.sentences.iter().find(inside).or(page.sentences.first()).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The sources as the seed keeps them beside the message: the snippet is the beginning of the best passage, of a paper
    /// behind its DOI.
    pub fn sources(&self) -> Vec<Source> {
        let source = |(at, page): (usize, &Page)| {
            let best = self.passages.iter().find(|passage| passage.number as usize == at + 1);
            // Sources go where their message goes; what stands in a person's file stays with its page.
            let is_file = page.url.scheme() == "files";
            let passage = best.filter(|_| !is_file).map_or("", |passage| passage.text.as_str());
            let doi = page.site_name.as_deref().filter(|name| name.starts_with("doi:10."));
            let snippet = doi.map_or_else(|| passage.to_owned(), |doi| format!("{doi} · {passage}"));
            Source {
                title: page.title.clone(),
                url: page.url.to_string(),
                snippet: crate::plan::first_chars(&snippet.split_whitespace().collect::<Vec<_>>().join(" "), 300)
                    .to_owned(),
                favicon: page.favicon.as_ref().map(url::Url::to_string),
            }
        };
        self.pages.iter().enumerate().map(source).collect()
    }
}
