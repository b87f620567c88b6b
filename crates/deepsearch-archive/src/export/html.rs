//! One HTML file that opens anywhere: the chat, and beside it each page that is quoted, at the quoted sentence.
//!
//! It loads nothing and runs nothing: its policy allows the one style in it. A number in an answer is a link to the
//! sentence in the saved page, which shows itself because it is the target. Everything that strangers wrote is text.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deepsearch_core::{Page, PageId, Role, Span, Verdict};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use sha2::{Digest, Sha256};
use url::Url;

use super::marks::{Piece, marked, pieces};
use crate::chat::{ArchivedChat, ArchivedMessage};

const STYLE: &str = include_str!("html.css");

/// The branch that is shown, as a document.
pub fn html(chat: &ArchivedChat) -> String {
    let quoted = Quoted::of(chat);
    let title = escape(&chat.chat.title);
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let day = chat.chat.updated_at.format("%Y-%m-%d");
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
         base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1 dir=\"auto\">{title}</h1>\n\
         <p class=\"when\">{day} · DeepSearch</p>\n</header>\n"
    );
    for (at, archived) in chat.shown().into_iter().enumerate() {
        message(&mut out, at, archived, &quoted);
    }
    out.push_str("</main>\n");
    for page in &chat.pages {
        saved_page(&mut out, page, &quoted);
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Which sentences of which pages are quoted.
struct Quoted<'a> {
    /// Each page that is quoted: its number in the document, and its spans in order.
    pages: HashMap<&'a PageId, (usize, Vec<Span>)>,
    /// Where the first link to a sentence stands, which is the way back.
    backs: HashMap<(usize, Span), String>,
}

impl<'a> Quoted<'a> {
    fn of(chat: &'a ArchivedChat) -> Self {
        let numbers = chat
            .pages
            .iter()
            .enumerate()
            .map(|(at, page)| (&page.id, (at, Vec::new())));
        let mut pages: HashMap<&PageId, (usize, Vec<Span>)> = numbers.collect();
        let mut backs = HashMap::new();
        for (message, archived) in chat.shown().into_iter().enumerate() {
            for (at, citation) in archived.citations.iter().enumerate() {
                if let Some((page, spans)) = pages.get_mut(&citation.page_id) {
                    spans.push(citation.page_span);
                    let back = || format!("a{message}-{at}");
                    backs.entry((*page, citation.page_span)).or_insert_with(back);
                }
            }
        }
        for (_, spans) in pages.values_mut() {
            spans.sort();
            spans.dedup();
        }
        Self { pages, backs }
    }

    /// The id of a quoted sentence.
    fn id(&self, page: &PageId, span: Span) -> Option<String> {
        let (number, spans) = self.pages.get(page)?;
        let at = spans.iter().position(|other| *other == span)?;
        Some(format!("q{number}-{at}"))
    }
}

