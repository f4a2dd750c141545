//! Reads one file: plain, gzip or zstd by its first bytes, split into records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::magic::{self, Packing};
use crate::split::{Piece, Splitter};
use crate::wiped::Buffer;

const READ_BYTES: usize = 256 << 10;

/// One record of a file, or what stands in its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Piece(Piece<'a>),
    /// The compressed stream is damaged or cut off, or something else follows it; nothing comes behind this.
    Broken {
        after_bytes: u64,
    },
    /// The whole file is packed in a way that is not understood.
    Foreign {
        packing: &'static str,
    },
}

/// Hashes and number of items of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// What the content is known by, however it is packed: the hash of what it unpacks to. A file that does not
    /// unpack to its end is known by its own bytes.
    pub(super) hash: blake3::Hash,
    /// Of the file's own bytes, which must not change between two readings.
    pub(super) file_hash: blake3::Hash,
    pub(super) size_bytes: u64,
    pub(super) items: u64,
}

/// Reads a file to its end, only to know what is in it.
pub(super) fn examine(path: &Path, max_record: usize, read: &Arc<AtomicU64>) -> io::Result<Content> {
    let mut items = 0;
    let mut unpacked = blake3::Hasher::new();
    let mut is_whole = true;
    let counted = Counted::open(path, u64::MAX, read)?;
    let mut each = |item: Item<'_>| {
        items += 1;
        is_whole &= matches!(item, Item::Piece(_));
        true
    };
    let counted = items_of(counted, max_record, Some(&mut unpacked), &mut each)?;
    let file_hash = counted.hasher.finalize();
    let hash = if is_whole { unpacked.finalize() } else { file_hash };
    Ok(Content { hash, file_hash, size_bytes: counted.bytes, items })
}

/// Reads the items of the first `size_bytes` of a file one after the other until `each` returns false. What was
/// written behind them since the file was examined is another content.
pub(super) fn items(
    path: &Path,
    size_bytes: u64,
    max_record: usize,
    read: &Arc<AtomicU64>,
    each: &mut dyn FnMut(Item<'_>) -> bool,
) -> io::Result<blake3::Hash> {
    let counted = items_of(Counted::open(path, size_bytes, read)?, max_record, None, each)?;
    Ok(counted.hasher.finalize())
}

fn items_of(
    counted: Counted,
    max_record: usize,
    mut unpacked: Option<&mut blake3::Hasher>,
    each: &mut dyn FnMut(Item<'_>) -> bool,
) -> io::Result<Counted> {
    let mut source = BufReader::with_capacity(READ_BYTES, counted);
    let start = source.fill_buf()?;
    let mut decoder = match magic::of(start) {
        Some(Packing::Gzip) => Decoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(source))),
        Some(Packing::Zstd) => Decoder::Zstd(Box::new(zstd::stream::read::Decoder::with_buffer(source)?)),
        Some(Packing::Foreign(packing)) => {
            let goes_on = each(Item::Foreign { packing });
            return Decoder::Plain(Box::new(source)).rest(goes_on);
        }
        None => Decoder::Plain(Box::new(source)),
    };
    let is_compressed = !matches!(decoder, Decoder::Plain(_));
    let mut splitter = Splitter::new(max_record);
    let mut buffer = Buffer::zeros(READ_BYTES);
    let mut goes_on = true;
    let mut given = 0;
    // Where the newest gzip member with bytes behind it has ended.
    let mut member_ended_at = None;
    while goes_on {
        let read = match decoder.read(buffer.as_mut_slice()) {
            Ok(0) => {
                let more;
                (decoder, more) = decoder.next_member()?;
                if more {
                    member_ended_at = Some(given);
                    continue;
                }
                break;
            }
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) if is_compressed => {
                // What is left in the splitter is part of the damage, not a record of its own, unless complete
                // members gave a complete one and only something else follows.
                if member_ended_at == Some(given) {
                    splitter.finish(|piece| {
                        if matches!(piece, Piece::Record { .. }) {
                            goes_on = goes_on && each(Item::Piece(piece));
                        }
                    });
                }
                if !goes_on {
                    return decoder.rest(false);
                }
                goes_on = each(Item::Broken { after_bytes: given });
                return decoder.rest(goes_on);
            }
            Err(error) => return Err(error),
        };
        given += read as u64;
        let bytes = buffer.get(..read).unwrap_or_default();
        if let Some(unpacked) = &mut unpacked {
            unpacked.update(bytes);
        }
        splitter.push(bytes, |piece| {
            goes_on = goes_on && each(Item::Piece(piece));
        });
    }
    if goes_on {
        splitter.finish(|piece| goes_on = goes_on && each(Item::Piece(piece)));
    }
    decoder.rest(goes_on)
}

enum Decoder {
    Plain(Box<BufReader<Counted>>),
    Gzip(Box<flate2::bufread::GzDecoder<BufReader<Counted>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Counted>>>),
}

impl Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }

    /// Goes behind the end of a gzip member and the zero bytes that pad it. False: nothing follows.
    fn next_member(self) -> io::Result<(Self, bool)> {
        let Self::Gzip(decoder) = self else { return Ok((self, false)) };
        let mut source = decoder.into_inner();
        let more = loop {
            let ahead = source.fill_buf()?;
            let padding = ahead.iter().take_while(|byte| **byte == 0).count();
            if padding == 0 {
                break !ahead.is_empty();
            }
            source.consume(padding);
        };
        Ok((Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(source))), more))
    }

    /// The file, read to its end, so that its hash is that of the whole content.
    fn rest(self, to_end: bool) -> io::Result<Counted> {
        let source = match self {
            Self::Plain(source) => *source,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
        };
        let mut counted = source.into_inner();
        if to_end {
            io::copy(&mut counted, &mut io::sink())?;
        }
        Ok(counted)
    }
}

/// Hashes and counts what is read.
struct Counted {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
    max_bytes: u64,
    read: Arc<AtomicU64>,
}

impl Counted {
    fn open(path: &Path, max_bytes: u64, read: &Arc<AtomicU64>) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            hasher: blake3::Hasher::new(),
            bytes: 0,
            max_bytes,
            read: Arc::clone(read),
        })
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.max_bytes - self.bytes).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
