//! The link between a device and the server: it loses requests and answers, and the device may die on either side of
//! each call.

use std::sync::{Arc, Mutex};

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

/// Something that the person does on the device while a push is under way.
pub(crate) type Meanwhile = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

pub(crate) struct Link {
    pub(crate) server: Arc<Server>,
    /// The fault, and how many calls go well before it.
    fault: Mutex<Option<(u32, Fault)>>,
    pub(crate) meanwhile: Mutex<Option<Meanwhile>>,
    pub(crate) crashed: Notify,
    pub(crate) calls: Mutex<Vec<&'static str>>,
}

impl Link {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self {
            server,
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

    async fn call<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, RemoteError>,
        slow: impl FnOnce(&mut State),
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
            Some(Fault::Slow) => {
                slow(&mut self.server.state.lock().unwrap());
                return Err(RemoteError::TimedOut { action });
            }
            _ => {}
        }
        let answer = work(&mut self.server.state.lock().unwrap());
        match fault {
            Some(Fault::CrashAfter) => self.die().await,
            Some(Fault::LostAnswer) => return Err(lost()),
            _ => {}
        }
        answer
    }
}

#[async_trait]
impl SyncRemote for Link {
    async fn pull(&self, after: FeedCursor, limit: u32) -> Result<FeedPage, RemoteError> {
        self.call("pull", |state| Ok(state.pull(after, limit)), |_| {}).await
    }

    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError> {
        self.call("count", |state| Ok(state.count_changes(after)), |_| {}).await
    }

    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        self.call("recent", |state| Ok(state.list_recent(since, after, limit)), |_| {})
            .await
    }

    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError> {
        self.call("ids", |state| Ok(state.list_ids(kind, after, limit)), |_| {})
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
        self.call("push", |state| state.push(push), slow).await
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
        self.call("missing pages", missing, |_| {}).await
    }

    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError> {
        let put = |state: &mut State| {
            state.tables.pages.insert(page.content_hash.clone(), page.clone());
            Ok(())
        };
        self.call("put page", put, |_| {}).await
    }

    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        self.call("page", |state| Ok(state.tables.pages.get(hash).cloned()), |_| {})
            .await
    }
}
