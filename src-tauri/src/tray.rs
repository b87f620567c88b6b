//! The tray: ask, open, the latest chats, how sync stands, quit. Never the only way in.

pub(crate) mod sync;
pub(crate) mod words;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use deepsearch_app::{App, ChatFilter};
use deepsearch_core::{Chat, ChatId};
use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuEvent, MenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};
use tokio::sync::watch;

use crate::commands::Navigate;
use crate::windows;

const ID: &str = "tray";
const RECENT: u32 = 5;
/// What stands before a chat's id in its entry's.
const CHAT: &str = "chat:";

/// Whether the desktop shows our icon; `None` until that is known.
pub(crate) struct Presence(watch::Sender<Option<bool>>);

impl Default for Presence {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

pub(crate) fn is_there(app: &AppHandle) -> bool {
    app.try_state::<Presence>()
        .is_some_and(|presence| *presence.0.borrow() == Some(true))
}

/// Whether it is not known yet: the tray comes after the first window.
pub(crate) fn may_come(app: &AppHandle) -> bool {
    app.try_state::<Presence>()
        .is_some_and(|presence| presence.0.borrow().is_none())
}

/// As [`is_there`], but waits for what is not known yet, within reason.
pub(crate) async fn will_be_there(app: &AppHandle) -> bool {
    const PATIENCE: Duration = Duration::from_secs(3);
    let mut presence = app.state::<Presence>().0.subscribe();
    let known = tokio::time::timeout(PATIENCE, presence.wait_for(Option::is_some)).await;
    matches!(known, Ok(Ok(there)) if *there == Some(true))
}

fn tell(app: &AppHandle, there: bool) {
    app.state::<Presence>().0.send_replace(Some(there));
}

/// Puts the icon there. Where that cannot be done, the app works without it.
pub(crate) fn set_up(app: &AppHandle) {
    // The library that draws it on Linux is loaded only now, and where it is missing that panics.
    let built = std::panic::catch_unwind(AssertUnwindSafe(|| build(app)));
    match built {
        Ok(Ok(())) => watch(app),
        Ok(Err(error)) => {
            tracing::warn!(%error, "there is no tray icon");
            tell(app, false);
        }
        Err(_) => {
            tracing::warn!("there is no tray icon: libayatana-appindicator3 is missing");
            tell(app, false);
        }
    }
}

fn build(app: &AppHandle) -> tauri::Result<()> {
    let menu = menu(app, &[])?;
    let icon = Image::from_bytes(include_bytes!("../../icons/tray.png"))?;
    TrayIconBuilder::with_id(ID)
        .icon(icon)
        .tooltip("DeepSearch")
        .menu(&menu)
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(on_menu)
        .on_tray_icon_event(|tray, event| {
            let is_click = matches!(
                event,
                TrayIconEvent::Click {
                    button: MouseButton::Left,
                    button_state: MouseButtonState::Up,
                    ..
                }
            );
            if is_click && !cfg!(target_os = "macos") {
                windows::show_quick_ask(tray.app_handle());
            }
        })
        .build(app)?;
    refresh(app);
    sync::follow(app);
    Ok(())
}

/// Makes the menu anew: the latest chats, in the language of the app.
pub(crate) fn refresh(app: &AppHandle) {
    let Some(tray) = app.tray_by_id(ID) else { return };
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let store = app.state::<App>().store().clone();
        let chats = store
            .list_chats(ChatFilter::default(), None, RECENT)
            .await
            .unwrap_or_default();
        let set = menu(&app, &chats).and_then(|menu| tray.set_menu(Some(menu)));
        if let Err(error) = set {
            tracing::warn!(%error, "the tray's menu is not up to date");
        }
    });
}

fn menu(app: &AppHandle, chats: &[Chat]) -> tauri::Result<Menu<Wry>> {
    let words = words::of(&app.state::<App>());
    let entry = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
    let mut menu = MenuBuilder::new(app)
        .item(&entry("ask", words.ask)?)
        .item(&entry("open", words.open)?);
    if !chats.is_empty() {
        menu = menu.separator();
    }
    for chat in chats {
        menu = menu.item(&entry(&format!("{CHAT}{}", chat.id), &label(&chat.title))?);
    }
    menu = menu.separator();
    if let Some(line) = sync::line(app)? {
        menu = menu.item(&line);
    }
    menu.item(&entry("quit", words.quit)?).build()
}

/// A title as a menu can show it: short, and with no character that a menu takes for an accelerator.
fn label(title: &str) -> String {
    const WIDTH: usize = 40;
    let mut short: String = title.chars().take(WIDTH).collect();
    if title.chars().count() > WIDTH {
        short.push('…');
    }
    short.replace('&', "&&")
}

fn on_menu(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "ask" => windows::show_quick_ask(app),
        "open" => windows::tell_main(app, Navigate::Here),
        sync::ID => windows::tell_main(
            app,
            Navigate::Settings {
                section: Some("account".into()),
            },
        ),
        "quit" => app.exit(0),
        id => {
            if let Some(chat) = id.strip_prefix(CHAT) {
                let chat_id = ChatId::from_stored(chat);
                windows::tell_main(
                    app,
                    Navigate::Chat {
                        chat_id,
                        message_id: None,
                    },
                );
            }
        }
    }
}

/// Keeps [`Presence`] true: on Linux an icon is only seen where a desktop draws such icons, and it may begin to later.
#[cfg(target_os = "linux")]
fn watch(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = watch_watcher(&app).await {
            tracing::info!(%error, "whether the desktop shows tray icons is not known");
            tell(&app, false);
        }
    });
}

#[cfg(target_os = "linux")]
async fn watch_watcher(app: &AppHandle) -> zbus::Result<()> {
    use futures::StreamExt;
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let bus = zbus::Connection::session().await?;
    let names = zbus::fdo::DBusProxy::new(&bus).await?;
    let mut owners = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    tell(app, names.name_has_owner(WATCHER.try_into()?).await?);
    while let Some(change) = owners.next().await {
        tell(app, change.args()?.new_owner.is_some());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn watch(app: &AppHandle) {
    tell(app, true);
}
