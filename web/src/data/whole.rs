//! Published tables without dates that matter here: held as a whole, and read again when they are others.

use std::sync::Arc;

use bellwether_warehouse::Snapshot;

#[derive(Debug, Default)]
pub(super) struct Whole<T> {
    version: Option<i64>,
    held: Arc<T>,
}

impl<T> Whole<T> {
    /// Whether it was read of this very version.
    pub fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.version == Some(snapshot.version())
    }

    pub fn put(&mut self, snapshot: &Snapshot, read: T) {
        (self.version, self.held) = (Some(snapshot.version()), Arc::new(read));
    }

    pub fn get(&self) -> Arc<T> {
        self.held.clone()
    }
}
