//! `deepsearch export` and `deepsearch import`: chats to files and from them.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use deepsearch_app::{App, AppError, ExportChoice, ExportProgress, Format, ImportReport, Reason};
use deepsearch_core::{ChatId, ErrorCode, Invalid};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use crate::args::{Export, ExportFormat};
use crate::outcome::{Outcome, code};
use crate::print::{self, note, progress, safe};

pub(crate) async fn export(app: &App, args: Export, as_json: bool) -> Outcome {
    let choice = chosen(app, &args).await?;
    let format = match args.format {
        ExportFormat::Json => Format::Json,
        ExportFormat::Markdown => Format::Markdown,
        ExportFormat::Html => Format::Html,
        ExportFormat::Pdf => Format::Pdf,
    };
    let mut far = ExportProgress { done: 0, total: 0 };
    let follow = |now: ExportProgress| {
        if now.done > 0 && now.done.is_multiple_of(100) {
            progress(&format!("{} of {} chats…", now.done, now.total));
        }
        far = now;
    };
    let Some(path) = &args.output else {
        let is_text = format == Format::Json || (choice.single().is_some() && format != Format::Pdf);
        if !is_text && std::io::stdout().is_terminal() {
            return Err(AppError::Invalid(Invalid::Malformed {
                field: "the output",
                value: "the terminal".into(),
                expected: "a file for what is no text: name one with `-o`",
            }));
        }
        let unwritable = |source| AppError::Unwritable {
            path: "standard output".into(),
            source,
        };
        let mut out = tokio::io::stdout();
        app.write_chats(&choice, format, &mut out, &unwritable, follow).await?;
        out.flush().await.map_err(unwritable)?;
        return Ok(ExitCode::SUCCESS);
    };
    let exporting = app.export_to(path, &choice, format, follow);
    let count = tokio::select! {
        count = exporting => count?,
        _ = tokio::signal::ctrl_c() => {
            let ExportProgress { done, total } = far;
            note(&format!("Stopped after {done} of {total} chats; {} was not written.", path.display()));
            return Ok(ExitCode::from(code(ErrorCode::Cancelled)));
        }
    };
    if as_json {
        print::json(&json!({ "path": path, "chats": count }));
    } else {
        note(&format!("{count} chats written to {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn chosen(app: &App, args: &Export) -> Result<ExportChoice, AppError> {
    if let Some(name) = &args.collection {
        let collection = app.collection_named(name).await?.id;
        return Ok(ExportChoice::Collection { collection });
    }
    if let Some(name) = &args.tag {
        let tag = app.tag_named(name).await?.name;
        return Ok(ExportChoice::Tag { tag });
    }
    if args.all {
        return Ok(ExportChoice::All);
    }
    let chats = args.chats.iter().map(|id| ChatId::parse(id.as_str()));
    Ok(ExportChoice::Chats {
        chats: chats.collect::<Result<_, Invalid>>()?,
    })
}

pub(crate) async fn import(app: &App, file: &Path, preview: bool, as_json: bool) -> Outcome {
    let stop = CancellationToken::new();
    let mut told = 0;
    let follow = |report: &ImportReport| {
        let chats: u32 = report.chats.values().sum();
        if chats >= told + 100 {
            told = chats;
            progress(&format!("{chats} chats…"));
        }
    };
    let stopping = async {
        // Once: the chat that it is at is brought to its end. Twice: at once.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
            let _ = tokio::signal::ctrl_c().await;
        }
    };
    let importing = async {
        match preview {
            true => app.preview_import(file, &stop, follow).await,
            false => app.import_archive(file, &stop, follow).await,
        }
    };
    let report = tokio::select! {
        report = importing => report?,
        () = stopping => return Err(AppError::Cancelled),
    };
    if as_json {
        print::json(&report);
    } else {
        tell(&report, preview);
    }
    let ended_by = match report.stopped {
        true => Some(ErrorCode::Cancelled),
        // What came before is kept, but a script is not to take the file for done.
        false => report.ended_by,
    };
    Ok(ended_by.map_or(ExitCode::SUCCESS, |why| ExitCode::from(code(why))))
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
    let would_be = if preview { "would be " } else { "" };
    print::line(&format!(
        "{would_be}{} new, {} with new messages, {} unchanged",
        report.added, report.extended, report.unchanged
    ));
    for (reason, count) in &report.left_out {
        note(&format!("Left out, {}: {count}", why(*reason)));
    }
    for left_out in report
        .notes
        .iter()
        .take(10)
        .filter(|left_out| !left_out.what.is_empty())
    {
        note(&format!("  {}: {}", left_out.what, why(left_out.reason)));
    }
    if let Some(why) = &report.ended_early {
        note(&format!("The rest was not read. {why}"));
    }
    if report.stopped {
        note("Stopped. What was imported until then is kept; import the file again for the rest.");
    }
}

/// Why something was left out, in words.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Malformed => "chats that are damaged",
        Reason::Unknown => "of no format that is known",
        Reason::Empty => "chats in which nothing is said",
        Reason::Circle => "messages that follow each other in a circle",
        Reason::TooLarge => "chats that are too long",
        Reason::Shortened => "the ends of messages that are too long",
        Reason::Attachment => "pictures, files and sounds",
        Reason::Hidden => "what tools did, hidden thoughts and instructions",
        Reason::Evidence => "evidence that its page does not bear out",
        Reason::OtherFile => "files in which there are no chats",
        Reason::HostilePath => "paths that lead out of the archive",
        Reason::CutOff => "files that end in the middle",
        Reason::Refused => "what breaks a rule of a chat",
        Reason::InTrash => "chats that lie in Trash here and stay there",
        Reason::Label => "collections and tags that cannot be made",
    }
}
