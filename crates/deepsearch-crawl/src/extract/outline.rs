//! Reads a parsed document into a flat outline: the elements that hold text, and the blocks of text they hold.
//!
//! A block is a run of inline text within one block-level element: a paragraph, a heading, a cell, a list item's
//! own line. Everything after this file works on blocks. Elements nobody sees or reads (scripts, form fields,
//! graphics) are left out here; whether a block is content is for the model to say.

use std::hash::{DefaultHasher, Hash, Hasher};

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use html5ever::LocalName;
use scraper::{Html, Node};

use super::hints::{self, HINTS, Hint};

/// Deeper elements are read as if they lay at this depth, so that hostile nesting stays cheap.
const MAX_DEPTH: u16 = 512;
/// A page with more blocks is cut here: a person reads no further.
const MAX_BLOCKS: usize = 60_000;
/// "No ancestor has this hint".
pub(super) const FAR: u8 = 60;

pub(super) struct Outline {
    pub(super) elements: Vec<Element>,
    pub(super) blocks: Vec<Block>,
}

pub(super) struct Element {
    pub(super) parent: Option<usize>,
    pub(super) name: LocalName,
    pub(super) node: NodeId,
    pub(super) depth: u16,
    /// Tag and classes: alike for the items of a list.
    pub(super) kind: u64,
    /// `kind` of this element and of three above it: alike for the same part of each item.
    pub(super) path: u64,
    /// For each hint, how many levels above the nearest element that bears it is.
    pub(super) hints: [u8; HINTS],
    pub(super) words: u32,
    pub(super) linked: u32,
    pub(super) blocks: u32,
    /// Words in blocks that read like prose.
    pub(super) prose: u32,
    pub(super) first_block: usize,
}

pub(super) struct Block {
    pub(super) element: usize,
    /// Lines only where the page breaks them itself (`br`, `pre`); other space is folded.
    pub(super) text: String,
    pub(super) nodes: Vec<NodeId>,
    pub(super) words: u32,
    pub(super) linked: u32,
}

impl Block {
    pub(super) fn link_density(&self) -> f32 {
        self.linked as f32 / self.words.max(1) as f32
    }
}

impl Outline {
    /// `noscript` is unparsed text where the parser took scripts for enabled.
    pub(super) fn of(html: &Html, scripted: bool) -> Self {
        let mut reader = Reader::default();
        let mut skip = None;
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) if skip.is_none() => match node.value() {
                    Node::Element(element) if is_unread(element, scripted) => skip = Some(node.id()),
                    Node::Element(element) => reader.open(node.id(), element),
                    Node::Text(text) => reader.text(node.id(), text),
                    _ => {}
                },
                Edge::Close(node) => match skip {
                    Some(id) if id == node.id() => skip = None,
                    None if node.value().is_element() => reader.close(),
                    _ => {}
                },
                Edge::Open(_) => {}
            }
            if reader.outline.blocks.len() >= MAX_BLOCKS {
                break;
            }
        }
        reader.flush();
        reader.outline.count();
        reader.outline
    }

    pub(super) fn words(&self) -> u32 {
        self.elements.first().map_or(0, |root| root.words)
    }

    /// Words in blocks that read like prose.
    pub(super) fn prose(&self) -> u32 {
        self.elements.first().map_or(0, |root| root.prose)
    }

    /// The element of a block and those above it, nearest first.
    pub(super) fn ancestors(&self, element: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(element), |&at| self.elements[at].parent)
    }

    /// 1 to 6 within a heading.
    pub(super) fn heading_level(&self, element: usize) -> Option<usize> {
        self.ancestors(element)
            .take(3)
            .find_map(|at| match &*self.elements[at].name {
                "h1" => Some(1),
                "h2" => Some(2),
                "h3" => Some(3),
                "h4" => Some(4),
                "h5" => Some(5),
                "h6" => Some(6),
                _ => None,
            })
    }

    /// Whether the author of the page calls the block, or what is close around it, a part that frames the content.
    pub(super) fn is_furniture(&self, block: usize) -> bool {
        const FRAME: [Hint; 6] = [
            Hint::Nav,
            Hint::TagNav,
            Hint::Footer,
            Hint::TagFooter,
            Hint::Consent,
            Hint::Overlay,
        ];
        let element = &self.elements[self.blocks[block].element];
        FRAME.iter().any(|&hint| element.levels_to(hint) < 4)
    }

    // Children follow their parents, so one pass from the back sums whole subtrees.
    fn count(&mut self) {
        for (at, block) in self.blocks.iter().enumerate() {
            let element = &mut self.elements[block.element];
            element.words += block.words;
            element.linked += block.linked;
            element.blocks += 1;
            element.first_block = element.first_block.min(at);
            if block.words >= 10 && block.link_density() < 0.33 {
                element.prose += block.words;
            }
        }
        for at in (1..self.elements.len()).rev() {
            let Element {
                parent,
                words,
                linked,
                blocks,
                prose,
                first_block,
                ..
            } = self.elements[at];
            if let Some(parent) = parent.map(|parent| &mut self.elements[parent]) {
                parent.words += words;
                parent.linked += linked;
                parent.blocks += blocks;
                parent.prose += prose;
                parent.first_block = parent.first_block.min(first_block);
            }
        }
    }
}

struct Open {
    element: usize,
    is_block: bool,
    is_link: bool,
    is_pre: bool,
}

struct Reader {
    outline: Outline,
    stack: Vec<Open>,
    links: usize,
    pres: usize,
    block: Block,
}

