//! Messages of a shared database: as many to a chat, in all over three years, the newest last. Answers name their sources
//! and what made them, as the web app's do.

use anyhow::Result;
use chrono::TimeDelta;
use deepsearch_core::{Clock, SystemClock};
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use super::words::Words;

pub(crate) const PER_CHAT: usize = 20;

/// Of one answer in two; the other was made without a search.
const SOURCES: &str = r#"[{"title":"How long glaciers remember","url":"https://example.org/glaciers/memory","snippet":"A glacier answers to the weather of its last hundred years, and to that of this summer."},{"title":"Ice cores","url":"https://example.com/ice/cores?page=2","snippet":"Each layer is a year, down to where they are pressed too thin to be told apart."},{"title":"The tongue","url":"https://example.net/tongue","snippet":"Where as much melts as comes after."}]"#;
const METADATA: &str =
    r#"{"model":"gpt-4o-mini","searchQuery":"how long do glaciers remember","responseTime":4213,"tokensUsed":1873}"#;

/// Copies messages into `chat_0`, `chat_1` and so on, which are there.
pub(crate) async fn copy(pool: &PgPool, messages: usize) -> Result<()> {
    let mut words = Words::new(7);
    let into =
        r#"copy "ai-app-template_message" (id, chat_id, role, content, sources, metadata, created_at) from stdin"#;
    let now = SystemClock.now();
    let mut copy = pool.copy_in_raw(into).await?;
    let mut lines = String::new();
    for n in 0..messages {
        let age = TimeDelta::days(3 * 365) * i32::try_from(messages - n)? / i32::try_from(messages)?;
        let role = if n % 2 == 0 { "user" } else { "assistant" };
        let text = words.message().replace('\n', "\\n");
        let at = (now - age).to_rfc3339();
        let sources = if n % 4 == 3 { SOURCES } else { "\\N" };
        let metadata = if n % 2 == 1 { METADATA } else { "\\N" };
        let chat = n / PER_CHAT;
        lines.push_str(&format!(
            "msg_{n}\tchat_{chat}\t{role}\t{text}\t{sources}\t{metadata}\t{at}\n"
        ));
        if lines.len() > 1 << 20 {
            copy.send(std::mem::take(&mut lines).into_bytes()).await?;
        }
    }
    copy.send(lines.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}
