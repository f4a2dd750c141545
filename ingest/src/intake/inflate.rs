//! Decompresses a body as it streams, with a limit on its size and on how much it grows.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zstd::stream::write::Decoder as ZstdDecoder;

/// Compressed bytes given to a decoder at a time: bounds what comes out of a bomb before the limits are looked at.
const STEP_BYTES: usize = 4096;
/// Growth that is always allowed, so that small bodies of repeated text pass.
const FREE_BYTES: u64 = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What the request says about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Nothing: the first bytes tell.
    Unnamed,
    Gzip,
    Zstd,
}

impl Compression {
    /// From `Content-Encoding`. None: one that is not understood.
    pub(super) fn named(encoding: Option<&str>) -> Option<Self> {
        let encoding = encoding.unwrap_or_default().trim();
        if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
            Some(Self::Unnamed)
        } else if encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip") {
            Some(Self::Gzip)
        } else if encoding.eq_ignore_ascii_case("zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    TooLarge,
    /// Grew by more than the allowed factor.
    Ratio,
    /// The compressed stream is damaged or ends early, behind this many good bytes.
    Broken {
        after_bytes: u64,
    },
}

enum Decoder {
    /// Too few bytes to tell.
    Undecided(Vec<u8>),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<ZstdDecoder<'static, Vec<u8>>>),
}

pub(super) struct Inflate {
    decoder: Decoder,
    max_bytes: u64,
    max_ratio: u64,
    taken: u64,
    given: u64,
}

impl Inflate {
    pub(super) fn new(compression: Compression, max_bytes: u64, max_ratio: u64) -> io::Result<Self> {
        let decoder = match compression {
            Compression::Unnamed => Decoder::Undecided(Vec::new()),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Compression::Zstd => Decoder::Zstd(Box::new(ZstdDecoder::new(Vec::new())?)),
        };
        Ok(Self { decoder, max_bytes, max_ratio, taken: 0, given: 0 })
    }

    /// Decompressed bytes so far.
    pub(super) fn given_bytes(&self) -> u64 {
        self.given
    }

    pub(super) fn push(&mut self, chunk: &[u8], mut out: impl FnMut(&[u8])) -> Result<(), Failure> {
        if let Decoder::Undecided(held) = &mut self.decoder {
            held.extend_from_slice(chunk);
            if held.len() < ZSTD.len() {
                return Ok(());
            }
            let held = std::mem::take(held);
            self.decide(&held)?;
            return self.decode(&held, &mut out);
        }
        self.decode(chunk, &mut out)
    }

    /// Ends the body.
    pub(super) fn finish(&mut self, mut out: impl FnMut(&[u8])) -> Result<(), Failure> {
        if let Decoder::Undecided(held) = &mut self.decoder {
            let held = std::mem::take(held);
            self.decide(&held)?;
            self.decode(&held, &mut out)?;
        }
        let ended = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            // Tells a stream that stops inside a frame.
            Decoder::Zstd(decoder) => decoder.do_finish(),
            Decoder::Undecided(_) | Decoder::Plain => Ok(()),
        };
        self.drain(&mut out)?;
        ended.map_err(|_| self.broken())
    }

    fn decide(&mut self, start: &[u8]) -> Result<(), Failure> {
        self.decoder = if start.starts_with(&GZIP) {
            Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
        } else if start.starts_with(&ZSTD) {
            Decoder::Zstd(Box::new(ZstdDecoder::new(Vec::new()).map_err(|_| self.broken())?))
        } else {
            Decoder::Plain
        };
        Ok(())
    }

    fn decode(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
        for step in chunk.chunks(STEP_BYTES) {
            self.taken += step.len() as u64;
            let written = match &mut self.decoder {
                Decoder::Gzip(decoder) => decoder.write_all(step).and_then(|()| decoder.flush()),
                Decoder::Zstd(decoder) => decoder.write_all(step).and_then(|()| decoder.flush()),
                Decoder::Undecided(_) | Decoder::Plain => {
                    self.given += step.len() as u64;
                    self.check()?;
                    out(step);
                    Ok(())
                }
            };
            self.drain(out)?;
            written.map_err(|_| self.broken())?;
        }
        Ok(())
    }

    /// Hands on what the decoder has given.
    fn drain(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
        let ready = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
            Decoder::Undecided(_) | Decoder::Plain => return Ok(()),
        };
        let ready = std::mem::take(ready);
        self.given += ready.len() as u64;
        self.check()?;
        if !ready.is_empty() {
            out(&ready);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        if self.given > self.max_bytes {
            return Err(Failure::TooLarge);
        }
        if self.given > FREE_BYTES.saturating_add(self.taken.saturating_mul(self.max_ratio)) {
            return Err(Failure::Ratio);
        }
        Ok(())
    }

    fn broken(&self) -> Failure {
        Failure::Broken { after_bytes: self.given }
    }
}

#[cfg(test)]
mod tests {
    use super::{Compression, Failure, Inflate};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(body: &[u8], chunk: usize, compression: Compression) -> (Vec<u8>, Result<(), Failure>) {
        let mut inflate = Inflate::new(compression, 1 << 22, 100).unwrap();
        let mut out = Vec::new();
        let mut result = Ok(());
        for part in body.chunks(chunk) {
            result = result.and_then(|()| inflate.push(part, |bytes| out.extend_from_slice(bytes)));
        }
        let result = result.and_then(|()| inflate.finish(|bytes| out.extend_from_slice(bytes)));
        (out, result)
    }

    #[test]
    fn bodies_come_out_whatever_their_compression() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let zstd = zstd::encode_all(text.as_slice(), 3).unwrap();
        let two_members = [gzip(&text[..100]), gzip(&text[100..])].concat();
        for chunk in [1, 3, 1000, 1 << 20] {
            for (body, compression) in [
                (text.clone(), Compression::Unnamed),
                (gzip(&text), Compression::Unnamed),
                (gzip(&text), Compression::Gzip),
                (two_members.clone(), Compression::Gzip),
                (zstd.clone(), Compression::Unnamed),
                (zstd.clone(), Compression::Zstd),
            ] {
                let (out, result) = inflate(&body, chunk, compression);
                assert_eq!(result, Ok(()));
                assert!(out == text, "{compression:?} in chunks of {chunk}");
            }
        }
        assert_eq!(inflate(b"{}", 1, Compression::Unnamed).0, b"{}");
        assert_eq!(inflate(b"", 1, Compression::Unnamed).1, Ok(()));
    }

    #[test]
    fn a_cut_stream_gives_what_it_has_and_says_so() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        for body in [gzip(&text), zstd::encode_all(text.as_slice(), 3).unwrap()] {
            for left in [body.len() / 2, body.len() - 3] {
                let (out, result) = inflate(&body[..left], 1000, Compression::Unnamed);
                assert!(matches!(result, Err(Failure::Broken { .. })), "{result:?}");
                assert!(text.starts_with(&out));
            }
        }
        assert!(matches!(inflate(b"no gzip at all", 5, Compression::Gzip).1, Err(Failure::Broken { .. })));
    }

    #[test]
    fn bombs_are_stopped_by_ratio_and_by_size() {
        let zeros = gzip(&vec![0; 3 << 20]);
        assert_eq!(inflate(&zeros, 512, Compression::Gzip).1, Err(Failure::Ratio));
        assert_eq!(inflate(&vec![b'x'; 5 << 20], 1 << 20, Compression::Unnamed).1, Err(Failure::TooLarge));
    }
}
