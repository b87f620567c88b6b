//! Guards the text of an answer while it streams: `[n]` only for sources that exist, links only to what was retrieved.
//!
//! A model may split `[12]` over three tokens, invent `[99]`, or write an address it was told by a hostile page. What
//! leaves here has canonical `[n]` markers, and no address that leads outside of the evidence (EchoLeak,
//! CVE-2025-32711). Text leaves only where no later piece can change what it means, so how a stream is cut does not
//! matter.

use std::sync::Arc;

/// How an address stands to the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its page was read, or the person wrote it: it may be a link.
    Retrieved,
    /// It stands in the text of a page: it may be shown, as code, which leads nowhere.
    Quoted,
    /// Nobody but the model knows it.
    Foreign,
}

/// Judges addresses.
pub type Judge = Arc<dyn Fn(&str) -> Standing + Send + Sync>;

/// The filter for one answer.
pub struct AnswerText {
    sources: u32,
    judge: Judge,
    pending: String,
    /// The last two characters that left: they tell whether a word begins, or an address goes on.
    before: String,
    place: Place,
}

/// Where in the Markdown the text that left so far ends.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    in_fence: bool,
    in_code: bool,
    line_has_text: bool,
}

// What grows past these is no word, link or tag; it must not hold back the stream, nor grow without bound.
const LONGEST_HELD: usize = 4_096;
const LONGEST_LABEL: usize = 300;
const LONGEST_MARKER: usize = 60;
const LONGEST_SCHEME: usize = 24;

impl AnswerText {
    /// `sources`: how many there are, so `[1]` to `[sources]` are right.
    pub fn new(sources: u32, judge: Judge) -> Self {
        Self {
            sources,
            judge,
            pending: String::new(),
            before: String::new(),
            place: Place::default(),
        }
    }

    /// Takes up where text that left earlier ends.
    pub fn resume(&mut self, text: &str) {
        self.push(text);
        self.finish();
    }

    /// Takes the next piece and gives what can be shown now; often less, sometimes more.
    pub fn push(&mut self, piece: &str) -> String {
        self.pending.push_str(piece);
        let ready = decided(&self.pending);
        self.release(ready)
    }

    /// Gives the rest.
    pub fn finish(&mut self) -> String {
        self.release(self.pending.len())
    }

