//! The places journeys begin at: a data folder with nothing but what a journey sets, a small web, and how to read what
//! the command told.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use deepsearch_tests::cli::{Home, Ran};
use deepsearch_tests::engines::FakeEngine;
use deepsearch_tests::local_index::LocalIndex;
use deepsearch_tests::local_web::Site;
use deepsearch_tests::model_server::ModelServer;
use deepsearch_tests::ports::nobody;
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

/// The model of a [`ModelServer`], as it is chosen with `--model`.
pub(crate) const SCRIPTED: &str = "scripted/scripted";

/// A data folder whose engines all lead to where nobody listens: nothing reaches the real web by mistake.
pub(crate) fn offline() -> Result<Home> {
    let nobody = nobody()?;
    let home = Home::new()?.set("models.discover_local", "false");
    Ok(["wikipedia", "duckduckgo"].iter().fold(home, |home, engine| {
        home.set(&format!("engines.{engine}.url"), nobody.as_str())
    }))
}

/// A data folder that asks this SearXNG and nothing else.
pub(crate) fn searching(engine: &FakeEngine) -> Result<Home> {
    Ok(offline()?
        .set("engines.order", "searxng")
        .set("engines.searxng.url", engine.base().as_str()))
}

/// The same with this model, which then answers when none is named.
pub(crate) fn with_model(home: Home, model: &ModelServer) -> Home {
    home.set("models.scripted.url", model.base().as_str())
        .set("default_model", SCRIPTED)
}

/// A site of a few pages, and a SearXNG that knows them.
pub(crate) struct SmallWeb {
    pub(crate) site: Site,
    pub(crate) engine: FakeEngine,
    _folder: TempDir,
}

impl SmallWeb {
    /// Pages by name, title and paragraphs.
    pub(crate) async fn of(pages: &[(&str, &str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, title, text) in pages {
            std::fs::write(folder.path().join(name), page(title, text))?;
        }
        let site = Site::serve(folder.path()).await?;
        let index = LocalIndex::of(&[&site], &[])?;
        let engine = FakeEngine::start("searxng", Arc::new(index)).await?;
        Ok(Self {
            site,
            engine,
            _folder: folder,
        })
    }

    /// Three pages about one lighthouse, which no model and no real page knows.
    pub(crate) async fn lighthouse() -> Result<Self> {
        Self::of(LIGHTHOUSE).await
    }
}

/// What the pages of [`SmallWeb::lighthouse`] say.
pub(crate) const LIGHTHOUSE: &[(&str, &str, &str)] = &[
    (
        "height.html",
        "The Zorvane lighthouse: height and tower",
        "The Zorvane lighthouse is 47 metres high. Its tower was built of grey granite from the island of Ummel.\n\
         The lantern room is reached by 212 steps, and visitors may climb it from April to October.",
    ),
    (
        "history.html",
        "History of the Zorvane lighthouse",
        "The Zorvane lighthouse was first lit in 1871. The engineer Maren Oltwick designed it after two ships were \
         lost on the reef.\nThe lamp burned rapeseed oil until 1904, when it was changed to electricity.",
    ),
    (
        "visit.html",
        "Visiting the Zorvane lighthouse",
        "A ferry to the Zorvane lighthouse leaves Port Ansgar at nine in the morning. The crossing takes forty minutes \
         in calm weather.\nTickets for the lighthouse are sold on board, and children under six travel free.",
    ),
];

/// A page as a site would have it, one paragraph a line.
pub(crate) fn page(title: &str, text: &str) -> String {
    let paragraphs: String = text.lines().map(|line| format!("<p>{line}</p>\n")).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><nav><a href=\"/\">Home</a></nav>\
         <main><article><h1>{title}</h1>\n{paragraphs}</article></main></body></html>"
    )
}

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
