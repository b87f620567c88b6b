//! Rows placed on pages: broken where two lines stay together on either side, headings kept with what they head, the head
//! of a table repeated.

use std::collections::HashMap;

use super::blocks::{Entry, Shape};
use super::glyphs::{Inked, Set, set_lines};
use super::style::{BOTTOM, COLUMN, Colour, SIDE, TOP};
use super::typeset::{Cell, Row, RowShape};

/// A page: what is drawn in order, and where links are.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) parts: Vec<Part>,
    pub(super) links: Vec<(Area, u32)>,
}

/// Something drawn that belongs to one cell of one row.
pub(super) struct Part {
    pub(super) of: Belonging,
    pub(super) fills: Vec<(Area, Colour)>,
    pub(super) texts: Vec<Inked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belonging {
    /// Mere looks.
    Decoration,
    /// The row by its number, and the cell of it.
    Cell { row: usize, cell: usize },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

/// Where something begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) sheet: usize,
    pub(super) y: f32,
}

/// What was placed, for the outline and for who has it read aloud.
pub(super) struct Placed {
    pub(super) shape: RowShape,
    pub(super) cells: usize,
    pub(super) text: String,
    pub(super) place: Place,
}

pub(super) struct Pages {
    pub(super) sheets: Vec<Sheet>,
    pub(super) rows: Vec<Placed>,
    pub(super) entries: HashMap<Entry, Place>,
    y: f32,
    /// Where the first row of this page stands.
    fresh: f32,
    /// The head of the table that goes on.
    head: Option<Row>,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            sheets: vec![Sheet::default()],
            rows: Vec::new(),
            entries: HashMap::new(),
            y: TOP,
            fresh: TOP,
            head: None,
        }
    }

    /// Places a row. `needed` is how much of what follows should stand on the same page.
    pub(super) fn place(&mut self, row: Row, needed: f32) {
        let is_table = matches!(row.shape, RowShape::Table { .. });
        if !is_table {
            self.head = None;
        }
        let whole = row.height();
        let starts = row.starts();
        let wants = if row.leads {
            row.before + whole + needed
        } else if is_table || row.lines() <= 3 {
            row.before + whole
        } else {
            row.before + starts
        };
        let fits_some_page = wants - row.before <= BOTTOM - TOP;
        if self.y > self.fresh && fits_some_page && self.y + wants > BOTTOM {
            self.turn();
        }
        if self.y > self.fresh {
            self.y += row.before;
        }
        let number = self.rows.len();
        let place = Place {
            sheet: self.sheets.len() - 1,
            y: self.y,
        };
        if let Some(entry) = row.entry {
            self.entries.entry(entry).or_insert(place);
        }
        self.rows.push(Placed {
            shape: row.shape,
            cells: row.cells.len(),
            text: row.cells.last().map(|cell| cell.text.clone()).unwrap_or_default(),
            place,
        });
        self.pour(&row, Some(number));
        if let RowShape::Table { is_head: true, .. } = row.shape {
            self.head = Some(row);
        }
    }

    fn turn(&mut self) {
        self.sheets.push(Sheet::default());
        (self.y, self.fresh) = (TOP, TOP);
        if let Some(head) = self.head.take() {
            // One that is as high as a page would leave no room for what it heads.
            if head.height() < (BOTTOM - TOP) / 3.0 {
                self.pour(&head, None);
                self.head = Some(head);
            }
        }
        self.fresh = self.y;
    }

    /// Draws the lines of a row, over as many pages as they need. Repeated ones are decoration.
    fn pour(&mut self, row: &Row, number: Option<usize>) {
        let mut next = vec![0; row.cells.len()];
        loop {
            let room = BOTTOM - self.y - 2.0 * row.pad;
            let mut ends: Vec<usize> = row
                .cells
                .iter()
                .zip(&next)
                .map(|(cell, &next)| cell.fitting(next, room))
                .collect();
            let is_whole = row.cells.iter().zip(&ends).all(|(cell, &end)| end == cell.layout.len());
            if !is_whole {
                // No line is left alone on the next page, and none is lost where a page is too small for it.
                for ((cell, &next), end) in row.cells.iter().zip(&next).zip(&mut ends) {
                    if cell.layout.len() == *end + 1 && *end >= next + 3 {
                        *end -= 1;
                    }
                }
                if ends == next {
                    if self.y > self.fresh {
                        self.turn();
                        continue;
                    }
                    for (cell, end) in row.cells.iter().zip(&mut ends) {
                        *end = (*end + 1).min(cell.layout.len());
                    }
                }
            }
            self.draw(row, number, &next, &ends);
            next = ends;
            if row
                .cells
                .iter()
                .zip(&next)
                .all(|(cell, &next)| next == cell.layout.len())
            {
                return;
            }
            self.turn();
        }
    }

    fn draw(&mut self, row: &Row, number: Option<usize>, from: &[usize], to: &[usize]) {
        let heights = row.cells.iter().zip(from).zip(to);
        let height = heights.fold(0.0_f32, |height, ((cell, &from), &to)| height.max(cell.span(from, to)));
        let (top, bottom) = (self.y, self.y + height + 2.0 * row.pad);
        let Some(sheet) = self.sheets.last_mut() else { return };
        let fills = behind(row, top, bottom);
        if !fills.is_empty() {
            sheet.parts.push(Part {
                of: Belonging::Decoration,
                fills,
                texts: Vec::new(),
            });
        }
        for (at, cell) in row.cells.iter().enumerate() {
            let mut set = Set::default();
            set_lines(cell, from[at]..to[at], top + row.pad, &mut set);
            sheet.links.extend(set.links);
            sheet.parts.push(Part {
                of: match number {
                    Some(row) => Belonging::Cell { row, cell: at },
                    None => Belonging::Decoration,
                },
                fills: set.fills,
                texts: set.texts,
            });
        }
        self.y = bottom;
    }
}

