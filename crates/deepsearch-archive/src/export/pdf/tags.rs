//! The structure of a document for who has it read aloud: headings, paragraphs, lists, tables.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};

use super::blocks::Shape;
use super::pages::Placed;
use super::typeset::RowShape;

/// What was drawn for each cell of each row.
pub(super) struct Tags<'a> {
    rows: &'a [Placed],
    drawn: Vec<Vec<Vec<Identifier>>>,
}

impl<'a> Tags<'a> {
    pub(super) fn new(rows: &'a [Placed]) -> Self {
        let drawn = rows.iter().map(|row| vec![Vec::new(); row.cells]).collect();
        Self { rows, drawn }
    }

    pub(super) fn add(&mut self, row: usize, cell: usize, identifier: Identifier) {
        if let Some(cell) = self.drawn.get_mut(row).and_then(|row| row.get_mut(cell)) {
            cell.push(identifier);
        }
    }

    /// Items that follow each other are one list, rows one table.
    pub(super) fn tree(self) -> TagTree {
        let mut tree: Vec<Node> = Vec::new();
        let mut open: Option<(bool, TagGroup)> = None;
        for (row, cells) in self.rows.iter().zip(self.drawn) {
            let is_table = match row.shape {
                RowShape::Rule => continue,
                RowShape::Table { .. } => Some(true),
                RowShape::Text { is_item, .. } => is_item.then_some(false),
            };
            let goes_on = open.as_ref().is_some_and(|(table, _)| Some(*table) == is_table) && !begins(row.shape);
            if !goes_on {
                tree.extend(open.take().map(|(_, group)| Node::Group(group)));
            }
            let Some(is_table) = is_table else {
                let RowShape::Text { shape, .. } = row.shape else {
                    continue;
                };
                tree.push(group(kind(shape), cells.into_iter().flatten()).into());
                continue;
            };
            let (_, list) = open.get_or_insert_with(|| {
                let kind: TagKind = match is_table {
                    true => Tag::Table.into(),
                    false => Tag::L(ListNumbering::None).into(),
                };
                (is_table, TagGroup::new(kind))
            });
            list.push(match row.shape {
                RowShape::Table { is_head, .. } => table_row(is_head, cells),
                _ => item(cells),
            });
        }
        tree.extend(open.map(|(_, group)| Node::Group(group)));
        TagTree::from(tree)
    }
}

fn begins(shape: RowShape) -> bool {
    matches!(shape, RowShape::Table { is_head: true, .. })
}

fn kind(shape: Shape) -> TagKind {
    let heading = |level: u16| Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), None).into();
    match shape {
        Shape::Title => heading(1),
        Shape::Question => heading(2),
        Shape::Heading(level) => heading(u16::from(level.clamp(1, 4)) + 2),
        Shape::Quote => Tag::BlockQuote.into(),
        _ => Tag::P.into(),
    }
}

fn group(kind: impl Into<TagKind>, drawn: impl IntoIterator<Item = Identifier>) -> TagGroup {
    TagGroup::with_children(kind, drawn.into_iter().map(Node::Leaf).collect())
}

fn item(cells: Vec<Vec<Identifier>>) -> TagGroup {
    let mut cells = cells.into_iter();
    let marker = group(Tag::Lbl, cells.next().unwrap_or_default());
    let body = group(Tag::LBody, cells.flatten());
    TagGroup::with_children(Tag::LI, vec![marker.into(), body.into()])
}

fn table_row(is_head: bool, cells: Vec<Vec<Identifier>>) -> TagGroup {
    let cells = cells.into_iter().map(|cell| {
        Node::Group(match is_head {
            true => group(Tag::TH(TableHeaderScope::Column), cell),
            false => group(Tag::TD, cell),
        })
    });
    TagGroup::with_children(Tag::TR, cells.collect())
}
