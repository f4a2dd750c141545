//! Which register a key falls into, and with which rank.

/// Register bits of the hash.
const PRECISION: u32 = 12;
pub(super) const REGISTERS: usize = 1 << PRECISION;
/// Highest rank: one more than the bits that remain.
pub(super) const MAX_RANK: u8 = (u64::BITS - PRECISION) as u8 + 1;
/// A sketch with more registers in use is stored dense: from about here on that is shorter.
pub(super) const SPARSE_LIMIT: usize = 1536;

/// Register number, and 1 + the leading zeros of the hash bits below it.
#[inline]
pub(super) fn of(key: i64) -> (u16, u8) {
    let hash = mix(key as u64);
    let register = (hash >> (u64::BITS - PRECISION)) as u16;
    // The marker bit ends the count of zeros where the hash does.
    let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
    (register, rest.leading_zeros() as u8 + 1)
}

/// The finaliser of SplitMix64: every input bit reaches every output bit. Fixed for ever: stored bytes
/// depend on it.
#[inline]
fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
