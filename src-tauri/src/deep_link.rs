//! `deepsearch://` links: the way back from signing in, and nothing else. A link carries no settings and no actions.

use deepsearch_core::{ErrorCode, Failure};
use tauri::AppHandle;
use tauri_plugin_deep_link::DeepLinkExt;
use url::Url;

use crate::commands::Navigate;
use crate::windows;

pub(crate) const SCHEME: &str = "deepsearch:";

/// Longer ones are not from us.
const LONGEST: usize = 2048;

/// Registers the scheme where no installer has, and takes links: those of a first start and those that come later.
pub(crate) fn set_up(app: &AppHandle) {
    // On macOS the bundle registers it, on Windows the installer.
    #[cfg(target_os = "linux")]
    register(app.clone());
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| take(&handle, &event.urls()));
    // A cold start tells no event.
    if let Ok(Some(urls)) = app.deep_link().get_current() {
        take(app, &urls);
    }
}

/// It starts several programs of the desktop, which the first window does not wait for.
#[cfg(target_os = "linux")]
fn register(app: AppHandle) {
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = app.deep_link().register_all() {
            tracing::warn!(%error, "the deepsearch:// scheme is not registered");
        }
    });
}

fn take(app: &AppHandle, urls: &[Url]) {
    // The link may hold a code, so what it says is neither logged nor shown.
    let failure = match urls {
        [url] if is_callback(url) => {
            Failure::new(ErrorCode::NotFound, "No sign-in is waiting for this link.").hint("Start signing in again.")
        }
        _ => Failure::new(ErrorCode::Refused, "DeepSearch does not open this link.")
            .hint("Its links are only for coming back from signing in."),
    };
    windows::tell_main(app, Navigate::Notice { failure });
}

/// Whether a link is the callback of a sign-in: exactly that place, with each known parameter at most once.
fn is_callback(url: &Url) -> bool {
    const KNOWN: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];
    let mut names: Vec<_> = url.query_pairs().map(|(name, _)| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    url.as_str().len() <= LONGEST
        && url.scheme() == "deepsearch"
        && url.host_str() == Some("auth")
        && url.path() == "/callback"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && names.len() == count
        && names.iter().all(|name| KNOWN.contains(&&**name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_callback_of_a_sign_in_is_taken() {
        let taken = |text: &str| Url::parse(text).is_ok_and(|url| is_callback(&url));
        assert!(taken(
            "deepsearch://auth/callback?code=K&state=S&iss=https%3A%2F%2Fa.example"
        ));
        assert!(taken("deepsearch://auth/callback?error=access_denied&state=S"));
        let long = format!("deepsearch://auth/callback?code={}", "x".repeat(3000));
        let hostile = [
            "deepsearch://auth/callback/../settings?code=K",
            "deepsearch://auth/callbackx?code=K",
            "deepsearch://auth/callback?code=K&code=L",
            "deepsearch://auth/callback?code=K&run=rm",
            "deepsearch://auth@evil/callback?code=K",
            "deepsearch://auth:99/callback?code=K",
            "deepsearch://evil/callback?code=K",
            "deepsearch:auth/callback?code=K",
            "deepsearch://settings?key=x",
            "deepsearch://auth/callback?code=K#state",
            "https://auth/callback?code=K",
            &long,
        ];
        for url in hostile {
            assert!(!taken(url), "{url}");
        }
    }
}
