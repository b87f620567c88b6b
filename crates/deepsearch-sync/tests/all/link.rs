//! The link between a device and the server: it loses requests and answers, and the device may die on either side of
//! each call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deepsearch_core::sync::{
    EntityKind, FeedCursor, FeedPage, IdPage, PageBody, Push, PushAnswer, RecentMark, RecentPage, RemoteError,
    SyncRemote,
};
use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::server::{Server, State};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    LostRequest,
    LostAnswer,
    /// The device dies before it asks, which is after whatever it did before.
    CrashBefore,
    /// The device dies before it has done anything with the answer.
    CrashAfter,
    /// The server works on, and ends the transaction at some later time, one way or another.
    Slow,
}

enum Target {
    Memory(Arc<Server>),
    Real(Arc<dyn SyncRemote>),
}

/// Something that the person does on the device while a push is under way.
pub(crate) type Meanwhile = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

pub(crate) struct Link {
    target: Target,
    /// How long it waits for a real server.
    patience: Mutex<Duration>,
    /// The fault, and how many calls go well before it.
    fault: Mutex<Option<(u32, Fault)>>,
    pub(crate) meanwhile: Mutex<Option<Meanwhile>>,
    pub(crate) crashed: Notify,
    pub(crate) calls: Mutex<Vec<&'static str>>,
}

impl Link {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self::on(Target::Memory(server), Duration::MAX)
    }

    /// To a real server, for which nobody waits longer than `patience`.
    pub(crate) fn to(remote: Arc<dyn SyncRemote>, patience: Duration) -> Self {
        Self::on(Target::Real(remote), patience)
    }

    pub(crate) fn be_patient(&self, patience: Duration) {
        *self.patience.lock().unwrap() = patience;
    }

    fn on(target: Target, patience: Duration) -> Self {
        Self {
            target,
            patience: Mutex::new(patience),
            fault: Mutex::new(None),
            meanwhile: Mutex::new(None),
            crashed: Notify::new(),
            calls: Mutex::default(),
        }
    }

    pub(crate) fn set_fault(&self, fault: Option<(u32, Fault)>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn next_fault(&self) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        match &mut *fault {
            Some((0, due)) => {
                let due = *due;
                *fault = None;
                Some(due)
            }
            Some((calls, _)) => {
                *calls -= 1;
                None
            }
            None => None,
        }
    }

    async fn die(&self) {
        self.crashed.notify_one();
        std::future::pending().await
    }

    /// One call: `work` and `slow` are what the server in memory does, `real` asks a real one.
    async fn call<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, RemoteError> + Send,
        slow: impl FnOnce(&mut State) + Send,
        real: impl for<'a> FnOnce(&'a dyn SyncRemote) -> BoxFuture<'a, Result<T, RemoteError>> + Send,
    ) -> Result<T, RemoteError> {
        self.calls.lock().unwrap().push(action);
        let lost = || RemoteError::Offline {
            action,
            source: "the connection broke".into(),
        };
        let fault = self.next_fault();
        match fault {
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::LostRequest) => return Err(lost()),
            _ => {}
        }
        let answer = match &self.target {
            Target::Memory(server) if fault == Some(Fault::Slow) => {
                slow(&mut server.state.lock().unwrap());
                Err(RemoteError::TimedOut { action })
            }
            Target::Memory(server) => work(&mut server.state.lock().unwrap()),
            Target::Real(remote) => {
                let patience = *self.patience.lock().unwrap();
                let answer = tokio::time::timeout(patience, real(remote.as_ref())).await;
                answer.unwrap_or(Err(RemoteError::TimedOut { action }))
            }
        };
        match fault {
            Some(Fault::CrashAfter) => {
                self.die().await;
                answer
            }
            // What a real server does late it has done by the time that anybody asks again.
            Some(Fault::LostAnswer | Fault::Slow) => Err(lost()),
            _ => answer,
        }
    }
}

#[async_trait]
impl SyncRemote for Link {
    async fn pull(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError> {
        self.call(
            "pull",
            |state| Ok(state.pull(after, limit)),
            |_| {},
            move |remote| remote.pull(after, limit),
        )
        .await
    }

    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError> {
        self.call(
            "count",
            |state| Ok(state.count_changes(after)),
            |_| {},
            move |remote| remote.count_changes(after),
        )
        .await
    }

    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        let owned = after.cloned();
        self.call(
            "recent",
            |state| Ok(state.list_recent(since, after, limit)),
            |_| {},
            move |remote| Box::pin(async move { remote.list_recent(since, owned.as_ref(), limit).await }),
        )
        .await
    }

    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError> {
        let owned = after.map(str::to_owned);
        self.call(
            "ids",
            |state| Ok(state.list_ids(kind, after, limit)),
            |_| {},
            move |remote| Box::pin(async move { remote.list_ids(kind, owned.as_deref(), limit).await }),
        )
        .await
    }

    async fn push(&self, push: &Push) -> Result<Vec<PushAnswer>, RemoteError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile().await;
        }
        let slow = |state: &mut State| {
            // Whether the push was valid is seen by nobody.
            state.push_slowly(push).ok();
        };
        let owned = push.clone();
        self.call(
            "push",
            |state| state.push(push),
            slow,
            move |remote| Box::pin(async move { remote.push(&owned).await }),
        )
        .await
    }

    async fn list_missing_pages(&self, hashes: &[String]) -> Result<Vec<String>, RemoteError> {
        let missing = |state: &mut State| {
            let pages = &state.tables.pages;
            Ok(hashes
                .iter()
                .filter(|hash| !pages.contains_key(*hash))
                .cloned()
                .collect())
        };
        let owned = hashes.to_vec();
        self.call(
            "missing pages",
            missing,
            |_| {},
            move |remote| Box::pin(async move { remote.list_missing_pages(&owned).await }),
        )
        .await
    }

    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError> {
        let put = |state: &mut State| {
            state.tables.pages.insert(page.content_hash.clone(), page.clone());
            Ok(())
        };
        let owned = page.clone();
        self.call(
            "put page",
            put,
            |_| {},
            move |remote| Box::pin(async move { remote.put_page(&owned).await }),
        )
        .await
    }

    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        let owned = hash.to_owned();
        self.call(
            "page",
            |state| Ok(state.tables.pages.get(hash).cloned()),
            |_| {},
            move |remote| Box::pin(async move { remote.lookup_page(&owned).await }),
        )
        .await
    }
}
