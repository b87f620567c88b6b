//! A chat as a sequence of blocks: what is said, apart from how it looks and where it stands.

use std::ops::Range;

use deepsearch_core::{Role, Verdict};
pub(super) use pulldown_cmark::Alignment;

use super::prose;
use crate::chat::{ArchivedChat, ArchivedMessage};
use crate::export::{html::is_web, one_line};

/// A document: its blocks, and where its links lead, by number.
#[derive(Default)]
pub(super) struct Document {
    pub(super) blocks: Vec<Block>,
    pub(super) links: Vec<Goto>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goto {
    Web(String),
    /// The entry of a source below an answer.
    Source(Entry),
}

/// A source of an answer: the message's place in the branch, and the source's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) message: usize,
    pub(super) number: u32,
}

pub(super) enum Block {
    Text(TextBlock),
    Table(Table),
    Rule,
}

pub(super) struct TextBlock {
    pub(super) shape: Shape,
    pub(super) text: Rich,
    /// How many lists it stands in.
    pub(super) indent: u8,
    /// How many quotations it stands in.
    pub(super) quotes: u8,
    /// What stands before it in a list.
    pub(super) marker: Option<String>,
    /// What links lead here.
    pub(super) entry: Option<Entry>,
}

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Title,
    When,
    Question,
    Heading(u8),
    Paragraph,
    Code,
    Small,
    Source,
    Quote,
}

pub(super) struct Table {
    /// The first one is the head.
    pub(super) rows: Vec<Vec<Rich>>,
    pub(super) sides: Vec<Alignment>,
    pub(super) indent: u8,
}

/// Text of which parts look different.
#[derive(Default, Clone)]
pub(super) struct Rich {
    pub(super) text: String,
    pub(super) spans: Vec<(Range<usize>, Look)>,
}

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) code: bool,
    pub(super) strike: bool,
    /// The number of a link.
    pub(super) link: Option<u32>,
}

impl Rich {
    pub(super) fn plain(text: &str) -> Self {
        let mut rich = Self::default();
        rich.push(text, Look::default());
        rich
    }

    /// Adds text. Characters that only steer a terminal or a printer are left out.
    pub(super) fn push(&mut self, text: &str, look: Look) {
        let from = self.text.len();
        for letter in text.chars() {
            match letter {
                '\t' => self.text.push_str("    "),
                '\n' => self.text.push('\n'),
                letter if letter.is_control() => {}
                letter => self.text.push(letter),
            }
        }
        if look != Look::default() && self.text.len() > from {
            self.spans.push((from..self.text.len(), look));
        }
    }
}

impl TextBlock {
    pub(super) fn new(shape: Shape, text: Rich) -> Self {
        Self {
            shape,
            text,
            indent: 0,
            quotes: 0,
            marker: None,
            entry: None,
        }
    }
}

impl Document {
    pub(super) fn link(&mut self, to: Goto) -> u32 {
        self.links.push(to);
        u32::try_from(self.links.len() - 1).unwrap_or(u32::MAX)
    }

    fn add(&mut self, shape: Shape, text: &str) {
        self.blocks.push(Block::Text(TextBlock::new(shape, Rich::plain(text))));
    }
}

/// The branch that is shown, as blocks.
pub(super) fn document(chat: &ArchivedChat) -> Document {
    let mut document = Document::default();
    document.add(Shape::Title, &one_line(&chat.chat.title));
    let day = chat.chat.updated_at.format("%Y-%m-%d");
    document.add(Shape::When, &format!("{day} · DeepSearch"));
    for (at, archived) in chat.shown().into_iter().enumerate() {
        if archived.message.role == Role::User {
            document.add(Shape::Question, archived.message.content.trim());
            continue;
        }
        prose::answer(&mut document, at, archived);
        checks(&mut document, archived);
        sources(&mut document, at, archived);
    }
    document
}

fn checks(document: &mut Document, archived: &ArchivedMessage) {
    if archived.checks.is_empty() {
        return;
    }
    let count = |verdict| archived.checks.iter().filter(|check| check.verdict == verdict).count();
    let (supported, partly, missing) = (
        count(Verdict::Supported),
        count(Verdict::Partly),
        count(Verdict::NotFound),
    );
    document.add(
        Shape::Small,
        &format!("Checked against the sources: {supported} sentences supported, {partly} partly, {missing} not found."),
    );
    let doubtful = archived
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Supported);
    for (at, check) in doubtful.enumerate() {
        if at == 0 {
            document.add(Shape::Small, "Sentences to be careful with:");
        }
        let sentence = one_line(check.sentence.slice(&archived.message.content));
        let mut block = TextBlock::new(Shape::Small, Rich::plain(&sentence));
        (block.indent, block.marker) = (1, Some("–".into()));
        document.blocks.push(Block::Text(block));
    }
}

fn sources(document: &mut Document, message: usize, archived: &ArchivedMessage) {
    let sources = archived.message.sources.as_deref().unwrap_or_default();
    if sources.is_empty() {
        return;
    }
    document.add(Shape::Heading(4), "Sources");
    for (number, source) in (1..).zip(sources) {
        let title = one_line(&source.title);
        let (title, has_title) = match title.as_str() {
            "" => (source.url.as_str(), false),
            title => (title, true),
        };
        let mut text = Rich::default();
        let mut look = Look::default();
        if is_web(&source.url) {
            look.link = Some(document.link(Goto::Web(source.url.clone())));
        }
        text.push(title, Look { strong: true, ..look });
        if has_title && look.link.is_some() {
            text.push("\n", Look::default());
            text.push(&source.url, look);
        }
        let mut block = TextBlock::new(Shape::Source, text);
        block.indent = 1;
        block.marker = Some(format!("{number}."));
        block.entry = Some(Entry { message, number });
        document.blocks.push(Block::Text(block));
        quotes(document, archived, number);
    }
}

/// Each quoted sentence of a source, once.
fn quotes(document: &mut Document, archived: &ArchivedMessage, number: u32) {
    let mut told = Vec::new();
    for citation in archived.citations.iter().filter(|citation| citation.number == number) {
        let quote = one_line(&citation.quote);
        if told.contains(&quote) {
            continue;
        }
        let mut block = TextBlock::new(Shape::Quote, Rich::plain(&quote));
        (block.indent, block.quotes) = (1, 1);
        document.blocks.push(Block::Text(block));
        told.push(quote);
    }
}