    fn release(&mut self, end: usize) -> String {
        let text: String = self.pending.drain(..end).collect();
        // What left before is looked back at, but never changed.
        let mut out = self.before.clone();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let taken = self.take(rest, first, &mut out);
            rest = &rest[taken..];
        }
        let left = out.split_off(self.before.len());
        self.before.push_str(&left);
        let kept = self.before.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
        self.before.drain(..kept);
        left
    }

    /// Moves the beginning of `rest` to `out` and says how many bytes that was.
    fn take(&mut self, rest: &str, first: char, out: &mut String) -> usize {
        let begins_line = !self.place.line_has_text;
        if begins_line && (rest.starts_with("```") || rest.starts_with("~~~")) {
            self.place.in_fence = !self.place.in_fence;
            self.place.line_has_text = true;
            out.push_str(&rest[..3]);
            return 3;
        }
        let in_code = self.place.in_fence || self.place.in_code;
        self.advance(first);
        let special = if in_code {
            None
        } else {
            self.take_markup(rest, first, begins_line, out)
        };
        if let Some(taken) = special.or_else(|| self.take_address(rest, in_code, out)) {
            return taken;
        }
        out.push(first);
        first.len_utf8()
    }

    fn advance(&mut self, first: char) {
        let place = &mut self.place;
        match first {
            '\n' => {
                *place = Place {
                    in_fence: place.in_fence,
                    ..Place::default()
                }
            }
            '`' if !place.in_fence => place.in_code = !place.in_code,
            c if !c.is_whitespace() => place.line_has_text = true,
            _ => {}
        }
    }

    /// Markers, link targets, definitions of links, and tags.
    fn take_markup(&self, rest: &str, first: char, begins_line: bool, out: &mut String) -> Option<usize> {
        match first {
            '[' | '【' => {
                let (length, numbers) = marker_at(rest)?;
                Some(self.take_marker(rest, length, &numbers, begins_line, out))
            }
            ']' if rest.starts_with("](") => {
                // One that is not whole on its line becomes none, whatever is written behind it.
                let Some((target, length)) = link_target(&rest[1..]) else {
                    out.push_str("] ");
                    return Some(1);
                };
                out.push(']');
                if (self.judge)(target) == Standing::Retrieved {
                    out.push_str(&format!("({target})"));
                }
                Some(1 + length)
            }
            // Apart from its bracket, a colon defines no link.
            ']' if rest.starts_with("]:") => {
                out.push_str("] ");
                Some(1)
            }
            // Behind a bracket that left before an interruption.
            '(' if out.ends_with(']') => {
                out.push_str(" (");
                Some(1)
            }
            '<' => self.take_tag(rest, out),
            _ => None,
        }
    }

    fn take_marker(&self, rest: &str, length: usize, numbers: &[u32], begins_line: bool, out: &mut String) -> usize {
        let valid = numbers.iter().filter(|number| (1..=self.sources).contains(*number));
        let before = out.len();
        valid.for_each(|number| out.push_str(&format!("[{number}]")));
        if out.len() == before {
            // A wrong number leaves no hole before the full stop.
            out.truncate(out.trim_end_matches(' ').len().max(self.before.len()));
        }
        if begins_line && rest[length..].starts_with(':') {
            out.push(' ');
        }
        // `[1](address)`: the number is the link, wherever a model says that it leads.
        length + link_target(&rest[length..]).map_or(0, |(_, target)| target)
    }

    /// A tag loses what it carries; an address in pointed brackets is judged like any other.
    fn take_tag(&self, rest: &str, out: &mut String) -> Option<usize> {
        let end = rest
            .find(['>', '\n'])
            .filter(|end| *end <= LONGEST_LABEL && rest[*end..].starts_with('>'))?;
        let inside = &rest[1..end];
        if address_at(inside, "").is_some() && !inside.contains(char::is_whitespace) {
            match (self.judge)(inside) {
                Standing::Retrieved => out.push_str(&rest[..=end]),
                Standing::Quoted => out.push_str(&format!("`{inside}`")),
                Standing::Foreign => out.push_str(host_of(inside)),
            }
            return Some(end + 1);
        }
        let name = inside
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'/')
            .count();
        let carries = name > 0 && (inside.contains('=') || inside.contains("//"));
        carries.then(|| {
            out.push_str(&format!("<{}>", &inside[..name]));
            end + 1
        })
    }

    fn take_address(&self, rest: &str, in_code: bool, out: &mut String) -> Option<usize> {
        let length = address_at(rest, out)?;
        let address = &rest[..length];
        match (self.judge)(address) {
            Standing::Retrieved => out.push_str(address),
            Standing::Quoted if in_code => out.push_str(address),
            Standing::Quoted => out.push_str(&format!("`{address}`")),
            Standing::Foreign if in_code && is_example(address) => out.push_str(address),
            Standing::Foreign => out.push_str(host_of(address)),
        }
        Some(length)
    }
}

/// How much of the pending text no later piece can change: all but the last word, and what is open.
fn decided(pending: &str) -> usize {
    let word = pending
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace() || !c.is_ascii());
    let word = word.map_or(0, |(at, c)| at + c.len_utf8());
    let open = pending[..word]
        .char_indices()
        .find(|(at, c)| is_open(&pending[..word], *at, *c))
        .map_or(word, |(at, _)| at);
    let ready = pending[..open].trim_end_matches(' ').len();
    if pending.len() - ready > LONGEST_HELD {
        pending.len()
    } else {
        ready
    }
}

/// Whether the bracket at `at` waits for its end, or for what follows that.
fn is_open(text: &str, at: usize, bracket: char) -> bool {
    let rest = &text[at..];
    let held = |until: usize| rest.len() <= until && !rest.contains('\n');
    match bracket {
        '[' | '【' => match rest.find([']', '】', '\n']) {
            None => held(LONGEST_LABEL),
            Some(close) if close > LONGEST_LABEL || rest[close..].starts_with('\n') => false,
            Some(close) => {
                let after = &rest[close + rest[close..].chars().next().map_or(1, char::len_utf8)..];
                after.is_empty()
                    || after.starts_with('(')
                        && !after.contains('\n')
                        && link_target(after).is_none()
                        && held(LONGEST_HELD)
            }
        },
        ']' => rest.starts_with("](") && link_target(&rest[1..]).is_none() && held(LONGEST_HELD),
        '<' => {
            rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && !rest.contains('>')
                && held(LONGEST_LABEL)
        }
        _ => false,
    }
}