impl Default for Reader {
    fn default() -> Self {
        let outline = Outline {
            elements: Vec::new(),
            blocks: Vec::new(),
        };
        Self {
            outline,
            stack: Vec::new(),
            links: 0,
            pres: 0,
            block: Block::new(0),
        }
    }
}

impl Block {
    fn new(element: usize) -> Self {
        Self {
            element,
            text: String::new(),
            nodes: Vec::new(),
            words: 0,
            linked: 0,
        }
    }
}

impl Reader {
    fn open(&mut self, node: NodeId, element: &scraper::node::Element) {
        let name = element.name();
        if name == "br" {
            self.line_break();
        }
        let is_block = !is_inline(name);
        if is_block {
            self.flush();
        }
        let is_link = name == "a" && element.attr("href").is_some();
        let is_pre = name == "pre";
        self.links += usize::from(is_link);
        self.pres += usize::from(is_pre);
        let at = self.element(node, element);
        self.stack.push(Open {
            element: at,
            is_block,
            is_link,
            is_pre,
        });
    }

    fn close(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        if open.is_block {
            self.flush();
        }
        self.links -= usize::from(open.is_link);
        self.pres -= usize::from(open.is_pre);
    }

    fn element(&mut self, node: NodeId, element: &scraper::node::Element) -> usize {
        let parent = self.stack.last().map(|open| open.element);
        let above = parent.map(|at| &self.outline.elements[at]);
        let depth = above.map_or(0, |above| above.depth + 1);
        if let Some(parent) = parent.filter(|_| depth > MAX_DEPTH) {
            return parent;
        }
        let own = hints::of(element);
        let mut distances = above.map_or([FAR; HINTS], |above| above.hints.map(|levels| (levels + 1).min(FAR)));
        for hint in own.iter() {
            distances[hint] = 0;
        }
        let kind = kind(element);
        let near = self
            .stack
            .iter()
            .rev()
            .take(3)
            .map(|open| self.outline.elements[open.element].kind);
        let path = hash(&(kind, near.collect::<Vec<_>>()));
        let elements = &mut self.outline.elements;
        elements.push(Element {
            parent,
            name: element.name.local.clone(),
            node,
            depth,
            kind,
            path,
            hints: distances,
            words: 0,
            linked: 0,
            blocks: 0,
            prose: 0,
            first_block: usize::MAX,
        });
        elements.len() - 1
    }

    fn text(&mut self, node: NodeId, text: &str) {
        let Some(open) = self.stack.last() else { return };
        if self.block.nodes.is_empty() && self.pres == 0 && text.trim().is_empty() {
            return;
        }
        if self.block.nodes.is_empty() {
            let block = self.stack.iter().rev().find(|open| open.is_block).unwrap_or(open);
            self.block = Block::new(block.element);
        }
        self.block.nodes.push(node);
        if self.pres > 0 {
            self.block.text.push_str(text);
        } else {
            push_folded(&mut self.block.text, text);
        }
        let words = words(text);
        self.block.words += words;
        self.block.linked += if self.links > 0 { words } else { 0 };
    }

    fn line_break(&mut self) {
        if !self.block.nodes.is_empty() {
            let kept = self.block.text.trim_end_matches(' ').len();
            self.block.text.truncate(kept);
            self.block.text.push('\n');
        }
    }

    fn flush(&mut self) {
        let mut block = std::mem::replace(&mut self.block, Block::new(0));
        let text = block.text.trim_matches(['\n', '\r']).trim_end();
        let text = if self.pres > 0 { text } else { text.trim() };
        if block.words > 0 || text.chars().any(char::is_alphanumeric) {
            block.words = block.words.max(1);
            block.text = text.to_owned();
            self.outline.blocks.push(block);
        }
    }
}

/// Letters and digits in a row, the way a reader counts.
pub(super) fn words(text: &str) -> u32 {
    let mut inside = false;
    let mut words = 0;
    for char in text.chars() {
        let letter = char.is_alphanumeric() || char == '_';
        words += u32::from(letter && !inside);
        inside = letter;
    }
    words
}

fn push_folded(into: &mut String, text: &str) {
    for char in text.chars() {
        if !char.is_whitespace() {
            into.push(char);
        } else if !into.is_empty() && !into.ends_with([' ', '\n']) {
            into.push(' ');
        }
    }
}

fn is_unread(element: &scraper::node::Element, scripted: bool) -> bool {
    const UNREAD: &[&str] = &[
        "script", "style", "template", "svg", "iframe", "object", "embed", "audio", "video", "canvas", "select",
        "textarea", "input", "head", "map", "datalist", "progress", "meter",
    ];
    UNREAD.contains(&element.name()) || scripted && element.name() == "noscript"
}

fn is_inline(name: &str) -> bool {
    const INLINE: &[&str] = &[
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "br",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
        "mark",
        "math",
        "nobr",
        "picture",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "mi",
        "mo",
        "mn",
        "mrow",
        "msup",
        "msub",
        "semantics",
        "annotation",
    ];
    INLINE.contains(&name)
}

// Numbered classes (`post-4711`) tell items of one list apart; what they share is the rest.
fn kind(element: &scraper::node::Element) -> u64 {
    let classes = element.attr("class").unwrap_or_default().split_ascii_whitespace();
    let lasting = classes.filter(|class| !class.contains(|char: char| char.is_ascii_digit()));
    hash(&(element.name(), lasting.take(3).collect::<Vec<_>>()))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Element {
    pub(super) fn levels_to(&self, hint: Hint) -> u8 {
        self.hints[hint as usize]
    }

    pub(super) fn link_density(&self) -> f32 {
        self.linked as f32 / self.words.max(1) as f32
    }
}
