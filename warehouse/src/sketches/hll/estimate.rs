//! Registers → distinct keys, by Ertl's improved raw estimator (arXiv 1702.01284, §4): one formula for
//! every range, so no bias tables and no switch between formulas.

use super::register::{MAX_RANK, REGISTERS};

const RANKS: usize = MAX_RANK as usize + 1;

/// `ranks`: those of the registers in use, in any order.
pub(super) fn distinct(ranks: impl Iterator<Item = u8>) -> f64 {
    let mut with_rank = [0_u32; RANKS];
    for rank in ranks {
        with_rank[usize::from(rank).min(RANKS - 1)] += 1;
    }
    from_counts(&with_rank)
}

/// `ranks`: those of all registers.
pub(super) fn of_registers(ranks: &[u8; REGISTERS]) -> f64 {
    // Of four registers in a row none waits for the count of another.
    let mut apart = [[0_u32; RANKS]; 4];
    for four in ranks.chunks_exact(4) {
        for (counts, rank) in apart.iter_mut().zip(four) {
            counts[usize::from(*rank).min(RANKS - 1)] += 1;
        }
    }
    let mut with_rank = [0_u32; RANKS];
    for counts in apart {
        for (all, count) in with_rank.iter_mut().zip(counts) {
            *all += count;
        }
    }
    from_counts(&with_rank)
}

/// How many registers have each rank; those that are not in use need not be counted.
fn from_counts(with_rank: &[u32; RANKS]) -> f64 {
    let used: u32 = with_rank[1..].iter().sum();
    let m = REGISTERS as f64;
    let empty = m - f64::from(used);
    let mut z = m * tau(1.0 - f64::from(with_rank[RANKS - 1]) / m);
    for count in with_rank[1..RANKS - 1].iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(empty / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

/// x + Σ x^(2^k) · 2^(k−1) over k ≥ 1; what the empty registers stand for.
fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let next = sum + power * weight;
        if next == sum {
            return sum;
        }
        sum = next;
        weight *= 2.0;
    }
}

/// (1 − x − Σ (1 − x^(2^−k))² · 2^−k over k ≥ 1) / 3; what the full registers stand for.
fn tau(x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (x, 1.0, 1.0 - x);
    loop {
        root = root.sqrt();
        weight *= 0.5;
        let next = sum - (1.0 - root) * (1.0 - root) * weight;
        if next == sum {
            return sum / 3.0;
        }
        sum = next;
    }
}
