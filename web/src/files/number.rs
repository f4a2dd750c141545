//! Numbers as files write them.

/// Nine significant digits: more than any of these figures has.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.8e}").parse().unwrap_or(number)
}
