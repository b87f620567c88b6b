//! Packing: how a page's text and the places of its sentences become bytes, and back.

use std::io::{Error, ErrorKind, Read};

use deepsearch_core::Span;
use deepsearch_core::text::sentences;

/// Fast, and within a few per cent of the slower levels on prose.
const LEVEL: i32 = 3;
/// More than the crawler lets in; a damaged or forged row must not fill the memory.
const UNPACKED_LIMIT: u64 = 64 << 20;

pub(crate) fn compress(text: &str) -> std::io::Result<Vec<u8>> {
    zstd::bulk::compress(text.as_bytes(), LEVEL)
}

pub(crate) fn decompress(packed: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    let read = zstd::stream::read::Decoder::new(packed)?
        .take(UNPACKED_LIMIT + 1)
        .read_to_string(&mut text)?;
    if read as u64 > UNPACKED_LIMIT {
        return Err(Error::new(ErrorKind::InvalidData, "it is larger than any page we save"));
    }
    Ok(text)
}

/// Sentences as pairs of numbers, gap and length, in seven bits a byte: two or three bytes a sentence.
pub(crate) fn pack_sentences(spans: &[Span]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(spans.len() * 3);
    let mut last_end = 0;
    for span in spans {
        // Spans are in order and do not overlap; from ones that are not, reading recomputes them all.
        push_number(&mut packed, span.start.wrapping_sub(last_end));
        push_number(&mut packed, span.end.wrapping_sub(span.start));
        last_end = span.end;
    }
    packed
}

/// The sentences of `text`, recomputed where the packed ones are damaged or do not fit it.
pub(crate) fn unpack_sentences(packed: &[u8], text: &str) -> Vec<Span> {
    read_sentences(packed, text).unwrap_or_else(|| sentences(text))
}

fn read_sentences(mut packed: &[u8], text: &str) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    let mut last_end = 0_u32;
    while !packed.is_empty() {
        let start = last_end.checked_add(pop_number(&mut packed)?)?;
        let end = start.checked_add(pop_number(&mut packed)?)?;
        let span = Span { start, end };
        text.get(span.range())?;
        spans.push(span);
        last_end = end;
    }
    Some(spans)
}

fn push_number(packed: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        packed.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

fn pop_number(packed: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..32).step_by(7) {
        let (byte, rest) = packed.split_first()?;
        *packed = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sentences_come_back_as_they_were(text in "(\\PC{0,40}[.!?\n] ?){0,30}") {
            let spans = sentences(&text);
            prop_assert_eq!(unpack_sentences(&pack_sentences(&spans), &text), spans);
        }

        #[test]
        fn damaged_sentences_are_recomputed_or_fit_the_text(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            text in "\\PC{0,200}",
        ) {
            for span in unpack_sentences(&bytes, &text) {
                prop_assert!(text.get(span.range()).is_some());
            }
        }

        #[test]
        fn text_comes_back_as_it_was(text in "\\PC*") {
            prop_assert_eq!(decompress(&compress(&text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn a_row_that_unpacks_to_more_than_any_page_is_refused() {
        let bomb = zstd::bulk::compress(&vec![b'a'; (UNPACKED_LIMIT + 1) as usize], LEVEL).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(decompress(&bomb).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
