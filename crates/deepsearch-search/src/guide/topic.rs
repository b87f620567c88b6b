//! One topic of the guide: its Markdown as readable text, in sections, and as HTML.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A file of the guide.
pub(super) struct Topic {
    pub(super) id: String,
    pub(super) title: String,
    /// In order; the first is what stands before any heading and has none.
    pub(super) sections: Vec<Section>,
    pub(super) html: String,
}

/// A heading and what stands below it, one block a line.
#[derive(Default)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) text: String,
}

impl Topic {
    pub(super) fn read(id: &str, markdown: &str) -> Self {
        let mut rendered = String::new();
        html::push_html(&mut rendered, Parser::new_ext(markdown, Options::ENABLE_TABLES));
        let mut topic = Self {
            id: id.to_owned(),
            title: String::new(),
            sections: vec![Section::default()],
            html: rendered,
        };
        let mut block = String::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Text(text) | Event::Code(text) => block.push_str(&text),
                Event::SoftBreak | Event::End(TagEnd::TableCell) => block.push(' '),
                Event::HardBreak => block.push('\n'),
                Event::End(TagEnd::Heading(level)) => topic.begin(level, std::mem::take(&mut block)),
                // A nested list begins within an item: what the item says itself is a line of its own.
                Event::Start(Tag::List(_))
                | Event::End(
                    TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::TableRow | TagEnd::TableHead,
                ) => topic.push(std::mem::take(&mut block)),
                _ => {}
            }
        }
        topic.push(block);
        topic
    }

    /// The readable text: title, headings and blocks, each on a line.
    pub(super) fn text(&self) -> String {
        let sections = self
            .sections
            .iter()
            .flat_map(|section| [section.heading.as_str(), section.text.as_str()]);
        let lines = std::iter::once(self.title.as_str())
            .chain(sections)
            .filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }

    fn begin(&mut self, level: HeadingLevel, heading: String) {
        let heading = heading.trim().to_owned();
        if level == HeadingLevel::H1 && self.title.is_empty() {
            self.title = heading;
        } else {
            self.sections.push(Section {
                heading,
                text: String::new(),
            });
        }
    }

    fn push(&mut self, block: String) {
        let block = block.trim();
        let Some(section) = self.sections.last_mut().filter(|_| !block.is_empty()) else {
            return;
        };
        if !section.text.is_empty() {
            section.text.push('\n');
        }
        section.text.push_str(block);
    }
}
