//! Frames between parent and child: a length in four bytes, then that many bytes.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame: the largest document with room for its growth as JSON.
const LONGEST: usize = 96 << 20;

pub(super) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?)?;
    to.write_all(bytes)?;
    to.flush()
}

/// `None` at the end of the stream.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    match from.read_exact(&mut prefix) {
        Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0; checked(prefix)?];
    from.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?).await?;
    to.write_all(bytes).await?;
    to.flush().await
}

pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix).await?;
    let length = checked(prefix)?;
    let mut bytes = Vec::new();
    // Grows with what comes, so that a child cannot claim memory it does not fill.
    from.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the document is too long for a frame");
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length as usize <= LONGEST)
        .ok_or_else(too_long)?;
    Ok(length.to_le_bytes())
}

fn checked(prefix: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(prefix) as usize;
    if length > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the frame is longer than any document",
        ));
    }
    Ok(length)
}
