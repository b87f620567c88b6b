//! Files that a person named to be written: whole, or as they were.

use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

use crate::error::AppError;

/// Writes a file. One that was there is replaced only when all is written, and nothing is left of one that was not: it
/// failed, or the future was dropped. No other file is touched, whatever its name: until then this one has a name that
/// nobody had, and a link of that name is not followed.
///
/// # Errors
/// Those of `write`, and [`AppError::Unwritable`].
pub(crate) async fn replace<T>(
    path: &Path,
    write: impl AsyncFnOnce(&mut BufWriter<File>) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let unwritable = unwritable(path);
    let unfinished = path.with_file_name(format!(".deepsearch-{}.part", Uuid::new_v4().simple()));
    let file = File::options().write(true).create_new(true).open(&unfinished).await;
    let mut file = BufWriter::new(file.map_err(&unwritable)?);
    let unfinished = Unfinished(Some(unfinished));
    let written = write(&mut file).await?;
    file.flush().await.map_err(&unwritable)?;
    file.get_ref().sync_all().await.map_err(&unwritable)?;
    drop(file);
    unfinished.finish(path).await.map_err(&unwritable)?;
    Ok(written)
}

/// A file that goes with this value, unless it is finished.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    async fn finish(mut self, path: &Path) -> std::io::Result<()> {
        if let Some(unfinished) = &self.0 {
            tokio::fs::rename(unfinished, path).await?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.0 {
            // There is nobody left to be told where even this fails.
            let _ = std::fs::remove_file(unfinished);
        }
    }
}

pub(crate) fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> AppError {
    let path = path.to_owned();
    move |source| AppError::Unwritable {
        path: path.clone(),
        source,
    }
}
