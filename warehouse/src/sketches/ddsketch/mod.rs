//! DDSketch: quantiles within 1 % relative error.

mod bin;
mod bytes;
mod ledger;
mod ordered;
mod sums;
#[cfg(test)]
mod tests;

pub use ledger::Ledger;
pub use ordered::Ordered;
pub(super) use sums::Sums;

/// Smallest and largest value seen, exact.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limits {
    min: f64,
    max: f64,
}

/// Sorted sparse bins with integer counts, zero bin, exact min and max.
///
/// Everything in it is a sum, a minimum or a maximum, so neither the order of updates nor of merges leaves
/// a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DdSketch {
    /// None while empty.
    limits: Option<Limits>,
    /// Values too small for a bin, negative ones included.
    zeros: u64,
    /// (index, count) by ascending index, no count 0.
    bins: Vec<(i32, u64)>,
}

#[derive(Debug, thiserror::Error)]
#[error("not a DDSketch: {0}")]
pub struct DecodeError(pub &'static str);

impl DdSketch {
    /// NaN and the infinities are no measurements and are left out.
    pub fn add(&mut self, value: f64) {
        self.add_times(value, 1);
    }

    /// As `add`, so many times.
    pub fn add_times(&mut self, value: f64, times: u64) {
        if !value.is_finite() || times == 0 {
            return;
        }
        let value = bin::unsigned_zero(value);
        self.widen(Limits { min: value, max: value });
        match bin::index(value) {
            None => self.zeros = self.zeros.saturating_add(times),
            Some(index) => match self.bins.binary_search_by_key(&index, |bin| bin.0) {
                Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(times),
                Err(at) => self.bins.insert(at, (index, times)),
            },
        }
    }

    pub fn merge(&mut self, other: &Self) {
        let Some(limits) = other.limits else {
            return;
        };
        self.widen(limits);
        self.zeros = self.zeros.saturating_add(other.zeros);
        let mut merged = Vec::with_capacity(self.bins.len() + other.bins.len());
        bin::merge(&self.bins, &other.bins, &mut merged);
        self.bins = merged;
    }

    pub fn count(&self) -> u64 {
        self.bins.iter().fold(self.zeros, |sum, bin| sum.saturating_add(bin.1))
    }

    /// Value at rank floor(q·(n − 1)) within 1 %; None when empty. `q` in 0..=1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let limits = self.limits?;
        if !(0.0..=1.0).contains(&q) {
            return None;
        }
        let last = self.count().saturating_sub(1);
        let rank = ((q * last as f64).floor() as u64).min(last);
        if rank == 0 {
            return Some(limits.min);
        }
        if rank == last {
            return Some(limits.max);
        }
        let mut below = self.zeros;
        if rank < below {
            return Some(0.0_f64.clamp(limits.min, limits.max));
        }
        for (index, count) in &self.bins {
            below = below.saturating_add(*count);
            if rank < below {
                return Some(bin::middle(*index).clamp(limits.min, limits.max));
            }
        }
        Some(limits.max)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        bytes::write(&mut out, self.limits, self.zeros, self.bins.iter().copied());
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut sketch = Self::default();
        sketch.read(bytes)?;
        Ok(sketch)
    }

    /// Becomes the sketch that is stored so; of no meaning after an error.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.bins.clear();
        (self.limits, self.zeros) = bytes::read(bytes, |index, count| self.bins.push((index, count)))?;
        Ok(())
    }

    /// The count of a stored sketch.
    pub fn count_stored(bytes: &[u8]) -> Result<u64, DecodeError> {
        let mut count = 0_u64;
        let (_, zeros) = bytes::read(bytes, |_, own| count = count.saturating_add(own))?;
        Ok(count.saturating_add(zeros))
    }

    fn widen(&mut self, by: Limits) {
        self.limits = Some(match self.limits {
            None => by,
            Some(own) => Limits { min: own.min.min(by.min), max: own.max.max(by.max) },
        });
    }
}
