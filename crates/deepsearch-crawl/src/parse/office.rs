//! Office documents as text: Word, PowerPoint and Excel (OOXML), and the OpenDocument formats. Each is a ZIP of XML.
//!
//! Only text that a reader sees is taken: no macros, comments, formulas, pictures or what was deleted under revision. What
//! a document unpacks to is bounded, so that a small file cannot fill the memory.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use url::Url;
use zip::ZipArchive;

use super::text::{file_name, normalised, title};
use super::{Draft, Trouble};

/// All parts of a document together, unpacked.
const UNPACKED: u64 = 128 << 20;
/// Text that is taken of one document.
const TEXT: usize = 16 << 20;
/// Slides or sheets that are read.
const PARTS: usize = 2_000;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn read(bytes: &[u8], url: &Url) -> Result<Draft, Trouble> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unparsable(&error))?;
    let mut unpacked = Unpacked(UNPACKED);
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    let text = if has("word/document.xml") {
        word(&mut archive, &names, &mut unpacked)?
    } else if has("ppt/presentation.xml") {
        slides(&mut archive, &names, &mut unpacked)?
    } else if has("xl/workbook.xml") {
        sheets(&mut archive, &names, &mut unpacked)?
    } else if has("content.xml") {
        text_of(&unpacked.part(&mut archive, "content.xml")?, open_document)?
    } else {
        return Err(Trouble::Unparsable("it is no office document that we know".into()));
    };
    let text = normalised(&text);
    let properties = ["docProps/core.xml", "meta.xml"].into_iter().find(|name| has(name));
    let stated = match properties {
        Some(name) => properties_of(&unpacked.part(&mut archive, name)?),
        None => BTreeMap::new(),
    };
    let said = |name: &str| stated.get(name).cloned();
    Ok(Draft {
        title: said("title").or_else(|| title(&text)).unwrap_or_else(|| file_name(url)),
        author: said("creator"),
        text,
        ..Draft::default()
    })
}

/// What may still be unpacked.
struct Unpacked(u64);