/// What stands behind the text of a row.
fn behind(row: &Row, top: f32, bottom: f32) -> Vec<(Area, Colour)> {
    let area = |left, top, right, bottom| Area {
        left,
        top,
        right,
        bottom,
    };
    let (left, right) = (SIDE, SIDE + COLUMN);
    let mut fills = Vec::new();
    match row.shape {
        RowShape::Text { shape: Shape::Code, .. } => {
            let left = row.cells.last().map_or(left, |cell| cell.x - row.pad);
            fills.push((area(left, top, right, bottom), Colour::Ground));
        }
        RowShape::Table { is_head, .. } => {
            if is_head {
                fills.push((area(left, top, right, bottom), Colour::Ground));
            }
            fills.push((area(left, bottom - 0.5, right, bottom), Colour::Line));
        }
        RowShape::Rule => fills.push((area(left, top, right, top + 0.75), Colour::Line)),
        RowShape::Text { .. } => {}
    }
    for &bar in &row.bars {
        fills.push((area(bar, top, bar + 2.0, bottom), Colour::Line));
    }
    fills
}

impl Row {
    fn lines(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| cell.layout.len())
            .max()
            .unwrap_or_default()
    }

    pub(super) fn height(&self) -> f32 {
        let heights = self.cells.iter().map(|cell| cell.span(0, cell.layout.len()));
        heights.fold(0.0, f32::max) + 2.0 * self.pad
    }

    /// How much of it may stand at the end of a page: two lines.
    pub(super) fn starts(&self) -> f32 {
        let heights = self.cells.iter().map(|cell| cell.span(0, cell.layout.len().min(2)));
        heights.fold(0.0, f32::max) + 2.0 * self.pad
    }
}

impl Cell {
    fn top(&self, line: usize) -> f32 {
        self.layout.get(line).map_or(0.0, |line| line.metrics().block_min_coord)
    }

    /// How high the lines of a range are.
    fn span(&self, from: usize, to: usize) -> f32 {
        match to.checked_sub(1).and_then(|last| self.layout.get(last)) {
            Some(last) if to > from => last.metrics().block_max_coord - self.top(from),
            _ => 0.0,
        }
    }

    /// Up to which line there is room.
    fn fitting(&self, from: usize, room: f32) -> usize {
        let mut to = from;
        while to < self.layout.len() && self.span(from, to + 1) <= room {
            to += 1;
        }
        to
    }
}
