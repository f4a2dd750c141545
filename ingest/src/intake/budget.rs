//! Bytes that all running requests together hold.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metric;

#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, held: 0 }
    }
}

/// What one request holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    held: usize,
}

impl Share<'_> {
    /// Changes the share to `bytes`. False: the budget does not allow it, and the share stays as it was.
    pub(super) fn resize(&mut self, bytes: usize) -> bool {
        if let Some(more) = bytes.checked_sub(self.held) {
            let before = self.budget.held.fetch_add(more, Ordering::Relaxed);
            if before + more > self.budget.limit {
                self.budget.held.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else {
            self.budget.held.fetch_sub(self.held - bytes, Ordering::Relaxed);
        }
        self.held = bytes;
        metrics::gauge!(metric::INTAKE_IN_FLIGHT).set(self.budget.held.load(Ordering::Relaxed) as f64);
        true
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn shares_stay_within_the_budget_and_are_given_back() {
        let budget = Budget::new(100);
        let mut one = budget.share();
        let mut two = budget.share();
        assert!(one.resize(60));
        assert!(!two.resize(41));
        assert!(two.resize(40));
        assert!(one.resize(10));
        assert!(two.resize(90));
        drop(two);
        assert!(one.resize(100));
    }
}
