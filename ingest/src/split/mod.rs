//! Splits a byte stream into JSON records: array elements, NDJSON lines, concatenated objects or one object.
//!
//! The first byte decides: `[` is an array, everything else a sequence of objects. Only brackets, strings and
//! line ends are followed; whether a record is valid is for the decoder to say, so a bad record is handed on
//! like a good one and rejects only itself. Memory is one record.
//!
//! Where a record is broken the splitter finds the next one as well as it can: a raw line end inside a string
//! (never valid JSON) ends the record, as does a `{` where JSON allows no value, and once records were seen to
//! be lines every line end does. A run of zero bytes is a piece of its own.

mod scanner;

use scanner::{Scanner, Step};

use crate::wiped::Buffer;

/// One piece of the stream. `at` is the position of its first byte in the (decompressed) stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Record {
        bytes: &'a [u8],
        at: u64,
    },
    /// Longer than the limit; its bytes were not kept.
    TooLarge {
        size_bytes: u64,
        at: u64,
    },
    /// A run of zero bytes where a record could stand.
    Zeros {
        size_bytes: u64,
        at: u64,
    },
    /// The stream ended inside this record.
    Truncated {
        bytes: &'a [u8],
        size_bytes: u64,
        at: u64,
    },
}

/// Push-based splitter. The pieces do not depend on how the stream is cut into chunks.
#[derive(Debug)]
pub struct Splitter {
    scanner: Scanner,
    limit: usize,
    /// Bytes of the unfinished record, up to `limit`. Wiped after each.
    held: Buffer,
    /// Length of the unfinished record, kept or not.
    size: u64,
    /// Position of the unfinished record.
    at: u64,
    /// Bytes seen so far.
    position: u64,
}

impl Splitter {
    /// Records longer than `limit` bytes become [`Piece::TooLarge`].
    pub fn new(limit: usize) -> Self {
        Self { scanner: Scanner::default(), limit, held: Buffer::default(), size: 0, at: 0, position: 0 }
    }

    /// Bytes held for the unfinished record.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// True while nothing but white space was seen.
    pub fn is_empty(&self) -> bool {
        self.scanner.is_blank()
    }

    pub fn push(&mut self, chunk: &[u8], mut emit: impl FnMut(Piece<'_>)) {
        // Start of the current record's bytes in `chunk`, where a record is open.
        let mut from = self.scanner.in_record().then_some(0);
        let mut index = 0;
        while let Some(&byte) = chunk.get(index) {
            match self.scanner.step(byte) {
                Step::Skip => {}
                Step::Inside => {
                    if from.is_none() {
                        from = Some(index);
                        self.at = self.position + index as u64;
                        self.size = 0;
                    }
                    if self.scanner.in_plain_string() {
                        // Most bytes of a log are inside strings: run to the next one that can matter.
                        let rest = chunk.get(index + 1..).unwrap_or_default();
                        index += rest.iter().take_while(|b| !matches!(b, b'"' | b'\\' | b'\n' | 0)).count();
                    }
                }
                Step::Last => {
                    let start = from.take().unwrap_or_else(|| {
                        self.at = self.position + index as u64;
                        self.size = 0;
                        index
                    });
                    self.keep(chunk.get(start..=index).unwrap_or_default());
                    self.finish_record(&mut emit);
                }
                Step::AfterZeros => {
                    let start = from.take().unwrap_or(index);
                    self.keep(chunk.get(start..index).unwrap_or_default());
                    self.finish_zeros(&mut emit);
                    continue;
                }
                Step::Before { again } => {
                    if let Some(start) = from.take() {
                        self.keep(chunk.get(start..index).unwrap_or_default());
                        self.finish_record(&mut emit);
                    }
                    if again {
                        continue;
                    }
                }
            }
            index += 1;
        }
        if let Some(start) = from {
            self.keep(chunk.get(start..).unwrap_or_default());
        }
        self.position += chunk.len() as u64;
    }

    /// Ends the stream.
    pub fn finish(mut self, mut emit: impl FnMut(Piece<'_>)) {
        if self.scanner.in_zeros() {
            self.finish_zeros(&mut emit);
            if self.scanner.array_is_open() {
                emit(Piece::Truncated { bytes: &[], size_bytes: 0, at: self.position });
            }
            return;
        }
        if !self.scanner.in_record() {
            if self.scanner.array_is_open() {
                emit(Piece::Truncated { bytes: &[], size_bytes: 0, at: self.position });
            }
            return;
        }
        if self.scanner.ends_with_stream() {
            self.finish_record(&mut emit);
        } else {
            emit(Piece::Truncated { bytes: &self.held, size_bytes: self.size, at: self.at });
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        let room = self.limit.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    fn finish_record(&mut self, emit: &mut impl FnMut(Piece<'_>)) {
        if self.size > self.limit as u64 {
            emit(Piece::TooLarge { size_bytes: self.size, at: self.at });
        } else {
            emit(Piece::Record { bytes: self.held.trim_ascii_end(), at: self.at });
        }
        self.forget();
    }

    fn finish_zeros(&mut self, emit: &mut impl FnMut(Piece<'_>)) {
        emit(Piece::Zeros { size_bytes: self.size, at: self.at });
        self.forget();
    }

    fn forget(&mut self) {
        self.held.clear();
        self.size = 0;
        if self.held.capacity() > 1 << 20 {
            self.held = Buffer::default();
        }
    }
}

#[cfg(test)]
mod tests;
