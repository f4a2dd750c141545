//! Which bin a value falls into, and what a bin stands for.
//!
//! Bin i holds (γ^(i−1), γ^i] with γ = 1.01 / 0.99, and stands for 2γ^i / (γ + 1), which is within 1 % of
//! all of it.

/// ln γ.
const LN_GAMMA: f64 = 0.020_000_666_706_669_524;
const BINS_PER_LN: f64 = 1.0 / LN_GAMMA;
/// 2 / (γ + 1).
const MIDDLE: f64 = 0.99;
/// Values up to here share the zero bin. In every unit measured (ms, µs, tokens per second) it is nothing.
pub(super) const TINY: f64 = 1e-9;

/// The lowest bin is −1,036, of values just above `TINY`; the highest, of the largest float, is 35,489.
const BIAS: i32 = 2_048;
const ZERO_BIN: u16 = 0;
/// The index of the highest code.
pub(super) const HIGHEST: i32 = u16::MAX as i32 - BIAS;

/// None: the zero bin. The value is finite.
///
/// The logarithm is ours, of nothing but IEEE additions, multiplications and divisions, because that of a
/// platform's library may differ in the last bit, and with it the bytes that are stored.
#[inline]
pub(super) fn index(value: f64) -> Option<i32> {
    if value <= TINY {
        return None;
    }
    // Normal and positive: TINY is far above the subnormals.
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let (mantissa, exponent) = match mantissa > std::f64::consts::SQRT_2 {
        true => (mantissa * 0.5, exponent + 1),
        false => (mantissa, exponent),
    };
    // ln m = 2 artanh s, and |s| ≤ 0.172: after these terms the error is below the last bit.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let mut series = 1.0 / 21.0;
    for divisor in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * z + 1.0 / divisor;
    }
    let ln = f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * series;
    let position = ln * BINS_PER_LN;
    let below = position as i32;
    Some(below + i32::from(f64::from(below) < position))
}

/// A bin as a small number of its own: 0 is the zero bin. None: no value falls into it.
#[inline]
pub(super) fn code(index: Option<i32>) -> Option<u16> {
    match index {
        None => Some(ZERO_BIN),
        Some(index) => {
            index.checked_add(BIAS).and_then(|code| u16::try_from(code).ok()).filter(|c| *c != ZERO_BIN)
        }
    }
}

/// The bin of a code; None: the zero bin.
#[inline]
pub(super) fn of_code(code: u16) -> Option<i32> {
    (code != ZERO_BIN).then(|| i32::from(code) - BIAS)
}

pub(super) fn middle(index: i32) -> f64 {
    (f64::from(index) * LN_GAMMA).exp() * MIDDLE
}

/// −0 and 0 are the same measurement and must leave the same bytes.
#[inline]
pub(super) fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

/// Makes one entry of those of a key, which are neighbours.
pub(super) fn add_up<K: PartialEq>(entries: &mut Vec<(K, u64)>) {
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        same
    });
}

/// Merges two lists sorted by key into `out`, adding the counts of equal keys.
pub(super) fn merge<K: Copy + Ord>(a: &[(K, u64)], b: &[(K, u64)], out: &mut Vec<(K, u64)>) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.0 == y.0 => {
                let sum = (x.0, x.1.saturating_add(y.1));
                b.next();
                a.next();
                sum
            }
            (Some(x), Some(y)) if y.0 < x.0 => {
                let next = **y;
                b.next();
                next
            }
            (Some(x), _) => {
                let next = **x;
                a.next();
                next
            }
            (None, Some(y)) => {
                let next = **y;
                b.next();
                next
            }
            (None, None) => return,
        };
        out.push(next);
    }
}
