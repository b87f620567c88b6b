//! A picture of a page, drawn anew: decoded, made smaller, encoded. What was hidden in its bytes (metadata, a second format,
//! what a flaw of a decoder waits for) stays behind; the decoders are written in Rust and run in the confined child.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};

/// A side of what is kept, at most, in pixels.
const LARGEST_SIDE: u32 = 800;
/// A picture with a shorter side is an ornament.
const SMALLEST_SIDE: u32 = 100;
/// How many times as long as the other a side may be: beyond that it is a banner.
const LONGEST_SHAPE: u32 = 4;
/// Of what is decoded, so that a bomb costs nothing: a side in pixels, and bytes of memory.
const DECODED_SIDE: u32 = 12_000;
const DECODED_BYTES: u64 = 256 << 20;
const QUALITY: u8 = 82;

/// A picture as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Drawn {
    pub(crate) is_png: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
    base64: String,
}

impl Drawn {
    /// `None` when the child did not write Base64.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.base64).ok()
    }
}

/// # Errors
/// A sentence on what is wrong with it.
pub(super) fn draw(bytes: &[u8]) -> Result<Drawn, String> {
    const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
    let failed = |error: &dyn std::fmt::Display| format!("the picture cannot be read: {error}");
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| failed(&error))?;
    if !reader.format().is_some_and(|format| FORMATS.contains(&format)) {
        return Err("it is no picture of a kind that is shown".into());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(DECODED_SIDE);
    limits.max_image_height = Some(DECODED_SIDE);
    limits.max_alloc = Some(DECODED_BYTES);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| failed(&error))?;
    let (short, long) = (
        picture.width().min(picture.height()),
        picture.width().max(picture.height()),
    );
    if short < SMALLEST_SIDE || long > short * LONGEST_SHAPE {
        return Err(format!(
            "the picture is an ornament ({} × {} pixels)",
            picture.width(),
            picture.height()
        ));
    }
    let picture = if long > LARGEST_SIDE {
        picture.resize(LARGEST_SIDE, LARGEST_SIDE, FilterType::Triangle)
    } else {
        picture
    };
    encode(&picture).map_err(|error| failed(&error))
}

/// As PNG where something shows through it, else as JPEG.
fn encode(picture: &DynamicImage) -> image::ImageResult<Drawn> {
    let rgba = picture.to_rgba8();
    let is_png = rgba.pixels().any(|pixel| pixel.0[3] < 250);
    let mut bytes = Vec::new();
    if is_png {
        rgba.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    } else {
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture.to_rgb8())?;
    }
    Ok(Drawn {
        is_png,
        width: picture.width(),
        height: picture.height(),
        base64: BASE64_STANDARD.encode(bytes),
    })
}
