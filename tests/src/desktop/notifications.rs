//! The part of a desktop that shows notifications: it notes what programs want to have said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use zbus::Connection;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

const PATH: &str = "/org/freedesktop/Notifications";
const NAME: &str = "org.freedesktop.Notifications";

/// Who shows notifications, as long as it is kept.
#[derive(Debug)]
pub struct Notifications {
    bus: Connection,
    shown: Shown,
}

/// Title and text of each.
type Shown = Arc<Mutex<Vec<(String, String)>>>;

struct Server {
    shown: Shown,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the protocol's own")]
    async fn notify(
        &self,
        _app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().expect("no panic while noting");
        shown.push((summary, body));
        u32::try_from(shown.len()).unwrap_or(u32::MAX)
    }

    async fn close_notification(&self, _id: u32) {}

    async fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into(), "actions".into()]
    }

    async fn get_server_information(&self) -> (String, String, String, String) {
        ("tests".into(), "DeepSearch".into(), "1".into(), "1.2".into())
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;
}

impl Notifications {
    pub(super) async fn show(address: &str) -> Result<Self> {
        let shown = Shown::default();
        let server = Server {
            shown: Arc::clone(&shown),
        };
        let bus = zbus::connection::Builder::address(address)?
            .serve_at(PATH, server)?
            .name(NAME)?
            .build()
            .await
            .context("showing notifications")?;
        Ok(Self { bus, shown })
    }

    /// Clicks the one that was shown last, as a person does.
    ///
    /// # Errors
    /// When the bus does not take it.
    ///
    /// # Panics
    /// When a call has panicked.
    pub async fn click(&self) -> Result<()> {
        let last = u32::try_from(self.shown().len()).unwrap_or(u32::MAX);
        let server = self.bus.object_server().interface::<_, Server>(PATH).await?;
        Server::action_invoked(server.signal_emitter(), last, "default").await?;
        Ok(())
    }

    /// Title and text of all so far.
    ///
    /// # Panics
    /// When a call has panicked.
    pub fn shown(&self) -> Vec<(String, String)> {
        self.shown.lock().expect("no panic while noting").clone()
    }
}
