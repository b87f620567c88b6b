//! Sync as the faces of the app meet it: how it stands, doing it now, what is offered, what lost a conflict.
//!
//! Whoever shows a window lets it run ([`App::start_sync`]); a command runs it once. Leaves out what is sent and when,
//! which is `deepsearch-sync`'s, and who is signed in, which is `sign_in`'s.

mod drive;
mod kept;
mod link;
mod others;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use deepsearch_core::{ChatId, ErrorCode, Failure, MessageId};
use deepsearch_sqlite::{ChatOffer, Conflict, ConflictKind, SyncCounts};
use deepsearch_sync::{SyncEngine, SyncError, SyncOptions, SyncProgress};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::changes::Change;
use crate::error::AppError;

pub(crate) use kept::FILE as KEPT_FILE;
pub(crate) use link::Link;

/// Whether saved pages travel.
pub(crate) const PAGES: &str = "sync.pages";

/// What sync is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, specta::Type)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SyncState {
    /// Nobody is signed in, so everything is only on this device.
    #[default]
    SignedOut,
    /// Somebody is, and nothing was brought or sent yet.
    Waiting,
    /// Everything is sent and brought, as of the last time we looked.
    Idle,
    Running {
        progress: SyncProgress,
    },
    /// Private mode is on. What is changed meanwhile is kept and sent later.
    Private,
    /// The server cannot be reached. What is changed meanwhile is kept and sent later.
    Offline,
    /// Something has to be done.
    Error {
        failure: Failure,
        remedy: SyncRemedy,
    },
}

/// What a person can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum SyncRemedy {
    TryAgain,
    SignIn,
    /// Nothing here; the failure's hint says who can.
    None,
}

/// All that is to be said of sync.
#[derive(Debug, Clone, Default, PartialEq, Serialize, specta::Type)]
pub struct SyncStatus {
    #[serde(flatten)]
    pub state: SyncState,
    /// What waits, and for what; all zero before the first sign-in.
    pub counts: SyncCounts,
    /// When a run last ended well, by this device's clock.
    pub synced_at: Option<DateTime<Utc>>,
    /// Seconds that this device's clock is behind the server's; worth a word when it is more than minutes.
    pub clock_behind: i32,
    /// Since when the server has held changes back, because a transaction there does not end; only while it is idle.
    pub held_since: Option<DateTime<Utc>>,
}

/// A change that lost against another, with what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct SyncConflict {
    pub id: i32,
    pub kind: ConflictKind,
    pub chat_id: Option<ChatId>,
    pub chat_title: Option<String>,
    /// The chat, message or setting.
    pub entity_id: String,
    /// The text that lost.
    pub lost: String,
    /// What is there now.
    pub kept: Option<String>,
    pub at: DateTime<Utc>,
}

/// How sync stands, for as long as the app runs.
pub(crate) struct Syncing {
    status: watch::Sender<SyncStatus>,
    inner: Mutex<Inner>,
    pub(crate) stop: CancellationToken,
}

#[derive(Default)]
struct Inner {
    engine: Option<(Link, Arc<SyncEngine>)>,
    is_focused: bool,
    is_started: bool,
    is_attending: bool,
}

impl Default for Syncing {
    fn default() -> Self {
        Self {
            status: watch::Sender::default(),
            inner: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }
}

impl Syncing {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, status: SyncStatus) {
        self.status.send_if_modified(|known| {
            let is_new = *known != status;
            *known = status;
            is_new
        });
    }
}

impl App {
    /// Lets sync run for as long as the app does, whoever signs in or out meanwhile, and attends. A second call does
    /// nothing.
    pub fn start_sync(&self) {
        self.attend_others();
        if std::mem::replace(&mut self.inner.syncing.lock().is_started, true) {
            return;
        }
        let stop = self.inner.syncing.stop.clone();
        let sync = drive::sync(self.clone());
        self.inner
            .tasks
            .spawn(async move { stop.run_until_cancelled(sync).await });
    }

    /// Notices for as long as the app runs what other programs with this data folder do: above all that private mode was
    /// turned on there. Every face that stays longer than a moment calls this. A second call does nothing.
    pub fn attend_others(&self) {
        if std::mem::replace(&mut self.inner.syncing.lock().is_attending, true) {
            return;
        }
        let stop = self.inner.syncing.stop.clone();
        let others = others::attend(self.clone());
        self.inner
            .tasks
            .spawn(async move { stop.run_until_cancelled(others).await });
    }

    /// How sync stands; each change of it wakes the receiver. Only told while it runs in this program.
    pub fn watch_sync(&self) -> watch::Receiver<SyncStatus> {
        self.inner.syncing.status.subscribe()
    }

