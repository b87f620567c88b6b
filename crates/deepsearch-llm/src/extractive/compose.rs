//! The chosen sentences as Markdown: a lead paragraph, what supports it, steps as a list, code as code.

use deepsearch_core::text::unmarked;

use super::select::{Chosen, Unit};
use super::sentence::{Kind, Sentence};

/// From this many supporting units on, they are read more easily as a list.
const LIST_FROM: usize = 3;

pub(super) fn markdown(sentences: &[Sentence<'_>], chosen: &Chosen) -> String {
    let mut blocks = vec![unit(sentences, &chosen.lead)];
    let plain = |unit: &Unit| {
        unit.sentences
            .iter()
            .all(|&at| matches!(sentences[at].kind, Kind::Prose | Kind::ListItem))
    };
    let listed = chosen.support.len() >= LIST_FROM && chosen.support.iter().all(plain);
    if listed {
        let items = chosen
            .support
            .iter()
            .map(|unit| format!("- {}", paragraph(sentences, unit)));
        blocks.push(items.collect::<Vec<_>>().join("\n"));
    } else {
        blocks.extend(chosen.support.iter().map(|support| unit(sentences, support)));
    }
    blocks.join("\n\n")
}

/// One unit: its prose, then its steps and code in the order of the source.
fn unit(sentences: &[Sentence<'_>], unit: &Unit) -> String {
    let mut blocks: Vec<(Kind, Vec<String>)> = Vec::new();
    let mut step = 0;
    let mut last_line = None;
    for (position, &at) in unit.sentences.iter().enumerate() {
        let sentence = &sentences[at];
        let first = position == 0;
        let text = match sentence.kind {
            Kind::Code => sentence.text.trim_end().to_owned(),
            _ => cited(sentences, at, if first { &unit.also } else { &[] }),
        };
        match blocks.last_mut() {
            Some((Kind::ListItem, items)) if sentence.kind == Kind::ListItem && last_line == Some(sentence.line) => {
                let item = items.last_mut().expect("a block has at least one line");
                *item = format!("{item} {text}");
            }
            last => {
                let text = match sentence.kind {
                    Kind::ListItem if sentence.numbered => {
                        step += 1;
                        format!("{step}. {text}")
                    }
                    Kind::ListItem if unit.sentences.len() > 1 => format!("- {text}"),
                    _ => text,
                };
                match last {
                    Some((kind, lines)) if *kind == sentence.kind => lines.push(text),
                    _ => blocks.push((sentence.kind, vec![text])),
                }
            }
        }
        last_line = Some(sentence.line);
    }
    let blocks = blocks.into_iter().map(|(kind, lines)| match kind {
        Kind::Code => fenced(&lines.join("\n")),
        Kind::ListItem => lines.join("\n"),
        _ => lines.join(" "),
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn paragraph(sentences: &[Sentence<'_>], unit: &Unit) -> String {
    let first = unit.sentences.first().copied();
    let cite = |&at: &usize| cited(sentences, at, if Some(at) == first { &unit.also } else { &[] });
    unit.sentences.iter().map(cite).collect::<Vec<_>>().join(" ")
}

fn cited(sentences: &[Sentence<'_>], at: usize, also: &[u32]) -> String {
    let sentence = &sentences[at];
    let mut numbers: Vec<u32> = also.iter().copied().chain([sentence.number]).collect();
    numbers.sort_unstable();
    let marks: String = numbers.iter().map(|number| format!("[{number}]")).collect();
    match sentence.heading.filter(|_| sentence.explains) {
        Some(heading) => format!("{}: {} {marks}", in_code(sentences[heading].text), shown(sentence.text)),
        None => format!("{} {marks}", shown(sentence.text)),
    }
}

/// The source's words, kept from being read as Markdown or as citations: a page's own `[3]` is not one of our sources.
fn shown(text: &str) -> String {
    unmarked(text, &['*', '[', ']'], &['#', '>'])
}

/// A signature in one line; its own backticks would end the code.
fn in_code(signature: &str) -> String {
    format!("`{}`", signature.trim().replace('`', "'"))
}

/// A fence longer than any inside.
fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{code}\n{fence}")
}
