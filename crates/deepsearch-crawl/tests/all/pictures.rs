//! Pictures of pages: found where a page declares one, and kept as a copy that holds nothing but what they show.

use std::io::Cursor;

use deepsearch_core::{FetchError, Page, PageFetcher, PageId, Picture, PictureLink};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use crate::support::{Web, answer, crawler, html, options};

const PAGE: &str = r#"<html><head><title>A lighthouse</title>
    <meta property="og:image" content="/lighthouse.jpg"><meta property="og:image:alt" content="The lighthouse at dusk">
    </head><body><article><p>The lighthouse stands on a rock, and a long sentence about it follows here, so that it is a page.</p>
    <p>Another sentence says that its lamp was lit in the year 1871 by an engineer of that name.</p></article></body></html>"#;

fn drawn(width: u32, height: u32, alpha: u8, format: ImageFormat) -> Vec<u8> {
    let picture = RgbaImage::from_fn(width, height, |x, y| {
        Rgba([(x % 256) as u8, (y % 256) as u8, 90, alpha])
    });
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(picture);
    let picture = if format == ImageFormat::Jpeg {
        picture.to_rgb8().into()
    } else {
        picture
    };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// What the crawler makes of these bytes, named as this kind.
async fn copied(kind: &str, bytes: Vec<u8>) -> Result<Picture, FetchError> {
    let headers = format!("content-type: {kind}");
    let web = Web::start(move |_| answer("200 OK", &[&headers], &bytes)).await;
    let link = PictureLink {
        url: web.url("/picture"),
        alt: "what it shows".into(),
    };
    crawler(options()).copy_picture(&PageId::new(), &link).await
}

#[tokio::test]
async fn a_page_tells_of_the_picture_that_it_declares() {
    let web = Web::start(|_| html(PAGE)).await;
    let page: Page = crawler(options()).fetch(&web.url("/")).await.unwrap();
    let link = page.picture.unwrap();
    assert_eq!(link.url, web.url("/lighthouse.jpg"));
    assert_eq!(link.alt, "The lighthouse at dusk");
}

#[tokio::test]
async fn a_picture_is_drawn_anew_smaller_and_without_what_was_hidden_in_it() {
    let mut bytes = drawn(1600, 1000, 255, ImageFormat::Jpeg);
    // A comment segment after the start marker, as cameras write where they were.
    let hidden = b"\xff\xfe\x00\x0dlatitude 47";
    bytes.splice(2..2, hidden.iter().copied());
    let picture = copied("image/jpeg", bytes).await.unwrap();
    assert_eq!((picture.width, picture.height), (800, 500));
    assert_eq!(picture.media_type, "image/jpeg");
    assert!(!picture.bytes.windows(8).any(|window| window == b"latitude"));
    let again = image::load_from_memory(&picture.bytes).unwrap();
    assert_eq!((again.width(), again.height()), (800, 500));
}

#[tokio::test]
async fn every_kind_that_is_shown_can_be_read_and_what_shows_through_stays_so() {
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let picture = copied("image/whatever", drawn(300, 200, 255, format)).await.unwrap();
        assert_eq!(
            (picture.media_type.as_str(), picture.width),
            ("image/jpeg", 300),
            "{format:?}"
        );
    }
    let picture = copied("image/png", drawn(300, 200, 40, ImageFormat::Png))
        .await
        .unwrap();
    assert_eq!(picture.media_type, "image/png");
}

/// What a camera writes that was held upright: that the picture is to be turned by a quarter, clockwise.
const UPRIGHT: &[u8] = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

#[tokio::test]
async fn a_picture_stands_as_its_camera_was_held() {
    let lying = RgbaImage::from_fn(300, 200, |x, _| {
        let colour = if x < 100 { 255 } else { 0 };
        Rgba([colour, colour, colour, 255])
    });
    let mut bytes = Cursor::new(Vec::new());
    let lying = DynamicImage::from(DynamicImage::from(lying).to_rgb8());
    lying.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let mut bytes = bytes.into_inner();
    bytes.splice(2..2, UPRIGHT.iter().copied());
    let picture = copied("image/jpeg", bytes).await.unwrap();
    assert_eq!((picture.width, picture.height), (200, 300));
    let again = image::load_from_memory(&picture.bytes).unwrap().to_luma8();
    assert_eq!((again.width(), again.height()), (200, 300));
    let (above, below) = (again.get_pixel(100, 30).0[0], again.get_pixel(100, 250).0[0]);
    assert!(above > 200 && below < 50, "{above} above {below}");
}

#[tokio::test]
async fn a_picture_is_kept_in_few_bytes_whatever_is_on_it() {
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let picture = RgbaImage::from_fn(800, 800, |_, _| Rgba([noise(), noise(), noise(), noise() / 2]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    let bytes = bytes.into_inner();
    assert!(bytes.len() > 2 << 20);
    let kept = copied("image/png", bytes).await.unwrap();
    assert_eq!((kept.media_type.as_str(), kept.width), ("image/jpeg", 800));
    assert!(kept.bytes.len() <= 300 << 10, "{} bytes", kept.bytes.len());
    // Where nothing but a shade was, it is a shade on white.
    let light = image::load_from_memory(&kept.bytes).unwrap().to_luma8();
    let mean = light.pixels().map(|pixel| f64::from(pixel.0[0])).sum::<f64>() / f64::from(800 * 800);
    assert!(mean > 200.0, "{mean}");
}

/// A PNG whose head says that it is as large as a PNG can be, with next to nothing in it.
fn bomb() -> Vec<u8> {
    let mut bytes = drawn(200, 200, 255, ImageFormat::Png);
    bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let checked = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checked.to_be_bytes());
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[tokio::test]
async fn programs_bombs_ornaments_and_rubbish_are_no_pictures() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#.to_vec();
    let cut_off = drawn(300, 200, 255, ImageFormat::Png)[..400].to_vec();
    let refused: [(&str, Vec<u8>); 7] = [
        ("an SVG", svg),
        ("a bomb", bomb()),
        ("a pixel", drawn(1, 1, 255, ImageFormat::Png)),
        ("a banner", drawn(900, 110, 255, ImageFormat::Png)),
        ("a page", PAGE.as_bytes().to_vec()),
        ("half a picture", cut_off),
        ("nothing", Vec::new()),
    ];
    for (name, bytes) in refused {
        let outcome = copied("image/png", bytes).await;
        assert!(outcome.is_err(), "{name}: {outcome:?}");
    }
}
