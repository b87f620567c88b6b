//! ChatGPT: `conversations.json` of its data export. A conversation is a `mapping` of nodes, each with a message or
//! none; edits and new answers are branches; `current_node` is the end that was shown.

use deepsearch_core::{Role, Source};
use serde_json::Value;

use super::draft::{Draft, DraftTurn};
use super::values::{SOURCES, cite, flag, list, text, time};
use super::{Origin, Reason};

pub(crate) fn read(value: &Value) -> Option<Draft> {
    let mapping = value.get("mapping")?.as_object()?;
    let key = [text(value, "conversation_id"), text(value, "id")]
        .into_iter()
        .find(|key| !key.is_empty());
    // A shared or very old file names no conversation, but its nodes.
    let key = key.or_else(|| mapping.keys().min().map(String::as_str))?.to_owned();
    let mut draft = Draft::new(Origin::ChatGpt, key);
    draft.title = text(value, "title").to_owned();
    draft.created_at = time(value, "create_time");
    draft.updated_at = time(value, "update_time");
    draft.archived = flag(value, "is_archived");
    draft.current = Some(text(value, "current_node").to_owned());
    let mut left_out = LeftOut::default();
    for (key, node) in mapping {
        let mut turn = turn(node.get("message").unwrap_or(&Value::Null), &mut left_out);
        turn.key.clone_from(key);
        turn.parent = node.get("parent").and_then(Value::as_str).map(str::to_owned);
        draft.turns.push(turn);
    }
    // The order of a JSON object says nothing.
    draft
        .turns
        .sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.key.cmp(&b.key)));
    if left_out.hidden > 0 {
        draft.note(Reason::Hidden, left_out.hidden);
    }
    if left_out.attachments > 0 {
        draft.note(Reason::Attachment, left_out.attachments);
    }
    Some(draft)
}

#[derive(Default)]
struct LeftOut {
    hidden: u64,
    attachments: u64,
}

fn turn(message: &Value, left_out: &mut LeftOut) -> DraftTurn {
    let null = Value::Null;
    let metadata = message.get("metadata").unwrap_or(&null);
    let content = message.get("content").unwrap_or(&null);
    let role = match text(message.get("author").unwrap_or(&null), "role") {
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    };
    let kind = text(content, "content_type");
    let is_shown = !flag(metadata, "is_visually_hidden_from_conversation")
        && matches!(kind, "text" | "multimodal_text")
        && matches!(text(message, "recipient"), "" | "all");
    let mut turn = DraftTurn {
        at: time(message, "create_time"),
        ..DraftTurn::default()
    };
    if role.is_none() || !is_shown {
        // A root without a message, and an instruction that says nothing, are nothing that is missed.
        let says = !list(content, "parts")
            .iter()
            .all(|part| part.as_str().is_some_and(str::is_empty))
            || !text(content, "text").is_empty();
        left_out.hidden += u64::from(says);
        return turn;
    }
    let mut parts = Vec::new();
    for part in list(content, "parts") {
        match part {
            Value::String(part) => parts.push(part.clone()),
            // What was said aloud, as it was understood.
            part if text(part, "content_type") == "audio_transcription" => parts.push(text(part, "text").to_owned()),
            _ => left_out.attachments += 1,
        }
    }
    for file in list(metadata, "attachments") {
        let name = text(file, "name").replace(['*', '_', '`', '[', ']', '<', '>', '\n'], " ");
        if !name.trim().is_empty() {
            parts.push(format!("*{}*", name.trim()));
        }
    }
    let said = parts.join("\n\n");
    turn.role = role;
    turn.text = match role {
        Some(Role::Assistant) => cited(&said, metadata, &mut turn.sources),
        _ => said,
    };
    turn.model = Some(text(metadata, "model_slug").to_owned()).filter(|model| !model.is_empty());
    turn
}

/// The text with `[n]` where it names what it was made from: markers of private characters now, `【1†source】` before.
fn cited(said: &str, metadata: &Value, sources: &mut Vec<Source>) -> String {
    let mut said = said.to_owned();
    for reference in list(metadata, "content_references").iter().take(SOURCES) {
        let matched = text(reference, "matched_text");
        if matched.trim().is_empty() {
            continue;
        }
        let mut numbers = Vec::new();
        let items = list(reference, "items")
            .iter()
            .take(SOURCES)
            .chain(std::iter::once(reference));
        for item in items {
            numbers.extend(cite(
                sources,
                text(item, "title"),
                text(item, "url"),
                text(item, "snippet"),
            ));
        }
        numbers.dedup();
        let marks: String = numbers.iter().map(|number| format!("[{number}]")).collect();
        let instead = if marks.is_empty() && !matched.contains(START) {
            matched.to_owned()
        } else {
            marks
        };
        said = said.replacen(matched, &instead, 1);
    }
    for citation in list(metadata, "citations").iter().take(SOURCES) {
        let about = citation.get("metadata").unwrap_or(&Value::Null);
        let number = cite(sources, text(about, "title"), text(about, "url"), text(about, "text"));
        if let (Some(number), Some((start, end))) = (
            number,
            said.find('【')
                .and_then(|start| Some((start, said[start..].find('】')? + start))),
        ) {
            said.replace_range(start..end + '】'.len_utf8(), &format!("[{number}]"));
        }
    }
    without_markers(&said)
}

const START: char = '\u{e200}';
const END: char = '\u{e201}';

fn without_markers(said: &str) -> String {
    let mut out = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(start) = rest.find(START) {
        out.push_str(&rest[..start]);
        let after = &rest[start..];
        // A marker without an end is only that one character.
        let end = after.find(END).map_or(START.len_utf8(), |end| end + END.len_utf8());
        rest = &after[end..];
    }
    out + rest
}
