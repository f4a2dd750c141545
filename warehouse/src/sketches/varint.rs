//! Unsigned LEB128, in the shortest form only, and a reader over bytes that may be anything.

/// Appends `value`, seven bits a byte, low bits first.
pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small magnitudes of either sign become small numbers.
pub(super) fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}

pub(super) fn unzigzag(value: u64) -> Option<i32> {
    let value = u32::try_from(value).ok()?;
    Some((value >> 1) as i32 ^ -((value & 1) as i32))
}

/// What has not been read yet. Every read fails when too little is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(first)
    }

    /// None also for a number over 64 bits and for one written longer than needed.
    pub(super) fn varint(&mut self) -> Option<u64> {
        // Nearly all numbers of a sketch take one byte or two.
        match self.0 {
            [first, rest @ ..] if *first < 0x80 => {
                self.0 = rest;
                return Some(u64::from(*first));
            }
            [first, second @ 1..0x80, rest @ ..] => {
                self.0 = rest;
                return Some(u64::from(*first & 0x7f) | (u64::from(*second) << 7));
            }
            _ => {}
        }
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(value);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_bytes_of_the_format() {
        for (value, bytes) in [
            (0_u64, vec![0x00]),
            (127, vec![0x7f]),
            (128, vec![0x80, 0x01]),
            (300, vec![0xac, 0x02]),
            (u64::MAX, vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut out = Vec::new();
            push(&mut out, value);
            assert_eq!(out, bytes);
            let mut reader = Reader(&out);
            assert_eq!(reader.varint(), Some(value));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn long_forms_and_torn_numbers_are_refused() {
        for bytes in [&[0x80, 0x00][..], &[0x80], &[], &[0xff; 10], &[0xff; 11]] {
            assert_eq!(Reader(bytes).varint(), None, "{bytes:?}");
        }
    }

    #[test]
    fn zigzag_keeps_both_ends() {
        for (value, coded) in [(0, 0), (-1, 1), (1, 2), (i32::MAX, 0xffff_fffe), (i32::MIN, 0xffff_ffff)] {
            assert_eq!(zigzag(value), coded);
            assert_eq!(unzigzag(coded), Some(value));
        }
        assert_eq!(unzigzag(1 << 32), None);
    }
}
