//! Parcel: a text that is too much for a slow line at once, put into a session of the server piece by piece, or taken out
//! of one.
//!
//! Each piece is a transaction of its own. One for as long as the whole text is on its way would be ended by the gateway,
//! which lets no device hold up others for so long.

use std::time::Duration;

use deepsearch_core::sync::RemoteError;
use sqlx::PgConnection;

use super::within;
use crate::database::{Line, SharedDatabase};

/// Bytes of a text that is put, characters of one that is taken. A line that carries fewer within a deadline carries no sync.
const PIECE: usize = 64 << 10;

/// A session of the server, in whose variable `deepsearch.parcel` the text lies.
pub(super) struct Parcel {
    line: Line,
    action: &'static str,
    deadline: Duration,
}

impl Parcel {
    pub(super) async fn open(
        database: &SharedDatabase,
        action: &'static str,
        deadline: Duration,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            line: within(deadline, action, database.line()).await?,
            action,
            deadline,
        })
    }

    /// Whether a text is more than one piece.
    pub(super) fn is_for(text: &str) -> bool {
        text.len() > PIECE
    }

    /// The session, for the statement that uses what was put, or puts what is to be taken.
    pub(super) fn session(&mut self) -> &mut PgConnection {
        &mut self.line
    }

    pub(super) async fn put(&mut self, text: &str) -> Result<(), RemoteError> {
        let empty = sqlx::query!("select set_config('deepsearch.parcel', '', false)");
        within(self.deadline, self.action, empty.fetch_one(&mut *self.line)).await?;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(rest.floor_char_boundary(PIECE));
            let put = sqlx::query!(
                "select length(set_config('deepsearch.parcel', current_setting('deepsearch.parcel') || $1, false))",
                piece
            );
            within(self.deadline, self.action, put.fetch_one(&mut *self.line)).await?;
            rest = others;
        }
        Ok(())
    }

    /// Ends the session.
    pub(super) fn close(self) {
        self.line.hang_up();
    }

    /// Takes the text, and ends the session.
    pub(super) async fn take(mut self) -> Result<String, RemoteError> {
        let (mut text, mut taken) = (String::new(), 0);
        loop {
            let take = sqlx::query_scalar!(
                r#"select substr(current_setting('deepsearch.parcel'), $1, $2) as "piece!""#,
                i32::try_from(taken + 1).unwrap_or(i32::MAX),
                i32::try_from(PIECE).unwrap_or(i32::MAX),
            );
            let piece = within(self.deadline, self.action, take.fetch_one(&mut *self.line)).await?;
            let came = piece.chars().count();
            text.push_str(&piece);
            taken += came;
            if came < PIECE {
                self.close();
                return Ok(text);
            }
        }
    }
}
