//! `deepsearch://` links: the way back from signing in, and nothing else. A link carries no settings and no actions.
//!
//! Whether a link is one is decided in `deepsearch-auth`, which also holds it against the sign-in that waits.

use deepsearch_app::{App, AuthError};
use deepsearch_core::{ErrorCode, Failure};
use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;
use url::Url;

use crate::commands::Navigate;
use crate::{opening, start, windows};

const SCHEME: &str = "deepsearch";

const ACCOUNT: &str = "account";

/// A link that the system brought. It may hold a code, so what it says is neither logged nor shown.
pub(crate) struct Link(Option<String>);

/// Takes the links that come from now on. Until there is an app the last of them is kept.
pub(crate) fn listen(app: &AppHandle) {
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        let link = Link::of(&event.urls());
        start::on_main_thread(&handle, move |app| link.take(app));
    });
}

/// The link that the app was started with, which tells no event.
pub(crate) fn at_start(app: &AppHandle) -> Option<Link> {
    let urls = app.deep_link().get_current().ok().flatten()?;
    Some(Link::of(&urls))
}

/// Whether a start brings a link, of which the plugin tells.
pub(crate) fn is_link(arguments: &[String]) -> bool {
    let [_, link] = arguments else {
        return false;
    };
    link.parse().is_ok_and(|link: Url| link.scheme() == SCHEME)
}

/// Registers the scheme for this program, wherever it lies by now. On macOS the bundle does, on Windows the installer. A
/// package on Linux does too, but its entry opens the installed program, and links belong to the one that is used.
///
/// It starts several programs of the desktop, which would take the processor from the first window while it comes up.
/// Nobody signs in that soon.
#[cfg(target_os = "linux")]
pub(crate) fn register(app: AppHandle) {
    const AFTER: std::time::Duration = std::time::Duration::from_secs(2);
    tauri::async_runtime::spawn_blocking(move || {
        std::thread::sleep(AFTER);
        if let Err(error) = app.deep_link().register_all() {
            tracing::warn!(%error, "the deepsearch:// scheme is not registered");
        }
    });
}

impl Link {
    /// Several at once are none of ours.
    fn of(urls: &[Url]) -> Self {
        match urls {
            [url] if deepsearch_app::is_callback(url.as_str()) => Self(Some(url.as_str().to_owned())),
            _ => Self(None),
        }
    }

    /// What a first window shows while the link is followed.
    pub(crate) fn leads_to(&self) -> Navigate {
        match self.0 {
            Some(_) => account(),
            None => Navigate::Notice {
                failure: Failure::from(&AuthError::NotACallback),
            },
        }
    }

    /// Ends the sign-in that waits for it; how that went is told where the account is shown.
    pub(crate) fn follow(self, handle: &AppHandle) {
        let Some(link) = self.0 else { return };
        let app = handle.state::<App>().inner().clone();
        tauri::async_runtime::spawn(async move {
            if let Err(error) = app.complete_sign_in(&link).await {
                tracing::warn!(%error, "a link did not end a sign-in");
            }
        });
    }

    /// As [`Link::follow`], in the window that is there, or later where there is none yet.
    fn take(self, handle: &AppHandle) {
        if handle.try_state::<App>().is_none() {
            return opening::keep_link(handle, self);
        }
        let Some(link) = self.0 else {
            return windows::tell_main(handle, self.leads_to());
        };
        let app = handle.state::<App>().inner().clone();
        let handle = handle.clone();
        tauri::async_runtime::spawn(async move {
            let completed = app.complete_sign_in(&link).await;
            let navigate = match completed.map_err(|error| Failure::from(&error)) {
                // No sign-in waits for it: whoever sent it is told, and what was being done goes on.
                Err(failure) if failure.code == ErrorCode::NotFound => Navigate::Notice { failure },
                _ => account(),
            };
            start::on_main_thread(&handle, move |app| windows::tell_main(app, navigate));
        });
    }
}

fn account() -> Navigate {
    Navigate::Settings {
        section: Some(ACCOUNT.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(links: &[&str]) -> Navigate {
        let urls: Vec<Url> = links.iter().map(|link| link.parse().unwrap()).collect();
        Link::of(&urls).leads_to()
    }

    #[test]
    fn a_link_is_the_callback_of_a_sign_in_or_leads_nowhere() {
        let callback = "deepsearch://auth/callback?code=K&state=S&iss=https%3A%2F%2Fa.example";
        assert_eq!(leads_to(&[callback]), account());
        for links in [
            &["deepsearch://settings?section=account"][..],
            &["deepsearch://auth/callback?code=K&state=S&iss=I&run=rm"],
            &["https://auth/callback?code=K&state=S&iss=I"],
            &[callback, callback],
            &[],
        ] {
            assert!(matches!(leads_to(links), Navigate::Notice { .. }), "{links:?}");
        }
    }
}
