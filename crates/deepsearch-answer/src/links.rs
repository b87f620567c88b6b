//! Guards the text of an answer while it streams: `[n]` only for sources that exist, links only to what was retrieved.
//!
//! A model may split `[12]` over three tokens, invent `[99]`, or write an address it was told by a hostile page. What
//! leaves here has canonical `[n]` markers, and no address outside of the evidence (EchoLeak, CVE-2025-32711).

use std::sync::Arc;

/// Whether an address may appear.
pub type Allowed = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The filter for one answer. Holds back only what is not decided yet: an unfinished word or marker.
pub struct AnswerText {
    sources: u32,
    allowed: Allowed,
    pending: String,
    /// The last character that left: it tells whether a word begins.
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

// A marker or word that grows past this is none; it must not hold back the stream, nor grow without bound.
const LONGEST_HELD: usize = 4_096;
const LONGEST_MARKER: usize = 60;
const LONGEST_SCHEME: usize = 24;

impl AnswerText {
    /// `sources`: how many there are, so `[1]` to `[sources]` are right.
    pub fn new(sources: u32, allowed: Allowed) -> Self {
        Self {
            sources,
            allowed,
            pending: String::new(),
            before: String::new(),
            place: Place::default(),
        }
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
        if let Some((at, _)) = left.char_indices().next_back() {
            self.before = left[at..].to_owned();
        }
        left
    }

    /// Moves the beginning of `rest` to `out` and says how many bytes that was.
    fn take(&mut self, rest: &str, first: char, out: &mut String) -> usize {
        let place = &mut self.place;
        if !place.line_has_text && (rest.starts_with("```") || rest.starts_with("~~~")) {
            place.in_fence = !place.in_fence;
            place.line_has_text = true;
            out.push_str(&rest[..3]);
            return 3;
        }
        let in_code = place.in_fence || place.in_code;
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
        if !in_code && let Some((marker, numbers)) = marker_at(rest) {
            return self.take_marker(rest, marker, &numbers, out);
        }
        if let Some(address) = address_at(rest, out) {
            return self.take_address(rest, address, in_code, out);
        }
        out.push(first);
        first.len_utf8()
    }

    fn take_marker(&self, rest: &str, marker: usize, numbers: &[u32], out: &mut String) -> usize {
        let valid = numbers.iter().filter(|number| (1..=self.sources).contains(*number));
        let before = out.len();
        valid.for_each(|number| out.push_str(&format!("[{number}]")));
        if out.len() == before {
            // A wrong number leaves no hole before the full stop.
            out.truncate(out.trim_end_matches(' ').len().max(self.before.len()));
        }
        // `[1](address)`: the number is the link, wherever a model says that it leads.
        let link = rest[marker..]
            .starts_with('(')
            .then(|| rest[marker..].find(')'))
            .flatten();
        marker + link.map_or(0, |end| end + 1)
    }

    fn take_address(&self, rest: &str, length: usize, in_code: bool, out: &mut String) -> usize {
        let address = &rest[..length];
        if (self.allowed)(address) || (in_code && is_example(address)) {
            out.push_str(address);
            return length;
        }
        // `[text](address)` keeps its text; a bare address keeps its host, which no longer leads anywhere.
        if out.ends_with("](") {
            out.truncate(out.len() - 1);
            let end = rest[length..]
                .find([')', '\n'])
                .filter(|at| rest[length + at..].starts_with(')'));
            return length + end.map_or(0, |at| at + 1);
        }
        out.push_str(host_of(address));
        length
    }
}

/// How much of the pending text no later piece can change: all but the last word, and an open `[1, …`.
fn decided(pending: &str) -> usize {
    let word = pending.rfind(|c: char| c.is_whitespace() || !c.is_ascii());
    let word = word.map_or(0, |at| at + pending[at..].chars().next().map_or(1, char::len_utf8));
    let mut ready = pending[..word].trim_end_matches(' ').len();
    if let Some(open) = pending[..ready].rfind(['[', '【'])
        && pending.len() - open <= LONGEST_MARKER
        && !pending[open..ready].contains([']', '】'])
        && pending[open..ready].chars().skip(1).all(is_in_marker)
    {
        ready = pending[..open].trim_end_matches(' ').len();
    }
    if pending.len() - ready > LONGEST_HELD {
        pending.len()
    } else {
        ready
    }
}

fn is_in_marker(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ' ' | ',' | ';' | '-' | '–' | '^' | '#') || "sourceSOURCE".contains(c)
}

