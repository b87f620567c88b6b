//! The link between a device and the server: it loses requests and answers, and the device may die on either side of
//! each call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use deepsearch_core::sync::{
    EntityKind, FeedCursor, FeedPage, IdPage, PageBody, Push, Pushed, RecentMark, RecentPage, RemoteError, SyncRemote,
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
    remote: Arc<dyn SyncRemote>,
    /// The server in memory, which can work on after an answer was given up.
    memory: Option<Arc<Server>>,
    /// How long it waits for an answer.
    patience: Mutex<Duration>,
    /// The most rows of a page or a push that come through in time.
    width: Mutex<u32>,
    /// The longest text of a saved page that does.
    length: Mutex<usize>,
    /// The fault, and how many calls go well before it.
    fault: Mutex<Option<(u32, Fault)>>,
    pub(crate) meanwhile: Mutex<Option<Meanwhile>>,
    pub(crate) crashed: Notify,
    pub(crate) calls: Mutex<Vec<&'static str>>,
}

impl Link {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self::on(server.clone(), Some(server), Duration::MAX)
    }

    /// To a real server, for which nobody waits longer than `patience`.
    pub(crate) fn to(remote: Arc<dyn SyncRemote>, patience: Duration) -> Self {
        Self::on(remote, None, patience)
    }

    /// A line on which no page and no push with more rows than this comes in time.
    pub(crate) fn narrow(&self, width: u32) {
        *self.width.lock().unwrap() = width;
    }

    /// A line on which no saved page with a longer text than this comes in time.
    pub(crate) fn shorten(&self, length: usize) {
        *self.length.lock().unwrap() = length;
    }

    fn too_wide(&self, action: &'static str, limit: u32) -> Result<(), RemoteError> {
        let fits = limit <= *self.width.lock().unwrap();
        fits.then_some(()).ok_or(RemoteError::TimedOut { action })
    }

    fn too_long(&self, action: &'static str, page: &PageBody) -> Result<(), RemoteError> {
        let fits = page.text.len() <= *self.length.lock().unwrap();
        fits.then_some(()).ok_or(RemoteError::TimedOut { action })
    }

    pub(crate) fn be_patient(&self, patience: Duration) {
        *self.patience.lock().unwrap() = patience;
    }

    fn on(remote: Arc<dyn SyncRemote>, memory: Option<Arc<Server>>, patience: Duration) -> Self {
        Self {
            remote,
            memory,
            patience: Mutex::new(patience),
            width: Mutex::new(u32::MAX),
            length: Mutex::new(usize::MAX),
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
        asked: impl Future<Output = Result<T, RemoteError>> + Send,
    ) -> Result<T, RemoteError> {
        self.call_late(action, asked, |_| {}).await
    }

    /// One call; `late` is what the server in memory makes of it when it is slow.
    async fn call_late<T>(
        &self,
        action: &'static str,
        asked: impl Future<Output = Result<T, RemoteError>> + Send,
        late: impl FnOnce(&mut State) + Send,
    ) -> Result<T, RemoteError> {
        self.calls.lock().unwrap().push(action);
        let lost = || RemoteError::Offline {
            action,
            source: "the connection broke".into(),
        };
        let fault = self.next_fault();
        match (fault, &self.memory) {
            (Some(Fault::CrashBefore), _) => self.die().await,
            (Some(Fault::LostRequest), _) => return Err(lost()),
            (Some(Fault::Slow), Some(server)) => {
                late(&mut server.state.lock().unwrap());
                return Err(RemoteError::TimedOut { action });
            }
            _ => {}
        }
        let patience = *self.patience.lock().unwrap();
        let answer = tokio::time::timeout(patience, asked).await;
        let answer = answer.unwrap_or(Err(RemoteError::TimedOut { action }));
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
        self.too_wide("pull", limit)?;
        self.call("pull", self.remote.pull(after, limit)).await
    }

    async fn count_changes(&self, after: FeedCursor) -> Result<u64, RemoteError> {
        self.call("count", self.remote.count_changes(after)).await
    }

    async fn list_recent(
        &self,
        since: DateTime<Utc>,
        after: Option<&RecentMark>,
        limit: u32,
    ) -> Result<RecentPage, RemoteError> {
        self.too_wide("recent", limit)?;
        self.call("recent", self.remote.list_recent(since, after, limit)).await
    }

    async fn list_ids(&self, kind: EntityKind, after: Option<&str>, limit: u32) -> Result<IdPage, RemoteError> {
        self.call("ids", self.remote.list_ids(kind, after, limit)).await
    }

    async fn push(&self, push: &Push) -> Result<Pushed, RemoteError> {
        self.too_wide("push", push.rows.len() as u32)?;
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile().await;
        }
        self.call_late("push", self.remote.push(push), |state| {
            // Whether the push was valid is seen by nobody.
            state.push_slowly(push).ok();
        })
        .await
    }

    async fn list_missing_pages(&self, hashes: &[String]) -> Result<Vec<String>, RemoteError> {
        self.call("missing pages", self.remote.list_missing_pages(hashes)).await
    }

    async fn put_page(&self, page: &PageBody) -> Result<(), RemoteError> {
        self.too_long("put page", page)?;
        self.call("put page", self.remote.put_page(page)).await
    }

    async fn lookup_page(&self, hash: &str) -> Result<Option<PageBody>, RemoteError> {
        let page = self.call("page", self.remote.lookup_page(hash)).await?;
        page.iter().try_for_each(|page| self.too_long("page", page))?;
        Ok(page)
    }

    fn forget_connections(&self) {
        self.calls.lock().unwrap().push("forget connections");
        self.remote.forget_connections();
    }
}
