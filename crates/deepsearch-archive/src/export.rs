//! Writing chats: our own JSON, which loses nothing; Markdown; one HTML file that carries its evidence; and a PDF.

mod bundle;
mod html;
mod marks;
mod pdf;

use chrono::{DateTime, Utc};
use deepsearch_core::{Chat, Role};
use serde::{Deserialize, Serialize};

pub use self::bundle::Bundle;
pub use self::html::html;
pub use self::pdf::{PdfError, Typesetter};
use crate::chat::ArchivedChat;

/// The name of our format, and the version that is written. Version 1 had no saved pages.
pub(crate) const FORMAT: &str = "deepsearch-chats";
pub(crate) const VERSION: u64 = 2;

pub(crate) const MESSAGE_MARK: &str = "<!-- deepsearch:message ";
pub(crate) const SOURCES_MARK: &str = "<!-- deepsearch:sources -->";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "ExportFormat", rename_all = "lowercase")]
pub enum Format {
    Json,
    Markdown,
    Html,
    Pdf,
}

/// What stands before the first chat of a document.
pub fn json_start(now: DateTime<Utc>) -> String {
    let now = now.to_rfc3339();
    format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{now}\",\"chats\":[")
}

/// A chat as an element of the document.
///
/// # Errors
/// [`serde_json::Error`] for a number that JSON cannot hold.
pub fn json_chat(chat: &ArchivedChat, is_first: bool) -> Result<String, serde_json::Error> {
    let separator = if is_first { "\n" } else { ",\n" };
    Ok(format!("{separator}{}", serde_json::to_string(chat)?))
}

/// What stands behind the last one.
pub const JSON_END: &str = "\n]}\n";

/// The branch that is shown, with its sources and what is quoted of them.
pub fn markdown(chat: &ArchivedChat) -> String {
    let mut out = format!("# {}\n", one_line(&chat.chat.title));
    for archived in chat.shown() {
        let message = &archived.message;
        let (role, heading) = match message.role {
            Role::User => ("user", "Question"),
            _ => ("assistant", "Answer"),
        };
        // Nothing that was said may pass for a mark of ours.
        let content = message.content.replace("<!-- deepsearch:", "<!-- deepsearch-");
        let at = message.created_at.to_rfc3339();
        out.push_str(&format!(
            "\n{MESSAGE_MARK}{role} {at} -->\n## {heading}\n\n{}\n",
            content.trim()
        ));
        let sources = message.sources.as_deref().unwrap_or_default();
        if sources.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{SOURCES_MARK}\n### Sources\n\n"));
        for (number, source) in (1..).zip(sources) {
            let url = source.url.replace(['<', '>', '\n'], "");
            out.push_str(&format!("{number}. [{}](<{url}>)\n", escaped(&one_line(&source.title))));
            let mut quotes: Vec<&str> = Vec::new();
            for citation in archived.citations.iter().filter(|citation| citation.number == number) {
                if !quotes.contains(&citation.quote.as_str()) {
                    quotes.push(&citation.quote);
                    out.push_str(&format!("   > {}\n", escaped(&one_line(&citation.quote))));
                }
            }
        }
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in which nothing is Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '#') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// How the name of a file of this format ends.
pub fn file_ending(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Markdown => "md",
        Format::Html => "html",
        Format::Pdf => "pdf",
    }
}

/// A file name for a chat that every system takes.
pub fn file_name(chat: &Chat, format: Format) -> String {
    let end = file_ending(format);
    let name = plain(&chat.title);
    let day = chat.updated_at.format("%Y-%m-%d");
    format!("{day}-{}.{end}", if name.is_empty() { "chat" } else { &name })
}

/// How several chats are written: as one document, or a zip with one for each.
pub fn ending_of_many(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Markdown | Format::Html | Format::Pdf => "zip",
    }
}

/// A file name for several chats, called by what they have in common.
pub fn file_name_of_many(common: Option<&str>, format: Format) -> String {
    let name = common.map(plain).filter(|name| !name.is_empty());
    let of = match format {
        Format::Json => "",
        format => file_ending(format),
    };
    let parts = ["deepsearch-chats", name.as_deref().unwrap_or_default(), of];
    let stem = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    format!("{}.{}", stem.join("-"), ending_of_many(format))
}

/// What of a name every system takes in a file's.
fn plain(name: &str) -> String {
    let letters = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() { letter } else { ' ' });
    let plain: String = letters.take(60).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}
