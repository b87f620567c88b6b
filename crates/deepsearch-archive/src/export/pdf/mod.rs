//! A chat as a PDF: set with the fonts of this system, its text there to be selected, its citations linked to the sources
//! below each answer, its structure tagged for who has it read aloud. The same chat and fonts give the same bytes.

mod blocks;
mod draw;
mod glyphs;
mod pages;
mod prose;
mod style;
mod tags;
mod typeset;

use std::fmt;

use thiserror::Error;

use self::blocks::Block;
use self::pages::Pages;
use self::typeset::{Row, Setter};
use crate::chat::ArchivedChat;

/// Why a chat cannot be set.
#[derive(Debug, Error)]
pub enum PdfError {
    #[error("this system has no fonts")]
    NoFonts,
    #[error("the chat is longer than {MOST_PAGES} pages")]
    TooLong,
    #[error("a font of this system cannot be put in a document")]
    Font,
    #[error("the document cannot be written: {0}")]
    Document(String),
}

const MOST_PAGES: usize = 5_000;

/// What sets chats. Knowing the system's fonts costs a while, so one serves for many.
pub struct Typesetter(Setter);

impl fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typesetter").finish_non_exhaustive()
    }
}

impl Default for Typesetter {
    fn default() -> Self {
        Self(Setter::new())
    }
}

impl Typesetter {
    /// The branch that is shown, as a document.
    ///
    /// # Errors
    /// [`PdfError`] where the system has no font to set it with, or it is too long.
    pub fn pdf(&mut self, chat: &ArchivedChat) -> Result<Vec<u8>, PdfError> {
        if !self.0.has_fonts() {
            return Err(PdfError::NoFonts);
        }
        let document = blocks::document(chat);
        let pages = self.pages(&document.blocks)?;
        draw::document(&mut self.0, chat, &document, pages)
    }

    fn pages(&mut self, blocks: &[Block]) -> Result<Pages, PdfError> {
        let mut pages = Pages::new();
        // What was set and waits to know what follows it.
        let mut waiting: Option<Row> = None;
        for block in blocks {
            for row in self.0.rows(block) {
                if let Some(before) = waiting.take() {
                    pages.place(before, row.before + row.starts());
                }
                if pages.sheets.len() > MOST_PAGES {
                    return Err(PdfError::TooLong);
                }
                waiting = Some(row);
            }
        }
        if let Some(last) = waiting {
            pages.place(last, 0.0);
        }
        Ok(pages)
    }
}
