//! Blocks set into lines, with the fonts of this system: shaped, broken, aligned to the side that their script begins at.

use std::borrow::Cow;

use parley::style::{
    FontFamily, FontFamilyName, FontStyle, FontWeight, GenericFamily, LineHeight, OverflowWrap, StyleProperty,
};
use parley::{Alignment as Side, AlignmentOptions, BaseDirection, FontContext, Layout, LayoutContext};

use super::blocks::{Alignment, Block, Entry, Rich, Shape, Table, TextBlock};
use super::style::{CELL_PAD, COLUMN, Colour, INDENT, PAD, QUOTE, SIDE, Style, style};

/// What parts of a line differ in, beside their font.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ink {
    pub(super) colour: Colour,
    pub(super) code: bool,
    pub(super) strike: bool,
    pub(super) link: Option<u32>,
}

/// What stands side by side, and is broken over pages together.
pub(super) struct Row {
    pub(super) shape: RowShape,
    pub(super) cells: Vec<Cell>,
    pub(super) before: f32,
    /// Room above and below the text.
    pub(super) pad: f32,
    /// Stays on the page of what follows.
    pub(super) leads: bool,
    /// Bars of quotations: how far from the side.
    pub(super) bars: Vec<f32>,
    pub(super) entry: Option<Entry>,
}

/// What a row is to who has it read aloud, and what is drawn behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowShape {
    Text { shape: Shape, is_item: bool },
    Table { is_head: bool, is_last: bool },
    Rule,
}

pub(super) struct Cell {
    pub(super) x: f32,
    pub(super) text: String,
    pub(super) layout: Layout<Ink>,
}

/// Sets text. Made once for many documents: it knows the fonts.
pub(super) struct Setter {
    fonts: FontContext,
    layouts: LayoutContext<Ink>,
}

/// What is asked for first; whatever a script needs beyond comes from the system's own fallback.
static SANS: [FontFamilyName<'static>; 7] = [
    FontFamilyName::named("Inter"),
    FontFamilyName::named("Segoe UI"),
    FontFamilyName::named("Helvetica Neue"),
    FontFamilyName::named("Noto Sans"),
    FontFamilyName::named("Liberation Sans"),
    FontFamilyName::Generic(GenericFamily::SansSerif),
    FontFamilyName::Generic(GenericFamily::Emoji),
];
static MONO: [FontFamilyName<'static>; 3] = [
    FontFamilyName::Generic(GenericFamily::Monospace),
    FontFamilyName::Generic(GenericFamily::SansSerif),
    FontFamilyName::Generic(GenericFamily::Emoji),
];
/// More columns than this cannot be read on a page.
const COLUMNS: usize = 24;

impl Setter {
    pub(super) fn new() -> Self {
        Self {
            fonts: FontContext::new(),
            layouts: LayoutContext::new(),
        }
    }

    pub(super) fn has_fonts(&mut self) -> bool {
        self.fonts.collection.family_names().next().is_some()
    }

    pub(super) fn rows(&mut self, block: &Block) -> Vec<Row> {
        match block {
            Block::Text(block) => vec![self.text(block)],
            Block::Table(table) => self.table(table),
            Block::Rule => vec![Row {
                shape: RowShape::Rule,
                cells: Vec::new(),
                before: 10.0,
                pad: 0.5,
                leads: false,
                bars: Vec::new(),
                entry: None,
            }],
        }
    }

    /// A line of its own, cut where it is longer than it may be.
    pub(super) fn line(&mut self, text: &str, looks: Style, width: f32) -> Cell {
        let mut shown: String = text.chars().take(160).collect();
        loop {
            let mut layout = self.layout(&Rich::plain(&shown), looks, false);
            layout.break_all_lines(None);
            if layout.width() <= width || shown.chars().count() < 8 {
                layout.align(Side::Start, AlignmentOptions::default());
                return Cell {
                    x: SIDE,
                    text: shown,
                    layout,
                };
            }
            let kept = shown.trim_end_matches('…').chars().count() * 9 / 10;
            shown = shown.chars().take(kept).collect::<String>().trim_end().to_owned() + "…";
        }
    }

    fn text(&mut self, block: &TextBlock) -> Row {
        let looks = style(block.shape, block.indent > 0);
        let is_code = block.shape == Shape::Code;
        let pad = if is_code { PAD } else { 0.0 };
        let quoted = f32::from(block.quotes) * QUOTE;
        let inset = f32::from(block.indent) * INDENT + quoted;
        let width = COLUMN - inset - 2.0 * pad;
        let mut layout = self.layout(&block.text, looks, is_code);
        layout.break_all_lines(Some(width));
        layout.align(Side::Start, AlignmentOptions::default());
        let is_rtl = layout.is_rtl() && !is_code;
        let mut cells = Vec::new();
        if let Some(marker) = &block.marker {
            let mut layout = self.layout(&Rich::plain(marker), Style { strong: false, ..looks }, false);
            layout.break_all_lines(None);
            layout.align(Side::Left, AlignmentOptions::default());
            let x = match is_rtl {
                true => SIDE + COLUMN - inset + 4.0,
                // Numbers end where the text begins, dots stand in the middle of the room before it.
                false => SIDE + inset - quoted - layout.width() - 5.0,
            };
            cells.push(Cell {
                x,
                text: marker.clone(),
                layout,
            });
        }
        let x = if is_rtl { SIDE } else { SIDE + inset + pad };
        cells.push(Cell {
            x,
            text: block.text.text.clone(),
            layout,
        });
        let bars = (0..block.quotes).map(|at| {
            let from = inset - quoted + f32::from(at) * QUOTE;
            if is_rtl { SIDE + COLUMN - from } else { SIDE + from }
        });
        Row {
            shape: RowShape::Text {
                shape: block.shape,
                is_item: block.marker.is_some(),
            },
            cells,
            before: looks.before,
            pad,
            leads: matches!(
                block.shape,
                Shape::Title | Shape::When | Shape::Question | Shape::Heading(_)
            ),
            bars: bars.collect(),
            entry: block.entry,
        }
    }