/// `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `[source 1]`, `【1】`: its length and the numbers.
fn marker_at(text: &str) -> Option<(usize, Vec<u32>)> {
    let close = match text.chars().next()? {
        '[' => ']',
        '【' => '】',
        _ => return None,
    };
    let end = text.char_indices().take(LONGEST_MARKER).find(|(_, c)| *c == close)?.0;
    let open = text.chars().next().map_or(1, char::len_utf8);
    let inside = text[open..end].trim().trim_start_matches(['^', '#']);
    let inside = inside.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let word = &text[open..end].trim()[..text[open..end].trim().len() - inside.len()];
    if !matches!(
        word.trim_start_matches(['^', '#']).to_ascii_lowercase().as_str(),
        "" | "source" | "sources"
    ) {
        return None;
    }
    let mut numbers = Vec::new();
    for part in inside.split([',', ';']) {
        match part.split_once(['-', '–']) {
            Some((from, to)) => {
                let (from, to): (u32, u32) = (number(from)?, number(to)?);
                numbers.extend((from..=to).take(20));
            }
            None => numbers.push(number(part)?),
        }
    }
    Some((end + close.len_utf8(), numbers))
}

fn number(text: &str) -> Option<u32> {
    text.trim().trim_start_matches('#').parse().ok()
}

/// The length of an address that begins here: `scheme://…`, `www.…`, or any target of a Markdown link.
fn address_at(rest: &str, before: &str) -> Option<usize> {
    let is_target = before.ends_with("](");
    let starts_word = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let scheme = rest
        .bytes()
        .take(LONGEST_SCHEME)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
        .count();
    let is_address = scheme > 0 && rest[scheme..].starts_with("://") || has_prefix(rest, "www.");
    let is_scripted = ["javascript:", "data:", "vbscript:", "mailto:", "file:"]
        .iter()
        .any(|scheme| has_prefix(rest, scheme));
    // The middle of an address whose scheme was too long to be one.
    let is_rest = rest.starts_with("://");
    if !is_target && !is_rest && !(starts_word && (is_address || is_scripted && before.ends_with('<'))) {
        return None;
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || "<>\"`|".contains(c))
        .unwrap_or(rest.len());
    let length = if is_target {
        rest[..end].find(')').unwrap_or(end)
    } else {
        balanced(&rest[..end])
    };
    (length > 0).then_some(length)
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Without the punctuation of the sentence around it, and without a bracket that was opened before it.
fn balanced(address: &str) -> usize {
    let mut end = address.find(['[', ']', '】', '。', '，']).unwrap_or(address.len());
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
    let after = address.split_once("://").map_or("", |(_, after)| after);
    let after = if after.is_empty() && has_prefix(address, "www.") {
        address
    } else {
        after
    };
    let host = after.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = if has_prefix(host, "www.") { &host[4..] } else { host };
    let is_plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    if is_plain { host } else { "" }
}

/// Addresses that lead nowhere and that every code example uses (RFC 2606, loopback).
fn is_example(address: &str) -> bool {
    let host = host_of(address);
    host == "localhost"
        || host == "127.0.0.1"
        || ["example.com", "example.org", "example.net"]
            .iter()
            .any(|example| host == *example || host.ends_with(&format!(".{example}")))
        || [".example", ".test", ".localhost", ".invalid"]
            .iter()
            .any(|end| host.ends_with(end))
}
