//! What the model looks at: each block as a row of numbers.
//!
//! A row says what the block's text is like, where it stands, what its author calls the parts around it, whether it
//! repeats, and what kind of page this is. Names are only needed to train and to explain a model.

use std::collections::{HashMap, HashSet};

use super::head::Head;
use super::hints::{HINTS, Hint};
use super::outline::{Block, Element, Outline};
use super::standing::{Group, Standing, is_prose, standings};
use super::topics::{TOPICS, Told, Topic};

/// Where there is nothing to measure.
const NONE: f64 = -99_999.0;

/// One row per block, and the names of its columns; the chances of the page's kinds are put behind them.
pub(super) struct Table {
    pub(super) rows: Vec<Vec<f32>>,
    pub(super) names: Vec<String>,
}

pub(super) fn table(outline: &Outline, head: &Head) -> Table {
    let page = Page::of(outline, head);
    let mut names = Vec::new();
    let rows = (0..outline.blocks.len()).map(|at| {
        let mut row = Row {
            values: Vec::with_capacity(240),
            names: (at == 0).then_some(&mut names),
        };
        page.describe(at, &mut row);
        row.values
    });
    let rows = rows.collect();
    Table { rows, names }
}

struct Row<'a> {
    values: Vec<f32>,
    names: Option<&'a mut Vec<String>>,
}

impl Row<'_> {
    fn put(&mut self, name: &str, value: impl Into<f64>) {
        if let Some(names) = &mut self.names {
            names.push(name.to_owned());
        }
        self.values.push(value.into() as f32);
    }

    fn put_at(&mut self, name: &str, place: impl std::fmt::Display, value: impl Into<f64>) {
        if let Some(names) = &mut self.names {
            names.push(format!("{name} {place}"));
        }
        self.values.push(value.into() as f32);
    }
}

/// What is summed once per page.
struct Page<'a> {
    outline: &'a Outline,
    words: f64,
    linked: f64,
    /// Words before each block.
    offsets: Vec<u32>,
    heading: Option<usize>,
    first_prose: usize,
    last_prose: usize,
    paths: HashMap<u64, Group>,
    standings: Vec<Standing>,
    title: HashSet<String>,
    told: Vec<Told>,
    topics: Vec<Topical>,
    declared: HashSet<u64>,
    /// How often the same text stands before and after each block.
    same: Vec<[u32; 2]>,
}

/// What headings and labels before a block were about.
#[derive(Clone)]
struct Topical {
    /// 2: the nearest heading, 1: one above it.
    headed: [u8; TOPICS],
    /// Blocks since a short text.
    since: [u8; TOPICS],
}

impl<'a> Page<'a> {
    fn of(outline: &'a Outline, head: &Head) -> Self {
        let title = head.shown_title();
        let blocks = &outline.blocks;
        let elements = &outline.elements;
        let mut offsets = Vec::with_capacity(blocks.len());
        let mut total = 0;
        let (mut seen, mut paths) = (HashMap::<&str, u32>::new(), HashMap::new());
        let mut same = Vec::with_capacity(blocks.len());
        for block in blocks {
            offsets.push(total);
            total += block.words;
            let before = seen.entry(block.text.as_str()).or_default();
            same.push([*before, 0]);
            *before += 1;
            let group: &mut Group = paths.entry(elements[block.element].path).or_default();
            group.add(block.words, block.linked, if is_prose(block) { block.words } else { 0 });
        }
        for (block, same) in blocks.iter().zip(&mut same) {
            same[1] = seen[block.text.as_str()] - same[0] - 1;
        }
        let told: Vec<Told> = blocks.iter().map(|block| Told::of(&block.text)).collect();
        let is_h1 = |block: &Block| {
            outline
                .ancestors(block.element)
                .take(3)
                .any(|at| &*elements[at].name == "h1")
        };
        Self {
            outline,
            words: f64::from(total.max(1)),
            linked: f64::from(elements.first().map_or(0, |root| root.linked)),
            offsets,
            heading: blocks.iter().position(is_h1),
            first_prose: blocks.iter().position(is_prose).unwrap_or(0),
            last_prose: blocks.iter().rposition(is_prose).unwrap_or(blocks.len()),
            paths,
            standings: standings(outline),
            topics: topics(outline, &told),
            told,
            declared: declared(head),
            same,
            title: title.to_lowercase().split_whitespace().map(str::to_owned).collect(),
        }
    }

