//! Open WebUI: its export of chats. `chat.history.messages` is a tree by `parentId`, `currentId` the end that is shown.

use deepsearch_core::Role;
use serde_json::Value;

use super::draft::{Draft, DraftTurn};
use super::values::{SOURCES, cite, flag, list, text, time};
use super::{Origin, Reason};

pub(crate) fn read(value: &Value) -> Option<Draft> {
    let chat = value.get("chat")?;
    let history = chat.get("history")?;
    let messages = history.get("messages")?.as_object()?;
    let key = [text(value, "id"), text(chat, "id")]
        .into_iter()
        .find(|key| !key.is_empty());
    let key = key.or_else(|| messages.keys().min().map(String::as_str))?.to_owned();
    let mut draft = Draft::new(Origin::OpenWebUi, key);
    let title = [text(value, "title"), text(chat, "title")]
        .into_iter()
        .find(|title| !title.is_empty());
    draft.title = title.unwrap_or_default().to_owned();
    draft.created_at = time(value, "created_at").or_else(|| time(chat, "timestamp"));
    draft.updated_at = time(value, "updated_at");
    draft.archived = flag(value, "archived");
    draft.pinned = flag(value, "pinned");
    draft.current = Some(text(history, "currentId").to_owned());
    let mut attachments = 0;
    for (key, message) in messages {
        attachments += list(message, "files").len() as u64;
        draft.turns.push(turn(key, message));
    }
    draft
        .turns
        .sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.key.cmp(&b.key)));
    if attachments > 0 {
        draft.note(Reason::Attachment, attachments);
    }
    Some(draft)
}

fn turn(key: &str, message: &Value) -> DraftTurn {
    let mut turn = DraftTurn {
        key: key.to_owned(),
        parent: message.get("parentId").and_then(Value::as_str).map(str::to_owned),
        role: match text(message, "role") {
            "user" => Some(Role::User),
            "assistant" => Some(Role::Assistant),
            _ => None,
        },
        model: Some(text(message, "model").to_owned()).filter(|model| !model.is_empty()),
        at: time(message, "timestamp"),
        ..DraftTurn::default()
    };
    turn.text = match turn.role {
        Some(Role::Assistant) => without_details(text(message, "content")),
        _ => text(message, "content").to_owned(),
    };
    // A source is what was looked up once; each of its parts names the page it is from.
    let sources = list(message, "sources").iter().chain(list(message, "citations"));
    for source in sources.take(SOURCES) {
        let about = source.get("source").unwrap_or(&Value::Null);
        let documents = list(source, "document");
        for (at, part) in list(source, "metadata").iter().take(SOURCES).enumerate() {
            let address = [text(part, "source"), text(part, "url"), text(about, "url")];
            let title = [text(part, "name"), text(part, "title"), text(about, "name")];
            let first = |any: [&str; 3]| {
                any.into_iter()
                    .find(|text| !text.is_empty())
                    .unwrap_or_default()
                    .to_owned()
            };
            let snippet = documents.get(at).and_then(Value::as_str).unwrap_or_default();
            cite(&mut turn.sources, &first(title), &first(address), snippet);
        }
    }
    turn
}

/// What a model thought and which tools it used stand in `<details type="…">` before what it says.
fn without_details(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find("<details type=\"") {
        out.push_str(&rest[..start]);
        match rest[start..].find("</details>") {
            Some(end) => rest = &rest[start + end + "</details>".len()..],
            None => rest = "",
        }
    }
    (out + rest).trim().to_owned()
}
