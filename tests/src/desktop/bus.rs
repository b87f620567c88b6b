//! The session bus: a daemon of this desktop's own, over which a second start finds the first and tray icons are told.

use std::path::Path;

use anyhow::Result;

use super::processes::Processes;
use super::until;

#[derive(Debug)]
pub(super) struct Bus {
    address: String,
}

impl Bus {
    pub(super) async fn open(processes: &mut Processes, folder: &Path) -> Result<Self> {
        let socket = folder.join("runtime/bus");
        // A path rather than an abstract name: it is reached from another network namespace too.
        let address = format!("unix:path={}", socket.display());
        processes.set("DBUS_SESSION_BUS_ADDRESS", &address);
        let mut daemon = processes.command("dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile", "--address", &address]);
        processes.spawn(daemon)?;
        until("the session bus", async || Ok(socket.exists().then_some(()))).await?;
        Ok(Self { address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// Something where a program has this name on the bus.
pub(super) async fn has(address: &str, name: &str) -> Result<Option<()>> {
    let bus = zbus::connection::Builder::address(address)?.build().await?;
    let names = zbus::fdo::DBusProxy::new(&bus).await?;
    Ok(names.name_has_owner(name.try_into()?).await?.then_some(()))
}
