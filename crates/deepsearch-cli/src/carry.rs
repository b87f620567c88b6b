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
    let Some(path) = &args.output else {
        let unwritable = |source| AppError::Unwritable {
            path: "standard output".into(),
            source,
        };
        let mut out = tokio::io::stdout();
        app.write_chats(&chats, format, &mut out, &unwritable).await?;
        out.flush().await.map_err(unwritable)?;
        return Ok(ExitCode::SUCCESS);
    };
    let count = app.export_to(path, &chats, format).await?;
    if as_json {
        print::json(&json!({ "path": path, "chats": count }));
    } else {
        note(&format!("{count} chats written to {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
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
