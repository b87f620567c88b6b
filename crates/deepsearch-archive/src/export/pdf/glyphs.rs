//! Lines as glyphs with their text, so that what is drawn can be selected, searched and read aloud.

use std::collections::BTreeMap;
use std::ops::Range;

use krilla::text::{GlyphId, KrillaGlyph};
use parley::{FontData, Line, PositionedLayoutItem, Run};

use super::pages::Area;
use super::style::Colour;
use super::typeset::{Cell, Ink};

/// Glyphs of one font and one look, with the text they stand for.
pub(super) struct Inked {
    pub(super) font: FontData,
    /// The place of a variable font among its variations.
    pub(super) variations: Vec<([u8; 4], f32)>,
    pub(super) is_emboldened: bool,
    pub(super) slant: Option<f32>,
    pub(super) size: f32,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) colour: Colour,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
}

/// What lines consist of.
#[derive(Default)]
pub(super) struct Set {
    pub(super) fills: Vec<(Area, Colour)>,
    pub(super) texts: Vec<Inked>,
    pub(super) links: Vec<(Area, u32)>,
}

/// Sets lines of a cell, the first of them at `top`.
pub(super) fn set_lines(cell: &Cell, lines: Range<usize>, top: f32, set: &mut Set) {
    let first = cell.layout.get(lines.start);
    let offset = top - first.map_or(0.0, |line| line.metrics().block_min_coord);
    for line in lines.filter_map(|at| cell.layout.get(at)) {
        for (run, x) in runs(&line) {
            set_run(cell, &line, &run, x, offset, set);
        }
    }
}

/// The runs of a line, each with where it begins.
fn runs<'a>(line: &Line<'a, Ink>) -> Vec<(Run<'a, Ink>, f32)> {
    let mut runs = BTreeMap::new();
    for item in line.items() {
        if let PositionedLayoutItem::GlyphRun(glyphs) = item {
            let run = *glyphs.run();
            runs.entry(run.index()).or_insert((run, glyphs.offset()));
        }
    }
    runs.into_values().collect()
}

fn set_run(cell: &Cell, line: &Line<'_, Ink>, run: &Run<'_, Ink>, from: f32, offset: f32, set: &mut Set) {
    let size = run.font_size();
    let mut x = from;
    let mut glyphs: Vec<KrillaGlyph> = Vec::new();
    let mut began = x;
    let mut ink = None;
    for cluster in run.visual_clusters() {
        if cluster.is_hard_line_break() {
            continue;
        }
        if cluster.is_ligature_continuation() {
            // It has no glyph of its own: its text belongs to the glyph before.
            if let Some(glyph) = glyphs.last_mut() {
                let range = cluster.text_range();
                glyph.text_range.start = glyph.text_range.start.min(range.start);
                glyph.text_range.end = glyph.text_range.end.max(range.end);
            }
            continue;
        }
        let brush = cluster.style().brush;
        if ink.is_some_and(|ink| ink != brush) {
            finish(
                cell,
                line,
                run,
                ink.unwrap_or_default(),
                (began, x),
                offset,
                &mut glyphs,
                set,
            );
        }
        if glyphs.is_empty() {
            began = x;
        }
        ink = Some(brush);
        for glyph in cluster.glyphs() {
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(glyph.id),
                glyph.advance / size,
                glyph.x / size,
                glyph.y / size,
                0.0,
                cluster.text_range(),
                None,
            ));
            x += glyph.advance;
        }
    }
    finish(
        cell,
        line,
        run,
        ink.unwrap_or_default(),
        (began, x),
        offset,
        &mut glyphs,
        set,
    );
}

#[expect(clippy::too_many_arguments, reason = "they are the state of one loop")]
fn finish(
    cell: &Cell,
    line: &Line<'_, Ink>,
    run: &Run<'_, Ink>,
    ink: Ink,
    (from, to): (f32, f32),
    offset: f32,
    glyphs: &mut Vec<KrillaGlyph>,
    set: &mut Set,
) {
    let mut glyphs = std::mem::take(glyphs);
    let Some(start) = glyphs.iter().map(|glyph| glyph.text_range.start).min() else {
        return;
    };
    let end = glyphs.iter().map(|glyph| glyph.text_range.end).max().unwrap_or(start);
    for glyph in &mut glyphs {
        glyph.text_range = glyph.text_range.start - start..glyph.text_range.end - start;
    }
    let metrics = line.metrics();
    let baseline = metrics.baseline + offset;
    let size = run.font_size();
    let area = Area {
        left: cell.x + from,
        top: baseline - size * 0.95,
        right: cell.x + to,
        bottom: baseline + size * 0.3,
    };
    if ink.code {
        set.fills.push((area, Colour::Ground));
    }
    if ink.strike {
        let top = baseline - size * 0.3;
        set.fills.push((
            Area {
                top,
                bottom: top + size * 0.06,
                ..area
            },
            ink.colour,
        ));
    }
    if let Some(link) = ink.link {
        set.links.push((area, link));
    }
    let synthesis = run.synthesis();
    set.texts.push(Inked {
        font: run.font().clone(),
        variations: synthesis
            .variation_settings()
            .iter()
            .map(|(tag, value)| (tag.to_be_bytes(), *value))
            .collect(),
        is_emboldened: synthesis.embolden(),
        slant: synthesis.skew(),
        size,
        x: cell.x + from,
        y: baseline,
        colour: ink.colour,
        text: cell.text.get(start..end).unwrap_or_default().to_owned(),
        glyphs,
    });
}
