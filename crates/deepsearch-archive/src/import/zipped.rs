//! A zip: which of its files hold chats, each read as it is unpacked and never further than it may.

use std::io::{BufReader, Read, Seek};

use zip::ZipArchive;

use super::{ArchiveError, Found, Note, Reason, Sink, document};

pub(crate) fn read(input: impl Read + Seek, sink: &mut Sink<'_>) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(input)?;
    if archive.len() > sink.limits.files {
        return Err(ArchiveError::Bomb);
    }
    let mut others = 0;
    let mut chosen = Vec::new();
    let mut has_conversations = false;
    for at in 0..archive.len() {
        let file = archive.by_index_raw(at)?;
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        if file.enclosed_name().is_none() || file.is_symlink() {
            sink.leave_out(&name, Reason::HostilePath);
        } else if file.is_file() {
            let base = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            let is_list = base.ends_with(".json") && base.contains("conversations") && !base.starts_with("shared");
            has_conversations |= is_list;
            match base.ends_with(".json") || base.ends_with(".md") {
                true => chosen.push((at, name, is_list)),
                false => others += 1,
            }
        }
    }
    if has_conversations {
        others += chosen.iter().filter(|(.., is_list)| !is_list).count() as u64;
        chosen.retain(|(.., is_list)| *is_list);
    }
    if chosen.is_empty() {
        return Err(ArchiveError::UnknownKind);
    }
    let is_only_one = chosen.len() == 1;
    let mut unpacked = sink.limits.unpacked;
    for (at, name, _) in chosen {
        let file = archive.by_index(at)?;
        let limit = sink
            .limits
            .small
            .max(file.compressed_size().saturating_mul(sink.limits.ratio));
        let bounded = Bounded {
            file,
            left: limit,
            all: &mut unpacked,
        };
        match document(BufReader::with_capacity(1 << 16, bounded), &name, sink) {
            Err(ArchiveError::Io(error)) => {
                return Err(match too_much(&error) {
                    Some(TooMuch::OfAFile) => ArchiveError::Bomb,
                    Some(TooMuch::OfAll) => ArchiveError::TooLarge {
                        limit: sink.limits.unpacked,
                    },
                    None => error.into(),
                });
            }
            // In a heap of files, one that is no chat is like any other that is none.
            Err(ArchiveError::UnknownKind) if !is_only_one => others += 1,
            Err(ArchiveError::NotJson) if !is_only_one => sink.leave_out(&name, Reason::Malformed),
            Err(ArchiveError::CutOff) if !is_only_one => sink.leave_out(&name, Reason::CutOff),
            read => read?,
        }
        if sink.stopped {
            return Ok(());
        }
    }
    if others > 0 {
        sink.give(Found::LeftOut(Note::new("", Reason::OtherFile).times(others)));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
enum TooMuch {
    #[error("more than the file may hold")]
    OfAFile,
    #[error("more than all files together may hold")]
    OfAll,
}

fn too_much(error: &std::io::Error) -> Option<TooMuch> {
    error.get_ref()?.downcast_ref().copied()
}

/// A reader that ends with an error where more comes than may, of this file or of all.
struct Bounded<'a, R> {
    file: R,
    left: u64,
    all: &'a mut u64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        for (left, too_much) in [(&mut self.left, TooMuch::OfAFile), (&mut *self.all, TooMuch::OfAll)] {
            let rest = left.checked_sub(count as u64);
            *left = rest.ok_or_else(|| std::io::Error::other(too_much))?;
        }
        Ok(count)
    }
}
