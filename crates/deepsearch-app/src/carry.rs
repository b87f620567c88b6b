//! Carrying chats in: archives of other assistants and our own formats, from a file to the store.
//!
//! Formats are `deepsearch-archive`'s. A file is read on a thread of its own, which waits for the store: what is in
//! memory is a chat or two, however long the file. The way out is `export`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use chrono::{DateTime, Utc};
use deepsearch_archive::{ArchivedChat, Found, Limits, Note, Origin, Reason};
use deepsearch_core::{ErrorCode, Failure, PageId};
use deepsearch_sqlite::{Imported, ImportedMessage, StoreError};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::AppError;

/// What a file holds, or what came of importing it.
#[derive(Debug, Clone, Default, Serialize, specta::Type)]
pub struct ImportReport {
    /// How many chats came from where.
    pub chats: BTreeMap<Origin, u32>,
    pub messages: u32,
    /// The first and the last day that anything was said on.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Titles of the first chats.
    pub samples: Vec<String>,
    /// Chats that were not here. In a preview these three say what would come.
    pub added: u32,
    /// Chats that were here and got new messages.
    pub extended: u32,
    /// Chats that were here as they are in the file.
    pub unchanged: u32,
    /// What was left out: how often for which reason, and the first of them.
    pub left_out: BTreeMap<Reason, u32>,
    pub notes: Vec<Note>,
    /// Why the rest of the file was not read.
    pub ended_early: Option<String>,
    /// Of which kind that is.
    #[serde(skip)]
    #[specta(skip)]
    pub ended_by: Option<ErrorCode>,
    /// The person stopped it; what is told of until then was done.
    pub stopped: bool,
}

const SAMPLES: usize = 5;
const NOTES: usize = 100;
/// How many chats wait for the store.
const AHEAD: usize = 2;

impl App {
    /// What a file holds, and what of it is here already; nothing is written.
    ///
    /// # Errors
    /// [`AppError`] for a file that cannot be read and holds nothing.
    pub async fn preview_import(
        &self,
        path: &Path,
        stop: &CancellationToken,
        progress: impl FnMut(&ImportReport),
    ) -> Result<ImportReport, AppError> {
        self.read_archive(path, false, stop, progress).await
    }

    /// Imports a file. Each chat is one transaction, and what is here already stays as it is: importing again changes
    /// nothing. `progress` is told after each chat. Stopped, it reports what was done; dropping the future stops too.
    ///
    /// # Errors
    /// [`AppError`] for a file that cannot be read and holds nothing, or when the store cannot be written.
    pub async fn import_archive(
        &self,
        path: &Path,
        stop: &CancellationToken,
        progress: impl FnMut(&ImportReport),
    ) -> Result<ImportReport, AppError> {
        self.read_archive(path, true, stop, progress).await
    }

