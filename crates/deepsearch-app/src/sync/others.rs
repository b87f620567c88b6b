//! Others: notices what another program with this data folder does, such as `deepsearch ask` or `deepsearch sign-in`.

use std::time::{Duration, SystemTime};

use crate::app::App;
use crate::changes::Change;

/// How often we look; each look costs a word of the store's header and a file's time stamp.
const OFTEN: Duration = Duration::from_secs(1);
/// While nobody looks and nothing runs, only every so manieth time.
const AT_REST: u32 = 5;
const SECRETS: &str = "secrets.toml";

/// Looks until it is dropped.
pub(super) async fn attend(app: App) {
    let mut seen = Seen::of(&app, None).await;
    // What was turned on between the opening of the store and the first look.
    heed_privacy(&app).await;
    let mut known = settings(&app).await;
    loop {
        pause(&app).await;
        let now = Seen::of(&app, seen.version).await;
        if now.secrets != seen.secrets {
            notice_secrets(&app).await;
        }
        if now.version != seen.version {
            notice_store(&app, &mut known).await;
        }
        seen = now;
    }
}

/// Until it is time for the next look. What runs may reach out, so it is not to learn late that it may no longer.
async fn pause(app: &App) {
    for _ in 0..AT_REST {
        tokio::time::sleep(OFTEN).await;
        let is_focused = app.inner.syncing.lock().is_focused;
        if is_focused || app.inner.runs.are_any() || app.inner.rechecks.are_any() {
            return;
        }
    }
}

struct Seen {
    version: Option<i64>,
    secrets: Option<(SystemTime, u64)>,
}

impl Seen {
    async fn of(app: &App, before: Option<i64>) -> Self {
        let secrets = std::fs::metadata(app.config().home.join(SECRETS)).ok();
        let version = app.store().others_version().await.ok().flatten().or(before);
        Self {
            version,
            secrets: secrets.and_then(|file| Some((file.modified().ok()?, file.len()))),
        }
    }
}

async fn settings(app: &App) -> Option<String> {
    let all = app.store().list_settings().await.ok()?;
    let user = app.store().lookup_user_settings().await.ok()?;
    Some(format!("{all:?} {user:?}"))
}

async fn heed_privacy(app: &App) {
    if let Err(error) = app.heed_privacy().await {
        tracing::warn!(%error, "whether private mode was turned on elsewhere is not known");
    }
}

async fn notice_secrets(app: &App) {
    if let Err(error) = app.recall_session().await {
        tracing::warn!(%error, "the session that changed elsewhere cannot be read");
    }
    app.reread_settings().await;
}

/// What this program changed itself since is read anew too, which does no harm.
async fn notice_store(app: &App, known: &mut Option<String>) {
    // Before all else, and whatever becomes of the rest.
    heed_privacy(app).await;
    app.tell_change(Change::Library { chats: Vec::new() });
    let now = settings(app).await;
    if std::mem::replace(known, now.clone()) != now {
        app.reread_settings().await;
    }
    app.nudge_sync();
}
