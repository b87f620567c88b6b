//! Changes: word to the faces of the app that something they may be showing is another now.

use deepsearch_core::ChatId;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::app::App;

/// What has changed. It says where to look and not what is there: whoever shows it reads it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// These chats, in their messages, their title or their place in the list.
    Library {
        chats: Vec<ChatId>,
    },
    Settings {
        keys: Vec<String>,
    },
    /// Who is signed in, or how far signing in is.
    Account,
    /// How sync stands, or what waits for it.
    Sync,
}

// Who is behind by more than this reads everything anew.
pub(crate) const KEPT: usize = 64;

impl App {
    /// What changes from now on, by this app's own doing, by sync and, once that was started,
    /// by other programs. A receiver that lags is told so, and reads anew all it shows.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    pub(crate) fn chat_changed(&self, chat: &ChatId) {
        self.tell_change(Change::Library {
            chats: vec![chat.clone()],
        });
        self.nudge_sync();
    }

    pub(crate) fn tell_change(&self, change: Change) {
        // An error only says that nobody listens.
        let _ = self.inner.changes.send(change);
    }
}
