//! Decompresses a body piece by piece, and stops a bomb before it fills the memory.
//!
//! The HTTP client could decompress by itself, but it counts neither side: here every piece of the wire buys a bounded
//! number of decompressed bytes.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use thiserror::Error;

/// The encodings we tell servers we understand.
pub const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// Decompressed bytes that any body may reach whatever its ratio: repetitive small pages are no bombs.
const ALWAYS_ALLOWED: usize = 1 << 20;
/// Window of a zstd stream, as a power of two: 8 MB, the most that the web may use (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;
const BROTLI_BUFFER: usize = 16 << 10;

/// Why a body is not decompressed.
#[derive(Debug, Error)]
pub enum DecodeError {
    #[error("it is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("its compression `{0}` is unknown")]
    Unknown(String),
    #[error("its compression is damaged")]
    Damaged(#[source] io::Error),
}

/// A body on its way in.
pub struct Body {
    decoder: Decoder,
    wire: usize,
    limits: BodyLimits,
}

/// How large a body may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// As it comes over the wire.
    pub wire: usize,
    /// Once decompressed.
    pub decoded: usize,
    /// Decompressed bytes for each byte of the wire (past the first MiB, which any small body may reach).
    pub ratio: usize,
}

enum Decoder {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zlib(Box<ZlibDecoder<Sink>>),
    Deflate(Box<DeflateDecoder<Sink>>),
    /// `deflate` means zlib, but some servers send it bare: the first byte tells.
    Unsure(Sink),
    Brotli(Box<brotli::DecompressorWriter<Sink>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Sink>>),
}

impl Body {
    /// # Errors
    /// [`DecodeError::Unknown`].
    pub fn new(content_encoding: &str, limits: BodyLimits) -> Result<Self, DecodeError> {
        let sink = Sink::default();
        let decoder = match content_encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Decoder::Plain(sink),
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
            "deflate" => Decoder::Unsure(sink),
            "br" => Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(sink, BROTLI_BUFFER))),
            "zstd" => Decoder::Zstd(Box::new(zstd_decoder(sink).map_err(DecodeError::Damaged)?)),
            unknown => return Err(DecodeError::Unknown(unknown.chars().take(60).collect())),
        };
        Ok(Self {
            decoder,
            wire: 0,
            limits,
        })
    }

    /// Takes the next piece of the wire.
    ///
    /// # Errors
    /// [`DecodeError`] when it is too large or damaged.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        self.wire += piece.len();
        if self.wire > self.limits.wire {
            return Err(DecodeError::TooLarge {
                limit: self.limits.wire,
            });
        }
        let allowed = self
            .wire
            .saturating_mul(self.limits.ratio)
            .max(ALWAYS_ALLOWED)
            .min(self.limits.decoded);
        self.decoder.begin(piece);
        self.decoder.sink().allowed = allowed;
        let written = self.decoder.write(piece);
        self.verdict(written)
    }

    /// The whole body. A compressed one that stops early is kept as far as it came, as browsers do.
    ///
    /// # Errors
    /// [`DecodeError`] when it is too large or damaged.
    pub fn finish(mut self) -> Result<Vec<u8>, DecodeError> {
        let flushed = self.decoder.flush();
        self.verdict(flushed)?;
        Ok(std::mem::take(&mut self.decoder.sink().bytes))
    }

    fn verdict(&mut self, result: io::Result<()>) -> Result<(), DecodeError> {
        let limit = self.decoder.sink().allowed;
        match result {
            _ if self.decoder.sink().full => Err(DecodeError::TooLarge { limit }),
            Ok(()) => Ok(()),
            Err(damaged) => Err(DecodeError::Damaged(damaged)),
        }
    }
}

fn zstd_decoder(sink: Sink) -> io::Result<zstd::stream::write::Decoder<'static, Sink>> {
    let mut decoder = zstd::stream::write::Decoder::new(sink)?;
    decoder.set_parameter(zstd::zstd_safe::DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

impl Decoder {
    fn begin(&mut self, piece: &[u8]) {
        if let (Self::Unsure(sink), Some(first)) = (&mut *self, piece.first()) {
            let sink = std::mem::take(sink);
            *self = if first & 0x0f == 8 {
                Self::Zlib(Box::new(ZlibDecoder::new(sink)))
            } else {
                Self::Deflate(Box::new(DeflateDecoder::new(sink)))
            };
        }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(sink) | Self::Unsure(sink) => sink.write_all(piece),
            Self::Gzip(decoder) => decoder.write_all(piece),
            Self::Zlib(decoder) => decoder.write_all(piece),
            Self::Deflate(decoder) => decoder.write_all(piece),
            Self::Brotli(decoder) => decoder.write_all(piece),
            Self::Zstd(decoder) => decoder.write_all(piece),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) | Self::Unsure(_) => Ok(()),
            Self::Gzip(decoder) => decoder.flush(),
            Self::Zlib(decoder) => decoder.flush(),
            Self::Deflate(decoder) => decoder.flush(),
            Self::Brotli(decoder) => decoder.flush(),
            Self::Zstd(decoder) => decoder.flush(),
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Plain(sink) | Self::Unsure(sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

/// Collects what comes out, up to what is allowed.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    allowed: usize,
    full: bool,
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.allowed {
            self.full = true;
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than is allowed"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