    fn describe(&self, at: usize, row: &mut Row<'_>) {
        let block = &self.outline.blocks[at];
        self.text(block, row);
        self.told(at, row);
        self.place(at, row);
        self.around(at, row);
        self.containers(block, row);
        self.repetition(at, row);
        self.names(block, row);
        self.kind(row);
    }

    fn text(&self, block: &Block, row: &mut Row<'_>) {
        let text = &block.text;
        let words = f64::from(block.words.max(1));
        let signs = Signs::of(text);
        let chars = f64::from(signs.chars.max(1));
        let letters = f64::from(signs.letters);
        row.put("words", block.words);
        row.put("letters a word", letters / words);
        row.put("link density", block.link_density());
        row.put("sentence ends", signs.ends);
        row.put("commas", f64::from(signs.commas) / words);
        row.put("digits", f64::from(signs.digits) / chars);
        row.put("capitals", f64::from(signs.capitals) / letters.max(1.0));
        row.put("symbols", f64::from(signs.symbols) / chars);
        row.put("lines", signs.lines);
        let ends = ['.', '!', '?', ':', '。', '…', '"', '”', ')'];
        row.put("ends a sentence", u8::from(text.ends_with(ends)));
        row.put("ends in colon", u8::from(text.ends_with(':')));
        row.put("asks", u8::from(text.ends_with('?')));
        row.put("starts small", u8::from(text.starts_with(char::is_lowercase)));
        row.put("price", u8::from(text.contains(['$', '€', '£', '¥'])));
        row.put(
            "copyright",
            u8::from(text.contains('©') || text.contains("rights reserved")),
        );
        let known = text
            .split_whitespace()
            .filter(|word| self.title.contains(&word.to_lowercase()))
            .count() as f64;
        row.put("words of the title", known / self.title.len().max(1) as f64);
        row.put("share in title", known / f64::from(block.words.max(1)));
    }

    fn told(&self, at: usize, row: &mut Row<'_>) {
        let block = &self.outline.blocks[at];
        let words = f64::from(block.words.max(1));
        let told = &self.told[at];
        row.put("grammar", f64::from(told.grammar) / words);
        row.put("says I", f64::from(told.i) / words);
        row.put("says you", f64::from(told.you) / words);
        row.put("says we", f64::from(told.we) / words);
        let topical = &self.topics[at];
        for topic in 0..TOPICS {
            let name = Topic::NAMES[topic];
            row.put_at("about", name, f64::from(told.topics[topic]) / words);
            row.put_at("headed", name, topical.headed[topic]);
            row.put_at("blocks since", name, topical.since[topic]);
        }
        let pairs = pairs(&block.text);
        let known = pairs.iter().filter(|pair| self.declared.contains(pair)).count() as f64;
        row.put("declared", known / pairs.len().max(1) as f64);
        row.put("declarations", (self.declared.len() as f64).ln_1p());
    }

    fn place(&self, at: usize, row: &mut Row<'_>) {
        let blocks = self.outline.blocks.len().max(1) as f64;
        let offset = f64::from(self.offsets[at]);
        row.put("place in words", offset / self.words);
        row.put("words before", offset);
        row.put("words after", self.words - offset);
        row.put("place in blocks", at as f64 / blocks);
        row.put("after first prose", at as f64 - self.first_prose as f64);
        row.put("before last prose", self.last_prose as f64 - at as f64);
        let heading = self
            .heading
            .map_or(NONE, |heading| offset - f64::from(self.offsets[heading]));
        row.put("words after h1", heading);
    }

