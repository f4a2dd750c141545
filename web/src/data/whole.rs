//! Published tables without dates that matter here: held as a whole, and read again when they are others.

use std::sync::Arc;

use bellwether_warehouse::Snapshot;

use super::load::LoadError;

#[derive(Debug, Default)]
pub(super) struct Whole<T> {
    version: Option<i64>,
    held: Arc<T>,
}

impl<T> Whole<T> {
    /// Reads a table, if there is one, when it is another than before.
    pub async fn follow(
        &mut self,
        table: Option<&Snapshot>,
        read: impl AsyncFnOnce(&Snapshot) -> Result<T, LoadError>,
    ) -> Result<(), LoadError> {
        if let Some(table) = table.filter(|table| self.version != Some(table.version())) {
            let read = read(table).await?;
            (self.version, self.held) = (Some(table.version()), Arc::new(read));
        }
        Ok(())
    }

    pub fn get(&self) -> Arc<T> {
        self.held.clone()
    }
}
