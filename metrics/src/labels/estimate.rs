//! Estimators: Hajek shares, Kish's effective sample size, Wilson intervals, published rounding.

use super::Interval;

const Z: f64 = 1.96;

/// Wilson interval of share `p` seen in `n` (effective) observations.
pub(super) fn wilson(p: f64, n: f64) -> Interval {
    if n <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Interval { low: ((middle - spread) / scale).max(0.0), high: ((middle + spread) / scale).min(1.0) }
}

/// (Σ x)² / Σ x²
pub(super) fn n_eff(sum: f64, sum_of_squares: f64) -> f64 {
    if sum_of_squares > 0.0 { sum * sum / sum_of_squares } else { 0.0 }
}

pub(super) fn wider(a: Interval, b: Interval) -> Interval {
    if a.high - a.low >= b.high - b.low { a } else { b }
}

/// 1 percentage point; 0.1 from 1,000 effective samples.
pub(super) fn round(share: f64, n_eff: f64) -> f64 {
    let steps = if n_eff >= 1_000.0 { 1_000.0 } else { 100.0 };
    (share * steps).round() / steps
}

pub(super) fn round_interval(interval: Interval, n_eff: f64) -> Interval {
    Interval { low: round(interval.low, n_eff), high: round(interval.high, n_eff) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_textbook_interval() {
        // 97.5 % of 240 is 94.7 to 98.8 %.
        let interval = wilson(0.975, 240.0);
        assert!((interval.low - 0.947).abs() < 0.0005, "{interval:?}");
        assert!((interval.high - 0.988).abs() < 0.0005, "{interval:?}");
        // No error in 1,000 bounds the rate at 0.38 %.
        assert!((wilson(0.0, 1_000.0).high - 0.0038).abs() < 0.00005);
    }

    #[test]
    fn equal_weights_count_fully_and_one_heavy_one_counts_alone() {
        assert_eq!(n_eff(40.0, 160.0), 10.0);
        assert!((n_eff(109.0, 10_009.0) - 1.187).abs() < 0.001);
    }

    #[test]
    fn shares_are_rounded_to_a_point_until_the_sample_is_large() {
        assert_eq!(round(0.2449, 400.0), 0.24);
        assert_eq!(round(0.2449, 1_000.0), 0.245);
    }
}