impl Unpacked {
    fn part(&mut self, archive: &mut Archive<'_>, name: &str) -> Result<String, Trouble> {
        let part = archive.by_name(name).map_err(|error| unparsable(&error))?;
        let mut bytes = Vec::new();
        let read = part.take(self.0 + 1).read_to_end(&mut bytes);
        read.map_err(|error| unparsable(&error))?;
        let left = self.0.checked_sub(bytes.len() as u64);
        self.0 = left.ok_or_else(|| Trouble::Unparsable("it unpacks to more than we read".into()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn word(archive: &mut Archive<'_>, names: &[String], unpacked: &mut Unpacked) -> Result<String, Trouble> {
    let mut text = text_of(&unpacked.part(archive, "word/document.xml")?, ooxml)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if names.iter().any(|name| name == notes) {
            text.push('\n');
            text.push_str(&text_of(&unpacked.part(archive, notes)?, ooxml)?);
        }
    }
    Ok(text)
}

fn slides(archive: &mut Archive<'_>, names: &[String], unpacked: &mut Unpacked) -> Result<String, Trouble> {
    let mut text = String::new();
    for name in numbered(names, "ppt/slides/slide") {
        text.push_str(&text_of(&unpacked.part(archive, &name)?, ooxml)?);
        text.push_str("\n\n");
    }
    Ok(text)
}

fn sheets(archive: &mut Archive<'_>, names: &[String], unpacked: &mut Unpacked) -> Result<String, Trouble> {
    let shared = match names.iter().find(|name| *name == "xl/sharedStrings.xml") {
        Some(name) => shared_strings(&unpacked.part(archive, name)?)?,
        None => Vec::new(),
    };
    let mut text = String::new();
    for name in numbered(names, "xl/worksheets/sheet") {
        rows(&unpacked.part(archive, &name)?, &shared, &mut text)?;
        text.push('\n');
    }
    Ok(text)
}

/// `slide2.xml` before `slide10.xml`.
fn numbered(names: &[String], prefix: &str) -> Vec<String> {
    let number = |name: &String| name.strip_prefix(prefix)?.strip_suffix(".xml")?.parse::<u32>().ok();
    let mut found: Vec<(u32, &String)> = names.iter().filter_map(|name| Some((number(name)?, name))).collect();
    found.sort_unstable();
    found.into_iter().take(PARTS).map(|(_, name)| name.clone()).collect()
}

/// What an element means for the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Its characters are text.
    Text,
    /// Nothing in it is.
    Skip,
    /// A line ends with it.
    Line,
    /// A cell of a table ends with it.
    Cell,
    Row,
    Tab,
    Break,
    Other,
}

fn ooxml(name: &str) -> Role {
    match name {
        "t" => Role::Text,
        "p" => Role::Line,
        "tc" => Role::Cell,
        "tr" => Role::Row,
        "tab" => Role::Tab,
        "br" | "cr" => Role::Break,
        "del" | "instrText" | "Fallback" => Role::Skip,
        _ => Role::Other,
    }
}

fn open_document(name: &str) -> Role {
    match name {
        "p" | "h" => Role::Line,
        "span" | "a" => Role::Text,
        "table-cell" => Role::Cell,
        "table-row" => Role::Row,
        "tab" | "s" => Role::Tab,
        "line-break" => Role::Break,
        "annotation" | "tracked-changes" | "automatic-styles" | "binary-data" | "desc" | "title" => Role::Skip,
        _ => Role::Other,
    }
}

/// The text of a part, one paragraph a line. In OpenDocument a paragraph's own characters are text too.
fn text_of(xml: &str, role: fn(&str) -> Role) -> Result<String, Trouble> {
    let mut reader = Reader::from_str(xml);
    let (mut text, mut skipped, mut open) = (String::new(), 0_usize, Vec::new());
    let paragraphs_hold_text = role("h") == Role::Line;
    while text.len() < TEXT {
        match reader.read_event().map_err(|error| unparsable(&error))? {
            Event::Start(tag) => {
                let role = role(tag.local_name().as_ref());
                skipped += usize::from(role == Role::Skip);
                open.push(role);
            }
            Event::End(_) => match open.pop() {
                Some(Role::Skip) => skipped -= 1,
                Some(Role::Line | Role::Row) if skipped == 0 => text.push('\n'),
                Some(Role::Cell) if skipped == 0 => join_cell(&mut text),
                Some(Role::Tab) if skipped == 0 => text.push(' '),
                Some(Role::Break) if skipped == 0 => text.push('\n'),
                _ => {}
            },
            Event::Empty(tag) if skipped == 0 => match role(tag.local_name().as_ref()) {
                Role::Tab => text.push(' '),
                Role::Break | Role::Line => text.push('\n'),
                _ => {}
            },
            event if skipped == 0 => {
                let counts = |role: &Role| match role {
                    Role::Text => true,
                    Role::Line => paragraphs_hold_text,
                    _ => false,
                };
                if open.last().is_some_and(counts) {
                    push(&event, &mut text);
                }
                if matches!(event, Event::Eof) {
                    break;
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(text)
}

/// A cell's paragraph ended its line; in a table the row is the line.
fn join_cell(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        text.push_str(" | ");
    }
}

/// Characters and the entities among them.
fn push(event: &Event<'_>, text: &mut String) {
    match event {
        Event::Text(piece) => text.push_str(piece),
        Event::CData(piece) => text.push_str(piece),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(character)) => text.push(character),
            _ => text.push_str(match &**reference {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => "",
            }),
        },
        _ => {}
    }
}

fn shared_strings(xml: &str) -> Result<Vec<String>, Trouble> {
    let mut reader = Reader::from_str(xml);
    let (mut strings, mut one, mut in_text, mut in_sound) = (Vec::new(), String::new(), false, false);
    loop {
        match reader.read_event().map_err(|error| unparsable(&error))? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => in_text = !in_sound,
                "rPh" => in_sound = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "rPh" => in_sound = false,
                "si" => strings.push(std::mem::take(&mut one)),
                _ => {}
            },
            // One without text still has its number.
            Event::Empty(tag) if tag.local_name().as_ref() == "si" => strings.push(String::new()),
            Event::Eof => return Ok(strings),
            event if in_text => push(&event, &mut one),
            _ => {}
        }
    }
}

/// The rows of a sheet, a line each, their cells joined by ` | `; formulas are left out, their results are not.
fn rows(xml: &str, shared: &[String], text: &mut String) -> Result<(), Trouble> {
    let mut reader = Reader::from_str(xml);
    let (mut cells, mut value, mut is_shared, mut in_value) = (Vec::new(), String::new(), false, false);
    while text.len() < TEXT {
        match reader.read_event().map_err(|error| unparsable(&error))? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "c" => is_shared = has_shared_string(&tag),
                "v" | "t" => in_value = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "v" | "t" => in_value = false,
                "c" => {
                    let said = std::mem::take(&mut value);
                    let of_table = || said.trim().parse::<usize>().ok().and_then(|at| shared.get(at)).cloned();
                    cells.push(if is_shared {
                        of_table().unwrap_or_default()
                    } else {
                        said
                    });
                }
                "row" => {
                    let row = std::mem::take(&mut cells);
                    let row: Vec<&str> = row
                        .iter()
                        .map(|cell| cell.trim())
                        .filter(|cell| !cell.is_empty())
                        .collect();
                    text.push_str(&row.join(" | ").replace('\n', " "));
                    text.push('\n');
                }
                _ => {}
            },
            Event::Eof => break,
            event if in_value => push(&event, &mut value),
            _ => {}
        }
    }
    Ok(())
}

fn has_shared_string(cell: &BytesStart<'_>) -> bool {
    let kind = cell.try_get_attribute("t").ok().flatten();
    kind.is_some_and(|kind| kind.value.as_ref() == "s")
}

/// Title and author, as far as somebody stated them.
fn properties_of(xml: &str) -> BTreeMap<String, String> {
    let mut reader = Reader::from_str(xml);
    let (mut found, mut name, mut value) = (BTreeMap::new(), String::new(), String::new());
    // Damage here costs only what comes after it.
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) => {
                name = tag.local_name().as_ref().to_owned();
                value.clear();
            }
            Event::End(_) => {
                let said = value.trim();
                if matches!(&*name, "title" | "creator") && !said.is_empty() {
                    found.insert(std::mem::take(&mut name), said.chars().take(300).collect());
                }
                value.clear();
            }
            Event::Eof => break,
            event => push(&event, &mut value),
        }
    }
    found
}

fn unparsable(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Unparsable(format!("the office document is damaged: {error}"))
}
