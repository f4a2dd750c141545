//! Decompresses a body as it streams, with a limit on its size and on how much it grows.

use std::io::{self, Write};

use flate2::write::GzDecoder;
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use crate::magic::{self, Packing};
use crate::wiped::Buffer;

/// Compressed bytes offered to a decoder at a time. It takes as much as fills its output buffer, which bounds what
/// comes out of a bomb before the limits are looked at.
const INPUT_BYTES: usize = 4096;
/// A step ends when this much came out. Small, so that the caller can look at its memory and let others run.
pub(super) const STEP_BYTES: u64 = 64 << 10;
/// Largest zstd window, as a power of two: what every decoder should support (RFC 8878), and the memory that one
/// frame can ask for.
pub(super) const WINDOW_LOG: u32 = 23;
/// What a gzip decoder holds: a window of 32 KiB, its tables and its output.
const GZIP_BYTES: usize = 80 << 10;
/// Growth that is always allowed, so that small bodies of repeated text pass.
const FREE_BYTES: u64 = 1 << 20;

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
    /// Complete gzip members gave this many bytes, and behind them comes something else.
    Trailing {
        after_bytes: u64,
    },
    /// A zstd frame wants a window above `WINDOW_LOG`.
    Window,
}

enum Decoder {
    /// Too few bytes to tell.
    Undecided(Buffer),
    Plain,
    Gzip(Gzip),
    Zstd(Zstd),
}

pub(super) struct Inflate {
    decoder: Decoder,
    max_bytes: u64,
    max_ratio: u64,
    taken: u64,
    given: u64,
    /// `given` at the end of the newest gzip member with bytes behind it.
    member_ended_at: Option<u64>,
}

impl Inflate {
    pub(super) fn new(compression: Compression, max_bytes: u64, max_ratio: u64) -> io::Result<Self> {
        let decoder = match compression {
            Compression::Unnamed => Decoder::Undecided(Buffer::default()),
            Compression::Gzip => Decoder::Gzip(Gzip::new()),
            Compression::Zstd => Decoder::Zstd(Zstd::new()?),
        };
        Ok(Self { decoder, max_bytes, max_ratio, taken: 0, given: 0, member_ended_at: None })
    }

    /// Decompressed bytes so far.
    pub(super) fn given_bytes(&self) -> u64 {
        self.given
    }

    /// Memory that the decoder holds. A zstd frame chooses its window itself.
    pub(super) fn held_bytes(&self) -> usize {
        match &self.decoder {
            Decoder::Undecided(_) | Decoder::Plain => 0,
            Decoder::Gzip(_) => GZIP_BYTES,
            Decoder::Zstd(zstd) => zstd.context.sizeof(),
        }
    }

    /// Takes from the front of `rest` until about `STEP_BYTES` came out or nothing is left.
    pub(super) fn step(&mut self, rest: &mut &[u8], mut out: impl FnMut(&[u8])) -> Result<(), Failure> {
        if let Decoder::Undecided(held) = &mut self.decoder {
            let missing = magic::ENOUGH_BYTES.saturating_sub(held.len()).min(rest.len());
            let (start, behind) = rest.split_at(missing);
            held.extend_from_slice(start);
            *rest = behind;
            if held.len() < magic::ENOUGH_BYTES {
                return Ok(());
            }
            self.decide(&mut out)?;
        }
        let enough = self.given.saturating_add(STEP_BYTES);
        while !rest.is_empty() && self.given < enough {
            self.feed(rest, &mut out)?;
        }
        Ok(())
    }

    /// Ends the body.
    pub(super) fn finish(&mut self, mut out: impl FnMut(&[u8])) -> Result<(), Failure> {
        self.decide(&mut out)?;
        let ended = match &mut self.decoder {
            Decoder::Gzip(gzip) => gzip.finish(),
            // Tells a stream that stops inside a frame.
            Decoder::Zstd(zstd) => zstd.finish(),
            Decoder::Undecided(_) | Decoder::Plain => Ok(()),
        };
        self.drain(&mut out)?;
        ended.map_err(|error| self.broken(&error))
    }

    /// Chooses the decoder by the bytes held so far and gives them to it, unless that was done.
    fn decide(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
        let Decoder::Undecided(held) = &mut self.decoder else { return Ok(()) };
        let held = std::mem::take(held);
        self.decoder = match magic::of(&held) {
            Some(Packing::Gzip) => Decoder::Gzip(Gzip::new()),
            Some(Packing::Zstd) => Decoder::Zstd(Zstd::new().map_err(|error| self.broken(&error))?),
            // What is not understood is refused as the noise that it looks like.
            Some(Packing::Foreign(_)) | None => Decoder::Plain,
        };
        let mut rest: &[u8] = &held;
        while !rest.is_empty() {
            self.feed(&mut rest, out)?;
        }
        Ok(())
    }

