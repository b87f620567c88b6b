//! Carrying chats out: from the store to a file, each chat read when its turn comes.
//!
//! Formats are `deepsearch-archive`'s. One chat is one document. Several are one document of our own format, or a zip
//! with a document for each. The way in is `carry`.

use std::collections::BTreeMap;
use std::path::Path;

use deepsearch_archive::{ArchivedChat, ArchivedMessage, Bundle, Format, PageOfSource, Typesetter};
use deepsearch_core::{Chat, ChatId, CollectionId, Page, PageId};
use deepsearch_sqlite::{ChatCursor, ChatFilter, ChatView, SourcePage};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::app::App;
use crate::error::AppError;
use crate::files;

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, specta::Type)]
pub struct ExportProgress {
    pub done: u32,
    pub total: u32,
}

/// Which chats are exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExportChoice {
    /// Every one outside Trash.
    #[default]
    All,
    Chats {
        chats: Vec<ChatId>,
    },
    /// Those of a collection, outside Trash.
    Collection {
        collection: CollectionId,
    },
    /// Those with a tag, outside Trash.
    Tag {
        tag: String,
    },
}

impl ExportChoice {
    /// These chats.
    pub fn of(chats: impl IntoIterator<Item = ChatId>) -> Self {
        Self::Chats {
            chats: chats.into_iter().collect(),
        }
    }

    /// Which one it is, where it is one chat that is chosen; that is one document and never a zip.
    pub fn single(&self) -> Option<&ChatId> {
        match self {
            Self::Chats { chats } => chats.first().filter(|_| chats.len() == 1),
            _ => None,
        }
    }
}

const LIST_PAGE: u32 = 200;

impl App {
    /// A chat with everything that belongs to it.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chat that is not there.
    pub async fn archived_chat(&self, id: &ChatId) -> Result<ArchivedChat, AppError> {
        let chat = self.chat(id).await?;
        let mut messages = Vec::new();
        let mut pages: BTreeMap<PageId, Page> = BTreeMap::new();
        for message in self.store().list_all_messages(id).await? {
            let evidence = self.store().lookup_evidence(&message.id).await?.unwrap_or_default();
            for page in &evidence.pages {
                if !pages.contains_key(&page.page_id)
                    && let Some(saved) = self.store().lookup_page(&page.page_id).await?
                {
                    pages.insert(saved.id.clone(), saved);
                }
            }
            let page = |page: SourcePage| PageOfSource {
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
            labels: self.store().lookup_labels(id).await?,
            messages,
            pages: pages.into_values().collect(),
        })
    }

    /// How the file is to be called that these chats are written to, and how it ends.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chosen chat that is not there, [`AppError::NothingIn`] for a collection or a tag without
    /// chats.
    pub async fn export_name(&self, choice: &ExportChoice, format: Format) -> Result<(String, &'static str), AppError> {
        if let Some(chat) = choice.single() {
            let name = deepsearch_archive::file_name(&self.chat(chat).await?, format);
            return Ok((name, deepsearch_archive::file_ending(format)));
        }
        self.list_exported(choice).await?;
        let common = match choice {
            ExportChoice::Collection { collection } => self.store().find_collection(collection.as_str()).await?,
            _ => None,
        };
        let common = match (choice, &common) {
            (ExportChoice::Tag { tag }, _) => Some(tag.as_str()),
            (_, common) => common.as_ref().map(|common| common.name.as_str()),
        };
        let name = deepsearch_archive::file_name_of_many(common, format);
        Ok((name, deepsearch_archive::ending_of_many(format)))
    }

    /// Writes chats to a file. Returns how many that were. A file that was there is replaced only when all is written, and
    /// nothing is left of one that was not, also where the future is dropped.
    ///
    /// # Errors
    /// As [`App::write_chats`].
    pub async fn export_to(
        &self,
        path: &Path,
        choice: &ExportChoice,
        format: Format,
        progress: impl FnMut(ExportProgress),
    ) -> Result<u32, AppError> {
        let unwritable = files::unwritable(path);
        files::replace(path, async |file| {
            self.write_chats(choice, format, file, &unwritable, progress).await
        })
        .await
    }

