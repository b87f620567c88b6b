//! The Markdown of an answer as blocks. Its addresses become links only where they are of the web; a picture would have
//! to be loaded, so its words stand for it; and HTML is text.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::blocks::{Block, Document, Entry, Goto, Look, Rich, Shape, Table, TextBlock};
use crate::chat::ArchivedMessage;
use crate::export::html::is_web;
use crate::export::marks::{Piece, marked, pieces};

/// Deeper lists and quotations look like those of this depth.
const DEEPEST: u8 = 6;

pub(super) fn answer(document: &mut Document, message: usize, archived: &ArchivedMessage) {
    let text = marked(archived);
    let mut reader = Reader {
        document,
        message,
        archived,
        text: Rich::default(),
        looks: vec![Look::default()],
        lists: Vec::new(),
        marker: None,
        quotes: 0,
        shape: Shape::Paragraph,
        table: None,
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in TextMergeStream::new(Parser::new_ext(&text, options)) {
        reader.read(event);
    }
    reader.end_block();
}

struct Reader<'a> {
    document: &'a mut Document,
    message: usize,
    archived: &'a ArchivedMessage,
    text: Rich,
    /// The look of the text here, and those it goes back to.
    looks: Vec<Look>,
    /// The next number of each list around, or none for one with dots.
    lists: Vec<Option<u64>>,
    /// What the next block begins with.
    marker: Option<String>,
    quotes: u8,
    shape: Shape,
    table: Option<Table>,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.words(&text, self.look()),
            Event::Code(text) => self.words(
                &text,
                Look {
                    code: true,
                    ..self.look()
                },
            ),
            Event::SoftBreak => self.soft_break(),
            Event::HardBreak => self.text.push("\n", Look::default()),
            Event::Rule => {
                self.end_block();
                self.document.blocks.push(Block::Rule);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let look = self.look();
        match tag {
            Tag::Heading { level, .. } => {
                self.end_block();
                self.shape = Shape::Heading(level as u8);
            }
            Tag::BlockQuote(_) => {
                self.end_block();
                self.quotes = self.quotes.saturating_add(1);
            }
            Tag::CodeBlock(_) => {
                self.end_block();
                self.shape = Shape::Code;
            }
            Tag::List(first) => {
                self.end_block();
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_block();
                let depth = self.lists.len();
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{number}.");
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ if depth.is_multiple_of(2) => "–".into(),
                    _ => "•".into(),
                });
            }
            Tag::Table(sides) => {
                self.end_block();
                let indent = self.indent();
                self.table = Some(Table {
                    rows: Vec::new(),
                    sides,
                    indent,
                });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::TableCell => self.text = Rich::default(),
            Tag::Emphasis => self.looks.push(Look { emphasis: true, ..look }),
            Tag::Strong => self.looks.push(Look { strong: true, ..look }),
            Tag::Strikethrough => self.looks.push(Look { strike: true, ..look }),
            Tag::Link { dest_url, .. } => {
                let link = match is_web(&dest_url) {
                    true => Some(self.document.link(Goto::Web(dest_url.into_string()))),
                    false => look.link,
                };
                self.looks.push(Look { link, ..look });
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Item => {
                self.end_block();
            }
            TagEnd::BlockQuote(_) => {
                self.end_block();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                let table = self.table.take().filter(|table| !table.rows.is_empty());
                self.document.blocks.extend(table.map(Block::Table));
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                self.looks.pop();
            }
            _ => {}
        }
    }

    fn look(&self) -> Look {
        self.looks.last().copied().unwrap_or_default()
    }

    fn indent(&self) -> u8 {
        u8::try_from(self.lists.len()).unwrap_or(u8::MAX).min(DEEPEST)
    }

    fn words(&mut self, text: &str, look: Look) {
        for piece in pieces(text) {
            match piece {
                Piece::Words(words) => self.text.push(words, look),
                Piece::Cite(index) => {
                    let Some(citation) = self.archived.citations.get(index) else {
                        continue;
                    };
                    let entry = Entry {
                        message: self.message,
                        number: citation.number,
                    };
                    let link = Some(self.document.link(Goto::Source(entry)));
                    self.text.push(&format!("[{}]", citation.number), Look { link, ..look });
                }
            }
        }
    }

    /// Lines of one paragraph are joined: with a space, except between two characters of a script that has none.
    fn soft_break(&mut self) {
        let is_spaceless = |letter: char| matches!(letter, '\u{3000}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}');
        if !self.text.text.chars().next_back().is_some_and(is_spaceless) {
            self.text.push(" ", self.look());
        }
    }

    fn end_block(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        let shape = std::mem::replace(&mut self.shape, Shape::Paragraph);
        // Cells are ended by their own tag.
        if self.table.is_some() || text.text.trim().is_empty() {
            return;
        }
        let kept = text.text.trim_end().len();
        text.text.truncate(kept);
        text.spans.retain_mut(|(range, _)| {
            range.end = range.end.min(kept);
            range.start < range.end
        });
        let mut block = TextBlock::new(shape, text);
        block.indent = self.indent();
        block.quotes = self.quotes.min(DEEPEST);
        block.marker = self.marker.take();
        self.document.blocks.push(Block::Text(block));
    }
}
