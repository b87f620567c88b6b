//! Messages of a shared database: as many to a chat, in all over three years, the newest last.

use anyhow::Result;
use chrono::TimeDelta;
use deepsearch_core::{Clock, SystemClock};
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use super::words::Words;

pub(crate) const PER_CHAT: usize = 20;

/// Copies messages into `chat_0`, `chat_1` and so on, which are there.
pub(crate) async fn copy(pool: &PgPool, messages: usize) -> Result<()> {
    let mut words = Words::new(7);
    let into = r#"copy "ai-app-template_message" (id, chat_id, role, content, created_at) from stdin"#;
    let now = SystemClock.now();
    let mut copy = pool.copy_in_raw(into).await?;
    let mut lines = String::new();
    for n in 0..messages {
        let age = TimeDelta::days(3 * 365) * i32::try_from(messages - n)? / i32::try_from(messages)?;
        let role = if n % 2 == 0 { "user" } else { "assistant" };
        let text = words.message().replace('\n', "\\n");
        let at = (now - age).to_rfc3339();
        lines.push_str(&format!("msg_{n}\tchat_{}\t{role}\t{text}\t{at}\n", n / PER_CHAT));
        if lines.len() > 1 << 20 {
            copy.send(std::mem::take(&mut lines).into_bytes()).await?;
        }
    }
    copy.send(lines.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}