    /// How sync stands: as it runs here, or else as it last ended in any program with this data folder.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be read.
    pub async fn sync_status(&self) -> Result<SyncStatus, AppError> {
        if self.inner.syncing.lock().engine.is_some() {
            let mut status = self.inner.syncing.status.borrow().clone();
            status.counts = self.sync_counts().await?;
            return Ok(status);
        }
        let known = kept::read(self.config()).unwrap_or_default();
        let state = match self.own_link()? {
            None => match self.account_state().locked {
                // Somebody is signed in, and the secrets for it cannot be had now.
                Some(failure) => SyncState::Error {
                    remedy: match failure.code {
                        ErrorCode::KeyRefused => SyncRemedy::SignIn,
                        _ => SyncRemedy::TryAgain,
                    },
                    failure,
                },
                None => SyncState::SignedOut,
            },
            Some(_) if self.sync_link()?.is_none() => SyncState::Private,
            Some(link) if known.link != link.name() => SyncState::Waiting,
            Some(_) => known.state(),
        };
        let is_signed_out = state == SyncState::SignedOut;
        let held_since = match state {
            SyncState::Idle => self.held_since().await?,
            _ => None,
        };
        Ok(SyncStatus {
            state,
            held_since,
            counts: self.sync_counts().await?,
            synced_at: known.synced_at.filter(|_| !is_signed_out),
            clock_behind: seconds(self.store().clock_offset().num_seconds()),
        })
    }

    /// Brings everything that is new and sends everything that waits, now.
    ///
    /// # Errors
    /// [`AppError::Auth`] when nobody is signed in, [`AppError::Sync`] when the server or the store fails; what was done
    /// before is kept.
    pub async fn sync_now(&self) -> Result<SyncStatus, AppError> {
        let Some(link) = self.own_link()? else {
            return Err(match self.account_state().locked {
                Some(failure) => AppError::Answer(failure),
                None => deepsearch_auth::AuthError::SignedOut.into(),
            });
        };
        self.inner.network.check_place(&link.place())?;
        let running = self.inner.syncing.lock().engine.clone();
        let engine = match running {
            Some((known, engine)) if known == link => engine,
            _ => Arc::new(self.sync_engine(&link).await?),
        };
        let result = engine.run_once().await;
        let status = drive::status_of(&link, &engine.watch().borrow());
        kept::keep(self.config(), &link, &status);
        if let Err(error) = result {
            self.heed_signed_out(&link, &error).await;
            return Err(error.into());
        }
        if let SyncState::Error { failure, .. } = status.state {
            return Err(AppError::Answer(failure));
        }
        Ok(status)
    }

    /// Something changed here that is to be sent.
    pub fn nudge_sync(&self) {
        if let Some((_, engine)) = &self.inner.syncing.lock().engine {
            engine.nudge();
        }
    }

    /// Whether somebody is looking at the app.
    pub fn focus_sync(&self, is_focused: bool) {
        let mut inner = self.inner.syncing.lock();
        inner.is_focused = is_focused;
        if let Some((_, engine)) = &inner.engine {
            engine.focus(is_focused);
        }
    }

    /// Chats from before the sign-in, which stay on this device until they are handed over; by id after one.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be read.
    pub async fn list_chat_offers(&self, after: Option<&ChatId>, limit: u32) -> Result<Vec<ChatOffer>, AppError> {
        Ok(self.store().list_chat_offers(after, limit).await?)
    }

    /// Hands chats over to the account, or with `None` all that are on offer and were not declined. Says how many.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be written.
    pub async fn accept_chat_offers(&self, chats: Option<Vec<ChatId>>) -> Result<u32, AppError> {
        let chats = self.offered(chats).await?;
        for some in chats.chunks(OFFERS) {
            self.store().accept_chat_offers(some).await?;
        }
        self.nudge_sync();
        self.offers_changed().await?;
        Ok(u32::try_from(chats.len()).unwrap_or(u32::MAX))
    }

    /// Keeps chats on this device, or with `None` all that are on offer. They may be handed over later all the same.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be written.
    pub async fn decline_chat_offers(&self, chats: Option<Vec<ChatId>>) -> Result<u32, AppError> {
        let chats = self.offered(chats).await?;
        for some in chats.chunks(OFFERS) {
            self.store().decline_chat_offers(some).await?;
        }
        self.offers_changed().await?;
        Ok(u32::try_from(chats.len()).unwrap_or(u32::MAX))
    }

