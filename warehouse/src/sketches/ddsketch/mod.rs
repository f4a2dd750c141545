//! DDSketch: quantiles within 1 % relative error.

/// Sorted sparse bins with integer counts, zero bin, exact min and max.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DdSketch {}

#[derive(Debug, thiserror::Error)]
#[error("not a DDSketch: {0}")]
pub struct DecodeError(pub &'static str);

impl DdSketch {
    pub fn add(&mut self, value: f64) {
        let _ = value;
        unimplemented!()
    }
    pub fn merge(&mut self, other: &Self) {
        let _ = other;
        unimplemented!()
    }
    pub fn count(&self) -> u64 {
        unimplemented!()
    }
    /// Value at rank floor(q·(n − 1)) within 1 %; None when empty. `q` in 0..=1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let _ = q;
        unimplemented!()
    }
    pub fn to_bytes(&self) -> Vec<u8> {
        unimplemented!()
    }
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let _ = bytes;
        unimplemented!()
    }
}
