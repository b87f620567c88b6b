//! The places journeys begin at, and how to read what the command told.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::{Home, Ran};
pub(crate) use deepsearch_tests::small_web::{LIGHTHOUSE, SCRIPTED, SmallWeb, offline, page, searching, with_model};
use serde_json::Value;
use url::Url;

/// The saved answer that a run of `ask --json` ended with.
pub(crate) fn finished(ran: &Ran) -> Result<Value> {
    let event = ran.events_of("finished")?.pop();
    Ok(event.with_context(|| format!("no finished answer in\n{}\n{}", ran.stdout, ran.stderr))?["message"].take())
}

/// One text of a JSON value.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A chat as `chats show` opens it.
pub(crate) fn open_chat(home: &Home, message: &Value) -> Result<Value> {
    home.run(["chats", "show", &text(&message["chat_id"]), "--json"])?
        .succeeded()?
        .json()
}

/// One message of an open chat.
pub(crate) fn message_of<'a>(chat: &'a Value, id: &Value) -> Result<&'a Value> {
    let mut messages = chat["messages"].as_array().into_iter().flatten();
    messages
        .find(|message| message["id"] == *id)
        .with_context(|| format!("no message {id} in {chat}"))
}

/// Holds every citation of a saved answer against the saved page that it leads to, and says how many there are.
pub(crate) fn hold_citations(home: &Home, chat: &Value, message: &Value) -> Result<usize> {
    let message = message_of(chat, &message["id"])?;
    let content = text(&message["content"]);
    let citations = message["citations"].as_array().context("citations")?;
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for citation in citations {
        let id = text(&citation["page_id"]);
        if !pages.contains_key(&id) {
            let page = home
                .run(["read", &format!("page:{id}"), "--json"])?
                .succeeded()?
                .json()?;
            pages.insert(id.clone(), text(&page["text"]));
        }
        let (page, quote) = (&pages[&id], text(&citation["quote"]));
        ensure!(
            !quote.is_empty() && slice(page, &citation["page_span"]) == quote,
            "`{quote}` does not stand in its page where it should"
        );
        let marker = format!("[{}]", citation["number"]);
        ensure!(
            slice(&content, &citation["marker"]) == marker,
            "{marker} does not stand where {citation} says"
        );
        let source = &message["pages"][citation["number"].as_u64().context("a number")? as usize - 1];
        ensure!(
            source["page_id"] == citation["page_id"],
            "{marker} leads to another source"
        );
    }
    Ok(citations.len())
}

fn slice<'a>(text: &'a str, span: &Value) -> &'a str {
    let at = |end: &str| span[end].as_u64().and_then(|at| usize::try_from(at).ok());
    at("start")
        .zip(at("end"))
        .and_then(|(start, end)| text.get(start..end))
        .unwrap_or_default()
}

/// How many chats the data folder holds.
pub(crate) fn chats(home: &Home) -> Result<usize> {
    let chats = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    Ok(chats.as_array().context("a list of chats")?.len())
}

/// The addresses of an answer's sources.
pub(crate) fn sources(message: &Value) -> Vec<String> {
    let sources = message["sources"].as_array().into_iter().flatten();
    sources.map(|source| text(&source["url"])).collect()
}

/// Every `http` address in a text.
pub(crate) fn addresses(text: &str) -> Vec<Url> {
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    starts
        .filter_map(|rest| {
            rest.split(|c: char| c.is_whitespace() || "\"'<>()[]".contains(c))
                .next()
        })
        .filter_map(|address| Url::parse(address).ok())
        .collect()
}