    /// Changes that lost against another, newest first, with what is there now.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be read.
    pub async fn list_sync_conflicts(&self, limit: u32) -> Result<Vec<SyncConflict>, AppError> {
        let mut conflicts = Vec::new();
        for conflict in self.store().list_conflicts(limit).await? {
            conflicts.push(self.with_what_is_there(conflict).await?);
        }
        Ok(conflicts)
    }

    /// Forgets a conflict that the person has seen.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be written.
    pub async fn delete_sync_conflict(&self, id: i32) -> Result<(), AppError> {
        self.store().delete_conflict(id).await?;
        self.offers_changed().await
    }

    async fn with_what_is_there(&self, conflict: Conflict) -> Result<SyncConflict, AppError> {
        let chat_id = Some(conflict.chat_id).filter(|id| !id.as_str().is_empty());
        let shown = match conflict.kind {
            ConflictKind::Recovered => Some(ChatId::from_stored(conflict.entity_id.clone())),
            _ => chat_id.clone(),
        };
        let chat = match &shown {
            Some(id) => self.store().lookup_chat(id).await?,
            None => None,
        };
        let kept = match conflict.kind {
            ConflictKind::Title => chat.as_ref().map(|chat| chat.title.clone()),
            ConflictKind::Message => {
                let id = MessageId::from_stored(conflict.entity_id.clone());
                self.store().lookup_message(&id).await?.map(|message| message.content)
            }
            ConflictKind::Setting => self
                .setting(&conflict.entity_id)
                .ok()
                .map(|setting| setting.value.to_string()),
            ConflictKind::InTrash | ConflictKind::Recovered => None,
        };
        Ok(SyncConflict {
            id: conflict.id,
            kind: conflict.kind,
            chat_id: shown.filter(|_| chat.is_some()),
            chat_title: chat.map(|chat| chat.title),
            entity_id: conflict.entity_id,
            lost: conflict.lost,
            kept,
            at: conflict.at,
        })
    }

    async fn offered(&self, chats: Option<Vec<ChatId>>) -> Result<Vec<ChatId>, AppError> {
        if let Some(chats) = chats {
            return Ok(chats);
        }
        let mut chats: Vec<ChatId> = Vec::new();
        let mut after = None;
        loop {
            let page = self.store().list_chat_offers(after.as_ref(), OFFERS as u32).await?;
            let Some(last) = page.last() else { return Ok(chats) };
            after = Some(last.chat_id.clone());
            chats.extend(
                page.into_iter()
                    .filter(|offer| !offer.declined)
                    .map(|offer| offer.chat_id),
            );
        }
    }

    /// What waits is another now, without a run.
    async fn offers_changed(&self) -> Result<(), AppError> {
        let counts = self.sync_counts().await?;
        self.inner.syncing.status.send_if_modified(|status| {
            let is_new = status.counts != counts;
            status.counts = counts;
            is_new
        });
        self.tell_change(Change::Sync);
        Ok(())
    }

    /// What waits. Before the first sign-in everything does, and for nothing.
    pub(crate) async fn sync_counts(&self) -> Result<SyncCounts, AppError> {
        if self.store().lookup_sync_account().await?.is_none() {
            return Ok(SyncCounts::default());
        }
        Ok(self.store().count_sync().await?)
    }

    async fn held_since(&self) -> Result<Option<DateTime<Utc>>, AppError> {
        let position = self.store().begin_sync_reading().await?.position().await?;
        Ok(position.held_long(self.store().device_now()))
    }

    /// Hands everything to the server again that it refused. Says how much that is.
    ///
    /// # Errors
    /// [`AppError::Store`] when the store cannot be written.
    pub async fn retry_sync(&self) -> Result<u32, AppError> {
        let retried = self.store().retry_dead_changes().await?;
        self.nudge_sync();
        self.offers_changed().await?;
        Ok(retried)
    }

    async fn sync_engine(&self, link: &Link) -> Result<SyncEngine, SyncError> {
        let (remote, account) = link.connect(self).await?;
        let options = SyncOptions {
            pages: link.pages,
            ..SyncOptions::default()
        };
        Ok(SyncEngine::new(self.store().clone(), remote, account, options))
    }
}

/// Offers looked at together.
const OFFERS: usize = 200;

fn seconds(seconds: i64) -> i32 {
    i32::try_from(seconds).unwrap_or(if seconds < 0 { i32::MIN } else { i32::MAX })
}

impl SyncRemedy {
    fn of(failure: &Failure, link: &Link) -> Self {
        match failure.code {
            ErrorCode::KeyRefused if link.is_of_gateway() => Self::SignIn,
            ErrorCode::KeyRefused | ErrorCode::ReadOnly => Self::None,
            _ => Self::TryAgain,
        }
    }
}
