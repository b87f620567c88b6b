//! Several documents as one zip, given out in pieces as it grows, so that it never stands in memory whole.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};

/// A zip that grows by a document at a time.
pub struct Bundle {
    zip: ZipWriter<StreamWriter<Pieces>>,
    pieces: Pieces,
    names: HashSet<String>,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Default for Bundle {
    fn default() -> Self {
        let pieces = Pieces::default();
        Self {
            zip: ZipWriter::new_stream(pieces.clone()),
            pieces,
            names: HashSet::new(),
        }
    }
}

impl Bundle {
    /// Adds a document, under a name of its own where another has that one, and gives what is to be written next.
    ///
    /// # Errors
    /// [`ZipError`] for what no zip can hold.
    pub fn add(&mut self, name: &str, document: &[u8]) -> Result<Vec<u8>, ZipError> {
        let name = self.free(name);
        let options = SimpleFileOptions::default().large_file(document.len() as u64 > u64::from(u32::MAX / 2));
        self.zip.start_file(&name, options)?;
        self.zip.write_all(document)?;
        self.names.insert(name.to_lowercase());
        Ok(self.pieces.take())
    }

    /// What stands at its end.
    ///
    /// # Errors
    /// [`ZipError`] for what no zip can hold.
    pub fn finish(self) -> Result<Vec<u8>, ZipError> {
        self.zip.finish()?;
        Ok(self.pieces.take())
    }

    /// A name that nothing has, also where large and small letters are the same.
    fn free(&self, name: &str) -> String {
        if !self.names.contains(&name.to_lowercase()) {
            return name.to_owned();
        }
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        let others = (2_u32..).map(|number| format!("{stem}-{number}.{end}"));
        let mut free = others.filter(|other| !self.names.contains(&other.to_lowercase()));
        free.next().unwrap_or_else(|| name.to_owned())
    }
}

/// What was written and not yet taken.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Pieces {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
