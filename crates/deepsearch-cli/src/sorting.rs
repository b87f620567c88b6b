//! `deepsearch chats move`, `tag`, `collections`, `searches` and the like: how chats are sorted, many at a time.

use std::io::Read;
use std::process::ExitCode;

use chrono::{DateTime, Days, Local, NaiveDate, NaiveTime, TimeZone, Utc};
use deepsearch_app::{
    App, AppError, Before, BulkChange, BulkDone, Collection, HistoryFilter, HistoryQuery, SavedQuery, SavedSearch,
};
use deepsearch_core::{ChatId, CollectionId, Invalid};
use serde::Deserialize;
use serde_json::json;

use crate::args::{Chats, Collections, Narrowed, Searches};
use crate::chats;
use crate::outcome::Outcome;
use crate::print::{self, note, safe};

/// What a change of a thousand chats told is a fraction of this.
const LONGEST_UNDO: u64 = 16 << 20;

pub(crate) async fn run(app: &App, command: Chats, json: bool) -> Outcome {
    match command {
        Chats::Pin { ids, off } => one_or_many(app, ids, BulkChange::Pin { on: !off }, json).await,
        Chats::Archive { ids, off } => one_or_many(app, ids, BulkChange::Archive { on: !off }, json).await,
        Chats::Delete { ids, .. } => one_or_many(app, ids, BulkChange::Trash { on: true }, json).await,
        Chats::Restore { ids } => one_or_many(app, ids, BulkChange::Trash { on: false }, json).await,
        Chats::Move { ids, to, .. } => {
            let collection = collection_named(app, to).await?;
            many(app, ids, BulkChange::Move { collection }, json).await
        }
        Chats::Tag { tag, ids } => many(app, ids, BulkChange::Tag { name: tag, on: true }, json).await,
        Chats::Untag { tag, ids } => many(app, ids, BulkChange::Tag { name: tag, on: false }, json).await,
        Chats::Undo => undo(app, json).await,
        Chats::Tags => tags(app, json).await,
        Chats::Collections(command) => collections(app, command, json).await,
        Chats::Searches(command) => searches(app, command, json).await,
        // Those of one chat, which `chats` has seen to.
        Chats::List { .. } | Chats::Show { .. } | Chats::Search { .. } | Chats::Rename { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// One chat is shown as it is, whether or not it was another before.
async fn one_or_many(app: &App, ids: Vec<String>, change: BulkChange, json: bool) -> Outcome {
    let [id] = ids.as_slice() else {
        return many(app, ids, change, json).await;
    };
    let id = ChatId::parse(id.as_str())?;
    app.store().change_chats(std::slice::from_ref(&id), &change).await?;
    let chat = app
        .store()
        .lookup_chat(&id)
        .await?
        .ok_or_else(|| unknown("chat", &id))?;
    if json {
        print::json(&chat)
    } else {
        print::line(&chats::row(&chat))
    }
    Ok(ExitCode::SUCCESS)
}

async fn many(app: &App, ids: Vec<String>, change: BulkChange, json: bool) -> Outcome {
    let ids = ids.into_iter().map(ChatId::parse).collect::<Result<Vec<_>, _>>()?;
    tell(app.store().change_chats(&ids, &change).await?, json)
}

async fn undo(app: &App, json: bool) -> Outcome {
    /// What a change told; the rest of it is passed by.
    #[derive(Deserialize)]
    struct Told {
        undo: Vec<Before>,
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST_UNDO).read_to_string(&mut text);
    let told: Told = read
        .ok()
        .and_then(|_| serde_json::from_str(&text).ok())
        .ok_or_else(|| Invalid::Malformed {
            field: "what is to be undone",
            value: text.chars().take(100).collect(),
            expected: "answer of a change with `--json`",
        })?;
    tell(app.store().undo_bulk(told.undo).await?, json)
}

fn tell(done: BulkDone, json: bool) -> Outcome {
    if json {
        print::json(&done);
    } else {
        done.changed.iter().for_each(|chat| print::line(&chats::row(chat)));
        if done.changed.is_empty() {
            note("Nothing was to be changed.");
        }
    }
    match done.missing.first() {
        Some(id) => Err(unknown("chat", id)),
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn tags(app: &App, json: bool) -> Outcome {
    let tags = app.store().list_tags().await?;
    if json {
        print::json(&tags);
    } else {
        for tag in &tags {
            print::line(&format!("{}  {}", safe(&tag.name), tag.chats));
        }
        if tags.is_empty() {
            note("No chat has a tag yet.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn collections(app: &App, command: Collections, json: bool) -> Outcome {
    let store = app.store();
    match command {
        Collections::List => {}
        Collections::Add { name } => {
            let made = store.add_collection(&name).await?;
            if json {
                print::json(&made)
            } else {
                print::line(&line(&made))
            }
            return Ok(ExitCode::SUCCESS);
        }
        Collections::Rename { collection, name } => {
            store.rename_collection(&known(app, collection).await?, &name).await?;
        }
        Collections::Order { collection, place } => {
            store
                .order_collection(&known(app, collection).await?, place - 1)
                .await?;
        }
        Collections::Delete { collection } => store.delete_collection(&known(app, collection).await?).await?,
    }
    let all = store.list_collections().await?;
    if json {
        print::json(&all);
    } else {
        all.iter().for_each(|each| print::line(&line(each)));
        if all.is_empty() {
            note("There are no collections.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(collection: &Collection) -> String {
    format!("{}  {}  {}", collection.id, collection.chats, safe(&collection.name))
}

async fn searches(app: &App, command: Searches, json: bool) -> Outcome {
    let store = app.store();
    match command {
        Searches::List => {}
        Searches::Save { name, query, narrowed } => {
            let saved = store
                .save_search(&name, &saved_query(app, query, narrowed).await?)
                .await?;
            if json {
                print::json(&saved)
            } else {
                print::line(&saved_line(&saved))
            }
            return Ok(ExitCode::SUCCESS);
        }
        Searches::Run { name, limit } => {
            let saved = found(app, name).await?;
            return chats::search(app, asked_now(app, saved.query, limit), json).await;
        }
        Searches::Delete { name } => {
            let saved = found(app, name).await?;
            store.delete_saved_search(&saved.id).await?;
            if json {
                print::json(&json!({ "deleted": saved.id }))
            } else {
                note("Forgotten.")
            }
            return Ok(ExitCode::SUCCESS);
        }
    }
    let all = store.list_saved_searches().await?;
    if json {
        print::json(&all);
    } else {
        all.iter().for_each(|saved| print::line(&saved_line(saved)));
        if all.is_empty() {
            note("There are no saved searches.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn saved_line(saved: &SavedSearch) -> String {
    format!("{}  {}", safe(&saved.name), safe(&saved.query.text))
}

async fn found(app: &App, name: String) -> Result<SavedSearch, AppError> {
    let found = app.store().find_saved_search(&name).await?;
    found.ok_or_else(|| unknown("saved search", &name))
}

async fn known(app: &App, name: String) -> Result<CollectionId, AppError> {
    Ok(app.collection_named(&name).await?.id)
}

pub(crate) async fn collection_named(app: &App, name: Option<String>) -> Result<Option<CollectionId>, AppError> {
    match name {
        Some(name) => known(app, name).await.map(Some),
        None => Ok(None),
    }
}

/// A search as it is kept.
pub(crate) async fn saved_query(app: &App, text: String, narrowed: Narrowed) -> Result<SavedQuery, AppError> {
    let filter = HistoryFilter {
        from: narrowed.from.map(start_of),
        until: narrowed.until.map(start_of),
        chat: narrowed.chat.map(ChatId::parse).transpose()?,
        host: narrowed.host,
        pinned: narrowed.pinned,
        view: None,
        collection: collection_named(app, narrowed.collection).await?,
        tag: narrowed.tag,
    };
    Ok(SavedQuery {
        text,
        filter,
        days: narrowed.days,
    })
}

/// A search as it is asked today.
pub(crate) fn asked_now(app: &App, saved: SavedQuery, limit: u16) -> HistoryQuery {
    let mut filter = saved.filter;
    if let Some(days) = saved.days {
        let today = app.store().device_now().with_timezone(&Local).date_naive();
        let first = today.checked_sub_days(Days::new(u64::from(days) - 1));
        filter.from = first.map(start_of);
        filter.until = None;
    }
    HistoryQuery {
        text: saved.text,
        filter,
        limit: limit.into(),
        after: None,
    }
}

fn unknown(what: &'static str, id: &impl ToString) -> AppError {
    AppError::Unknown {
        what,
        id: id.to_string(),
    }
}

/// A day begins when it does where the person is.
fn start_of(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    Local
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |time| time.with_timezone(&Utc))
}
