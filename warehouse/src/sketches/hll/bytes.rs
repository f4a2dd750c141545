//! The stored form of a sketch, version 1. One sketch has exactly one form, and only that is accepted.
//!
//! | part | form |
//! |---|---|
//! | version | byte 1 |
//! | layout | byte: 0 = sparse (at most 1,536 registers in use), 1 = dense |
//! | sparse | varint how many; for each (distance to the register before, less 1) · 64 + rank as varint |
//! | dense | 4,096 ranks of 6 bits, low bits first: 3,072 bytes |

use super::DecodeError;
use super::register::{MAX_RANK, REGISTERS, SPARSE_LIMIT};
use crate::sketches::varint::{Reader, push};

const VERSION: u8 = 1;
const SPARSE: u8 = 0;
const DENSE: u8 = 1;
const RANK_BITS: u32 = 6;
/// Four ranks fill three bytes.
const DENSE_BYTES: usize = REGISTERS / 4 * 3;

const BAD: DecodeError = DecodeError("a register or rank is out of range");
const NOT_DENSE: DecodeError = DecodeError("it has too few registers for the dense layout");

/// `entries`: the registers in use, ascending.
pub(super) fn write(out: &mut Vec<u8>, entries: &[(u16, u8)]) {
    out.push(VERSION);
    if entries.len() <= SPARSE_LIMIT {
        out.push(SPARSE);
        push(out, entries.len() as u64);
        let mut next = 0;
        for (register, rank) in entries {
            push(out, (u64::from(register - next) << RANK_BITS) | u64::from(*rank));
            next = register + 1;
        }
        return;
    }
    out.push(DENSE);
    let mut entries = entries.iter().peekable();
    for first in (0..REGISTERS as u16).step_by(4) {
        let mut four = 0_u32;
        for at in 0..4 {
            if let Some((_, rank)) = entries.next_if(|entry| entry.0 == first + at) {
                four |= u32::from(*rank) << (u32::from(at) * RANK_BITS);
            }
        }
        out.extend_from_slice(&four.to_le_bytes()[..3]);
    }
}

/// `ranks`: of all registers.
pub(super) fn write_ranks(out: &mut Vec<u8>, ranks: &[u8; REGISTERS]) {
    if used(ranks) <= SPARSE_LIMIT {
        let entries: Vec<(u16, u8)> = (0..).zip(ranks.iter().copied()).filter(|entry| entry.1 > 0).collect();
        return write(out, &entries);
    }
    out.extend([VERSION, DENSE]);
    out.reserve(DENSE_BYTES);
    for four in ranks.chunks_exact(4) {
        let four =
            (0..).zip(four).fold(0_u32, |bits, (at, rank)| bits | u32::from(*rank) << (at * RANK_BITS));
        out.extend_from_slice(&four.to_le_bytes()[..3]);
    }
}

fn used(ranks: &[u8; REGISTERS]) -> usize {
    ranks.iter().filter(|rank| **rank > 0).count()
}

/// Whether a sketch that can be read has the dense layout.
pub(super) fn is_dense(bytes: &[u8]) -> bool {
    bytes.get(1) == Some(&DENSE)
}

/// Brings each rank to that of the sketch, where this is higher. After an error, some may be.
pub(super) fn raise(bytes: &[u8], ranks: &mut [u8; REGISTERS]) -> Result<(), DecodeError> {
    let packed: Option<&[u8; DENSE_BYTES]> = match bytes {
        [VERSION, DENSE, packed @ ..] => packed.try_into().ok(),
        _ => None,
    };
    let Some(packed) = packed else {
        return read(bytes, |register, rank| {
            if let Some(own) = ranks.get_mut(usize::from(register)) {
                *own = rank.max(*own);
            }
        });
    };
    // Without a branch a rank: such sketches are merged by the million.
    let mut own = [0_u8; REGISTERS];
    for (four, three) in own.chunks_exact_mut(4).zip(packed.chunks_exact(3)) {
        let bits = u32::from(three[0]) | u32::from(three[1]) << 8 | u32::from(three[2]) << 16;
        let apart = bits & 0x3f | (bits & 0xfc0) << 2 | (bits & 0x3_f000) << 4 | (bits & 0xfc_0000) << 6;
        four.copy_from_slice(&apart.to_le_bytes());
    }
    if own.iter().fold(0, |most, rank| (*rank).max(most)) > MAX_RANK {
        return Err(BAD);
    }
    if used(&own) <= SPARSE_LIMIT {
        return Err(NOT_DENSE);
    }
    for (rank, own) in ranks.iter_mut().zip(own) {
        *rank = own.max(*rank);
    }
    Ok(())
}

/// Shows each register in use to `entry`, ascending.
pub(super) fn read(bytes: &[u8], mut entry: impl FnMut(u16, u8)) -> Result<(), DecodeError> {
    const TORN: DecodeError = DecodeError("it ends too early or has a number in a long form");
    let mut reader = Reader(bytes);
    if reader.byte() != Some(VERSION) {
        return Err(DecodeError("the version is not 1"));
    }
    match reader.byte() {
        Some(SPARSE) => {
            let used = reader.varint().ok_or(TORN)?;
            if used > SPARSE_LIMIT as u64 {
                return Err(DecodeError("it has too many registers for the sparse layout"));
            }
            let mut next = 0_u64;
            for _ in 0..used {
                let coded = reader.varint().ok_or(TORN)?;
                let register = (coded >> RANK_BITS) + next;
                let rank = (coded & ((1 << RANK_BITS) - 1)) as u8;
                if register >= REGISTERS as u64 || rank == 0 || rank > MAX_RANK {
                    return Err(BAD);
                }
                entry(register as u16, rank);
                next = register + 1;
            }
        }
        Some(DENSE) => {
            let packed = reader.bytes::<DENSE_BYTES>().ok_or(TORN)?;
            let mut used = 0;
            for (quad, three) in packed.chunks_exact(3).enumerate() {
                let four = three.iter().rev().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
                for at in 0..4 {
                    let rank = (four >> (at * RANK_BITS)) as u8 & ((1 << RANK_BITS) - 1);
                    if rank > MAX_RANK {
                        return Err(BAD);
                    }
                    if rank > 0 {
                        entry(quad as u16 * 4 + at as u16, rank);
                        used += 1;
                    }
                }
            }
            if used <= SPARSE_LIMIT {
                return Err(NOT_DENSE);
            }
        }
        _ => return Err(DecodeError("the layout is unknown")),
    }
    match reader.is_empty() {
        true => Ok(()),
        false => Err(DecodeError("something follows its end")),
    }
}
