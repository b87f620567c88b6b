//! Pages as a PDF document: what is drawn, where links lead, the outline, the tags, and what the file says of itself.

use std::collections::HashMap;

use chrono::{Datelike, Timelike};
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::destination::{Destination, XyzDestination};
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag};
use krilla::text::{Font, Tag};

use super::PdfError;
use super::blocks::{Document, Goto, Shape};
use super::glyphs::{Inked, Set, set_lines};
use super::pages::{Area, Belonging, Pages, Part, Place, Sheet};
use super::style::{COLUMN, Colour, FOOT, HEIGHT, SIDE, WIDTH, style};
use super::tags::Tags;
use super::typeset::{Cell, RowShape, Setter};
use crate::chat::ArchivedChat;
use crate::export::one_line;

/// Room that the number of a page takes beside the title.
const NUMBER: f32 = 90.0;

pub(super) fn document(
    setter: &mut Setter,
    chat: &ArchivedChat,
    document: &Document,
    pages: Pages,
) -> Result<Vec<u8>, PdfError> {
    let mut pdf = krilla::Document::new();
    let mut fonts = Fonts::default();
    let mut tags = Tags::new(&pages.rows);
    let looks = style(Shape::Small, false);
    let title = setter.line(&one_line(&chat.chat.title), looks, COLUMN - NUMBER);
    let count = pages.sheets.len();
    for (at, sheet) in pages.sheets.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PdfError::Document("the page has no size".into()))?;
        let mut page = pdf.start_page_with(settings);
        let mut surface = page.surface();
        for part in &sheet.parts {
            draw_part(&mut surface, part, &mut fonts, &mut tags)?;
        }
        let mut number = setter.line(&format!("{} / {count}", at + 1), looks, NUMBER);
        number.x = SIDE + COLUMN - number.layout.width();
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        for cell in [&title, &number] {
            draw_foot(&mut surface, cell, &mut fonts)?;
        }
        surface.end_tagged();
        surface.finish();
        for link in links(sheet, document, &pages) {
            page.add_annotation(link);
        }
        page.finish();
    }
    pdf.set_outline(outline(&pages));
    pdf.set_tag_tree(tags.tree());
    pdf.set_metadata(metadata(chat));
    pdf.finish().map_err(|error| PdfError::Document(format!("{error:?}")))
}

fn metadata(chat: &ArchivedChat) -> Metadata {
    let when = chat.chat.updated_at;
    let number = |number: u32| u8::try_from(number).unwrap_or_default();
    let date = DateTime::new(u16::try_from(when.year()).unwrap_or_default())
        .month(number(when.month()))
        .day(number(when.day()))
        .hour(number(when.hour()))
        .minute(number(when.minute()))
        .second(number(when.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(one_line(&chat.chat.title))
        .creator("DeepSearch".into())
        .document_id(chat.chat.id.as_str().to_owned())
        .creation_date(date)
}

/// The questions, to go to.
fn outline(pages: &Pages) -> Outline {
    let mut outline = Outline::new();
    for row in &pages.rows {
        if let RowShape::Text {
            shape: Shape::Question, ..
        } = row.shape
        {
            let text: String = one_line(&row.text).chars().take(120).collect();
            outline.push_child(OutlineNode::new(text, destination(row.place)));
        }
    }
    outline
}

fn destination(place: Place) -> XyzDestination {
    XyzDestination::new(place.sheet, Point::from_xy(SIDE, (place.y - 8.0).max(0.0)))
}

fn links(sheet: &Sheet, document: &Document, pages: &Pages) -> Vec<Annotation> {
    let links = sheet.links.iter().filter_map(|(area, number)| {
        let target = match document.links.get(usize::try_from(*number).ok()?)? {
            Goto::Web(url) => Target::Action(Action::Link(LinkAction::new(url.clone()))),
            Goto::Source(entry) => Target::Destination(Destination::Xyz(destination(*pages.entries.get(entry)?))),
        };
        Some(Annotation::new_link(LinkAnnotation::new(rect(*area)?, target), None))
    });
    links.collect()
}

fn draw_part(surface: &mut Surface<'_>, part: &Part, fonts: &mut Fonts, tags: &mut Tags<'_>) -> Result<(), PdfError> {
    if part.texts.is_empty() && part.fills.is_empty() {
        return Ok(());
    }
    match part.of {
        Belonging::Decoration => {
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        }
        Belonging::Cell { row, cell } => {
            let identifier = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            tags.add(row, cell, identifier);
        }
    }
    for (area, colour) in &part.fills {
        let mut path = PathBuilder::new();
        if let Some(rect) = rect(*area) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            surface.set_fill(Some(fill(*colour)));
            surface.draw_path(&path);
        }
    }
    for text in &part.texts {
        draw_text(surface, text, fonts)?;
    }
    surface.end_tagged();
    Ok(())
}

fn draw_foot(surface: &mut Surface<'_>, cell: &Cell, fonts: &mut Fonts) -> Result<(), PdfError> {
    let mut set = Set::default();
    set_lines(cell, 0..1, FOOT - 10.0, &mut set);
    set.texts.iter().try_for_each(|text| draw_text(surface, text, fonts))
}

fn draw_text(surface: &mut Surface<'_>, text: &Inked, fonts: &mut Fonts) -> Result<(), PdfError> {
    let font = fonts.font(text)?;
    surface.set_fill(Some(fill(text.colour)));
    // What the system has no bold or slanted font for is made so.
    if text.is_emboldened {
        surface.set_stroke(Some(Stroke {
            paint: colour(text.colour).into(),
            width: text.size / 36.0,
            ..Stroke::default()
        }));
    }
    let slant = text.slant.map(|degrees| -degrees.to_radians().tan());
    if let Some(slant) = slant {
        // Around the baseline, so that the text stays where it is.
        surface.push_transform(&Transform::from_row(1.0, 0.0, slant, 1.0, -slant * text.y, 0.0));
    }
    surface.draw_glyphs(
        Point::from_xy(text.x, text.y),
        &text.glyphs,
        font,
        &text.text,
        text.size,
        false,
    );
    if slant.is_some() {
        surface.pop();
    }
    surface.set_stroke(None);
    Ok(())
}

fn rect(area: Area) -> Option<Rect> {
    Rect::from_ltrb(area.left, area.top, area.right, area.bottom)
}

fn colour(colour: Colour) -> rgb::Color {
    let (red, green, blue) = colour.rgb();
    rgb::Color::new(red, green, blue)
}

fn fill(of: Colour) -> Fill {
    Fill {
        paint: colour(of).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}

/// Fonts as the document knows them: by their data, their place in it, and the place among their variations.
#[derive(Default)]
struct Fonts(HashMap<FontKey, Font>);

type FontKey = (u64, u32, Vec<([u8; 4], u32)>);

impl Fonts {
    fn font(&mut self, text: &Inked) -> Result<Font, PdfError> {
        let bits = text.variations.iter().map(|(tag, value)| (*tag, value.to_bits()));
        let (data, id) = text.font.data.clone().into_raw_parts();
        let key = (id, text.font.index, bits.collect());
        if let Some(font) = self.0.get(&key) {
            return Ok(font.clone());
        }
        let variations: Vec<(Tag, f32)> = text
            .variations
            .iter()
            .map(|(tag, value)| (Tag::new(tag), *value))
            .collect();
        let font = Font::new_variable(data.into(), text.font.index, &variations).ok_or(PdfError::Font)?;
        self.0.insert(key, font.clone());
        Ok(font)
    }
}