    /// Lets the decoder take once from the front of `rest`.
    fn feed(&mut self, rest: &mut &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
        let (input, _) = rest.split_at(rest.len().min(INPUT_BYTES));
        let taken = match &mut self.decoder {
            Decoder::Gzip(gzip) => gzip.write(input),
            Decoder::Zstd(zstd) => zstd.write(input),
            Decoder::Undecided(_) | Decoder::Plain => {
                self.given += input.len() as u64;
                Ok(input.len())
            }
        };
        self.taken += *taken.as_ref().unwrap_or(&0) as u64;
        self.drain(out)?;
        let taken = taken.map_err(|error| self.broken(&error))?;
        match &self.decoder {
            Decoder::Gzip(gzip) if gzip.member.is_none() => self.member_ended_at = Some(self.given),
            Decoder::Undecided(_) | Decoder::Plain => {
                self.check()?;
                out(input);
            }
            _ => {}
        }
        *rest = rest.get(taken..).unwrap_or_default();
        Ok(())
    }

    /// Hands on what the decoder has given.
    fn drain(&mut self, out: &mut impl FnMut(&[u8])) -> Result<(), Failure> {
        let ready = match &mut self.decoder {
            Decoder::Gzip(gzip) => gzip.given(),
            Decoder::Zstd(zstd) => std::mem::take(&mut zstd.ready),
            Decoder::Undecided(_) | Decoder::Plain => return Ok(()),
        };
        self.given += ready.len() as u64;
        self.check()?;
        if !ready.is_empty() {
            out(&ready);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        // Padding and empty members give nothing for any number of bytes.
        if self.given.max(self.taken) > self.max_bytes {
            return Err(Failure::TooLarge);
        }
        if self.given > FREE_BYTES.saturating_add(self.taken.saturating_mul(self.max_ratio)) {
            return Err(Failure::Ratio);
        }
        Ok(())
    }

    fn broken(&self, error: &io::Error) -> Failure {
        // The decoder tells its errors apart only by their text.
        if matches!(self.decoder, Decoder::Zstd(_)) && error.to_string().contains("too much memory") {
            return Failure::Window;
        }
        if self.member_ended_at == Some(self.given) {
            return Failure::Trailing { after_bytes: self.given };
        }
        Failure::Broken { after_bytes: self.given }
    }
}

/// Frames of a zstd stream one after the other. The library's own writer does not tell what its windows take.
struct Zstd {
    context: DCtx<'static>,
    /// The bytes so far end inside a frame, or there are none.
    is_inside: bool,
    buffer: Buffer,
    ready: Buffer,
}

impl Zstd {
    fn new() -> io::Result<Self> {
        let mut context = DCtx::try_create().ok_or_else(|| io::Error::other("no memory for a decoder"))?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(zstd_error)?;
        Ok(Self {
            context,
            is_inside: true,
            buffer: Buffer::zeros(STEP_BYTES as usize),
            ready: Buffer::default(),
        })
    }

    /// Returns how much was taken; all of it unless much came out.
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        let mut source = InBuffer::around(input);
        loop {
            let mut sink = OutBuffer::around(self.buffer.as_mut_slice());
            let left = self.context.decompress_stream(&mut sink, &mut source).map_err(zstd_error)?;
            self.is_inside = left != 0;
            let given_bytes = sink.pos();
            self.ready.extend_from_slice(self.buffer.get(..given_bytes).unwrap_or_default());
            if given_bytes == self.buffer.len() || source.pos() == input.len() {
                return Ok(source.pos());
            }
        }
    }

