//! Cuts a JSON document of any length into its values, one at a time, so that an archive of gigabytes costs the memory
//! of its longest chat. What is inside a value is not looked at here: one that is broken spoils nothing after it.

use std::io::BufRead;

use super::ArchiveError;

/// One value as it stands in the document.
pub(crate) enum Raw {
    Whole(Vec<u8>),
    /// Longer than was allowed; it was read past.
    TooLarge,
}

pub(crate) struct Scanner<R> {
    input: R,
}

impl<R: BufRead> Scanner<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input }
    }

    /// The next byte that is no white space, without taking it; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, ArchiveError> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = |byte: &u8| !byte.is_ascii_whitespace();
            match buffer.iter().position(blank) {
                Some(at) => {
                    let byte = buffer[at];
                    self.input.consume(at);
                    return Ok(Some(byte));
                }
                None => {
                    let length = buffer.len();
                    self.input.consume(length);
                }
            }
        }
    }

    /// Takes `expected`, if it comes next.
    pub(crate) fn take(&mut self, expected: u8) -> Result<bool, ArchiveError> {
        let is_next = self.peek()? == Some(expected);
        if is_next {
            self.input.consume(1);
        }
        Ok(is_next)
    }

    /// After a member or an element: whether another follows. `close` ends the list.
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, ArchiveError> {
        match self.peek()? {
            Some(b',') => {
                self.input.consume(1);
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.input.consume(1);
                Ok(false)
            }
            Some(_) => Err(ArchiveError::NotJson),
            None => Err(ArchiveError::CutOff),
        }
    }

    /// The next value, up to `limit` bytes of it.
    pub(crate) fn value(&mut self, limit: usize) -> Result<Raw, ArchiveError> {
        match self.peek()? {
            None => return Err(ArchiveError::CutOff),
            Some(b',' | b']' | b'}' | b':') => return Err(ArchiveError::NotJson),
            Some(_) => {}
        }
        let mut ends = Ends::default();
        let mut value = Vec::new();
        let mut length: u64 = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return match ends.is_scalar() && length > 0 {
                    true => Ok(done(value, length, limit)),
                    false => Err(ArchiveError::CutOff),
                };
            }
            let (taken, is_over) = ends.feed(buffer);
            length += taken as u64;
            if length <= limit as u64 {
                value.extend_from_slice(&buffer[..taken]);
            } else {
                value = Vec::new();
            }
            self.input.consume(taken);
            if is_over {
                return Ok(done(value, length, limit));
            }
        }
    }
}

fn done(value: Vec<u8>, length: u64, limit: usize) -> Raw {
    if length <= limit as u64 {
        Raw::Whole(value)
    } else {
        Raw::TooLarge
    }
}

/// Where a value ends: what is open, and whether we are in a string.
#[derive(Default)]
struct Ends {
    depth: u64,
    in_string: bool,
    escaped: bool,
    has_begun: bool,
}

impl Ends {
    fn is_scalar(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    /// How many of these bytes belong to the value, and whether it ends there.
    fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' | b',' if self.depth == 0 => return (at, true),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ if self.depth == 0 && self.has_begun && byte.is_ascii_whitespace() => return (at, true),
                _ => {}
            }
            self.has_begun = true;
        }
        (bytes.len(), false)
    }
}
