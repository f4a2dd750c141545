//! `label_cells`: partial sums of labelled requests of one commit.

use arrow::array::RecordBatch;
use bellwether_warehouse::tables::attempts::AttemptRow;

use crate::event::Event;
use crate::identity::{self, Identities};

#[derive(Debug, Default)]
pub struct Cells {}

impl Cells {
    /// Adds one row of the (stripped) event; call it for each row that `normalise` gives. Rows that are not a
    /// request's last attempt, and events without labels, add nothing.
    pub fn add(
        &mut self,
        event: &Event<'_>,
        row: &AttemptRow<'_>,
        ids: &Identities,
    ) -> Result<(), identity::Error> {
        let _ = (event, row, ids);
        unimplemented!()
    }

    pub fn is_empty(&self) -> bool {
        unimplemented!()
    }

    pub fn size_bytes(&self) -> usize {
        unimplemented!()
    }

    /// The rows so far in an order that tells nothing; leaves the state empty. None without rows.
    pub fn finish(&mut self) -> Option<RecordBatch> {
        unimplemented!()
    }
}