    fn table(&mut self, table: &Table) -> Vec<Row> {
        let columns = table.rows.iter().map(Vec::len).max().unwrap_or_default().min(COLUMNS);
        let inset = f32::from(table.indent) * INDENT;
        let body = Style {
            size: 9.5,
            leading: 1.4,
            ..style(Shape::Paragraph, false)
        };
        let mut laid: Vec<Vec<(Layout<Ink>, String)>> = Vec::new();
        let (mut least, mut most) = (vec![0.0_f32; columns], vec![0.0_f32; columns]);
        for (at, row) in table.rows.iter().enumerate() {
            let looks = Style {
                strong: at == 0,
                ..body
            };
            let mut cells = Vec::new();
            for (column, cell) in row.iter().take(columns).enumerate() {
                let layout = self.layout(cell, looks, false);
                let widths = layout.calculate_content_widths();
                least[column] = least[column].max(widths.min + 2.0 * CELL_PAD);
                most[column] = most[column].max(widths.max + 2.0 * CELL_PAD + 0.5);
                cells.push((layout, cell.text.clone()));
            }
            laid.push(cells);
        }
        let widths = column_widths(&least, &most, COLUMN - inset);
        let is_rtl = laid.iter().flatten().next().is_some_and(|(layout, _)| layout.is_rtl());
        let count = laid.len();
        let rows = laid.into_iter().enumerate().map(|(at, cells)| {
            let mut from = inset;
            let cells = cells.into_iter().enumerate().map(|(column, (mut layout, text))| {
                let (x, width) = (from + CELL_PAD, widths[column] - 2.0 * CELL_PAD);
                from += widths[column];
                layout.break_all_lines(Some(width));
                let side = match table.sides.get(column) {
                    Some(Alignment::Right) => Side::Right,
                    Some(Alignment::Center) => Side::Center,
                    _ => Side::Start,
                };
                layout.align(side, AlignmentOptions::default());
                let x = if is_rtl { COLUMN - x - width } else { x };
                Cell {
                    x: SIDE + x,
                    text,
                    layout,
                }
            });
            Row {
                shape: RowShape::Table {
                    is_head: at == 0,
                    is_last: at + 1 == count,
                },
                cells: cells.collect(),
                before: if at == 0 { 10.0 } else { 0.0 },
                pad: CELL_PAD,
                leads: at == 0,
                bars: Vec::new(),
                entry: None,
            }
        });
        rows.collect()
    }

    fn layout(&mut self, rich: &Rich, looks: Style, is_code: bool) -> Layout<Ink> {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, &rich.text, 1.0, false);
        let sans = || StyleProperty::FontFamily(FontFamily::List(Cow::Borrowed(&SANS)));
        let mono = || StyleProperty::FontFamily(FontFamily::List(Cow::Borrowed(&MONO)));
        let bold = FontWeight::new(650.0);
        let ink = Ink {
            colour: looks.colour,
            ..Ink::default()
        };
        builder.push_default(if is_code { mono() } else { sans() });
        builder.push_default(StyleProperty::FontSize(looks.size));
        builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(looks.leading)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::BreakWord));
        builder.push_default(StyleProperty::Brush(ink));
        if looks.strong {
            builder.push_default(StyleProperty::FontWeight(bold));
        }
        if is_code {
            builder.set_base_direction(BaseDirection::Ltr);
        }
        for (range, look) in &rich.spans {
            if look.strong {
                builder.push(StyleProperty::FontWeight(bold), range.clone());
            }
            if look.emphasis {
                builder.push(StyleProperty::FontStyle(FontStyle::Italic), range.clone());
            }
            if look.code && !is_code {
                builder.push(mono(), range.clone());
                builder.push(StyleProperty::FontSize(looks.size * 0.9), range.clone());
            }
            let ink = Ink {
                colour: if look.link.is_some() {
                    Colour::Link
                } else {
                    looks.colour
                },
                code: look.code && !is_code,
                strike: look.strike,
                link: look.link,
            };
            builder.push(StyleProperty::Brush(ink), range.clone());
        }
        builder.build(&rich.text)
    }
}

/// Each column as wide as it would be, or where that is too much, as narrow as it can be and a share of what is left.
fn column_widths(least: &[f32], most: &[f32], room: f32) -> Vec<f32> {
    let (narrow, wide): (f32, f32) = (least.iter().sum(), most.iter().sum());
    if wide <= room {
        return most.to_vec();
    }
    if narrow >= room {
        return least.iter().map(|width| width * room / narrow).collect();
    }
    let share = (room - narrow) / (wide - narrow);
    let widths = least.iter().zip(most);
    widths.map(|(least, most)| least + (most - least) * share).collect()
}
