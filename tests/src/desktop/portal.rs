//! The part of a Wayland desktop that gives programs global shortcuts: the GlobalShortcuts portal, as xdg-desktop-portal
//! speaks it. It notes what was asked for, decides on keys of its own, and presses them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use zbus::Connection;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

const PATH: &str = "/org/freedesktop/portal/desktop";
const NAME: &str = "org.freedesktop.portal.Desktop";
/// What the person chose in the desktop's dialog, whatever the program proposed, in the words of the desktop.
pub const CHOSEN: &str = "Super Alt J";

type Options = HashMap<String, OwnedValue>;

/// What a program bound: its session, the shortcut's name, and the keys that it proposed.
type Bound = Arc<Mutex<Option<(OwnedObjectPath, String, String)>>>;

/// A portal, as long as it is kept.
#[derive(Debug)]
pub struct Portal {
    bus: Connection,
    bound: Bound,
}

struct Server {
    bound: Bound,
}

#[zbus::interface(name = "org.freedesktop.portal.GlobalShortcuts")]
impl Server {
    async fn create_session(
        &self,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        let session = handle("session", &header, &options, "session_handle_token")?;
        let result = HashMap::from([("session_handle", Value::from(session.as_str()))]);
        answer(bus, &header, &options, result).await
    }

    async fn bind_shortcuts(
        &self,
        session: OwnedObjectPath,
        shortcuts: Vec<(String, Options)>,
        _parent_window: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        let mut given = Vec::new();
        for (name, asked) in shortcuts {
            let description = text(&asked, "description")?;
            let told = HashMap::from([
                ("description", Value::from(description)),
                ("trigger_description", Value::from(CHOSEN)),
            ]);
            let proposed = text(&asked, "preferred_trigger")?;
            *self.bound.lock().expect("no panic while noting") = Some((session.clone(), name.clone(), proposed));
            given.push((name, told));
        }
        answer(
            bus,
            &header,
            &options,
            HashMap::from([("shortcuts", Value::from(given))]),
        )
        .await
    }

    #[zbus(signal)]
    async fn activated(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        shortcut: &str,
        timestamp: u64,
        options: HashMap<&str, Value<'_>>,
    ) -> zbus::Result<()>;

    #[zbus(property)]
    fn version(&self) -> u32 {
        1
    }
}

fn text(options: &Options, name: &str) -> zbus::fdo::Result<String> {
    let value = options.get(name).and_then(|value| value.downcast_ref::<String>().ok());
    value.ok_or_else(|| zbus::fdo::Error::InvalidArgs(format!("`{name}` is missing")))
}

/// The path that a program expects from its own name on the bus and a word that it chose.
fn handle(kind: &str, header: &Header<'_>, options: &Options, token: &str) -> zbus::fdo::Result<OwnedObjectPath> {
    let sender = header.sender().map(ToString::to_string).unwrap_or_default();
    let sender = sender.trim_start_matches(':').replace('.', "_");
    let path = format!("{PATH}/{kind}/{sender}/{}", text(options, token)?);
    OwnedObjectPath::try_from(path).map_err(|error| zbus::fdo::Error::InvalidArgs(error.to_string()))
}

/// Says yes, by the signal that ends each request.
async fn answer(
    bus: &Connection,
    header: &Header<'_>,
    options: &Options,
    result: HashMap<&str, Value<'_>>,
) -> zbus::fdo::Result<OwnedObjectPath> {
    let request = handle("request", header, options, "handle_token")?;
    let interface = "org.freedesktop.portal.Request";
    bus.emit_signal(
        header.sender().cloned(),
        &request,
        interface,
        "Response",
        &(0_u32, result),
    )
    .await?;
    Ok(request)
}

impl Portal {
    pub(super) async fn show(address: &str) -> Result<Self> {
        let bound = Bound::default();
        let server = Server {
            bound: Arc::clone(&bound),
        };
        let bus = zbus::connection::Builder::address(address)?
            .serve_at(PATH, server)?
            .name(NAME)?
            .build()
            .await
            .context("showing a portal")?;
        Ok(Self { bus, bound })
    }

    /// The keys that the program proposed, once it has bound its shortcut.
    ///
    /// # Panics
    /// When a call has panicked.
    pub fn proposed(&self) -> Option<String> {
        let bound = self.bound.lock().expect("no panic while noting");
        bound.as_ref().map(|(_, _, proposed)| proposed.clone())
    }

    /// Presses the keys that the person chose.
    ///
    /// # Errors
    /// When nothing is bound to them.
    ///
    /// # Panics
    /// When a call has panicked.
    pub async fn press(&self) -> Result<()> {
        let bound = self.bound.lock().expect("no panic while noting").clone();
        let (session, name, _) = bound.context("nothing is bound")?;
        let server = self.bus.object_server().interface::<_, Server>(PATH).await?;
        let token = HashMap::from([("activation_token", Value::from("a-token"))]);
        Server::activated(server.signal_emitter(), session.as_ref(), &name, 1, token).await?;
        Ok(())
    }
}