    fn around(&self, at: usize, row: &mut Row<'_>) {
        let blocks = &self.outline.blocks;
        for step in [-3_isize, -2, -1, 1, 2, 3] {
            let near = at.checked_add_signed(step).and_then(|near| blocks.get(near));
            row.put_at("words at", step, near.map_or(NONE, |near| f64::from(near.words)));
            row.put_at(
                "link density at",
                step,
                near.map_or(NONE, |near| f64::from(near.link_density())),
            );
        }
        let heading = |at: usize| self.outline.elements[blocks[at].element].levels_to(Hint::TagHeading) < 3;
        let back = (1..=at.min(20)).find(|&back| heading(at - back)).unwrap_or(21);
        row.put("blocks since heading", back as f64);
        let window = |from: usize, to: usize| {
            let near = &blocks[from..to.min(blocks.len())];
            let (words, linked) = near.iter().fold((0, 0), |sum, b| (sum.0 + b.words, sum.1 + b.linked));
            (
                f64::from(words) / near.len().max(1) as f64,
                f64::from(linked) / f64::from(words.max(1)),
            )
        };
        let (words, linked) = window(at.saturating_sub(8), at);
        row.put("words in 8 before", words);
        row.put("links in 8 before", linked);
        let (words, linked) = window(at + 1, at + 9);
        row.put("words in 8 after", words);
        row.put("links in 8 after", linked);
    }

    fn containers(&self, block: &Block, row: &mut Row<'_>) {
        let elements = &self.outline.elements;
        let chain: Vec<usize> = self.outline.ancestors(block.element).take(9).collect();
        let standing = &self.standings[block.element];
        for level in [0, 1, 2, 3, 4, 6, 8] {
            let element = chain.get(level).map(|&at| &elements[at]);
            let get = |of: fn(&Element) -> f64| element.map_or(NONE, of);
            row.put_at("container words", level, get(|e| f64::from(e.words)));
            row.put_at(
                "container share",
                level,
                get(|e| f64::from(e.words)).max(-1.0) / self.words,
            );
            row.put_at("container links", level, get(|e| f64::from(e.link_density())));
            row.put_at(
                "container words a block",
                level,
                get(|e| f64::from(e.words) / f64::from(e.blocks.max(1))),
            );
            row.put_at(
                "container prose",
                level,
                get(|e| f64::from(e.prose) / f64::from(e.words.max(1))),
            );
        }
        let section = standing.section.map(|at| &elements[at]);
        row.put(
            "section share",
            section.map_or(NONE, |e| f64::from(e.words) / self.words),
        );
        row.put("section links", section.map_or(NONE, |e| f64::from(e.link_density())));
        row.put(
            "section prose",
            section.map_or(NONE, |e| f64::from(e.prose) / f64::from(e.words.max(1))),
        );
        row.put("depth", elements[block.element].depth);
        for (which, share) in ["half", "most", "all"].into_iter().enumerate() {
            row.put_at("in core", share, u8::from(standing.in_core[which]));
            row.put_at("levels to core", share, standing.to_core[which]);
        }
        row.put("prose above", standing.prose_above);
    }

    fn repetition(&self, at: usize, row: &mut Row<'_>) {
        let block = &self.outline.blocks[at];
        let elements = &self.outline.elements;
        row.put("same text before", self.same[at][0]);
        row.put("same text after", self.same[at][1]);
        let path = self
            .paths
            .get(&elements[block.element].path)
            .copied()
            .unwrap_or_default();
        row.put("same path", path.members);
        path.put("same path", self.words, row);
        let standing = &self.standings[block.element];
        row.put("list level", standing.list_level);
        row.put("list members", standing.list.members);
        standing.list.put("list", self.words, row);
    }

    fn names(&self, block: &Block, row: &mut Row<'_>) {
        let element = &self.outline.elements[block.element];
        for hint in 0..HINTS {
            row.put_at("levels to", Hint::NAMES[hint], element.hints[hint]);
        }
        let name = &*element.name;
        let heading = name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok());
        row.put("heading", heading.map_or(9, |level| level.min(9)));
    }

    fn kind(&self, row: &mut Row<'_>) {
        let root = self.outline.elements.first();
        row.put("page words", self.words);
        row.put("page links", self.linked / self.words);
        row.put(
            "page prose",
            root.map_or(0.0, |root| f64::from(root.prose)) / self.words,
        );
        row.put("page blocks", self.outline.blocks.len() as f64);
        row.put(
            "page first prose",
            self.offsets
                .get(self.first_prose)
                .map_or(0.0, |&words| f64::from(words))
                / self.words,
        );
    }
}

