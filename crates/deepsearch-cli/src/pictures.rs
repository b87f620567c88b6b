//! `deepsearch pictures`: what an answer's sources show themselves with, from the copies that are kept.

use std::path::Path;
use std::process::ExitCode;

use deepsearch_app::{App, AppError};
use deepsearch_core::{MessageId, SourcePicture};
use serde_json::{Value, json};

use crate::args;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, safe};

pub(crate) async fn run(app: &App, args: args::Pictures, as_json: bool) -> Outcome {
    let pictures = app.pictures(&MessageId::parse(args.message)?).await?;
    let mut told = Vec::new();
    for shown in &pictures {
        let file = match &args.save {
            Some(folder) => Some(save(folder, shown).await?),
            None => None,
        };
        if as_json {
            told.push(described(shown, file));
        } else {
            print::line(&line(shown, file.as_deref()));
        }
    }
    if as_json {
        print::json(&told);
    }
    if pictures.is_empty() {
        print::note("No picture is kept of the sources of this answer.");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}

/// Under a name of ours: nothing that a page says becomes a path.
async fn save(folder: &Path, shown: &SourcePicture) -> Result<String, AppError> {
    let ending = if shown.picture.media_type == "image/png" {
        "png"
    } else {
        "jpg"
    };
    let path = folder.join(format!("source-{}.{ending}", shown.number));
    let unwritable = |source| AppError::Unwritable {
        path: path.clone(),
        source,
    };
    tokio::fs::create_dir_all(folder).await.map_err(unwritable)?;
    tokio::fs::write(&path, &shown.picture.bytes)
        .await
        .map_err(unwritable)?;
    Ok(path.display().to_string())
}

fn described(shown: &SourcePicture, file: Option<String>) -> Value {
    let picture = &shown.picture;
    json!({
        "number": shown.number,
        "title": shown.title,
        "page_id": picture.page_id,
        "url": picture.url,
        "alt": picture.alt,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.bytes.len(),
        "file": file,
    })
}

fn line(shown: &SourcePicture, file: Option<&str>) -> String {
    let picture = &shown.picture;
    let says = if picture.alt.is_empty() {
        &shown.title
    } else {
        &picture.alt
    };
    let place = file.map_or_else(|| safe(picture.url.as_str()), safe);
    format!(
        "[{}]  {} × {}  {}  {place}",
        shown.number,
        picture.width,
        picture.height,
        safe(says)
    )
}
