//! Carrying chats in and out: archives of other assistants and our own formats, between files and the store.
//!
//! Formats are `deepsearch-archive`'s. A file is read on a thread of its own, which waits for the store: what is in
//! memory is a chat or two, however long the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use chrono::{DateTime, Utc};
use deepsearch_archive::{ArchivedChat, ArchivedMessage, Format, Found, Limits, Note, Origin, PageOfSource, Reason};
use deepsearch_core::{Chat, ChatId, Invalid, PageId};
use deepsearch_sqlite::{ChatCursor, ChatFilter, ChatView, Imported, ImportedMessage};
use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::app::App;
use crate::error::AppError;
use crate::files;

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
    /// Chats that were not here; none in a preview.
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
}

const SAMPLES: usize = 5;
const NOTES: usize = 100;
/// How many chats wait for the store.
const AHEAD: usize = 2;
const LIST_PAGE: u32 = 200;

impl App {
    /// What a file holds; nothing is written.
    ///
    /// # Errors
    /// [`AppError`] for a file that cannot be read and holds nothing.
    pub async fn preview_import(&self, path: &Path) -> Result<ImportReport, AppError> {
        self.read_archive(path, false, |_| ControlFlow::Continue(())).await
    }

    /// Imports a file. Each chat is one transaction, and what is here already stays as it is: importing again changes
    /// nothing. `progress` is told after each chat, and may stop; dropping the future stops too.
    ///
    /// # Errors
    /// [`AppError`] for a file that cannot be read and holds nothing, or when the store cannot be written.
    pub async fn import_archive(
        &self,
        path: &Path,
        progress: impl FnMut(&ImportReport) -> ControlFlow<()>,
    ) -> Result<ImportReport, AppError> {
        self.read_archive(path, true, progress).await
    }

    async fn read_archive(
        &self,
        path: &Path,
        write: bool,
        mut progress: impl FnMut(&ImportReport) -> ControlFlow<()>,
    ) -> Result<ImportReport, AppError> {
        let unreadable = |source| AppError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let now = self.inner.clock.now();
        let (send, mut receive) = mpsc::channel(AHEAD);
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
        while let Some(found) = receive.recv().await {
            match found {
                Found::LeftOut(note) => report.leave_out(note),
                Found::Chat(origin, chat) => {
                    report.count(origin, &chat);
                    if write {
                        self.import_one(*chat, &mut report).await?;
                    }
                }
            }
            if progress(&report).is_break() {
                return Err(AppError::Cancelled);
            }
        }
        let read = reading.await.map_err(|error| AppError::Network(error.into()))?;
        match read {
            Err(error) if report.chats.is_empty() => Err(AppError::Archive {
                path: path.to_owned(),
                source: Box::new(error),
            }),
            Err(error) => {
                report.ended_early = Some(deepsearch_core::error::sentence(&error.to_string()));
                Ok(report)
            }
            Ok(()) => Ok(report),
        }
    }

