//! A list that grows without moving what it holds.

const PAGE: usize = 1_024;

/// Elements by number, each as it was made by `default` until it is changed.
#[derive(Debug, Default)]
pub(super) struct Pages<T>(Vec<Vec<T>>);

impl<T: Copy + Default> Pages<T> {
    /// Makes room for elements below `count`.
    pub(super) fn grow(&mut self, count: usize) {
        let pages = count.div_ceil(PAGE);
        if self.0.len() < pages {
            self.0.resize_with(pages, || vec![T::default(); PAGE]);
        }
    }

    #[inline]
    pub(super) fn at(&self, number: usize) -> &T {
        &self.0[number / PAGE][number % PAGE]
    }

    #[inline]
    pub(super) fn at_mut(&mut self, number: usize) -> &mut T {
        &mut self.0[number / PAGE][number % PAGE]
    }
}
