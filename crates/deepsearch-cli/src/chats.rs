//! `deepsearch chats`: what was asked before, with no network.

use std::process::ExitCode;

use deepsearch_app::{
    App, AppError, ChatCursor, ChatFilter, ChatView, HistoryHit, HistoryQuery, OpenChat, OpenMessage,
};
use deepsearch_core::{Chat, ChatId, MessageId, MessageState, Role};
use serde_json::json;

use crate::args::{Chats, View};
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, safe, when};
use crate::sorting;

pub(crate) async fn run(app: &App, command: Chats, json: bool) -> Outcome {
    match command {
        Chats::List {
            view,
            limit,
            after,
            collection,
            tag,
        } => {
            let filter = ChatFilter {
                view: viewed(view),
                collection: sorting::collection_named(app, collection).await?,
                tag,
            };
            list(app, filter, limit, after, json).await
        }
        Chats::Show { id, limit, before } => {
            let before = before.map(MessageId::parse).transpose()?;
            let open = app
                .open_chat(&ChatId::parse(id)?, before.as_ref(), limit.into())
                .await?;
            if json {
                print::json(&open)
            } else {
                show(&open)
            }
            Ok(ExitCode::SUCCESS)
        }
        Chats::Search { query, limit, narrowed } => {
            let saved = sorting::saved_query(app, query, narrowed).await?;
            search(app, sorting::asked_now(app, saved, limit), json).await
        }
        Chats::Rename { id, title } => {
            let chat = app.store().rename_chat(&ChatId::parse(id)?, &title).await?;
            if json {
                print::json(&chat)
            } else {
                print::line(&row(&chat))
            }
            Ok(ExitCode::SUCCESS)
        }
        Chats::Delete { ids, forever: true } => delete_forever(app, ids, json).await,
        other => sorting::run(app, other, json).await,
    }
}

async fn delete_forever(app: &App, ids: Vec<String>, json: bool) -> Outcome {
    for id in &ids {
        app.store().delete_chat_forever(&ChatId::parse(id.as_str())?).await?;
    }
    match ids.as_slice() {
        [id] if json => print::json(&json!({ "deleted": id })),
        _ if json => print::json(&json!({ "deleted": ids })),
        _ => note("Deleted for good."),
    }
    Ok(ExitCode::SUCCESS)
}

fn viewed(view: View) -> ChatView {
    match view {
        View::Active => ChatView::Active,
        View::Pinned => ChatView::Pinned,
        View::Archived => ChatView::Archived,
        View::Trash => ChatView::Trash,
    }
}

async fn list(app: &App, filter: ChatFilter, limit: u16, after: Option<String>, json: bool) -> Outcome {
    let after = match after {
        Some(id) => {
            let unknown = || AppError::Unknown {
                what: "chat",
                id: id.clone(),
            };
            let chat = app
                .store()
                .lookup_chat(&ChatId::parse(id.clone())?)
                .await?
                .ok_or_else(unknown)?;
            Some(ChatCursor::after(&chat))
        }
        None => None,
    };
    let chats = app.store().list_chats(filter, after.as_ref(), limit.into()).await?;
    if json {
        print::json(&chats);
    } else {
        chats.iter().for_each(|chat| print::line(&row(chat)));
        match chats.last() {
            None => note("There are no chats here yet."),
            Some(last) if chats.len() == usize::from(limit) => note(&format!("There may be more: --after {}", last.id)),
            Some(_) => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn row(chat: &Chat) -> String {
    let mark = |on: bool, mark| if on { mark } else { "" };
    let marks = [
        mark(chat.pinned, " (pinned)"),
        mark(chat.archived, " (archived)"),
        mark(chat.deleted_at.is_some(), " (in Trash)"),
    ]
    .concat();
    format!("{}  {}  {}{marks}", chat.id, when(chat.updated_at), safe(&chat.title))
}

fn show(open: &OpenChat) {
    print::line(&safe(&open.chat.title));
    if let (true, Some(first)) = (open.has_older, open.messages.first()) {
        note(&format!("There are older messages: --before {}", first.message.id));
    }
    open.messages.iter().for_each(show_message);
}

fn show_message(open: &OpenMessage) {
    let message = &open.message;
    let who = match message.role {
        Role::User => "You",
        Role::Assistant => "Answer",
        Role::System => "Note",
    };
    let state = if message.state == MessageState::Interrupted {
        " (interrupted)"
    } else {
        ""
    };
    let is_stale = message.metadata.as_ref().and_then(|metadata| metadata.stale_search) == Some(true);
    let stale = if is_stale { " (from an old search)" } else { "" };
    print::line(&format!(
        "\n{who}, {}{state}{stale}  {}",
        when(message.created_at),
        message.id
    ));
    let mut markdown = print::Markdown::new();
    markdown.push(&message.content);
    markdown.finish();
    for (at, source) in message.sources.iter().flatten().enumerate() {
        print::line(&format!(
            "[{}] {} — {}",
            at + 1,
            safe(source.title.trim()),
            safe(&source.url)
        ));
        for citation in open
            .citations
            .iter()
            .filter(|citation| citation.number as usize == at + 1)
        {
            print::line(&format!("    “{}”", safe(&citation.quote)));
        }
    }
    if open.siblings.len() > 1 {
        note(&format!("One of {} branches here.", open.siblings.len()));
    }
}

pub(crate) async fn search(app: &App, query: HistoryQuery, json: bool) -> Outcome {
    let found = app.store().search_history(&query).await?;
    if json {
        print::json(&found);
    } else {
        found.hits.iter().for_each(show_hit);
    }
    Ok(if found.hits.is_empty() {
        ExitCode::from(NOTHING)
    } else {
        ExitCode::SUCCESS
    })
}

fn show_hit(hit: &HistoryHit) {
    let title = hit.title.as_deref().unwrap_or(&hit.chat_title);
    print::line(&format!("{}  {}  {}", hit.chat_id, when(hit.when), safe(title)));
    let mut snippet = String::new();
    let mut at = 0;
    for mark in hit.highlights.iter().filter(|_| print::is_pretty()) {
        snippet.push_str(&safe(hit.snippet.get(at..mark.start as usize).unwrap_or_default()));
        snippet.push_str(&format!("\x1b[1m{}\x1b[0m", safe(mark.slice(&hit.snippet))));
        at = mark.end as usize;
    }
    snippet.push_str(&safe(hit.snippet.get(at..).unwrap_or_default()));
    print::line(&format!("  {snippet}"));
}
