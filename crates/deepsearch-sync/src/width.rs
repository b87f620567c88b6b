//! Width: how many rows go over the line at once, which a slow line makes fewer.

use std::sync::atomic::{AtomicU32, Ordering};

use deepsearch_core::RemoteError;

pub(crate) struct Width {
    rows: AtomicU32,
    most: u32,
}

impl Width {
    pub(crate) fn new(most: u32) -> Self {
        Self {
            rows: AtomicU32::new(most),
            most,
        }
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows.load(Ordering::Relaxed)
    }

    /// This much of what would go over a good line.
    pub(crate) fn share_of(&self, whole: usize) -> usize {
        let share = whole as u64 * u64::from(self.rows()) / u64::from(self.most.max(1));
        usize::try_from(share).unwrap_or(whole)
    }

    /// Takes note of how so many rows came through: what does not in time goes in halves, or a slow line would be given
    /// the same for ever.
    pub(crate) fn heed<T>(&self, sent: u32, came: Result<T, RemoteError>) -> Result<T, RemoteError> {
        let rows = self.rows();
        let next = match &came {
            // Slowly, so that not every second one of a slow line is one too large.
            Ok(_) => (rows + rows / 8 + 1).min(self.most),
            Err(RemoteError::TimedOut { .. }) => (sent / 2).clamp(1, self.most),
            Err(_) => rows,
        };
        self.rows.store(next, Ordering::Relaxed);
        came
    }
}
