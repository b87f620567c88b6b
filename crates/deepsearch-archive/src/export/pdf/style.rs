//! How a document looks: the sheet, the sizes and spaces of each kind of text, the colours. Lengths are points.

use super::blocks::Shape;

/// A4.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
pub(super) const SIDE: f32 = 64.0;
pub(super) const TOP: f32 = 62.0;
pub(super) const BOTTOM: f32 = HEIGHT - 72.0;
/// The baseline of what stands below every page.
pub(super) const FOOT: f32 = HEIGHT - 40.0;
pub(super) const COLUMN: f32 = WIDTH - 2.0 * SIDE;

/// How far a list is moved in, and how far a quotation.
pub(super) const INDENT: f32 = 18.0;
pub(super) const QUOTE: f32 = 12.0;
/// Around code, and around the text of a cell.
pub(super) const PAD: f32 = 7.0;
pub(super) const CELL_PAD: f32 = 5.0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Colour {
    #[default]
    Ink,
    Dim,
    Link,
    Line,
    Ground,
}

impl Colour {
    pub(super) fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Ink => (0x1c, 0x1b, 0x1a),
            Self::Dim => (0x5b, 0x58, 0x54),
            Self::Link => (0x0b, 0x5c, 0x8a),
            Self::Line => (0xd0, 0xcb, 0xc4),
            Self::Ground => (0xf4, 0xf2, 0xee),
        }
    }
}

/// What all text of one kind has in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    /// A line is this much higher than its size.
    pub(super) leading: f32,
    pub(super) before: f32,
    pub(super) strong: bool,
    pub(super) colour: Colour,
}

pub(super) fn style(shape: Shape, in_list: bool) -> Style {
    let style = |size, leading, before, strong, colour| Style {
        size,
        leading,
        before,
        strong,
        colour,
    };
    let (ink, dim) = (Colour::Ink, Colour::Dim);
    match shape {
        Shape::Title => style(21.0, 1.25, 0.0, true, ink),
        Shape::When => style(9.0, 1.4, 6.0, false, dim),
        Shape::Question => style(14.0, 1.35, 26.0, true, ink),
        Shape::Heading(..=2) => style(12.5, 1.35, 16.0, true, ink),
        Shape::Heading(_) => style(11.0, 1.4, 13.0, true, ink),
        Shape::Paragraph => style(10.5, 1.5, if in_list { 4.0 } else { 8.0 }, false, ink),
        Shape::Code => style(8.75, 1.45, 8.0, false, ink),
        Shape::Small => style(8.75, 1.45, if in_list { 2.0 } else { 10.0 }, false, dim),
        Shape::Source => style(9.5, 1.4, 8.0, false, ink),
        Shape::Quote => style(9.5, 1.45, 4.0, false, dim),
    }
}
