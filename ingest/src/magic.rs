//! What the first bytes of a file or body say of its compression.

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Behind a first byte of 0x50 to 0x5f: a frame that only carries something for the packer, as pzstd writes before
/// each of its frames.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Bytes that tell gzip, zstd or neither.
pub(crate) const ENOUGH_BYTES: usize = 4;

/// First bytes of what is not understood.
const FOREIGN: [(&[u8], &str); 9] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\xff\x06\0\0sNaPpY", "snappy"),
    (b"LZIP", "lzip"),
    (b"\x1f\x9d", "compress"),
    (b"PAR1", "Parquet"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    /// Named, not understood.
    Foreign(&'static str),
}

/// None: plain.
pub(crate) fn of(start: &[u8]) -> Option<Packing> {
    let is_skippable = |start: &[u8]| match start {
        [first, rest @ ..] => first & 0xf0 == 0x50 && rest.starts_with(&SKIPPABLE),
        [] => false,
    };
    if start.starts_with(&[0x1f, 0x8b]) {
        Some(Packing::Gzip)
    } else if start.starts_with(&ZSTD) || is_skippable(start) {
        Some(Packing::Zstd)
    } else {
        let foreign = FOREIGN.iter().find(|(bytes, _)| start.starts_with(bytes));
        foreign.map(|(_, name)| Packing::Foreign(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_packing() {
        for (start, want) in [
            (&b"\x1f\x8b\x08"[..], Some(Packing::Gzip)),
            (b"\x28\xb5\x2f\xfd\0", Some(Packing::Zstd)),
            (b"\x50\x2a\x4d\x18\x04", Some(Packing::Zstd)),
            (b"\x5f\x2a\x4d\x18", Some(Packing::Zstd)),
            (b"\x60\x2a\x4d\x18", None),
            (b"\xfd7zXZ\0\0", Some(Packing::Foreign("xz"))),
            (b"BZh91AY", Some(Packing::Foreign("bzip2"))),
            (b"{\"a\":1}", None),
            (b"[", None),
            (b"", None),
        ] {
            assert_eq!(of(start), want, "{start:?}");
        }
    }
}