    async fn import_one(&self, archived: ArchivedChat, report: &mut ImportReport) -> Result<(), AppError> {
        let ArchivedChat { chat, messages, pages } = archived;
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
        match self.store().import_chat(&chat, &imported, &pages).await {
            Ok(Imported::New) => report.added += 1,
            Ok(Imported::Extended(_)) => report.extended += 1,
            Ok(Imported::Unchanged) => {
                report.unchanged += 1;
                return Ok(());
            }
            // One chat that breaks a rule is no reason to lose the others.
            Err(deepsearch_sqlite::StoreError::Invalid(invalid)) => {
                report.leave_out(Note::new(format!("{}: {invalid}", chat.title), Reason::Refused));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        self.chat_changed(&chat.id);
        Ok(())
    }

    /// A chat with everything that belongs to it.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chat that is not there.
    pub async fn archived_chat(&self, id: &ChatId) -> Result<ArchivedChat, AppError> {
        let chat = self.chat(id).await?;
        let mut messages = Vec::new();
        let mut pages: BTreeMap<PageId, deepsearch_core::Page> = BTreeMap::new();
        for message in self.store().list_all_messages(id).await? {
            let evidence = self.store().lookup_evidence(&message.id).await?.unwrap_or_default();
            for page in &evidence.pages {
                if !pages.contains_key(&page.page_id)
                    && let Some(saved) = self.store().lookup_page(&page.page_id).await?
                {
                    pages.insert(saved.id.clone(), saved);
                }
            }
            let page = |page: deepsearch_sqlite::SourcePage| PageOfSource {
                number: page.number,
                page_id: page.page_id,
            };
            messages.push(ArchivedMessage {
                message,
                pages: evidence.pages.into_iter().map(page).collect(),
                citations: evidence.citations,
                checks: evidence.checks,
                follow_ups: evidence.follow_ups,
            });
        }
        Ok(ArchivedChat {
            chat,
            messages,
            pages: pages.into_values().collect(),
        })
    }

    /// Writes chats to a file: those that are chosen, or with none all outside Trash. Returns how many that were. A file
    /// that was there is replaced only when all is written.
    ///
    /// # Errors
    /// As [`App::write_chats`].
    pub async fn export_to(&self, path: &Path, chosen: &[ChatId], format: Format) -> Result<u64, AppError> {
        let unwritable = files::unwritable(path);
        files::replace(path, async |file| {
            self.write_chats(chosen, format, file, &unwritable).await
        })
        .await
    }

    /// Writes chats: those that are chosen, or with none all outside Trash. Returns how many that were.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for several chats in a format that holds one, [`AppError::Unknown`] for a chat that is not
    /// there, and when the store cannot be read or the document not be written.
    pub async fn write_chats(
        &self,
        chosen: &[ChatId],
        format: Format,
        out: &mut (impl AsyncWrite + Unpin),
        unwritable: &impl Fn(std::io::Error) -> AppError,
    ) -> Result<u64, AppError> {
        let write = match format {
            Format::Json => {
                let chosen = Some(chosen).filter(|chosen| !chosen.is_empty());
                return self.write_json(chosen, out, unwritable).await;
            }
            Format::Markdown => deepsearch_archive::markdown,
            Format::Html => deepsearch_archive::html,
        };
        let [chat] = chosen else {
            return Err(AppError::Invalid(Invalid::Malformed {
                field: "the format",
                value: format!("{format:?}").to_lowercase(),
                expected: "format for several chats; those are written as `json`",
            }));
        };
        let document = write(&self.archived_chat(chat).await?);
        out.write_all(document.as_bytes()).await.map_err(unwritable)?;
        Ok(1)
    }

    /// Writes chats as one document of our own format, one after the other: those that are named, or all outside Trash.
    /// Returns how many that were.
    ///
    /// # Errors
    /// [`AppError`] when the store cannot be read or the document not be written.
    pub async fn write_json(
        &self,
        chosen: Option<&[ChatId]>,
        out: &mut (impl AsyncWrite + Unpin),
        unwritable: &impl Fn(std::io::Error) -> AppError,
    ) -> Result<u64, AppError> {
        let start = deepsearch_archive::json_start(self.inner.clock.now());
        out.write_all(start.as_bytes()).await.map_err(unwritable)?;
        let mut count = 0;
        if let Some(chosen) = chosen {
            for id in chosen {
                self.write_element(id, &mut count, out, unwritable).await?;
            }
        } else {
            for view in [ChatView::Active, ChatView::Archived] {
                let mut after = None;
                loop {
                    let chats = self
                        .store()
                        .list_chats(ChatFilter::of(view), after.as_ref(), LIST_PAGE)
                        .await?;
                    let Some(last) = chats.last() else { break };
                    after = Some(ChatCursor::after(last));
                    for Chat { id, .. } in &chats {
                        self.write_element(id, &mut count, out, unwritable).await?;
                    }
                }
            }
        }
        out.write_all(deepsearch_archive::JSON_END.as_bytes())
            .await
            .map_err(unwritable)?;
        Ok(count)
    }

    async fn write_element(
        &self,
        id: &ChatId,
        count: &mut u64,
        out: &mut (impl AsyncWrite + Unpin),
        unwritable: &impl Fn(std::io::Error) -> AppError,
    ) -> Result<(), AppError> {
        let chat = self.archived_chat(id).await?;
        let element =
            deepsearch_archive::json_chat(&chat, *count == 0).map_err(|error| AppError::Network(error.into()))?;
        out.write_all(element.as_bytes()).await.map_err(unwritable)?;
        *count += 1;
        Ok(())
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
