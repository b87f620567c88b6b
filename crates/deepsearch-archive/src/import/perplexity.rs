//! Perplexity's JSON: the list of `conversations` that it sends who asks for their data, and a thread as its own
//! address gives it (`entries` with `blocks`), which exporting tools save. Its Markdown is in `markdown.rs`.

use deepsearch_core::{Role, Source};
use serde_json::Value;

use super::Origin;
use super::draft::{Draft, DraftTurn};
use super::values::{SOURCES, cite, list, text, time};

pub(crate) fn read(value: &Value) -> Option<Draft> {
    let entries = value.get("entries")?.as_array()?;
    let first = entries.first()?;
    let told = |keys: &[&str]| {
        let mut places = keys.iter().flat_map(|key| [text(value, key), text(first, key)]);
        places.find(|found| !found.is_empty()).map(str::to_owned)
    };
    let key = told(&["context_uuid", "thread_url_slug", "uuid", "backend_uuid"]);
    let key = key.or_else(|| {
        told(&["context_title", "query", "query_str"]).map(|title| format!("{title}/{}", text(value, "created_at")))
    })?;
    let mut draft = Draft::new(Origin::Perplexity, key);
    draft.title = told(&["context_title", "thread_title", "title"]).unwrap_or_default();
    draft.created_at = time(value, "created_at");
    draft.updated_at = time(value, "updated_at");
    let mut before = None;
    for (at, entry) in entries.iter().enumerate() {
        let key = [text(entry, "backend_uuid"), text(entry, "uuid")]
            .into_iter()
            .find(|key| !key.is_empty());
        let key = key.map_or_else(|| at.to_string(), str::to_owned);
        let asked = [text(entry, "query"), text(entry, "query_str")]
            .into_iter()
            .find(|query| !query.is_empty());
        let time = time(entry, "created_at")
            .or_else(|| time(entry, "entry_updated_datetime"))
            .or_else(|| time(entry, "updated_datetime"));
        let (answer, sources) = answer(entry);
        let question = DraftTurn {
            key: format!("{key}/question"),
            parent: before,
            role: Some(Role::User),
            text: asked.unwrap_or_default().to_owned(),
            at: time,
            ..DraftTurn::default()
        };
        let answer = DraftTurn {
            key: format!("{key}/answer"),
            parent: Some(question.key.clone()),
            role: Some(Role::Assistant),
            text: answer,
            sources,
            model: Some(text(entry, "display_model").to_owned()).filter(|model| !model.is_empty()),
            at: time,
        };
        before = Some(answer.key.clone());
        draft.turns.extend([question, answer]);
    }
    Some(draft)
}

fn answer(entry: &Value) -> (String, Vec<Source>) {
    let mut sources = Vec::new();
    let mut answer = text(entry, "answer").to_owned();
    let mut results: &[Value] = list(entry, "web_results");
    for block in list(entry, "blocks") {
        if let Some(told) = block.get("markdown_block").filter(|_| answer.is_empty()) {
            answer = text(told, "answer").to_owned();
        }
        for kind in ["sources_mode_block", "web_result_block"] {
            if let Some(told) = block.get(kind).filter(|_| results.is_empty()) {
                results = list(told, "web_results");
            }
        }
    }
    for result in results.iter().take(SOURCES) {
        // A source without an address keeps its number, because `[n]` counts all of them.
        let url = text(result, "url");
        if cite(&mut sources, text(result, "name"), url, text(result, "snippet"))
            .is_none_or(|number| number != sources.len())
        {
            sources.push(Source {
                title: text(result, "name").to_owned(),
                url: "about:blank".to_owned(),
                snippet: String::new(),
                favicon: None,
            });
        }
    }
    (answer, sources)
}
