//! The sentences of the passages, each with what it is and where it stands.

use std::collections::HashSet;

use deepsearch_core::{NumberedPassage, PageId, text};

/// What a line of a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prose,
    ListItem,
    Code,
    Heading,
    /// Menus, notices, and what else surrounds a text.
    Boilerplate,
}

#[derive(Debug)]
pub(super) struct Sentence<'a> {
    /// Position in the list of passages.
    pub(super) passage: usize,
    /// The `[n]` that cites it.
    pub(super) number: u32,
    /// As it stands in the source, without the bullet or number of a list item.
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// The list item was numbered.
    pub(super) numbered: bool,
    /// The line among all lines, and the byte of the page: for neighbourhood and order.
    pub(super) line: usize,
    pub(super) at: usize,
    pub(super) terms: HashSet<String>,
    /// It leans on the sentence before it ("However, it …").
    pub(super) leans: bool,
    /// The heading above it, as a position in the list of sentences.
    pub(super) heading: Option<usize>,
    /// That heading is a signature right above, which the sentence explains without naming it ("Return …").
    pub(super) explains: bool,
    /// The last heading above that is no signature, as a position.
    pub(super) section: Option<usize>,
    /// It stands right below a heading that asks a question, as in a list of frequent ones.
    pub(super) replies: bool,
}

/// All sentences, in the order of the passages, those of overlapping passages once.
pub(super) fn cut(passages: &[NumberedPassage]) -> Vec<Sentence<'_>> {
    let mut sentences: Vec<Sentence<'_>> = Vec::new();
    let mut seen: HashSet<(&PageId, usize)> = HashSet::new();
    let mut lines = 0;
    for (position, passage) in passages.iter().enumerate() {
        let mut heading: Option<usize> = None;
        let (mut section, mut above) = (None, "");
        let base = passage.span.start as usize;
        let mut line_start = 0;
        for line in passage.text.split_inclusive('\n') {
            let (start, end) = (line_start, line_start + line.len());
            line_start = end;
            let following = passage.text[end..].lines().find(|line| !line.trim().is_empty());
            let (kind, numbered, skipped) = classify(line, above, following);
            above = line.trim();
            lines += 1;
            let body = &passage.text[start + skipped..end];
            let spans = match kind {
                Kind::Code | Kind::Heading => vec![text::Span::new(0, body.trim_end().len())],
                _ => text::sentences(body),
            };
            for span in spans.into_iter().filter(|span| !span.is_empty()) {
                let at = base + start + skipped + span.start as usize;
                if !seen.insert((&passage.page_id, at)) {
                    continue;
                }
                let own = span.slice(body);
                if kind == Kind::Heading {
                    heading = Some(sentences.len());
                    section = if is_signature(own) { section } else { heading };
                }
                let below = heading
                    .filter(|_| kind == Kind::Prose)
                    .map(|heading| &sentences[heading]);
                let below = below.filter(|heading| heading.line + 2 >= lines);
                let explains =
                    span.start == 0 && below.is_some_and(|above| above.line + 1 == lines && is_signature(above.text));
                let replies = below.is_some_and(|above| above.text.ends_with(['?', '？']));
                sentences.push(Sentence {
                    passage: position,
                    number: passage.number,
                    text: own,
                    kind,
                    numbered,
                    line: lines,
                    at,
                    terms: text::content_terms(own).into_iter().collect(),
                    leans: leans(own),
                    heading: heading.filter(|_| kind != Kind::Heading),
                    explains,
                    section,
                    replies,
                });
            }
        }
    }
    sentences
}

/// The kind of a line, whether it is a numbered item, and the bytes of the mark before it.
fn classify(line: &str, above: &str, following: Option<&str>) -> (Kind, bool, usize) {
    let trimmed = line.trim();
    let indent = line.len() - line.trim_start().len();
    if trimmed.is_empty() {
        return (Kind::Boilerplate, false, 0);
    }
    if is_boilerplate(trimmed) {
        return (Kind::Boilerplate, false, indent);
    }
    if let Some((mark, numbered)) = list_mark(trimmed) {
        return (Kind::ListItem, numbered, indent + mark);
    }
    if is_code(line) {
        return (Kind::Code, false, 0);
    }
    let asks = trimmed.ends_with(['?', '？']) && text::sentences(trimmed).len() == 1;
    if (asks || is_signature(trimmed)) && following.is_some() {
        return (Kind::Heading, false, indent);
    }
    let words = text::words(trimmed).count();
    let unsegmented = trimmed.chars().any(text::is_unsegmented);
    let ends = trimmed.ends_with(['.', '!', '?', ':', ';', '。', '！', '？', '"', '”', ')']);
    let short = if unsegmented {
        trimmed.chars().count() <= 16
    } else {
        words <= 10
    };
    match ends || !short {
        true => (Kind::Prose, false, indent),
        // What a colon announces on a line of its own is a command or an example.
        false if above.ends_with(':') && !unsegmented => (Kind::Code, false, 0),
        false if following.is_some() => (Kind::Heading, false, indent),
        false => (Kind::Boilerplate, false, indent),
    }
}

