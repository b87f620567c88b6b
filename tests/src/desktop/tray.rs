//! The part of a desktop that shows tray icons: it learns of them, reads their menus and clicks in them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use zbus::message::Header;
use zbus::zvariant::{OwnedValue, Structure, Value};
use zbus::{Connection, Proxy};

use super::until;

const PATH: &str = "/StatusNotifierWatcher";
const NAME: &str = "org.kde.StatusNotifierWatcher";

/// A tray, as long as it is kept.
#[derive(Debug)]
pub struct Tray {
    bus: Connection,
    items: Items,
}

/// Who has registered, and under which path.
type Items = Arc<Mutex<Vec<(String, String)>>>;

struct Watcher {
    items: Items,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // Either a path of the sender's, or a name that has the item at the usual path.
        let item = if service.starts_with('/') {
            (sender, service)
        } else {
            (service, "/StatusNotifierItem".to_owned())
        };
        let mut items = self.items.lock().expect("no panic while noting");
        // A program may register again, as libayatana does with each new menu.
        if !items.contains(&item) {
            items.push(item);
        }
    }

    async fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    async fn registered_status_notifier_items(&self) -> Vec<String> {
        let items = self.items.lock().expect("no panic while noting");
        items.iter().map(|(name, path)| format!("{name}{path}")).collect()
    }

    #[zbus(property)]
    async fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    async fn protocol_version(&self) -> i32 {
        0
    }
}

/// A menu as `com.canonical.dbusmenu` tells it: an entry's number, its properties, the entries below.
type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));

impl Tray {
    pub(super) async fn show(address: &str) -> Result<Self> {
        let items = Items::default();
        let watcher = Watcher {
            items: Arc::clone(&items),
        };
        let bus = zbus::connection::Builder::address(address)?
            .serve_at(PATH, watcher)?
            .name(NAME)?
            .build()
            .await
            .context("showing a tray")?;
        Ok(Self { bus, items })
    }

    /// How many icons there are.
    ///
    /// # Panics
    /// When a call has panicked.
    pub fn icons(&self) -> usize {
        self.items.lock().expect("no panic while noting").len()
    }

    /// The labels of the one icon's menu, from the top, once there is an icon.
    ///
    /// # Errors
    /// When no icon comes, or it has no menu.
    pub async fn labels(&self) -> Result<Vec<String>> {
        let entries = until("the tray's menu", async || self.entries().await.map(Some)).await?;
        Ok(entries.into_iter().map(|(_, label)| label).collect())
    }

    /// Clicks an entry of the menu, once it is there.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn click(&self, label: &str) -> Result<()> {
        let (id, _) = until(&format!("`{label}` in the tray's menu"), async || {
            let entries = self.entries().await?;
            Ok(entries.into_iter().find(|(_, found)| found == label))
        })
        .await?;
        let menu = self.menu().await?;
        let click = (id, "clicked", Value::I32(0), 0_u32);
        menu.call_method("Event", &click)
            .await
            .context("clicking in the tray")?;
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<(i32, String)>> {
        let menu = self.menu().await?;
        let layout: Layout = menu.call("GetLayout", &(0, -1, Vec::<&str>::new())).await?;
        let (_, (_, _, children)) = layout;
        Ok(children.iter().filter_map(entry).collect())
    }

    async fn menu(&self) -> Result<Proxy<'_>> {
        let last = self.items.lock().expect("no panic while noting").last().cloned();
        let (name, path) = last.context("there is no tray icon")?;
        let item = Proxy::new(&self.bus, name.clone(), path, "org.kde.StatusNotifierItem").await?;
        let menu: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").await?;
        Ok(Proxy::new(&self.bus, name, menu, "com.canonical.dbusmenu").await?)
    }
}

/// The number and the label of an entry; separators have none. An underscore marks an accelerator, two are one.
fn entry(value: &OwnedValue) -> Option<(i32, String)> {
    let structure = value.downcast_ref::<Structure<'_>>().ok()?;
    let [Value::I32(id), Value::Dict(properties), ..] = structure.fields() else {
        return None;
    };
    let label: String = properties.get::<_, Value<'_>>(&"label").ok()??.downcast().ok()?;
    (!label.is_empty()).then(|| (*id, label.replace("__", "\0").replace('_', "").replace('\0', "_")))
}
