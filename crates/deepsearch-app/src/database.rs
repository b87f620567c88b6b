//! The team's shared database, as who looks after it sees it: tables, rows, searches, sessions that can be ended.
//!
//! Reads only, but for ending a session. Whoever is signed in looks as themselves, and the database asks at every call
//! whether they are an administrator. Where nobody is, the right to look is the address of the database with its owner's
//! password (`shared.url`, or `--url`).

use deepsearch_net::Place;
use deepsearch_postgres::{
    RowKey, SearchStatistics, SessionCursor, SessionSummary, SharedDatabase, Table, TableRows, TableSummary,
};
use serde::Serialize;

use crate::app::App;
use crate::error::AppError;

/// A page of sessions.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct SessionPage {
    pub sessions: Vec<SessionSummary>,
    /// `None` when there are no more.
    pub next: Option<SessionCursor>,
}

/// A database that may be looked into.
#[derive(Debug, Clone)]
pub struct DatabaseView {
    database: SharedDatabase,
}

impl DatabaseView {
    pub(crate) fn of(database: SharedDatabase) -> Self {
        Self { database }
    }

    /// Every table, with how much is in it.
    ///
    /// # Errors
    /// [`AppError::Database`].
    pub async fn tables(&self) -> Result<Vec<TableSummary>, AppError> {
        Ok(self.database.list_tables().await?)
    }

    /// A page of a table's rows, tokens masked.
    ///
    /// # Errors
    /// [`AppError::Database`], [`AppError::UnknownTable`].
    pub async fn rows(&self, table: &str, after: Option<&RowKey>, limit: u32) -> Result<TableRows, AppError> {
        let table = Table::named(table).ok_or_else(|| AppError::UnknownTable { name: table.to_owned() })?;
        Ok(self.database.list_rows(table, after, limit).await?)
    }

    /// A page of the sessions, those that last longest first.
    ///
    /// # Errors
    /// [`AppError::Database`].
    pub async fn sessions(&self, after: Option<&SessionCursor>, limit: u32) -> Result<SessionPage, AppError> {
        let limit = limit.clamp(1, deepsearch_postgres::ROWS_ON_A_PAGE - 1);
        let mut sessions = self.database.list_sessions(after, limit + 1).await?;
        let is_more = sessions.len() > limit as usize;
        sessions.truncate(limit as usize);
        let next = sessions.last().filter(|_| is_more).map(SessionSummary::cursor);
        Ok(SessionPage { sessions, next })
    }

    /// Ends a session by the id that [`sessions`](Self::sessions) shows: whoever it is has to sign in again.
    ///
    /// # Errors
    /// [`AppError::Database`]; [`AppError::UnknownSession`] when it is over already.
    pub async fn end_session(&self, id: &str) -> Result<(), AppError> {
        if self.database.end_session(id).await? {
            return Ok(());
        }
        Err(AppError::UnknownSession { id: id.to_owned() })
    }

    /// What was searched for in the last days.
    ///
    /// # Errors
    /// [`AppError::Database`].
    pub async fn search_statistics(&self, days: u32, most: u32) -> Result<SearchStatistics, AppError> {
        Ok(self.database.search_statistics(days, most).await?)
    }
}

impl App {
    /// The shared database, for who may look into all of it: the administrator who is signed in, or, where nobody is, who
    /// keeps the owner's address. That it is given says nothing yet; the database decides with every call.
    ///
    /// # Errors
    /// [`AppError::NoDatabase`] where none is set up, [`AppError::Leaves`] in private mode, [`AppError::NoHost`] when its address names no place.
    pub fn database_view(&self) -> Result<DatabaseView, AppError> {
        let link = self.own_link()?;
        if let Some(link) = &link {
            self.inner.network.check_place(&link.place())?;
        }
        match link {
            Some(link) => Ok(DatabaseView::of(link.database().map_err(|_| AppError::NoHost)?)),
            None => {
                let wired = self.wired();
                if let Some(url) = wired.settings.text(crate::shared_database::URL) {
                    self.inner.network.check_place(&Place::of(url))?;
                }
                wired.database_view.clone().ok_or(AppError::NoDatabase)
            }
        }
    }
}