    /// Writes chats. Returns how many that were; `progress` is told before the first and after each.
    ///
    /// # Errors
    /// [`AppError::Unknown`] for a chosen chat that is not there, [`AppError::NothingIn`] for a collection or a tag without
    /// chats, [`AppError::Typeset`] where a PDF cannot be made, and when the store cannot be read or the document not be
    /// written.
    pub async fn write_chats(
        &self,
        choice: &ExportChoice,
        format: Format,
        out: &mut (impl AsyncWrite + Unpin),
        unwritable: &impl Fn(std::io::Error) -> AppError,
        mut progress: impl FnMut(ExportProgress),
    ) -> Result<u32, AppError> {
        let every = self.list_exported(choice).await?;
        let total = u32::try_from(every.len()).unwrap_or(u32::MAX);
        let mut document = match (format, choice.single()) {
            (Format::Json, _) => Document::Json { written: 0 },
            (format, Some(_)) => Document::Single(Box::new(Writer::new(format))),
            (format, _) => Document::Many(Box::new((Writer::new(format), Bundle::default()))),
        };
        progress(ExportProgress { done: 0, total });
        let start = match &document {
            Document::Json { .. } => deepsearch_archive::json_start(self.inner.clock.now()),
            _ => String::new(),
        };
        out.write_all(start.as_bytes()).await.map_err(unwritable)?;
        let mut count = 0;
        for (done, id) in (1..).zip(&every) {
            match self.archived_chat(id).await {
                Ok(chat) => {
                    let bytes = document.add(chat).await?;
                    out.write_all(&bytes).await.map_err(unwritable)?;
                    count += 1;
                }
                // One that went while the others were written was not asked for by its name.
                Err(AppError::Unknown { .. }) if !matches!(choice, ExportChoice::Chats { .. }) => {}
                Err(error) => return Err(error),
            }
            progress(ExportProgress { done, total });
        }
        let end = document.finish()?;
        out.write_all(&end).await.map_err(unwritable)?;
        Ok(count)
    }

    async fn list_exported(&self, choice: &ExportChoice) -> Result<Vec<ChatId>, AppError> {
        let (collection, tag) = match choice {
            ExportChoice::Chats { chats } => return Ok(chats.clone()),
            ExportChoice::All => (None, None),
            ExportChoice::Collection { collection } => (Some(collection.clone()), None),
            ExportChoice::Tag { tag } => (None, Some(tag.clone())),
        };
        let mut every = Vec::new();
        for view in [ChatView::Active, ChatView::Archived] {
            let mut after = None;
            loop {
                let filter = ChatFilter {
                    view,
                    collection: collection.clone(),
                    tag: tag.clone(),
                };
                let chats = self.store().list_chats(filter, after.as_ref(), LIST_PAGE).await?;
                let Some(last) = chats.last() else { break };
                after = Some(ChatCursor::after(last));
                every.extend(chats.into_iter().map(|Chat { id, .. }| id));
            }
        }
        match choice {
            ExportChoice::Collection { .. } if every.is_empty() => Err(AppError::NothingIn { what: "collection" }),
            ExportChoice::Tag { .. } if every.is_empty() => Err(AppError::NothingIn { what: "tag" }),
            _ => Ok(every),
        }
    }
}

/// A document that grows by a chat at a time.
enum Document {
    Json { written: u32 },
    Single(Box<Writer>),
    Many(Box<(Writer, Bundle)>),
}

impl Document {
    /// What is to be written for a chat.
    async fn add(&mut self, chat: ArchivedChat) -> Result<Vec<u8>, AppError> {
        match self {
            Self::Json { written } => {
                let element = deepsearch_archive::json_chat(&chat, *written == 0);
                *written += 1;
                Ok(element.map_err(unexpected)?.into_bytes())
            }
            Self::Single(writer) => writer.write(chat).await,
            Self::Many(many) => {
                let (writer, bundle) = &mut **many;
                let name = deepsearch_archive::file_name(&chat.chat, writer.format);
                let document = writer.write(chat).await?;
                bundle.add(&name, &document).map_err(unexpected)
            }
        }
    }

    fn finish(self) -> Result<Vec<u8>, AppError> {
        match self {
            Self::Json { .. } => Ok(deepsearch_archive::JSON_END.as_bytes().to_vec()),
            Self::Single(_) => Ok(Vec::new()),
            Self::Many(many) => many.1.finish().map_err(unexpected),
        }
    }
}

fn unexpected(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Network(Box::new(error))
}

/// Writes chats in a format that holds one, beside whatever else is done.
struct Writer {
    format: Format,
    /// Made with the first PDF and kept for the others.
    typesetter: Option<Typesetter>,
}

impl Writer {
    fn new(format: Format) -> Self {
        Self {
            format,
            typesetter: None,
        }
    }

    async fn write(&mut self, chat: ArchivedChat) -> Result<Vec<u8>, AppError> {
        let (format, typesetter) = (self.format, self.typesetter.take());
        let writing = tokio::task::spawn_blocking(move || match format {
            Format::Markdown => (Ok(deepsearch_archive::markdown(&chat).into_bytes()), typesetter),
            Format::Html => (Ok(deepsearch_archive::html(&chat).into_bytes()), typesetter),
            Format::Pdf => {
                let mut typesetter = typesetter.unwrap_or_default();
                let document = typesetter.pdf(&chat).map_err(|source| AppError::Typeset {
                    title: chat.chat.title,
                    source,
                });
                (document, Some(typesetter))
            }
            Format::Json => {
                let element = deepsearch_archive::json_chat(&chat, true).map_err(unexpected);
                (element.map(String::into_bytes), typesetter)
            }
        });
        let (document, typesetter) = writing.await.map_err(unexpected)?;
        self.typesetter = typesetter;
        document
    }
}
