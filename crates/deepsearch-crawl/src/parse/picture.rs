//! A picture of a page, drawn anew: decoded, made smaller, encoded. What was hidden in its bytes (metadata, a second format,
//! what a flaw of a decoder waits for) stays behind; the decoders are written in Rust and run in the confined child.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
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
/// Tried in turn until the picture is no larger than it may be; the last is small enough for any.
const QUALITIES: [u8; 3] = [82, 60, 35];
/// Bytes that a picture is to have at most.
const LARGEST: usize = 300 << 10;

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
    let mut decoder = reader.into_decoder().map_err(|error| failed(&error))?;
    if decoder.total_bytes() > DECODED_BYTES {
        return Err("the picture takes more memory than it may".into());
    }
    // Which way up a camera was held is written beside the pixels, and what is beside them stays behind.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| failed(&error))?;
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
    let mut picture = if long > LARGEST_SIDE {
        picture.resize(LARGEST_SIDE, LARGEST_SIDE, FilterType::Triangle)
    } else {
        picture
    };
    picture.apply_orientation(orientation);
    encode(&picture).map_err(|error| failed(&error))
}

/// As PNG where something shows through it and that is not too large, else as JPEG on white.
fn encode(picture: &DynamicImage) -> image::ImageResult<Drawn> {
    let rgba = picture.to_rgba8();
    let shows_through = rgba.pixels().any(|pixel| pixel.0[3] < 250);
    let mut bytes = Vec::new();
    if shows_through {
        rgba.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    }
    let is_png = shows_through && bytes.len() <= LARGEST;
    if !is_png {
        let rgb = on_white(&rgba);
        for quality in QUALITIES {
            bytes.clear();
            JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&rgb)?;
            if bytes.len() <= LARGEST {
                break;
            }
        }
    }
    Ok(Drawn {
        is_png,
        width: picture.width(),
        height: picture.height(),
        base64: BASE64_STANDARD.encode(bytes),
    })
}

fn on_white(rgba: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0.map(u32::from);
        let over = |colour: u32| ((colour * alpha + 255 * (255 - alpha)) / 255) as u8;
        Rgb([over(red), over(green), over(blue)])
    })
}
