//! Markdown: ours, with a comment before each message; Perplexity's, where a heading is a question; and any file in
//! which a line of its own says who speaks.

use std::io::{BufRead, Read};

use deepsearch_core::{Role, Source};

use super::draft::{Draft, DraftTurn};
use super::values::{SOURCES, cite};
use super::{ArchiveError, Origin, Reason, Sink};
use crate::export::{MESSAGE_MARK, SOURCES_MARK};

pub(crate) fn read(input: impl BufRead, name: &str, sink: &mut Sink<'_>) -> Result<(), ArchiveError> {
    let mut bytes = Vec::new();
    let limit = sink.limits.chat as u64;
    input.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        sink.leave_out(name, Reason::TooLarge);
        return Ok(());
    }
    let Ok(text) = String::from_utf8(bytes) else {
        sink.leave_out(name, Reason::Unknown);
        return Ok(());
    };
    let text = text.replace("\r\n", "\n");
    let (origin, turns) = if text.contains(MESSAGE_MARK) {
        (Origin::Markdown, ours(&text))
    } else if text.contains("r2cdn.perplexity.ai/pplx") {
        (Origin::Perplexity, perplexity(&text))
    } else {
        (Origin::Markdown, spoken(&text))
    };
    if turns.is_empty() {
        sink.leave_out(name, Reason::Unknown);
        return Ok(());
    }
    let mut draft = Draft::new(origin, deepsearch_core::page::content_hash(&text));
    draft.title = title(&text, &turns);
    draft.turns = turns;
    sink.draft(draft);
    Ok(())
}

fn title(text: &str, turns: &[DraftTurn]) -> String {
    let heading = text.lines().take(20).find_map(|line| line.strip_prefix("# "));
    let is_question = |heading: &&str| turns.first().is_none_or(|turn| !turn.text.starts_with(*heading));
    heading.filter(is_question).unwrap_or_default().trim().to_owned()
}

fn chain(turns: Vec<(Role, String, Vec<Source>)>) -> Vec<DraftTurn> {
    let turns = turns.into_iter().filter(|(_, text, _)| !text.trim().is_empty());
    let turn = |(at, (role, text, sources)): (usize, (Role, String, Vec<Source>))| DraftTurn {
        key: at.to_string(),
        parent: at.checked_sub(1).map(|before| before.to_string()),
        role: Some(role),
        text,
        sources,
        ..DraftTurn::default()
    };
    turns.enumerate().map(turn).collect()
}

fn ours(text: &str) -> Vec<DraftTurn> {
    let mut turns = Vec::new();
    for part in text.split(MESSAGE_MARK).skip(1) {
        let Some((role, said)) = part.split_once("-->") else {
            continue;
        };
        let role = if role.contains("user") {
            Role::User
        } else {
            Role::Assistant
        };
        // The heading that says who speaks is not what was said.
        let said = said.trim_start().split_once('\n').map_or("", |(_, said)| said);
        let (said, listed) = said.split_once(SOURCES_MARK).unwrap_or((said, ""));
        let mut sources = Vec::new();
        for line in listed.lines() {
            let link = line.split_once(". [").and_then(|(_, link)| link.rsplit_once("](<"));
            if let Some((title, url)) = link {
                cite(
                    &mut sources,
                    &title.replace('\\', ""),
                    url.split('>').next().unwrap_or_default(),
                    "",
                );
            }
        }
        turns.push((role, said.trim().to_owned(), sources));
    }
    chain(turns)
}

/// The first heading is the first question; after a line across, a heading is the next one. Notes are the sources.
fn perplexity(text: &str) -> Vec<DraftTurn> {
    let is_rule = |line: &str| matches!(line.trim(), "---" | "***" | "* * *");
    let mut turns: Vec<(Role, String, Vec<Source>)> = Vec::new();
    let mut notes: Vec<(String, String)> = Vec::new();
    let mut after_rule = true;
    for line in text.lines() {
        if let Some((name, url)) = line.strip_prefix("[^").and_then(|note| note.split_once("]: ")) {
            if notes.len() < SOURCES {
                notes.push((name.to_owned(), url.trim().to_owned()));
            }
            continue;
        }
        let is_ornament = line.starts_with("<img src=\"https://r2cdn.perplexity.ai")
            || line.contains('⁂')
            || line.starts_with("<span style=\"display:none\">");
        if is_ornament || (after_rule && line.trim().is_empty()) {
            continue;
        }
        match line.strip_prefix("# ").filter(|_| after_rule) {
            Some(question) => {
                turns.push((Role::User, question.trim().to_owned(), Vec::new()));
                turns.push((Role::Assistant, String::new(), Vec::new()));
            }
            None => {
                if let Some((_, answer, _)) = turns.last_mut() {
                    answer.push_str(line);
                    answer.push('\n');
                }
            }
        }
        after_rule = is_rule(line);
    }
    for (role, answer, sources) in &mut turns {
        if *role == Role::Assistant {
            let trimmed = answer
                .trim()
                .trim_end_matches("***")
                .trim_end_matches("---")
                .trim()
                .to_owned();
            *answer = trimmed;
            for (name, url) in &notes {
                let mark = format!("[^{name}]");
                if answer.contains(&mark) {
                    let number = cite(sources, "", url, "").map(|number| format!("[{number}]"));
                    *answer = answer.replace(&mark, &number.unwrap_or_default());
                }
            }
        }
    }
    chain(turns)
}

/// Lines such as `## User`, `**You:**` or `ChatGPT said:` begin a turn.
fn spoken(text: &str) -> Vec<DraftTurn> {
    let mut turns: Vec<(Role, String, Vec<Source>)> = Vec::new();
    let mut in_fence = false;
    for line in text.lines() {
        in_fence ^= line.trim_start().starts_with("```");
        match speaker(line).filter(|_| !in_fence) {
            Some(role) => turns.push((role, String::new(), Vec::new())),
            None => {
                if let Some((_, said, _)) = turns.last_mut() {
                    said.push_str(line);
                    said.push('\n');
                }
            }
        }
    }
    // Who only has questions, or only answers, has a text that happens to hold such a line.
    let has = |wanted| turns.iter().any(|(role, ..)| *role == wanted);
    if has(Role::User) && has(Role::Assistant) {
        chain(turns)
    } else {
        Vec::new()
    }
}

fn speaker(line: &str) -> Option<Role> {
    let is_marked = line.starts_with('#') || line.starts_with("**") || line.trim_end().ends_with(':');
    let name = line
        .trim_matches(|c: char| matches!(c, '#' | '*' | ':' | ' '))
        .to_lowercase();
    let name = name.strip_suffix(" said").unwrap_or(&name);
    match name {
        _ if !is_marked => None,
        "you" | "user" | "human" | "me" | "question" | "prompt" => Some(Role::User),
        "assistant" | "answer" | "response" | "ai" | "chatgpt" | "claude" | "gemini" | "copilot" | "perplexity"
        | "deepsearch" => Some(Role::Assistant),
        _ => None,
    }
}
