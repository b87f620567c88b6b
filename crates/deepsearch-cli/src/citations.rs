//! `deepsearch citations`: the sentences that an answer cites, each with its page or file and the line it stands on.

use std::process::ExitCode;

use deepsearch_app::{App, CitedSentence};
use deepsearch_core::MessageId;

use crate::args;
use crate::outcome::{NOTHING, Outcome};
use crate::print::{self, note, safe};

pub(crate) async fn run(app: &App, args: args::Citations, json: bool) -> Outcome {
    let mut cited = app.cited(&MessageId::parse(args.message)?).await?;
    if let Some(number) = args.number {
        cited.retain(|sentence| sentence.number == number);
    }
    if json {
        print::json(&cited);
    } else {
        cited.iter().for_each(show);
    }
    if cited.is_empty() {
        note("Nothing is cited there.");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(cited: &CitedSentence) {
    let title = safe(cited.title.trim());
    print::line(&format!("[{}] {title} — {}", cited.number, place(cited)));
    print::line(&format!("    “{}”", safe(cited.quote.trim())));
}

/// A file is told as `path:line`, which editors and terminals take.
fn place(cited: &CitedSentence) -> String {
    let lies = match &cited.path {
        Some(path) => safe(&path.display().to_string()),
        None => safe(&cited.url),
    };
    match (cited.file_line, cited.line) {
        (Some(line), _) => format!("{lies}:{line}"),
        (None, Some(line)) => format!("{lies}, line {line} of the saved text"),
        (None, None) => format!("{lies}, whose text is not on this device"),
    }
}
