//! `deepsearch sync`: once, for as long as one looks, how it stands, and what a person may want to see of it.

use std::process::ExitCode;

use deepsearch_app::{App, AppError, AuthError, SyncState, SyncStatus};
use deepsearch_core::ChatId;
use deepsearch_core::clock::to_the_minute;

use crate::args::{Sync, SyncCommand};
use crate::outcome::{NOTHING, Outcome};
use crate::print;

/// Shown at once; the window shows all.
const SHOWN: u32 = 500;

pub(crate) async fn run(app: &App, sync: Sync, json: bool) -> Outcome {
    match sync.command {
        None if sync.watch => watch(app, json).await,
        None => once(app, json).await,
        Some(SyncCommand::Status) => status(app, json).await,
        Some(SyncCommand::Retry) => retry(app, json).await,
        Some(SyncCommand::Conflicts { forget }) => conflicts(app, forget, json).await,
        Some(SyncCommand::Offers {
            accept,
            accept_all,
            decline_all,
        }) => offers(app, &accept, accept_all, decline_all, json).await,
    }
}

async fn once(app: &App, json: bool) -> Outcome {
    let status = tokio::select! {
        status = app.sync_now() => status?,
        _ = tokio::signal::ctrl_c() => return Err(AppError::Cancelled),
    };
    show(&status, json);
    Ok(ExitCode::SUCCESS)
}

/// Each state once, until Ctrl-C, which loses nothing: sync may end at any instant.
async fn watch(app: &App, json: bool) -> Outcome {
    if app.sync_status().await?.state == SyncState::SignedOut {
        return Err(AuthError::SignedOut.into());
    }
    let mut watched = app.watch_sync();
    app.focus_sync(true);
    app.start_sync();
    loop {
        tokio::select! {
            changed = watched.changed() => {
                if changed.is_err() {
                    return Ok(ExitCode::SUCCESS);
                }
                let status = watched.borrow_and_update().clone();
                show(&status, json);
            }
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}

async fn status(app: &App, json: bool) -> Outcome {
    let status = app.sync_status().await?;
    show(&status, json);
    if !json {
        for dead in app.store().list_dead_changes(SHOWN).await? {
            let (entity, id) = (&dead.entity, &dead.entity_id);
            print::line(&print::safe(&format!("  refused: {entity} {id}: {}", dead.reason)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(status: &SyncStatus, json: bool) {
    if json {
        print::json(status);
        return;
    }
    let state = match &status.state {
        SyncState::SignedOut => "Everything is only on this device.".to_owned(),
        SyncState::Waiting => "Nothing was sent or brought yet.".to_owned(),
        SyncState::Idle => "Everything is sent and brought.".to_owned(),
        SyncState::Running { progress } => {
            let of = progress.expected.map_or_else(String::new, |all| format!(" of {all}"));
            format!("{}{of} brought, {} sent …", progress.pulled, progress.pushed)
        }
        SyncState::Private => "Private mode is on; what you change is kept and sent later.".to_owned(),
        SyncState::Offline => "The server cannot be reached; what you change is kept and sent later.".to_owned(),
        SyncState::Error { failure, .. } => failure.to_string(),
    };
    print::line(&print::safe(&state));
    if let Some(at) = status.synced_at {
        print::line(&format!("  last synced {}", at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    if let Some(since) = status.held_since {
        let since = to_the_minute(since);
        print::line(&format!(
            "  since {since} the server has held changes of other devices back: a program there does not end what it writes"
        ));
    }
    let counts = &status.counts;
    let waiting = [
        (counts.outbox, "changes wait to be sent"),
        (counts.pages, "pages wait to be sent or brought"),
        (
            counts.offers,
            "chats from before can be handed over: deepsearch sync offers",
        ),
        (counts.conflicts, "conflicts were decided: deepsearch sync conflicts"),
        (
            counts.dead,
            "changes are refused by the server and stay here: deepsearch sync retry",
        ),
    ];
    for (count, what) in waiting.into_iter().filter(|(count, _)| *count > 0) {
        print::line(&format!("  {count} {what}"));
    }
}

/// What was refused is sent now, where somebody is signed in; else it waits as any other change.
async fn retry(app: &App, json: bool) -> Outcome {
    let retried = app.retry_sync().await?;
    if retried == 0 {
        show(&app.sync_status().await?, json);
        return Ok(ExitCode::from(NOTHING));
    }
    once(app, json).await
}

async fn conflicts(app: &App, forget: Option<i32>, json: bool) -> Outcome {
    if let Some(id) = forget {
        app.delete_sync_conflict(id).await?;
    }
    let conflicts = app.list_sync_conflicts(SHOWN).await?;
    if json {
        print::json(&conflicts);
    }
    for conflict in conflicts.iter().filter(|_| !json) {
        let at = to_the_minute(conflict.at);
        let title = conflict.chat_title.as_deref().unwrap_or("a chat that is gone");
        print::line(&print::safe(&format!(
            "{}  {at}  {:?} in {title}\n  lost: {}\n  kept: {}\n",
            conflict.id,
            conflict.kind,
            conflict.lost,
            conflict.kept.as_deref().unwrap_or("-")
        )));
    }
    Ok(if conflicts.is_empty() {
        ExitCode::from(NOTHING)
    } else {
        ExitCode::SUCCESS
    })
}

async fn offers(app: &App, accept: &[String], accept_all: bool, decline_all: bool, json: bool) -> Outcome {
    if accept_all || decline_all {
        let count = if accept_all {
            app.accept_chat_offers(None).await?
        } else {
            app.decline_chat_offers(None).await?
        };
        if json {
            print::json(&serde_json::json!({ "chats": count, "accepted": accept_all }));
        } else if accept_all {
            print::note(&format!("{count} chats are sent with the next `deepsearch sync`."));
        } else {
            print::note(&format!("{count} chats stay on this device."));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut chats = Vec::with_capacity(accept.len());
    for id in accept {
        let chat = ChatId::from_stored(id.clone());
        if app.store().lookup_chat(&chat).await?.is_none() {
            return Err(AppError::Unknown {
                what: "chat",
                id: id.clone(),
            });
        }
        chats.push(chat);
    }
    app.accept_chat_offers(Some(chats)).await?;
    let offers = app.list_chat_offers(None, SHOWN).await?;
    if json {
        print::json(&offers);
    }
    for offer in offers.iter().filter(|_| !json) {
        let declined = if offer.declined { "  (kept here)" } else { "" };
        print::line(&print::safe(&format!(
            "{}  {}{declined}",
            offer.chat_id.as_str(),
            offer.title
        )));
    }
    Ok(if offers.is_empty() {
        ExitCode::from(NOTHING)
    } else {
        ExitCode::SUCCESS
    })
}
