//! Stops a partition that gives almost nothing but rejects: a wrong format or topic, not bad records.

/// Counts records in windows that follow each other, so a stop depends on the records alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Poison {
    records: u64,
    rejects: u64,
}

impl Poison {
    /// Takes one record. True: the window is full and holds too many rejects.
    pub(super) fn count(&mut self, is_rejected: bool, window: u64, max_share: f64) -> bool {
        self.records += 1;
        self.rejects += u64::from(is_rejected);
        if self.records < window {
            return false;
        }
        let share = self.rejects as f64 / self.records as f64;
        *self = Self::default();
        share > max_share
    }
}

#[cfg(test)]
mod tests {
    use super::Poison;

    fn stops(rejects: impl Fn(u64) -> bool) -> Option<u64> {
        let mut poison = Poison::default();
        (0..100).find(|record| poison.count(rejects(*record), 10, 0.5))
    }

    #[test]
    fn a_window_with_too_many_rejects_stops_at_its_end() {
        assert_eq!(stops(|record| record >= 14), Some(19));
        assert_eq!(stops(|record| record % 2 == 0), None);
        assert_eq!(stops(|_| false), None);
    }
}
