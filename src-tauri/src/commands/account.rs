//! The account: signing in and out, devices. A window says what it wants; addresses and secrets stay in Rust.

use deepsearch_app::{Account, AccountState, App, AppError, GatewayInfo, SignInStep, Way};
use deepsearch_core::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tauri_specta::Event;
use tokio::sync::oneshot;

use super::told;

/// Who is signed in, or how far signing in is, is another now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, Event)]
pub(crate) struct AccountChanged;

#[tauri::command]
#[specta::specta]
pub(crate) async fn account_state(app: State<'_, App>) -> Result<AccountState, Failure> {
    told(async { Ok::<_, Failure>(app.account_state()) }).await
}

/// What the gateway that is set says of itself.
#[tauri::command]
#[specta::specta]
pub(crate) async fn look_at_gateway(app: State<'_, App>) -> Result<GatewayInfo, Failure> {
    told(app.look_at_gateway()).await
}

/// Begins to sign in, and opens the browser where the way goes through the one on this machine.
#[tauri::command]
#[specta::specta]
pub(crate) async fn start_sign_in(
    window: AppHandle,
    app: State<'_, App>,
    way: Way,
    provider: Option<String>,
) -> Result<SignInStep, Failure> {
    told(async {
        let step = app.start_sign_in(way, provider.as_deref()).await?;
        if way != Way::DeviceCode {
            open(&window, &app)?;
        }
        Ok::<_, Failure>(step)
    })
    .await
}

/// Opens the browser once more for the sign-in that is under way.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_sign_in(window: AppHandle, app: State<'_, App>) -> Result<(), Failure> {
    told(async { open(&window, &app) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn cancel_sign_in(app: State<'_, App>) -> Result<(), Failure> {
    told(app.cancel_sign_in()).await
}

/// Looks once more for a session whose keychain was locked.
#[tauri::command]
#[specta::specta]
pub(crate) async fn recall_session(app: State<'_, App>) -> Result<AccountState, Failure> {
    told(app.recall_session()).await
}

/// The account with its devices, as the gateway tells of it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn lookup_account(app: State<'_, App>) -> Result<Account, Failure> {
    told(app.account()).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn revoke_device(app: State<'_, App>, device: String) -> Result<(), Failure> {
    told(app.revoke_device(&device)).await
}

/// How signing out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub(crate) enum Leaving {
    /// Whether the gateway knows; otherwise this device is still listed there, and another one can revoke it.
    SignedOut { told_gateway: bool },
    /// Still signed in: this would be gone with the local copy, because it is nowhere else.
    Held { changes: u32, chats: u32 },
}

/// Signs this device out. With `remove_local_copy` its chats, pages and backups go too, and the app starts again; what is
/// nowhere else is held back until it comes with `discard`.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_out(
    window: AppHandle,
    app: State<'_, App>,
    remove_local_copy: bool,
    discard: bool,
) -> Result<Leaving, Failure> {
    told(async {
        if remove_local_copy && !discard {
            match app.hold_what_is_only_here().await {
                Err(AppError::OnlyHere { changes, chats }) => return Ok(Leaving::Held { changes, chats }),
                held => held?,
            }
        }
        let told_gateway = app.sign_out().await?.told_gateway;
        if remove_local_copy {
            let removed = app.remove_local_copy().await;
            if let Err(error) = &removed {
                tracing::error!(%error, "the local copy was not removed");
            }
            // Removed or not, the store is closed now: only a new start opens it again.
            window.request_restart();
            removed?;
        }
        Ok::<_, Failure>(Leaving::SignedOut { told_gateway })
    })
    .await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_out_everywhere(app: State<'_, App>) -> Result<(), Failure> {
    told(app.sign_out_everywhere()).await
}

/// Asks where to, and writes everything the shared database holds of this person there. `None` when it was called off.
#[tauri::command]
#[specta::specta]
pub(crate) async fn export_account(window: AppHandle, app: State<'_, App>) -> Result<Option<String>, Failure> {
    told(async {
        let (answer, path) = oneshot::channel();
        window
            .dialog()
            .file()
            .set_file_name("deepsearch-account.json")
            .add_filter("JSON", &["json"])
            .save_file(|path| {
                let _ = answer.send(path);
            });
        let Some(path) = path.await.ok().flatten().and_then(|path| path.into_path().ok()) else {
            return Ok(None);
        };
        app.export_account(&path).await?;
        Ok::<_, Failure>(Some(path.to_string_lossy().into_owned()))
    })
    .await
}

/// Deletes the account. The e-mail address says that it is meant.
#[tauri::command]
#[specta::specta]
pub(crate) async fn delete_account(app: State<'_, App>, email: String) -> Result<(), Failure> {
    told(app.delete_account(&email)).await
}

/// The address is the app's own, never a window's.
fn open(window: &AppHandle, app: &App) -> Result<(), Failure> {
    let Some(address) = app.sign_in_address() else {
        return Ok(());
    };
    window.opener().open_url(address.as_str(), None::<&str>).map_err(|_| {
        Failure::new(ErrorCode::Internal, "The browser cannot be opened.").hint("Sign in with a code instead.")
    })
}
