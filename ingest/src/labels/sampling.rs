//! Which requests are kept for label statistics, and with which weight.
//!
//! Kept rows carry weight 1 / inclusion, so that large requests are likelier and sums stay unbiased.

/// Frozen for one week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingParams {
    /// Tokens from which on every request is kept.
    pub tau: f64,
    /// Least probability.
    pub p0: f64,
}

impl SamplingParams {
    /// Every request, weight 1.
    pub const ALL: Self = Self { tau: 1.0, p0: 1.0 };
}

/// Probability that a request of so many tokens is kept.
pub fn inclusion(tokens: u64, params: &SamplingParams) -> f64 {
    (tokens as f64 / params.tau).max(params.p0).min(1.0)
}

/// The decision for one request: the same whenever it is asked.
pub fn keep(key: &[u8; 32], request_id: &[u8], pi: f64) -> bool {
    if pi >= 1.0 {
        return true;
    }
    let mut first = [0; 8];
    blake3::Hasher::new_keyed(key).update(request_id).finalize_xof().fill(&mut first);
    // 2^64; the product is below it, so the cast cuts the fraction off and nothing else.
    let limit = (pi.max(0.0) * 18_446_744_073_709_551_616.0) as u64;
    u64::from_le_bytes(first) < limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusion_grows_with_size_between_its_bounds() {
        let params = SamplingParams { tau: 1_000_000.0, p0: 0.0025 };
        assert_eq!(inclusion(0, &params), 0.0025);
        assert_eq!(inclusion(50_000, &params), 0.05);
        assert_eq!(inclusion(2_000_000, &params), 1.0);
        assert_eq!(inclusion(0, &SamplingParams::ALL), 1.0);
    }

    #[test]
    fn kept_share_is_the_probability_and_decisions_repeat() {
        let key = [7; 32];
        let kept = |pi| (0..20_000_u32).filter(|n| keep(&key, &n.to_le_bytes(), pi)).count();
        let tenth = kept(0.1);
        // Standard deviation of 20,000 draws at 0.1 is 42.
        assert!((1_830..=2_170).contains(&tenth), "{tenth}");
        assert_eq!(kept(0.1), tenth);
        assert_eq!((kept(0.0), kept(1.0)), (0, 20_000));
    }
}
