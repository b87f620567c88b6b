//! Writes the chosen blocks down: as lines of text, and as the plain HTML of the reader view.
//!
//! Both are written from the same blocks, so that what is cited and what is shown agree. The HTML is built from a
//! handful of tags and then sanitised once more: a page is never trusted to have been understood.

use std::collections::HashSet;

use ego_tree::{NodeId, NodeRef};
use scraper::{Html, Node};
use url::Url;

use super::outline::{Block, Outline};

/// One block per line; the cells of a table's row share theirs.
pub(super) fn text(outline: &Outline, kept: &[usize]) -> String {
    let mut text = String::new();
    let mut row = None;
    for &at in kept {
        let block = &outline.blocks[at];
        let own = row_of(outline, block);
        if !text.is_empty() {
            text.push_str(if own.is_some() && own == row { " | " } else { "\n" });
        }
        row = own;
        push_lines(&mut text, block, own.is_some());
    }
    text
}

// The page's own line breaks stay, but a row stays one line.
fn push_lines(text: &mut String, block: &Block, in_row: bool) {
    let mut lines = block.text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    text.push_str(lines.next().unwrap_or_default());
    for line in lines {
        text.push(if in_row { ' ' } else { '\n' });
        text.push_str(if in_row { line.trim() } else { line });
    }
}

// Tables that lay out a whole page are no tables: a cell of prose is a line of its own.
fn row_of(outline: &Outline, block: &Block) -> Option<usize> {
    let row = outline
        .ancestors(block.element)
        .take(6)
        .find(|&at| &*outline.elements[at].name == "tr")?;
    let row_element = &outline.elements[row];
    (row_element.words <= 60 && block.text.lines().count() <= 2).then_some(row)
}

/// The chosen blocks as sanitised HTML; links are absolute, images are gone.
pub(super) fn html(tree: &Html, outline: &Outline, kept: &[usize], base: &Url) -> String {
    let mut writer = Writer {
        tree,
        base,
        html: String::new(),
        open: "",
    };
    let mut row = None;
    for &at in kept {
        let block = &outline.blocks[at];
        let own = row_of(outline, block);
        writer.block(outline, block, row, own);
        row = own;
    }
    writer.enclose("");
    sanitised(&writer.html)
}

fn sanitised(html: &str) -> String {
    let tags = [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "i",
        "li",
        "p",
        "pre",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tr",
        "ul",
    ];
    ammonia::Builder::default()
        .tags(HashSet::from(tags))
        .tag_attributes([("a", HashSet::from(["href"]))].into())
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .clean(html)
        .to_string()
}

struct Writer<'a> {
    tree: &'a Html,
    base: &'a Url,
    html: String,
    /// The wrapper around the current run of blocks: `ul`, `table`, `blockquote` or none.
    open: &'static str,
}

impl Writer<'_> {
    fn block(&mut self, outline: &Outline, block: &Block, before: Option<usize>, row: Option<usize>) {
        let names = || {
            outline
                .ancestors(block.element)
                .take(4)
                .map(|at| &*outline.elements[at].name)
        };
        let tag = names().find_map(tag).unwrap_or("p");
        let wrapper = match tag {
            _ if row.is_some() => "table",
            "li" => "ul",
            "p" if names().any(|name| name == "blockquote") => "blockquote",
            _ => "",
        };
        if self.open == "table" && before != row {
            self.html.push_str("</tr>");
        }
        let continues = self.open == "table" && wrapper == "table";
        self.enclose(wrapper);
        if wrapper == "table" && !(continues && before == row) {
            self.html.push_str("<tr>");
        }
        let tag = if wrapper == "table" { "td" } else { tag };
        self.html.extend(["<", tag, ">"]);
        self.inline(block, outline.elements[block.element].node, tag == "pre");
        self.html.extend(["</", tag, ">"]);
        if wrapper != "table" {
            self.html.push('\n');
        }
    }

    fn enclose(&mut self, wrapper: &'static str) {
        if self.open != wrapper {
            if !self.open.is_empty() {
                self.html.extend(["</", self.open, ">\n"]);
            }
            if !wrapper.is_empty() {
                self.html.extend(["<", wrapper, ">"]);
            }
            self.open = wrapper;
        }
    }

    fn inline(&mut self, block: &Block, owner: NodeId, verbatim: bool) {
        for &id in &block.nodes {
            let Some(node) = self.tree.tree.get(id) else { continue };
            let Node::Text(text) = node.value() else { continue };
            let marks = marks(node, owner, self.base);
            self.html.extend(marks.iter().map(|mark| mark.open.as_str()));
            if verbatim {
                self.html
                    .push_str(&ammonia::clean_text(text).replace("&#10;", "\n").replace("&#32;", " "));
            } else {
                self.escape(text);
            }
            self.html.extend(marks.iter().rev().map(|mark| mark.close));
            let broken = node
                .next_sibling()
                .and_then(|next| Some(next.value().as_element()?.name() == "br"));
            if broken == Some(true) && !verbatim {
                self.html.push_str("<br>");
            }
        }
    }

    fn escape(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' => self.html.push_str("&amp;"),
                '\n' | '\t' | '\r' => self.html.push(' '),
                char => self.html.push(char),
            }
        }
    }
}

fn tag(name: &str) -> Option<&'static str> {
    const KEPT: [&str; 8] = ["h1", "h2", "h3", "h4", "h5", "h6", "pre", "li"];
    match name {
        "dt" | "dd" => Some("li"),
        "p" => Some("p"),
        name => KEPT.into_iter().find(|kept| *kept == name),
    }
}

struct Mark {
    open: String,
    close: &'static str,
}

/// The inline elements between a text and its block, outermost first.
fn marks(node: NodeRef<'_, Node>, owner: NodeId, base: &Url) -> Vec<Mark> {
    let between = node.ancestors().take(12).take_while(|above| above.id() != owner);
    let mut marks: Vec<Mark> = between
        .filter_map(|above| mark(above.value().as_element()?, base))
        .collect();
    marks.reverse();
    marks
}

fn mark(element: &scraper::node::Element, base: &Url) -> Option<Mark> {
    let close = match element.name() {
        "a" => {
            let href = base.join(element.attr("href")?.trim()).ok()?;
            let href = matches!(href.scheme(), "http" | "https").then(|| href.as_str().replace('"', "%22"))?;
            return Some(Mark {
                open: format!("<a href=\"{}\">", href.replace('&', "&amp;")),
                close: "</a>",
            });
        }
        "b" | "strong" => "</strong>",
        "i" | "em" => "</em>",
        "code" | "kbd" | "samp" | "tt" => "</code>",
        "sub" => "</sub>",
        "sup" => "</sup>",
        _ => return None,
    };
    Some(Mark {
        open: close.replace('/', ""),
        close,
    })
}
