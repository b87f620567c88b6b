//! Vocabulary: what a word that is still being typed may become.
//!
//! A prefix index answers one to three letters. For more of them FTS5 puts together everything that any such word is
//! in before it gives the first row, 30 ms where one of the words is common among a million messages; words that are
//! named give their newest rows at once. So they are read from the index's own list and named, where they are few.

use sqlx::{SqliteConnection, SqlitePool};

use super::query::Query;

/// How many letters the prefix indexes answer (migration 0002).
const INDEXED: usize = 3;
/// How many words are named at most. A beginning that more words share is mostly of rare ones.
const MOST_WORDS: i64 = 128;

#[derive(Debug, Clone, Copy)]
pub(super) enum Index {
    Message,
    Page,
    Chat,
}

/// Gives a connection the views of the indexes that [`Index`] reads. They are the connection's own, not the file's.
pub(crate) async fn prepare(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "create virtual table temp.message_word using fts5vocab(main, history_message, instance)",
        "create virtual table temp.page_word using fts5vocab(main, history_page, instance)",
        "create virtual table temp.chat_word using fts5vocab(main, history_chat, instance)",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

impl Index {
    /// The expression for FTS5 that all phrases must match.
    pub(super) async fn expression(self, query: &Query, readers: &SqlitePool) -> Result<String, sqlx::Error> {
        let mut parts = Vec::with_capacity(query.phrases.len());
        for phrase in &query.phrases {
            let words = match phrase.growing_word() {
                Some(start) if start.chars().count() > INDEXED => self.words(start, readers).await?,
                _ => None,
            };
            parts.push(words.map_or_else(|| phrase.expression(), |words| any_of(&words)));
        }
        Ok(parts.join(" AND "))
    }

    /// The words that begin like this; `None` where they are none or too many.
    async fn words(self, start: &str, readers: &SqlitePool) -> Result<Option<Vec<String>>, sqlx::Error> {
        // Each step seeks the word after the one before; to read on would be to go through all its occurrences. No
        // word has a character below the space, and none goes on with the last one of Unicode.
        macro_rules! words_of {
            ($table:literal) => {
                concat!(
                    "with recursive word (text) as (
                         select (select term from temp.",
                    $table,
                    " where term >= ?1 limit 1)
                         union all
                         select (select term from temp.",
                    $table,
                    " where term >= word.text || char(1) limit 1)
                         from word where word.text < ?2)
                     select text from word where text < ?2 limit ?3"
                )
            };
        }
        let sql = match self {
            Self::Message => words_of!("message_word"),
            Self::Page => words_of!("page_word"),
            Self::Chat => words_of!("chat_word"),
        };
        let words: Vec<String> = sqlx::query_scalar(sql)
            .bind(start)
            .bind(format!("{start}\u{10FFFF}"))
            .bind(MOST_WORDS + 1)
            .fetch_all(readers)
            .await?;
        let are_few = !words.is_empty() && words.len() as i64 <= MOST_WORDS;
        Ok(are_few.then_some(words))
    }
}

fn any_of(words: &[String]) -> String {
    let names: Vec<String> = words
        .iter()
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    format!("({})", names.join(" OR "))
}