/// The bytes of `- `, `• `, `3. `, `(b) ` or `Step 2: `, and whether it counts.
fn list_mark(line: &str) -> Option<(usize, bool)> {
    let first = line.chars().next()?;
    if matches!(first, '-' | '*' | '•' | '‣' | '–' | '◦' | '·' | '+') {
        let rest = &line[first.len_utf8()..];
        return rest
            .starts_with(char::is_whitespace)
            .then(|| (line.len() - rest.trim_start().len(), false));
    }
    let digits = line
        .trim_start_matches('(')
        .split(|c: char| !c.is_ascii_digit())
        .next()?;
    let opened = line.len() - line.trim_start_matches('(').len();
    if (1..=2).contains(&digits.len()) {
        let rest = &line[opened + digits.len()..];
        let after = rest.strip_prefix(['.', ')'])?;
        return after
            .starts_with(' ')
            .then(|| (line.len() - after.trim_start().len(), true));
    }
    None
}

/// `json.load(fp, *, cls=None)`, `exception KeyError`: what a reference manual puts above an explanation.
fn is_signature(line: &str) -> bool {
    let words = line.split(' ').count();
    let declares = [
        "class ",
        "exception ",
        "function ",
        "method ",
        "attribute ",
        "type ",
        "macro ",
        "struct ",
    ]
    .iter()
    .any(|keyword| line.starts_with(keyword));
    let called = line
        .find('(')
        .is_some_and(|open| line[..open].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    let closed = line.ends_with([')', ']'])
        || line
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with("->") || rest.trim_start().starts_with('→'));
    (declares && words <= 3) || (called && closed && words <= 16 && !line.contains(". "))
}

fn is_code(line: &str) -> bool {
    let trimmed = line.trim();
    if [">>> ", "... ", "$ ", "# apt", "# dnf", "sudo ", "C:\\>"]
        .iter()
        .any(|prompt| trimmed.starts_with(prompt))
    {
        return true;
    }
    let prose_end = trimmed.ends_with(['.', '?', '!', '。']) || trimmed.contains(". ");
    let signs = trimmed
        .chars()
        .filter(|c| "(){}[]=<>;_\\|&$\"'/#@".contains(*c))
        .count();
    let letters = trimmed.chars().filter(|c| c.is_alphabetic()).count().max(1);
    let keyword = [
        "import ", "from ", "def ", "class ", "return ", "let ", "fn ", "const ", "var ", "SELECT ", "export ",
    ]
    .iter()
    .any(|keyword| trimmed.starts_with(keyword) && (signs > 0 || trimmed.split(' ').count() <= 4));
    let flags = trimmed.split(' ').any(|word| word.starts_with("--")) && trimmed.split(' ').count() <= 8;
    let assigns = trimmed.contains(" = ") && signs * 4 >= letters;
    !prose_end && (keyword || flags || assigns || trimmed.ends_with([';', '{', '}']) || signs * 3 > letters)
}

fn is_boilerplate(line: &str) -> bool {
    const NOTICES: &[&str] = &[
        "cookie",
        "all rights reserved",
        "©",
        "subscribe",
        "sign in",
        "log in to",
        "sign up",
        "click here",
        "read more",
        "table of contents",
        "previous topic",
        "next topic",
        "skip to",
        "newsletter",
        "privacy policy",
        "terms of use",
        "terms of service",
        "share this",
        "advertisement",
        "javascript is disabled",
        "enable javascript",
        "show source",
        "report a bug",
        "last updated on",
        "retrieved from",
        "jump to navigation",
        "permalink",
    ];
    let lower = line.to_lowercase();
    let short = line.chars().count() < 160;
    let bars = line.matches(['|', '»', '›', '·', '¶']).count();
    (short && NOTICES.iter().any(|notice| lower.contains(notice)))
        || bars >= 3
        || !line.chars().any(char::is_alphabetic)
}

/// Beginnings that mean nothing without the sentence before.
fn leans(sentence: &str) -> bool {
    const WORDS: &[&str] = &[
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "they",
        "them",
        "their",
        "he",
        "she",
        "his",
        "her",
        "such",
        "however",
        "but",
        "and",
        "or",
        "so",
        "therefore",
        "thus",
        "hence",
        "also",
        "then",
        "otherwise",
        "instead",
        "moreover",
        "furthermore",
        "additionally",
        "similarly",
        "likewise",
        "nevertheless",
        "consequently",
        "meanwhile",
        "finally",
        "again",
        "both",
        "er",
        "sie",
        "es",
        "dies",
        "diese",
        "dieser",
        "dieses",
        "jedoch",
        "aber",
        "daher",
        "il",
        "elle",
        "ils",
        "elles",
        "cela",
        "ce",
        "cette",
        "cependant",
        "mais",
        "donc",
        "ello",
        "esto",
        "este",
        "esta",
        "pero",
        "además",
        "sin",
    ];
    const STARTS: &[&str] = &[
        "它",
        "他",
        "她",
        "这",
        "這",
        "其",
        "但",
        "因此",
        "所以",
        "それ",
        "これ",
        "この",
        "その",
        "しかし",
        "また",
    ];
    let first = text::words(sentence)
        .next()
        .map(|(_, word)| word.to_lowercase())
        .unwrap_or_default();
    // "This module …" names what it speaks of, and so does "This is …" nothing.
    let names_itself = matches!(first.as_str(), "this" | "these" | "such")
        && text::words(sentence).nth(1).is_some_and(|(_, word)| {
            matches!(
                word.to_lowercase().as_str(),
                "module" | "function" | "page" | "document" | "tutorial" | "guide"
            )
        });
    (WORDS.contains(&first.as_str()) && !names_itself) || STARTS.iter().any(|start| sentence.starts_with(start))
}