fn topics(outline: &Outline, told: &[Told]) -> Vec<Topical> {
    let mut now = Topical {
        headed: [0; TOPICS],
        since: [u8::MAX; TOPICS],
    };
    let mut above: [[bool; TOPICS]; 7] = [[false; TOPICS]; 7];
    let mut topics = Vec::with_capacity(told.len());
    for (block, told) in outline.blocks.iter().zip(told) {
        let own = told.topics.map(|count| count > 0);
        now.since.iter_mut().for_each(|since| *since = since.saturating_add(1));
        if block.words <= 8 {
            now.since
                .iter_mut()
                .zip(own)
                .filter(|(_, is)| *is)
                .for_each(|(since, _)| *since = 0);
        }
        if let Some(level) = outline.heading_level(block.element) {
            above[level] = own;
            above[level + 1..].iter_mut().for_each(|lower| *lower = [false; TOPICS]);
            for topic in 0..TOPICS {
                now.headed[topic] = match own[topic] {
                    true => 2,
                    false => u8::from(above[..level].iter().any(|upper| upper[topic])),
                };
            }
        }
        topics.push(now.clone());
    }
    topics
}

/// Pairs of words in what the page says of itself to machines.
fn declared(head: &Head) -> HashSet<u64> {
    let mut declared = HashSet::new();
    for name in ["description", "og:description", "twitter:description"] {
        declared.extend(pairs(head.meta(&[name]).unwrap_or_default()));
    }
    head.objects(&mut |object| {
        for name in ["description", "articleBody", "text", "headline"] {
            if let Some(text) = object.get(name).and_then(serde_json::Value::as_str) {
                declared.extend(pairs(text));
            }
        }
    });
    declared
}

fn pairs(text: &str) -> Vec<u64> {
    let mut pairs = Vec::new();
    let mut before = 0;
    let mut hash = 0_u64;
    for byte in text.bytes().chain([b' ']) {
        if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            hash = (hash ^ u64::from(byte.to_ascii_lowercase()))
                .wrapping_mul(0x0100_0000_01b3)
                .wrapping_add(0x9e37);
        } else if hash != 0 {
            if before != 0 {
                pairs.push(before ^ hash.rotate_left(17));
            }
            before = hash;
            hash = 0;
        }
    }
    pairs
}

/// What a block's text is made of.
#[derive(Default)]
struct Signs {
    chars: u32,
    letters: u32,
    capitals: u32,
    digits: u32,
    symbols: u32,
    commas: u32,
    ends: u32,
    lines: u32,
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self::default();
        for char in text.chars() {
            signs.chars += 1;
            match char {
                'a'..='z' => signs.letters += 1,
                ' ' => {}
                '\n' => signs.lines += 1,
                'A'..='Z' => {
                    signs.letters += 1;
                    signs.capitals += 1;
                }
                '0'..='9' => signs.digits += 1,
                _ => {
                    signs.letters += u32::from(char.is_alphabetic());
                    signs.capitals += u32::from(char.is_uppercase());
                    signs.symbols += u32::from(!char.is_alphanumeric() && !char.is_whitespace());
                    signs.commas += u32::from(matches!(char, ',' | '，' | '、'));
                    signs.ends += u32::from(matches!(char, '.' | '!' | '?' | '。' | '！' | '？'));
                }
            }
        }
        signs
    }
}

impl Group {
    fn put(&self, name: &str, page: f64, row: &mut Row<'_>) {
        let words = f64::from(self.words.max(1));
        row.put_at(name, "share", f64::from(self.words) / page);
        row.put_at(
            name,
            "words each",
            f64::from(self.words) / f64::from(self.members.max(1)),
        );
        row.put_at(name, "links", f64::from(self.linked) / words);
        row.put_at(name, "prose", f64::from(self.prose) / words);
    }
}
