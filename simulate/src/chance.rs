//! Random numbers of a minute, hashes, and tables of quantiles that spare a logarithm per draw.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// Finaliser of SplitMix64: spreads every bit of the input over the output.
pub(crate) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hash of a few numbers, the same on every platform.
pub(crate) fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0x5eed, |state, part| mix(state ^ mix(*part)))
}

/// Hash of a name (FNV-1a, then [`mix`]).
pub(crate) fn hash_name(name: &str) -> u64 {
    mix(name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)))
}

/// A number in [0, 1) from the high bits of a hash.
pub(crate) fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The generator of one minute (or one request), seeded by what it stands for.
pub(crate) struct Chance(Pcg64Mcg);

impl Chance {
    pub(crate) fn new(parts: &[u64]) -> Self {
        let high = hash(parts);
        Self(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(mix(high ^ 0xa5a5))))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in [0, n), n ≥ 1; the bias of the multiply is below n / 2^32.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A count with the given mean: exact by inversion for small means, rounded normal above, where the
    /// difference is below what a minute can show.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean <= 0.0 {
            return 0;
        }
        if mean < 40.0 {
            let mut left = self.unit();
            let mut term = (-mean).exp();
            let mut count = 0u32;
            while left > term && count < 400 {
                left -= term;
                count += 1;
                term *= mean / f64::from(count);
            }
            return count;
        }
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        (mean + mean.sqrt() * normal + 0.5).max(0.0) as u32
    }
}

/// Values of a distribution at evenly spaced probabilities, read with linear interpolation.
pub(crate) struct Quantiles {
    values: Box<[f32]>,
    mean: f64,
}

const STEPS: usize = 2048;

impl Quantiles {
    /// Ratios to the median of a log-normal distribution.
    pub(crate) fn log_normal(sigma: f64) -> Self {
        Self::from_log_ratio(|z| sigma * z)
    }

    /// Ratios to the median where the logarithm is piecewise linear in the normal quantile.
    pub(crate) fn piecewise(points: &[(f64, f64)]) -> Self {
        Self::from_log_ratio(|z| interpolate(points, z))
    }

    fn from_log_ratio(log_ratio: impl Fn(f64) -> f64) -> Self {
        let values: Box<[f32]> = (0..=STEPS)
            .map(|i| {
                let p = (i as f64).clamp(0.25, STEPS as f64 - 0.25) / STEPS as f64;
                log_ratio(normal_quantile(p)).exp() as f32
            })
            .collect();
        let inner: f64 = values.windows(2).map(|pair| f64::from(pair[0] + pair[1]) / 2.0).sum();
        Self { mean: inner / STEPS as f64, values }
    }

    /// The mean of what [`Quantiles::draw`] returns.
    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    pub(crate) fn draw(&self, chance: &mut Chance) -> f64 {
        let bits = chance.bits();
        let step = (bits >> 53) as usize;
        let part = ((bits >> 21) & 0xffff_ffff) as f32 * (1.0 / 4_294_967_296.0);
        match self.values.get(step..step + 2) {
            Some([low, high]) => f64::from(low + (high - low) * part),
            _ => 1.0,
        }
    }
}

/// Index of the first entry of a cumulative table that exceeds `at`; the last one when none does.
pub(crate) fn pick(cumulative: &[f32], at: f64) -> usize {
    cumulative.partition_point(|bound| f64::from(*bound) <= at).min(cumulative.len().saturating_sub(1))
}

/// Cumulative shares in (0, 1], from weights.
pub(crate) fn cumulate(weights: impl IntoIterator<Item = f64>) -> Box<[f32]> {
    let mut sum = 0.0;
    let sums: Vec<f64> = weights
        .into_iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    sums.into_iter().map(|bound| if sum > 0.0 { (bound / sum) as f32 } else { 0.0 }).collect()
}

/// Straight lines through points with ascending x, flat outside.
pub(crate) fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    for pair in points.windows(2) {
        if let [(x0, y0), (x1, y1)] = pair
            && x <= *x1
        {
            let part = ((x - x0) / (x1 - x0)).max(0.0);
            return y0 + (y1 - y0) * part;
        }
    }
    points.last().map_or(0.0, |(_, y)| *y)
}

/// The same with straight lines in the logarithm of y, for figures that span powers of ten.
pub(crate) fn interpolate_log(points: &[(f64, f64)], x: f64) -> f64 {
    for pair in points.windows(2) {
        if let [(x0, y0), (x1, y1)] = pair
            && x <= *x1
        {
            let part = ((x - x0) / (x1 - x0)).max(0.0);
            return y0 * (y1 / y0).powf(part);
        }
    }
    points.last().map_or(0.0, |(_, y)| *y)
}

/// Inverse of the standard normal distribution by bisection on its series: slow, for tables only.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-8.0f64, 8.0f64);
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if normal_probability(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

pub(crate) fn normal_probability(z: f64) -> f64 {
    // Marsaglia's series: exact to double precision for |z| < 7.
    if z.abs() > 7.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, mut n) = (z, z, 1.0);
    while term.abs() > 1e-17 * sum.abs().max(1e-300) && n < 400.0 {
        n += 2.0;
        term *= z * z / n;
        sum += term;
    }
    0.5 + sum * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}
