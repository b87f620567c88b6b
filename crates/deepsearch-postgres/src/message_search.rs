//! Full-text search over a user's messages (seed 5.3), best first, with what matched marked.
//!
//! The statement lies in the database, as `deepsearch.search_messages` (migration 4): a device's conditions do not reach
//! the index through the view that shows it its own messages.

use chrono::{DateTime, Utc};
use deepsearch_core::text::Span;
use deepsearch_core::{ChatId, MessageId, Role, UserId};

use crate::database::SharedDatabase;
use crate::error::{DatabaseError, Doing};

/// The most hits of one search.
pub const MESSAGE_HITS: u32 = 100;

/// What is read of a query: nobody types more, and a pasted page must cost no more.
const LONGEST: usize = 400;

/// Marks around what matched, in the database's answer. Characters without a meaning, which a message can hold only by
/// malice; then a mark may be lost or misplaced, and nothing else.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';
const HEADLINE: &str =
    "StartSel=\u{E000}, StopSel=\u{E001}, MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=\" … \"";

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageHit {
    pub message_id: MessageId,
    pub chat_id: ChatId,
    pub chat_title: String,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    /// How well it matches; of use only beside that of another hit.
    pub rank: f32,
    /// Plain text on one line; never markup.
    pub snippet: String,
    /// What matched: bytes of `snippet`, in order.
    pub highlights: Vec<Span>,
}

impl SharedDatabase {
    /// A user's messages outside Trash that match, best first. What is typed is read as search engines read it: words,
    /// `"phrases"`, `or`, `-without`; nothing typed is an error.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not answer.
    pub async fn search_messages(
        &self,
        user: &UserId,
        typed: &str,
        limit: u32,
    ) -> Result<Vec<MessageHit>, DatabaseError> {
        const ACTION: &str = "search the messages";
        let typed = readable(typed);
        let mut tx = self.begin().await.doing(ACTION)?;
        let rows = sqlx::query!(
            r#"select message_id as "message_id!", chat_id as "chat_id!", chat_title as "chat_title!", role as "role!",
                created_at as "created_at!", rank as "rank!", headline as "headline!"
            from deepsearch.search_messages($1, $2, $3, $4)"#,
            user.as_str(),
            typed,
            i32::try_from(limit.min(MESSAGE_HITS)).unwrap_or(i32::MAX),
            HEADLINE
        )
        .fetch_all(&mut *tx)
        .await
        .doing(ACTION)?;
        tx.commit().await.doing(ACTION)?;
        let hits = rows.into_iter().map(|row| {
            let (snippet, highlights) = unmark(&row.headline);
            MessageHit {
                message_id: MessageId::from_stored(row.message_id),
                chat_id: ChatId::from_stored(row.chat_id),
                chat_title: row.chat_title,
                role: row.role.parse().unwrap_or(Role::System),
                created_at: row.created_at,
                rank: row.rank,
                snippet,
                highlights,
            }
        });
        Ok(hits.collect())
    }
}

/// As much of a query as is read, in whole words.
fn readable(typed: &str) -> String {
    let typed = typed.replace('\0', " ");
    match typed.char_indices().nth(LONGEST) {
        None => typed,
        Some((end, _)) => {
            let words = typed[..end].rfind(char::is_whitespace).unwrap_or(end);
            typed[..words].to_owned()
        }
    }
}

/// Takes the marks out of a headline, and puts it on one line.
fn unmark(headline: &str) -> (String, Vec<Span>) {
    let mut text = String::with_capacity(headline.len());
    let mut highlights = Vec::new();
    let mut open = None;
    for c in headline.chars() {
        match c {
            OPEN => open = Some(text.len()),
            CLOSE => highlights.extend(open.take().map(|start| Span::new(start, text.len()))),
            c if c.is_whitespace() => {
                if !text.ends_with(' ') && !text.is_empty() {
                    text.push(' ');
                }
            }
            c => text.push(c),
        }
    }
    text.truncate(text.trim_end().len());
    highlights.retain(|span| !span.is_empty() && span.range().end <= text.len());
    (text, highlights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_spans_on_one_line_and_stray_ones_are_dropped() {
        let (text, spans) = unmark("\n a\u{E000}é\u{E001}  b\n\u{E001}\u{E000}c d\u{E001} \u{E000}\u{E001}\u{E000}");
        assert_eq!(text, "aé b c d");
        let marked: Vec<&str> = spans.iter().map(|span| span.slice(&text)).collect();
        assert_eq!(marked, ["é", "c d"]);
    }
}
