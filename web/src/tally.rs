//! Counts as they may be told.

/// A count, or the power of ten that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    Exact(u64),
    /// At least so many: 100, 1,000, 10,000, …; `None`: fewer than 100.
    Band(Option<u64>),
}

impl Default for Tally {
    fn default() -> Self {
        Self::Exact(0)
    }
}

impl Tally {
    pub fn exact(self) -> Option<u64> {
        if let Self::Exact(n) = self { Some(n) } else { None }
    }
}
