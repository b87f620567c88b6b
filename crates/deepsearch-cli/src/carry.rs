//! `deepsearch export` and `deepsearch import`: chats to files and from them.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use deepsearch_app::{App, AppError, Format, ImportReport};
use deepsearch_core::{ChatId, Invalid};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::args::{Export, ExportFormat};
use crate::outcome::Outcome;
use crate::print::{self, note, progress, safe};

pub(crate) async fn export(app: &App, args: Export, as_json: bool) -> Outcome {
    let chats: Vec<ChatId> = args
        .chats
        .into_iter()
        .map(ChatId::parse)
        .collect::<Result<_, Invalid>>()?;
    let format = match args.format {
        ExportFormat::Json => Format::Json,
        ExportFormat::Markdown => Format::Markdown,
        ExportFormat::Html => Format::Html,
    };
    if format != Format::Json && chats.len() != 1 {
        return Err(AppError::Invalid(Invalid::Malformed {
            field: "the format",
            value: format!("{:?}", args.format).to_lowercase(),
            expected: "format for several chats; those are written as `json`",
        }));
    }
    let Some(path) = &args.output else {
        let unwritable = unwritable(Path::new("standard output"));
        let mut out = tokio::io::stdout();
        write(app, &chats, format, &mut out, &unwritable).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let unwritable = unwritable(path);
    // What was there is replaced only when all is written.
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".part");
    let written = async {
        let mut file = tokio::fs::File::create(&unfinished).await.map_err(&unwritable)?;
        let count = write(app, &chats, format, &mut file, &unwritable).await?;
        file.sync_all().await.map_err(&unwritable)?;
        tokio::fs::rename(&unfinished, path).await.map_err(&unwritable)?;
        Ok::<_, AppError>(count)
    };
    let written = written.await;
    if written.is_err() {
        let _ = tokio::fs::remove_file(&unfinished).await;
    }
    let count = written?;
    if as_json {
        print::json(&json!({ "path": path, "chats": count }));
    } else {
        note(&format!("{count} chats written to {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> AppError {
    let path = path.to_owned();
    move |source| AppError::Unwritable {
        path: path.clone(),
        source,
    }
}

async fn write(
    app: &App,
    chats: &[ChatId],
    format: Format,
    out: &mut (impl tokio::io::AsyncWrite + Unpin),
    unwritable: &impl Fn(std::io::Error) -> AppError,
) -> Result<u64, AppError> {
    let count = match (chats, format) {
        ([], _) => app.write_json(None, out, unwritable).await?,
        (_, Format::Json) => app.write_json(Some(chats), out, unwritable).await?,
        ([chat, ..], _) => {
            let document = app.export_chat(chat, format).await?;
            out.write_all(document.as_bytes()).await.map_err(unwritable)?;
            1
        }
    };
    out.flush().await.map_err(unwritable)?;
    Ok(count)
}

pub(crate) async fn import(app: &App, file: &Path, preview: bool, as_json: bool) -> Outcome {
    let report = if preview {
        app.preview_import(file).await?
    } else {
        let mut told = 0;
        let importing = app.import_archive(file, |report| {
            let chats: u32 = report.chats.values().sum();
            if chats >= told + 100 {
                told = chats;
                progress(&format!("{chats} chats…"));
            }
            ControlFlow::Continue(())
        });
        tokio::select! {
            report = importing => report?,
            _ = tokio::signal::ctrl_c() => return Err(AppError::Cancelled),
        }
    };
    if as_json {
        print::json(&report);
    } else {
        tell(&report, preview);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(report: &ImportReport, preview: bool) {
    for (origin, count) in &report.chats {
        print::line(&format!("{count} chats of {}", origin.as_str()));
    }
    print::line(&format!("{} messages", report.messages));
    if let (Some(from), Some(until)) = (report.from, report.until) {
        print::line(&format!(
            "from {} to {}",
            from.format("%Y-%m-%d"),
            until.format("%Y-%m-%d")
        ));
    }
    report
        .samples
        .iter()
        .for_each(|title| print::line(&format!("  {}", safe(title))));
    if !preview {
        print::line(&format!(
            "{} new, {} with new messages, {} unchanged",
            report.added, report.extended, report.unchanged
        ));
    }
    for (reason, count) in &report.left_out {
        note(&format!("Left out: {count} × {reason:?}"));
    }
    for left_out in report
        .notes
        .iter()
        .take(10)
        .filter(|left_out| !left_out.what.is_empty())
    {
        note(&format!("  {:?}: {}", left_out.reason, left_out.what));
    }
    if let Some(why) = &report.ended_early {
        note(&format!("The rest was not read. {why}"));
    }
}