/// `(target "title")`, brackets in the target balanced: the bare target and the length of all. On one line only.
fn link_target(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('(')?;
    let mut depth = 0_usize;
    for (at, c) in inside.char_indices().take(LONGEST_HELD) {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                let target = inside[..at].split_whitespace().next().unwrap_or_default();
                return Some((target.trim_matches(['<', '>']), at + 2));
            }
            ')' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

/// `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `[source 1]`, `【1】`, on one line: its length and the numbers.
fn marker_at(text: &str) -> Option<(usize, Vec<u32>)> {
    let close = match text.chars().next()? {
        '[' => ']',
        '【' => '】',
        _ => return None,
    };
    let end = text.char_indices().take(LONGEST_MARKER).find(|(_, c)| *c == close)?.0;
    let open = text.chars().next().map_or(1, char::len_utf8);
    if text[open..end].contains('\n') {
        return None;
    }
    let inside = text[open..end].trim().trim_start_matches(['^', '#']);
    let numbers_at = inside.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(inside.len());
    let (word, inside) = inside.split_at(numbers_at);
    if !matches!(word.to_ascii_lowercase().as_str(), "" | "source" | "sources") {
        return None;
    }
    let mut numbers = Vec::new();
    for part in inside.split([',', ';']) {
        match part.split_once(['-', '–']) {
            Some((from, to)) => numbers.extend((number(from)?..=number(to)?).take(20)),
            None => numbers.push(number(part)?),
        }
    }
    Some((end + close.len_utf8(), numbers))
}

fn number(text: &str) -> Option<u32> {
    text.trim().trim_start_matches('#').parse().ok()
}

/// The length of an address that begins here: `scheme:/…`, `//host`, `www.…`, or a scheme that acts.
fn address_at(rest: &str, before: &str) -> Option<usize> {
    let joins = before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let after_slashes = rest
        .strip_prefix("//")
        .is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric()));
    // Also the middle of an address whose scheme left before, or was too long to be one.
    let goes_on = rest.starts_with('/') && before.ends_with(":/");
    let is_rest = goes_on || rest.starts_with("://") || (after_slashes && !joins && !before.ends_with('/'));
    let scheme = rest
        .bytes()
        .take(LONGEST_SCHEME)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
        .count();
    let after = &rest[scheme..];
    let acts = ["http", "https", "ftp", "file", "javascript", "data", "vbscript"]
        .iter()
        .any(|name| rest[..scheme].eq_ignore_ascii_case(name));
    let leads = after.starts_with("://")
        || (acts && after.starts_with(':') && after[1..].starts_with(|c: char| !c.is_whitespace()));
    let begins = !joins && (scheme > 0 && leads || has_prefix(rest, "www."));
    if !is_rest && !begins {
        return None;
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || "<>\"`|".contains(c))
        .unwrap_or(rest.len());
    let length = balanced(&rest[..end]);
    (length > 0).then_some(length)
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Without the punctuation of the sentence around it, and without a bracket that was opened before it.
fn balanced(address: &str) -> usize {
    let mut end = address
        .find(|c: char| "[]】".contains(c) || !c.is_ascii())
        .unwrap_or(address.len());
    loop {
        let text = &address[..end];
        let unbalanced = text.ends_with(')') && text.matches(')').count() > text.matches('(').count();
        match text.chars().next_back() {
            Some(last) if unbalanced || ".,;:!?'*_".contains(last) => end -= last.len_utf8(),
            _ => return end,
        }
    }
}

fn host_of(address: &str) -> &str {
    let after = address.split_once("//").map_or("", |(_, after)| after);
    let after = if after.is_empty() && has_prefix(address, "www.") {
        address
    } else {
        after
    };
    let host = after.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let host = if has_prefix(host, "www.") { &host[4..] } else { host };
    let is_plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    if is_plain { host } else { "" }
}

/// Addresses that lead nowhere and that every code example uses (RFC 2606, loopback).
fn is_example(address: &str) -> bool {
    let host = host_of(address);
    let is_or_under = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    matches!(host, "localhost" | "127.0.0.1")
        || [
            "example.com",
            "example.org",
            "example.net",
            "example",
            "test",
            "localhost",
            "invalid",
        ]
        .iter()
        .any(|name| is_or_under(name))
}
