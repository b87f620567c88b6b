//! The GlobalShortcuts portal: how a Wayland desktop lets an app be called from anywhere. The person chooses the keys
//! in the desktop's own dialog; ours are only proposed.

use ashpd::desktop::global_shortcuts::{GlobalShortcuts, NewShortcut};
use deepsearch_app::App;
use deepsearch_core::{ErrorCode, Failure};
use futures::StreamExt;
use tauri::{AppHandle, Manager};

use crate::tray::words;
use crate::windows;

const ID: &str = "quick-ask";
/// With which the desktop lets a window take the focus.
const TOKEN: &str = "activation_token";

/// Binds the shortcut, says which keys the desktop gave, and shows quick ask each time they are pressed, for as long as the
/// desktop's session lives.
///
/// # Errors
/// [`Failure`] with what to do instead, where the desktop has no such portal or the person declined.
pub(crate) async fn listen(app: &AppHandle, keys: &str, bound: impl FnOnce(Option<String>)) -> Result<(), Failure> {
    match serve(app, keys, bound).await {
        Ok(()) => Ok(()),
        Err(error) => {
            tracing::info!(%error, "no shortcut from the desktop's portal");
            Err(
                Failure::new(ErrorCode::Refused, "This desktop gives apps no global shortcut.")
                    .hint("Bind `deepsearch --quick-ask` to keys in the desktop's keyboard settings."),
            )
        }
    }
}

/// What it is when the desktop ends the session, as when its portal is started anew.
pub(crate) fn ended() -> Failure {
    Failure::new(ErrorCode::Refused, "The desktop gives this app its shortcut no more.")
        .hint("Start DeepSearch again, or bind `deepsearch --quick-ask` in the desktop's keyboard settings.")
}

async fn serve(app: &AppHandle, keys: &str, bound: impl FnOnce(Option<String>)) -> ashpd::Result<()> {
    // A program outside a sandbox has to say who it is; desktops that do not know the call need none.
    if let Ok(id) = app.config().identifier.parse() {
        let _ = ashpd::register_host_app(id).await;
    }
    let portal = GlobalShortcuts::new().await?;
    let session = portal.create_session(Default::default()).await?;
    let trigger = trigger(keys);
    let shortcut = NewShortcut::new(ID, words::of(&app.state::<App>()).quick_ask).preferred_trigger(trigger.as_deref());
    let mut pressed = portal.receive_activated().await?;
    let given = portal
        .bind_shortcuts(&session, &[shortcut], None, Default::default())
        .await?
        .response()?;
    let ours = given.shortcuts().iter().find(|shortcut| shortcut.id() == ID);
    bound(ours.map(|shortcut| shortcut.trigger_description().to_owned()));
    while let Some(event) = pressed.next().await {
        if event.shortcut_id() == ID {
            let token = event
                .options()
                .get(TOKEN)
                .and_then(|token| token.downcast_ref::<String>().ok());
            windows::call_quick_ask(app, token);
        }
    }
    Ok(())
}

/// The keys as the XDG shortcuts specification writes them: `CTRL+SHIFT+space`.
fn trigger(keys: &str) -> Option<String> {
    let part = |part: &str| match part.to_ascii_lowercase().as_str() {
        "commandorcontrol" | "cmdorctrl" | "control" | "ctrl" => "CTRL".to_owned(),
        "alt" | "option" => "ALT".to_owned(),
        "shift" => "SHIFT".to_owned(),
        "super" | "meta" | "command" | "cmd" => "LOGO".to_owned(),
        key => key.to_owned(),
    };
    (!keys.is_empty()).then(|| keys.split('+').map(part).collect::<Vec<_>>().join("+"))
}

#[cfg(test)]
mod tests {
    use super::trigger;

    #[test]
    fn keys_are_proposed_in_the_words_of_the_specification() {
        assert_eq!(
            trigger("CommandOrControl+Shift+Space").as_deref(),
            Some("CTRL+SHIFT+space")
        );
        assert_eq!(trigger("Super+Alt+K").as_deref(), Some("LOGO+ALT+k"));
        assert_eq!(trigger(""), None);
    }
}
