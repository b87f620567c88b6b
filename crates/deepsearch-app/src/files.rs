//! Files that a person named to be written: whole, or as they were.

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

use crate::error::AppError;

/// Writes a file. One that was there is replaced only when all is written, and nothing is left of one that was not.
///
/// # Errors
/// Those of `write`, and [`AppError::Unwritable`].
pub(crate) async fn replace<T>(
    path: &Path,
    write: impl AsyncFnOnce(&mut BufWriter<File>) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let unwritable = unwritable(path);
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let written = async {
        let mut file = BufWriter::new(File::create(&unfinished).await.map_err(&unwritable)?);
        let written = write(&mut file).await?;
        file.flush().await.map_err(&unwritable)?;
        file.get_ref().sync_all().await.map_err(&unwritable)?;
        tokio::fs::rename(&unfinished, path).await.map_err(&unwritable)?;
        Ok(written)
    };
    let written = written.await;
    if written.is_err() {
        let _ = tokio::fs::remove_file(&unfinished).await;
    }
    written
}

pub(crate) fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> AppError {
    let path = path.to_owned();
    move |source| AppError::Unwritable {
        path: path.clone(),
        source,
    }
}