    /// Gives what the context still holds, and tells a stream that stops inside a frame.
    fn finish(&mut self) -> io::Result<()> {
        while self.is_inside {
            let before = self.ready.len();
            self.write(&[])?;
            if self.ready.len() == before {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}

/// Members of a gzip stream one after the other; zero bytes behind a member are padding.
struct Gzip {
    /// None: between two members.
    member: Option<Box<GzDecoder<Buffer>>>,
    /// What ended members have given.
    ready: Buffer,
}

impl Gzip {
    fn new() -> Self {
        Self { member: Some(Box::new(GzDecoder::new(Buffer::default()))), ready: Buffer::default() }
    }

    /// Returns how much was taken; 0 where a member has ended.
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        let member = match &mut self.member {
            Some(member) => member,
            None => {
                let padding = input.iter().take_while(|byte| **byte == 0).count();
                if padding > 0 {
                    return Ok(padding);
                }
                self.member.insert(Box::new(GzDecoder::new(Buffer::default())))
            }
        };
        let taken = member.write(input)?;
        if taken > 0 {
            member.flush()?;
            return Ok(taken);
        }
        // The decoder takes nothing behind the end of its member.
        member.try_finish()?;
        self.ready.extend_from_slice(member.get_ref());
        self.member = None;
        Ok(0)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.member.as_mut().map_or(Ok(()), |member| member.try_finish())
    }

    fn given(&mut self) -> Buffer {
        let mut ready = std::mem::take(&mut self.ready);
        if let Some(member) = &mut self.member {
            if ready.is_empty() {
                return std::mem::take(member.get_mut());
            }
            ready.extend_from_slice(member.get_ref());
            member.get_mut().clear();
        }
        ready
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
        for mut part in body.chunks(chunk) {
            while !part.is_empty() && result.is_ok() {
                let before = out.len();
                result = inflate.step(&mut part, |bytes| out.extend_from_slice(bytes));
                assert!(out.len() - before < 512 << 10, "a step gave {}", out.len() - before);
            }
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

    /// A frame that carries something for the packer alone, with the lowest or the highest of its names.
    fn skippable(name: u8, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[name, 0x2a, 0x4d, 0x18][..], &size, content].concat()
    }

    #[test]
    fn zstd_bodies_of_several_frames_come_out_whole() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
        let (first, second) = text.split_at(50_000);
        let pzstd = [skippable(0x50, b"size"), frame(first), skippable(0x5f, b""), frame(second)].concat();
        let ends_skipped = [frame(&text), skippable(0x5a, &[7; 10_000])].concat();
        for chunk in [1, 3, 1000, 1 << 20] {
            for body in [&pzstd, &ends_skipped, &[frame(first), frame(second)].concat()] {
                for compression in [Compression::Unnamed, Compression::Zstd] {
                    let (out, result) = inflate(body, chunk, compression);
                    assert_eq!(result, Ok(()), "{compression:?} in chunks of {chunk}");
                    assert!(out == text, "{compression:?} in chunks of {chunk}");
                }
            }
        }
        let cut = [skippable(0x50, b"size"), frame(&text)].concat();
        let (out, result) = inflate(&cut[..cut.len() - 3], 1000, Compression::Unnamed);
        assert!(matches!(result, Err(Failure::Broken { .. })), "{result:?}");
        assert!(text.starts_with(&out));
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
        let padded = [gzip(b"{}"), vec![0; 5 << 20]].concat();
        assert_eq!(inflate(&padded, 1 << 20, Compression::Gzip).1, Err(Failure::TooLarge));
    }

    #[test]
    fn a_zstd_bomb_comes_out_in_steps() {
        // Each block of a few bytes stands for 128 KiB.
        let bomb = zstd::encode_all(vec![0; 3 << 20].as_slice(), 3).unwrap();
        assert!(bomb.len() < 1024);
        assert_eq!(inflate(&bomb, 1 << 20, Compression::Zstd).1, Err(Failure::Ratio));
    }

    #[test]
    fn a_zstd_frame_that_wants_a_large_window_is_told_apart() {
        let body = |window_log| {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(window_log).unwrap();
            encoder.write_all(b"{}").unwrap();
            encoder.finish().unwrap()
        };
        for compression in [Compression::Zstd, Compression::Unnamed] {
            assert_eq!(inflate(&body(23), 1000, compression), (b"{}".to_vec(), Ok(())));
            assert_eq!(inflate(&body(24), 1000, compression).1, Err(Failure::Window));
        }
    }

    #[test]
    fn bytes_behind_a_gzip_are_padding_or_told() {
        let text = b"{\"a\":1}";
        let whole = gzip(text);
        for chunk in [1, 3, 1000] {
            let padded = [&whole[..], &[0; 600], &whole, &[0; 5000]].concat();
            assert_eq!(inflate(&padded, chunk, Compression::Gzip), (text.repeat(2), Ok(())));
            for garbage in [&b"garbage"[..], b"\x1f", b"\x1f\x8bgarbage", b"\0\0garbage"] {
                let body = [&whole[..], garbage].concat();
                let told = Err(Failure::Trailing { after_bytes: text.len() as u64 });
                assert_eq!(inflate(&body, chunk, Compression::Unnamed), (text.to_vec(), told));
            }
            // A second member that ends early has given something.
            let lines: Vec<u8> = (0..50_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
            let second = gzip(&lines);
            let body = [&whole[..], &second[..second.len() - 9]].concat();
            assert!(matches!(inflate(&body, chunk, Compression::Gzip).1, Err(Failure::Broken { .. })));
        }
    }
}
