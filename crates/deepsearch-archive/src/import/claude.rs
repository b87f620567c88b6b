//! Claude: `conversations.json` of its data export. Messages in their order, in newer files with their parents.

use deepsearch_core::Role;
use serde_json::Value;

use super::draft::{Draft, DraftTurn};
use super::values::{SOURCES, cite, list, text, time};
use super::{Origin, Reason};

pub(crate) fn read(value: &Value) -> Option<Draft> {
    let messages = value.get("chat_messages")?.as_array()?;
    let key = Some(text(value, "uuid")).filter(|key| !key.is_empty())?;
    let mut draft = Draft::new(Origin::Claude, key.to_owned());
    draft.title = text(value, "name").to_owned();
    draft.created_at = time(value, "created_at");
    draft.updated_at = time(value, "updated_at");
    let (mut hidden, mut attachments) = (0, 0);
    let mut before: Option<String> = None;
    for (at, message) in messages.iter().enumerate() {
        let mut turn = DraftTurn {
            key: Some(text(message, "uuid"))
                .filter(|key| !key.is_empty())
                .map_or_else(|| at.to_string(), str::to_owned),
            at: time(message, "created_at"),
            role: match text(message, "sender") {
                "human" => Some(Role::User),
                "assistant" => Some(Role::Assistant),
                _ => None,
            },
            ..DraftTurn::default()
        };
        turn.parent = match message.get("parent_message_uuid").and_then(Value::as_str) {
            Some(parent) => Some(parent.to_owned()),
            None => before,
        };
        hidden += said(message, &mut turn);
        attachments += (list(message, "attachments").len() + list(message, "files").len()) as u64;
        before = Some(turn.key.clone());
        draft.current = before.clone();
        draft.turns.push(turn);
    }
    if hidden > 0 {
        draft.note(Reason::Hidden, hidden);
    }
    if attachments > 0 {
        draft.note(Reason::Attachment, attachments);
    }
    Some(draft)
}

/// Puts what was said into the turn, and returns how many blocks were none of that.
fn said(message: &Value, turn: &mut DraftTurn) -> u64 {
    let mut hidden = 0;
    let mut blocks = Vec::new();
    for block in list(message, "content") {
        match text(block, "type") {
            "text" => {
                let mut said = text(block, "text").trim_end().to_owned();
                for citation in list(block, "citations").iter().take(SOURCES) {
                    let details = citation.get("details").unwrap_or(citation);
                    if let Some(number) = cite(&mut turn.sources, text(citation, "title"), text(details, "url"), "") {
                        said.push_str(&format!("[{number}]"));
                    }
                }
                blocks.push(said);
            }
            _ => hidden += 1,
        }
    }
    turn.text = blocks.join("\n\n");
    // Older files have the text only beside the blocks.
    if turn.text.trim().is_empty() && hidden == 0 {
        turn.text = text(message, "text").to_owned();
    }
    hidden
}
