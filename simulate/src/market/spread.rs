//! How measurements of one endpoint spread around their median: shares of narrow steps of the ratio to it.

use crate::chance::{interpolate, normal_probability};

/// Steps are this far apart in the logarithm, which is about what a sketch with 1 % error can tell apart.
const STEP: f64 = 0.02;
/// Normal quantile at which a spread ends: one measurement in some ten thousand lies outside.
const END: f64 = 3.8;

/// Ratios to the median, ascending, and the share of measurements up to each.
pub(super) struct Spread {
    ratios: Vec<f64>,
    upto: Vec<f64>,
}

impl Spread {
    pub(super) fn log_normal(sigma: f64) -> Self {
        Self::new(|z| sigma * z)
    }

    /// The logarithm is piecewise linear in the normal quantile.
    pub(super) fn piecewise(points: &[(f64, f64)]) -> Self {
        Self::new(|z| interpolate(points, z))
    }

    fn new(log_ratio: impl Fn(f64) -> f64) -> Self {
        let (low, high) = (log_ratio(-END), log_ratio(END));
        let steps = ((high - low) / STEP).ceil().max(1.0) as usize;
        // Where each step ends, found by halving: the logarithm rises with the quantile.
        let quantile = |wanted: f64| {
            let (mut below, mut above) = (-END, END);
            for _ in 0..40 {
                let middle = 0.5 * (below + above);
                if log_ratio(middle) < wanted { below = middle } else { above = middle }
            }
            0.5 * (below + above)
        };
        let mut spread = Self { ratios: Vec::new(), upto: Vec::new() };
        for step in 0..steps {
            let from = low + STEP * step as f64;
            spread.ratios.push((from + STEP / 2.0).exp());
            spread.upto.push(if step + 1 == steps { 1.0 } else { normal_probability(quantile(from + STEP)) });
        }
        spread
    }

    /// `n` measurements as (ratio to the median, how many), ascending. `luck` in 0..1 decides which of the rare ones
    /// there are.
    pub(super) fn measurements(&self, n: u64, luck: f64, mut each: impl FnMut(f64, u64)) {
        let mut before = 0;
        for (ratio, upto) in self.ratios.iter().zip(&self.upto) {
            // The last share is 1, so that all are there whatever the rounding on the way.
            let so_far = ((n as f64 * upto + luck) as u64).min(n);
            if so_far > before {
                each(*ratio, so_far - before);
                before = so_far;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;
    use crate::calibration as cal;

    fn quantile(spread: &Spread, n: u64, q: f64) -> f64 {
        let (mut seen, mut found) = (0, 0.0);
        spread.measurements(n, 0.5, |ratio, times| {
            if seen <= (q * n as f64) as u64 {
                found = ratio;
            }
            seen += times;
        });
        assert_eq!(seen, n);
        found
    }

    #[test]
    fn measurements_have_the_published_spread() {
        let ttft = Spread::piecewise(&cal::TTFT_SPREAD);
        // Health: p90/p50 2.32, p99/p50 6.84.
        for (q, ratio) in [(0.5, 1.0), (0.9, 2.32), (0.99, 6.84)] {
            let found = quantile(&ttft, 100_000, q);
            assert!((found / ratio - 1.0).abs() < 0.03, "{q}: {found}, published {ratio}");
        }
        let throughput = Spread::log_normal(cal::THROUGHPUT_SIGMA);
        let found = quantile(&throughput, 100_000, 0.9);
        assert!((found / 1.63 - 1.0).abs() < 0.03, "{found}");
    }

    #[test]
    fn few_measurements_are_as_many_as_asked_for() {
        let spread = Spread::log_normal(0.4);
        for n in [0, 1, 2, 7] {
            for luck in [0.0, 0.3, 0.999] {
                let mut sum = 0;
                spread.measurements(n, luck, |_, times| sum += times);
                assert_eq!(sum, n, "luck {luck}");
            }
        }
    }
}