    async fn read_archive(
        &self,
        path: &Path,
        write: bool,
        stop: &CancellationToken,
        mut progress: impl FnMut(&ImportReport),
    ) -> Result<ImportReport, AppError> {
        let unreadable = |source| AppError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        // Ends the thread that reads as well, also where nobody waits for it any more.
        let reading = stop.child_token();
        let _goes_with_this = reading.clone().drop_guard();
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let now = self.inner.clock.now();
        let (send, mut receive) = mpsc::channel(AHEAD);
        let file = Stoppable { file, stop: reading };
        let reading = tokio::task::spawn_blocking(move || {
            deepsearch_archive::import(file, &name, now, Limits::default(), &mut |found| {
                // Who listens no more has enough.
                match send.blocking_send(found) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })
        });
        let mut report = ImportReport::default();
        loop {
            // Between two chats, so that none is left half done.
            let found = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    report.stopped = true;
                    return Ok(report);
                }
                found = receive.recv() => found,
            };
            match found {
                None => break,
                Some(Found::LeftOut(note)) => report.leave_out(note),
                Some(Found::Chat(origin, chat)) => {
                    report.count(origin, &chat);
                    if let Err(error) = self.import_one(*chat, write, &mut report).await {
                        if report.added + report.extended == 0 {
                            return Err(error);
                        }
                        // What is in already is not to be told as if nothing were.
                        let failure = Failure::from(&error);
                        report.ended_early = Some(failure.message);
                        report.ended_by = Some(failure.code);
                        return Ok(report);
                    }
                }
            }
            progress(&report);
        }
        let read = reading.await.map_err(|error| AppError::Network(error.into()))?;
        match read {
            Err(error) if report.chats.is_empty() => Err(AppError::Archive {
                path: path.to_owned(),
                source: Box::new(error),
            }),
            Err(error) => {
                report.ended_early = Some(deepsearch_core::error::sentence(&error.to_string()));
                report.ended_by = Some(ErrorCode::Invalid);
                Ok(report)
            }
            Ok(()) => Ok(report),
        }
    }

    async fn import_one(&self, archived: ArchivedChat, write: bool, report: &mut ImportReport) -> Result<(), AppError> {
        let ArchivedChat {
            chat,
            labels,
            messages,
            pages,
        } = archived;
        let places: BTreeMap<&PageId, usize> = pages.iter().enumerate().map(|(at, page)| (&page.id, at)).collect();
        let imported: Vec<ImportedMessage> = messages
            .into_iter()
            .map(|one| ImportedMessage {
                pages: one
                    .pages
                    .iter()
                    .filter_map(|page| Some((page.number, *places.get(&page.page_id)?)))
                    .collect(),
                message: one.message,
                citations: one.citations,
                checks: one.checks,
                follow_ups: one.follow_ups,
            })
            .collect();
        let done = match write {
            true => self.store().import_chat(&chat, &labels, &imported, &pages).await,
            false => {
                let would_come = self.store().preview_chat(&chat, &imported).await;
                would_come.map(|came| (came, Vec::new()))
            }
        };
        let done = done.map(|(came, refused)| {
            if !refused.is_empty() {
                let note = Note::new(format!("{}: {}", chat.title, refused.join(", ")), Reason::Label);
                report.leave_out(note.times(refused.len() as u64));
            }
            came
        });
        let is_known = matches!(done, Ok(Imported::Extended(_) | Imported::Unchanged));
        if is_known
            && let Some(here) = self.store().lookup_chat(&chat.id).await?
            && here.deleted_at.is_some()
        {
            report.leave_out(Note::new(here.title, Reason::InTrash));
        }
        match done {
            Ok(Imported::New) => report.added += 1,
            Ok(Imported::Extended(_)) => report.extended += 1,
            Ok(Imported::Unchanged) => {
                report.unchanged += 1;
                return Ok(());
            }
            // One chat that breaks a rule is no reason to lose the others.
            Err(StoreError::Invalid(invalid)) => {
                report.leave_out(Note::new(format!("{}: {invalid}", chat.title), Reason::Refused));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if write {
            self.chat_changed(&chat.id);
        }
        Ok(())
    }
}

/// A file that can be read until it is stopped, so that what is long and holds no chat can be stopped too.
struct Stoppable {
    file: File,
    stop: CancellationToken,
}

impl Read for Stoppable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(std::io::Error::other("the import was stopped"));
        }
        self.file.read(buffer)
    }
}

impl Seek for Stoppable {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl ImportReport {
    fn count(&mut self, origin: Origin, chat: &ArchivedChat) {
        *self.chats.entry(origin).or_default() += 1;
        self.messages = self
            .messages
            .saturating_add(u32::try_from(chat.messages.len()).unwrap_or(u32::MAX));
        let times = chat.messages.iter().map(|message| message.message.created_at);
        self.from = times.clone().chain(self.from).min();
        self.until = times.chain(self.until).max();
        if self.samples.len() < SAMPLES {
            self.samples.push(chat.chat.title.clone());
        }
    }

    fn leave_out(&mut self, note: Note) {
        let count = self.left_out.entry(note.reason).or_default();
        *count = count.saturating_add(note.count);
        if self.notes.len() < NOTES {
            self.notes.push(note);
        }
    }
}
