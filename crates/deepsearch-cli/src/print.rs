//! What goes to the terminal, to a pipe and to standard error. Colour and layout only where a person looks.

use std::io::{IsTerminal, Write};

use chrono::{DateTime, Local, Utc};
use deepsearch_core::Failure;
use serde::Serialize;
use termimad::MadSkin;

/// Whether a person sees standard output.
pub(crate) fn is_pretty() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A line of standard output. A reader that has gone (`| head`) ends the program as it does others.
pub(crate) fn line(text: &str) {
    part(&format!("{text}\n"));
}

/// Text as it comes, without a line break.
pub(crate) fn part(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// One JSON document on a line.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(&text),
        Err(error) => note(&format!("the result could not be written as JSON: {error}")),
    }
}

/// A remark beside the result: to standard error, dim where it is a terminal.
pub(crate) fn note(text: &str) {
    let mut err = std::io::stderr().lock();
    let pretty = err.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Nothing can be done where even standard error is gone.
    let _ = if pretty {
        writeln!(err, "\x1b[2m{}\x1b[0m", safe(text))
    } else {
        writeln!(err, "{}", safe(text))
    };
}

/// A step of what is under way: only where a person watches.
pub(crate) fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        note(text);
    }
}

pub(crate) fn failure(failure: &Failure) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{}", safe(&failure.message));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(err, "{}", safe(hint));
    }
}

/// A time as it is where the person is, to the minute.
pub(crate) fn when(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string()
}

/// Text from strangers without control characters, which could move the cursor or fake a prompt.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

/// Markdown as it streams: on a terminal, each block is laid out once it is whole.
pub(crate) struct Markdown {
    skin: Option<MadSkin>,
    pending: String,
    /// Whether there is a line to end.
    open: bool,
}

impl Markdown {
    pub(crate) fn new() -> Self {
        Self {
            skin: is_pretty().then(MadSkin::default),
            pending: String::new(),
            open: false,
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.open = true;
        let Some(skin) = &self.skin else {
            return part(&safe(text));
        };
        self.pending.push_str(&safe(text));
        while let Some(end) = block_end(&self.pending) {
            let block: String = self.pending.drain(..end).collect();
            part(&skin.term_text(&block).to_string());
        }
    }

    /// Ends what was pushed; a second time does nothing.
    pub(crate) fn finish(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let rest = std::mem::take(&mut self.pending);
        match &self.skin {
            Some(skin) if !rest.is_empty() => part(&skin.term_text(&rest).to_string()),
            _ => part("\n"),
        }
    }
}

/// Where the first block ends: at a blank line outside of a code fence.
fn block_end(text: &str) -> Option<usize> {
    let mut in_fence = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        in_fence ^= line.trim_start().starts_with("```");
        if line.trim().is_empty() && line.ends_with('\n') && !in_fence && at > line.len() {
            return Some(at);
        }
    }
    None
}
