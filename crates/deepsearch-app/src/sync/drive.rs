//! Drive: one engine for as long as one link lasts, and what it does told as a face can show it.

use std::sync::Arc;
use std::time::Duration;

use deepsearch_auth::AuthError;
use deepsearch_core::{ErrorCode, RemoteError};
use deepsearch_sqlite::Brought;
use deepsearch_sync::{SyncEngine, SyncError};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::link::Link;
use super::{SyncRemedy, SyncState, SyncStatus, kept};
use crate::app::App;
use crate::changes::Change;

/// How long to wait with another try when not even the account is known.
const AGAIN: Duration = Duration::from_secs(10);
/// What sync brings together is told together, or a first pull would have everything drawn anew at each page.
const GATHER: Duration = Duration::from_millis(120);

/// Syncs with whatever link there is, until it is dropped.
pub(super) async fn sync(app: App) {
    let mut changes = app.changes();
    loop {
        let link = app.sync_link();
        let held = async {
            match &link {
                Ok(Some(link)) => hold(&app, link).await,
                Ok(None) => {
                    let status = app.sync_status().await.unwrap_or_default();
                    app.inner.syncing.publish(status);
                    std::future::pending().await
                }
                Err(error) => {
                    tracing::warn!(%error, "there is nothing to sync with");
                    std::future::pending().await
                }
            }
        };
        tokio::select! {
            () = held => {}
            () = is_another(&app, &mut changes, link.as_ref().ok().and_then(Option::as_ref)) => {}
        }
        app.inner.syncing.lock().engine = None;
        app.tell_change(Change::Sync);
    }
}

/// Waits until there is another link than this.
async fn is_another(app: &App, changes: &mut tokio::sync::broadcast::Receiver<Change>, link: Option<&Link>) {
    loop {
        let now = app.sync_link();
        if now.as_ref().is_ok_and(|now| now.as_ref() != link) {
            return;
        }
        match changes.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Runs one engine. Ends only when it cannot be made, after a while.
async fn hold(app: &App, link: &Link) {
    let mut status = app.sync_status().await.unwrap_or_default();
    app.inner.syncing.publish(status.clone());
    let engine = match app.sync_engine(link).await {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            status.state = state_of_error(&error, link);
            app.inner.syncing.publish(status);
            app.tell_change(Change::Sync);
            return tokio::time::sleep(AGAIN).await;
        }
    };
    {
        let mut inner = app.inner.syncing.lock();
        engine.focus(inner.is_focused);
        inner.engine = Some((link.clone(), engine.clone()));
    }
    tokio::join!(
        engine.run(CancellationToken::new()),
        follow(app, link, &engine),
        pass_on(app)
    );
}

/// Tells how the engine stands, for as long as it runs. A look that brings nothing is not worth a flicker.
async fn follow(app: &App, link: &Link, engine: &SyncEngine) {
    let mut watched = engine.watch();
    let mut begun = None;
    loop {
        if watched.changed().await.is_err() {
            return std::future::pending().await;
        }
        let mut told = status_of(link, &watched.borrow_and_update());
        let known = app.inner.syncing.status.borrow().clone();
        if let SyncState::Running { progress } = &told.state {
            let is_first = known.synced_at.is_none() && known.state == SyncState::Waiting;
            if *begun.get_or_insert(*progress) == *progress && !is_first {
                continue;
            }
            told.counts = known.counts;
        } else {
            begun = None;
            kept::keep(app.config(), link, &told);
        }
        told.synced_at = told.synced_at.or(known.synced_at);
        let is_out = matches!(&told.state, SyncState::Error { failure, .. } if failure.code == ErrorCode::KeyRefused);
        app.inner.syncing.publish(told);
        app.tell_change(Change::Sync);
        if is_out {
            app.heed_signed_out(link, &RemoteError::SignedOut.into()).await;
        }
    }
}

/// Passes on what sync brought, to whoever shows it.
async fn pass_on(app: &App) {
    let mut told = app.store().watch_brought();
    loop {
        let mut brought = Brought::default();
        match told.recv().await {
            Ok(some) => brought.merge(some),
            Err(RecvError::Lagged(_)) => brought.any_chat = true,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
        tokio::time::sleep(GATHER).await;
        while let Ok(more) = told.try_recv() {
            brought.merge(more);
        }
        if brought.any_chat || !brought.chats.is_empty() {
            app.tell_change(Change::Library {
                chats: brought.chats.into_iter().collect(),
            });
        }
        if brought.settings {
            app.reread_settings().await;
        }
    }
}

impl App {
    /// The server does not know this device any more. When the gateway says so too, it is signed out here as well.
    /// Nothing on it is lost.
    pub(super) async fn heed_signed_out(&self, link: &Link, error: &SyncError) {
        if !matches!(error, SyncError::Remote(RemoteError::SignedOut)) || !link.is_of_gateway() {
            return;
        }
        // Somebody may have signed in anew meanwhile, here or by the command.
        if self.recall_session().await.is_err() || self.sync_link().is_ok_and(|now| now.as_ref() != Some(link)) {
            return;
        }
        let Some(session) = self.session() else { return };
        match self.inner.sign_ins.account(&session).await {
            Err(AuthError::SessionOver) => {}
            Ok(_) => {
                tracing::warn!("the shared database refuses a device that the gateway knows");
                return;
            }
            // Only the gateway ends a session; that it cannot be asked does not. It is asked again after the next run.
            Err(error) => {
                tracing::warn!(%error, "the shared database refuses this device, and the gateway cannot be asked why");
                return;
            }
        }
        if let Err(error) = self.leave(Some(&AuthError::SessionOver)).await {
            tracing::warn!(%error, "the session that is over cannot be forgotten");
        }
    }

    /// Takes in settings that did not change by this app's own doing.
    pub(super) async fn reread_settings(&self) {
        if let Err(error) = self.rewire().await {
            tracing::warn!(%error, "settings that changed elsewhere are not in use yet");
        }
        self.tell_change(Change::Settings { keys: Vec::new() });
    }
}

pub(super) fn status_of(link: &Link, engine: &deepsearch_sync::SyncStatus) -> SyncStatus {
    let state = match &engine.state {
        deepsearch_sync::SyncState::Idle => SyncState::Idle,
        deepsearch_sync::SyncState::Running { progress } => SyncState::Running { progress: *progress },
        deepsearch_sync::SyncState::Offline => SyncState::Offline,
        deepsearch_sync::SyncState::Error { failure } => state_of_failure(failure.clone(), link),
    };
    SyncStatus {
        state,
        counts: engine.counts,
        synced_at: engine.synced_at,
        clock_behind: engine.clock_behind,
        held_since: engine.held_since,
    }
}

fn state_of_error(error: &SyncError, link: &Link) -> SyncState {
    if error.is_offline() {
        SyncState::Offline
    } else {
        state_of_failure(error.into(), link)
    }
}

fn state_of_failure(mut failure: deepsearch_core::Failure, link: &Link) -> SyncState {
    if failure.code == ErrorCode::KeyRefused && !link.is_of_gateway() {
        failure.hint = Some("Let this device in again: `deepsearch share init`. Nothing on it is lost.".into());
    }
    SyncState::Error {
        remedy: SyncRemedy::of(&failure, link),
        failure,
    }
}
