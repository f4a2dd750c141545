//! The stored form of a sketch, version 1. One sketch has exactly one form, and only that is accepted.
//!
//! | part | form |
//! |---|---|
//! | version | byte 1; an empty sketch ends here |
//! | flags | byte: 1 = min is a whole number, 2 = max is one, 4 = max equals min and is left out, 8 = the zero bin is not empty |
//! | min, max | whole number (0 to 2⁵³): varint; else 8 bytes IEEE, little endian |
//! | zeros | varint, only with flag 8 |
//! | bins | varint: how many |
//! | first bin | zigzag varint index, varint count |
//! | other bins | varint distance to the index before, less 1; varint count |

use super::{DecodeError, Limits, bin};
use crate::sketches::varint::{Reader, push, unzigzag, zigzag};

const VERSION: u8 = 1;
const MIN_IS_WHOLE: u8 = 1;
const MAX_IS_WHOLE: u8 = 2;
const MAX_IS_MIN: u8 = 4;
const HAS_ZEROS: u8 = 8;
const KNOWN_FLAGS: u8 = MIN_IS_WHOLE | MAX_IS_WHOLE | MAX_IS_MIN | HAS_ZEROS;
/// Up to here every whole number is a float of its own.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

fn is_whole(value: f64) -> bool {
    (0.0..=LARGEST_WHOLE).contains(&value) && value.fract() == 0.0
}

/// `bins`: (index, count) by ascending index.
pub(super) fn write(
    out: &mut Vec<u8>,
    limits: Option<Limits>,
    zeros: u64,
    bins: impl ExactSizeIterator<Item = (i32, u64)>,
) {
    out.push(VERSION);
    let Some(Limits { min, max }) = limits else {
        return;
    };
    let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
    let same = min == max;
    out.push(
        flag(is_whole(min), MIN_IS_WHOLE)
            | flag(!same && is_whole(max), MAX_IS_WHOLE)
            | flag(same, MAX_IS_MIN)
            | flag(zeros > 0, HAS_ZEROS),
    );
    write_value(out, min);
    if !same {
        write_value(out, max);
    }
    if zeros > 0 {
        push(out, zeros);
    }
    push(out, bins.len() as u64);
    let mut before: Option<i32> = None;
    for (index, count) in bins {
        match before {
            None => push(out, zigzag(index)),
            Some(before) => push(out, u64::from(index.abs_diff(before)) - 1),
        }
        push(out, count);
        before = Some(index);
    }
}

fn write_value(out: &mut Vec<u8>, value: f64) {
    if is_whole(value) {
        push(out, value as u64);
    } else {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Shows each bin to `bin` and returns the limits and the zero bin's count.
pub(super) fn read(
    bytes: &[u8],
    mut bin: impl FnMut(i32, u64),
) -> Result<(Option<Limits>, u64), DecodeError> {
    const TORN: DecodeError = DecodeError("it ends too early or has a number in a long form");
    let mut reader = Reader(bytes);
    if reader.byte() != Some(VERSION) {
        return Err(DecodeError("the version is not 1"));
    }
    if reader.is_empty() {
        return Ok((None, 0));
    }
    let flags = reader.byte().ok_or(TORN)?;
    if flags & !KNOWN_FLAGS != 0 {
        return Err(DecodeError("a flag is unknown"));
    }
    let min = read_value(&mut reader, flags & MIN_IS_WHOLE != 0)?;
    let max = match (flags & MAX_IS_MIN != 0, flags & MAX_IS_WHOLE != 0) {
        (true, true) => return Err(DecodeError("the flags of the maximum contradict each other")),
        (true, false) => min,
        (false, whole) => read_value(&mut reader, whole)?,
    };
    if min > max || (min == max) != (flags & MAX_IS_MIN != 0) {
        return Err(DecodeError("minimum and maximum are not in order"));
    }
    let zeros = match flags & HAS_ZEROS != 0 {
        true => reader.varint().filter(|zeros| *zeros > 0).ok_or(TORN)?,
        false => 0,
    };
    let bins = reader.varint().ok_or(TORN)?;
    let mut total = zeros;
    let (mut first, mut last): (Option<i32>, Option<i32>) = (None, None);
    for _ in 0..bins {
        let (step, count) = step_and_count(&mut reader).ok_or(TORN)?;
        let index = match last {
            None => unzigzag(step).filter(|index| bin::code(Some(*index)).is_some()),
            // Indexes ascend, so none is below the first, and it is enough to look at the highest.
            Some(last) => i32::try_from(step).ok().and_then(|step| last.checked_add(1)?.checked_add(step)),
        };
        let index =
            index.filter(|index| *index <= bin::HIGHEST).ok_or(DecodeError("a bin is out of range"))?;
        if count == 0 {
            return Err(TORN);
        }
        total = total.checked_add(count).ok_or(DecodeError("the count is over 64 bits"))?;
        bin(index, count);
        first = first.or(Some(index));
        last = Some(index);
    }
    if !reader.is_empty() {
        return Err(DecodeError("something follows its end"));
    }
    let lowest = if zeros > 0 { None } else { first };
    if total == 0 || bin::index(min) != lowest || bin::index(max) != last {
        return Err(DecodeError("the bins do not reach from minimum to maximum"));
    }
    Ok((Some(Limits { min, max }), zeros))
}

fn step_and_count(reader: &mut Reader<'_>) -> Option<(u64, u64)> {
    // Nearly all of both take a byte.
    if let [step @ ..0x80, count @ ..0x80, rest @ ..] = reader.0 {
        reader.0 = rest;
        return Some((u64::from(*step), u64::from(*count)));
    }
    Some((reader.varint()?, reader.varint()?))
}

fn read_value(reader: &mut Reader<'_>, whole: bool) -> Result<f64, DecodeError> {
    const BAD: DecodeError = DecodeError("the minimum or maximum is not in its one form");
    if whole {
        let value = reader.varint().filter(|value| *value <= LARGEST_WHOLE as u64).ok_or(BAD)?;
        return Ok(value as f64);
    }
    let value = f64::from_le_bytes(*reader.bytes::<8>().ok_or(BAD)?);
    match value.is_finite() && !is_whole(value) {
        true => Ok(value),
        false => Err(BAD),
    }
}