fn message(out: &mut String, at: usize, archived: &ArchivedMessage, quoted: &Quoted<'_>) {
    let message = &archived.message;
    if message.role == Role::User {
        let _ = writeln!(out, "<h2 dir=\"auto\">{}</h2>", escape(message.content.trim()));
        return;
    }
    let _ = writeln!(out, "<section class=\"answer\" aria-label=\"Answer\" dir=\"auto\">");
    answer(out, at, archived, quoted);
    checks(out, archived);
    let sources = message.sources.as_deref().unwrap_or_default();
    if !sources.is_empty() {
        out.push_str("<h3>Sources</h3>\n<ol class=\"sources\">\n");
        for (number, source) in (1..).zip(sources) {
            let title = escape(if source.title.trim().is_empty() {
                &source.url
            } else {
                source.title.trim()
            });
            let _ = write!(out, "<li dir=\"auto\">{}", link(&source.url, &title));
            let mut told: Vec<Span> = Vec::new();
            for citation in archived.citations.iter().filter(|citation| citation.number == number) {
                if told.contains(&citation.page_span) {
                    continue;
                }
                told.push(citation.page_span);
                let quote = escape(citation.quote.trim());
                let _ = match quoted.id(&citation.page_id, citation.page_span) {
                    Some(id) => write!(out, "<blockquote><a href=\"#{id}\">{quote}</a></blockquote>"),
                    None => write!(out, "<blockquote>{quote}</blockquote>"),
                };
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
}

fn answer(out: &mut String, at: usize, archived: &ArchivedMessage, quoted: &Quoted<'_>) {
    let marked = marked(archived);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut links = Vec::new();
    let events = TextMergeStream::new(Parser::new_ext(&marked, options)).filter_map(|event| {
        Some(match event {
            Event::Text(text) => Event::InlineHtml(cited(&text, at, archived, quoted, true).into()),
            Event::Code(text) => {
                let code = cited(&text, at, archived, quoted, false);
                Event::InlineHtml(format!("<code>{code}</code>").into())
            }
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(CowStr::from(html.into_string())),
            // The document has headings of its own above these.
            Event::Start(Tag::Heading { .. }) => Event::InlineHtml("<p class=\"heading\"><strong>".into()),
            Event::End(TagEnd::Heading(_)) => Event::InlineHtml("</strong></p>\n".into()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let is_web = is_web(&dest_url);
                links.push(is_web);
                if !is_web {
                    return None;
                }
                Event::InlineHtml(format!("<a href=\"{}\" rel=\"noopener noreferrer\">", escape(&dest_url)).into())
            }
            Event::End(TagEnd::Link) => match links.pop() {
                Some(true) => Event::InlineHtml("</a>".into()),
                _ => return None,
            },
            // A picture would have to be loaded: its words stay.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
            other => other,
        })
    });
    pulldown_cmark::html::push_html(out, events);
}

/// Text with its markers as links to the sentences, or as they were written.
fn cited(text: &str, message: usize, archived: &ArchivedMessage, quoted: &Quoted<'_>, as_links: bool) -> String {
    let mut out = String::new();
    for piece in pieces(text) {
        let index = match piece {
            Piece::Words(words) => {
                out.push_str(&escape(words));
                continue;
            }
            Piece::Cite(index) => index,
        };
        let Some(citation) = archived.citations.get(index) else {
            continue;
        };
        let (number, quote) = (citation.number, escape(citation.quote.trim()));
        let target = quoted.id(&citation.page_id, citation.page_span).filter(|_| as_links);
        let _ = match target {
            Some(id) => write!(
                out,
                "<a class=\"cite\" id=\"a{message}-{index}\" href=\"#{id}\" title=\"{quote}\">[{number}]</a>"
            ),
            None => write!(out, "[{number}]"),
        };
    }
    out
}

fn checks(out: &mut String, archived: &ArchivedMessage) {
    let count = |verdict| archived.checks.iter().filter(|check| check.verdict == verdict).count();
    let (partly, missing) = (count(Verdict::Partly), count(Verdict::NotFound));
    if archived.checks.is_empty() {
        return;
    }
    let supported = count(Verdict::Supported);
    let _ = writeln!(
        out,
        "<p class=\"checks\">Checked against the sources: {supported} sentences supported, {partly} partly, {missing} not found.</p>"
    );
    if partly + missing > 0 {
        out.push_str("<details><summary>Sentences to be careful with</summary>\n<ul>\n");
        let doubtful = archived
            .checks
            .iter()
            .filter(|check| check.verdict != Verdict::Supported);
        for check in doubtful {
            let sentence = escape(check.sentence.slice(&archived.message.content).trim());
            let _ = writeln!(out, "<li dir=\"auto\">{sentence}</li>");
        }
        out.push_str("</ul>\n</details>\n");
    }
}

fn saved_page(out: &mut String, page: &Page, quoted: &Quoted<'_>) {
    let Some((number, spans)) = quoted.pages.get(&page.id).filter(|(_, spans)| !spans.is_empty()) else {
        return;
    };
    let title = escape(if page.title.trim().is_empty() {
        page.url.as_str()
    } else {
        page.title.trim()
    });
    let day = page.fetched_at.format("%Y-%m-%d");
    let _ = write!(
        out,
        "<aside class=\"page\" tabindex=\"0\" aria-label=\"{title}\">\n<h2 dir=\"auto\">{title}</h2>\n\
         <p class=\"when\">{} · saved {day}</p>\n<div class=\"text\" dir=\"auto\">",
        link(page.url.as_str(), &escape(page.url.as_str()))
    );
    let mut from = 0;
    for (at, span) in spans.iter().enumerate() {
        let id = format!("q{number}-{at}");
        // One that overlaps the one before is a place only.
        if (span.start as usize) < from || span.slice(&page.text).is_empty() {
            let _ = write!(out, "<span id=\"{id}\"></span>");
            continue;
        }
        let range = span.range();
        out.push_str(&escape(page.text.get(from..range.start).unwrap_or_default()));
        let _ = write!(out, "<mark id=\"{id}\">{}</mark>", escape(span.slice(&page.text)));
        if let Some(back) = quoted.backs.get(&(*number, *span)) {
            let _ = write!(
                out,
                "<a class=\"back\" href=\"#{back}\" aria-label=\"Back to the answer\">↩</a>"
            );
        }
        from = range.end;
    }
    out.push_str(&escape(page.text.get(from..).unwrap_or_default()));
    out.push_str("</div>\n</aside>\n");
}

pub(super) fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// A link where the address is one of the web, else only its words, which are escaped already.
fn link(url: &str, words: &str) -> String {
    if is_web(url) {
        format!("<a href=\"{}\" rel=\"noopener noreferrer\">{words}</a>", escape(url))
    } else {
        words.to_owned()
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => {}
            _ => out.push(letter),
        }
    }
    out
}
