//! Label rows that come when their epoch is destroyed.
//!
//! The rows and keys of an epoch are destroyed for good, so a late row of it must not be added. Which epochs that are
//! stands in the table itself, and the commit is refused when it has moved meanwhile; the batch is then read again and
//! leaves out what it has to.

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use bellwether_warehouse::tables::label_cells::{destroyed_app, epoch_of_day};
use bellwether_warehouse::{AppId, Snapshot};

/// What is left of a batch of cells.
#[derive(Debug)]
pub(super) struct Kept {
    pub cells: Option<RecordBatch>,
    /// Cells left out.
    pub dropped: usize,
    /// What the commit must find.
    pub expect: Vec<(AppId, Option<i64>)>,
}

/// # Errors
/// The rows cannot be told apart by their week.
pub(super) fn keep(cells: Option<&RecordBatch>, table: &Snapshot) -> Result<Kept, ArrowError> {
    let Some(cells) = cells else {
        return Ok(Kept { cells: None, dropped: 0, expect: Vec::new() });
    };
    let destroyed = table.txn(&destroyed_app());
    let expect = vec![(destroyed_app(), destroyed)];
    let Some(up_to) = destroyed else {
        return Ok(Kept { cells: Some(cells.clone()), dropped: 0, expect });
    };
    let weeks = cells.column(cells.schema_ref().index_of("week")?).as_primitive::<Date32Type>();
    let is_kept = |week: i32| epoch_of_day(i64::from(week)) > up_to;
    let is_kept: BooleanArray = weeks.iter().map(|week| week.map(is_kept)).collect();
    let kept = filter_record_batch(cells, &is_kept)?;
    let dropped = cells.num_rows() - kept.num_rows();
    Ok(Kept { cells: Some(kept).filter(|kept| kept.num_rows() > 0), dropped, expect })
}

#[cfg(test)]
mod tests {
    use bellwether_warehouse::tables::label_cells::{Builder, LabelCellRow};
    use bellwether_warehouse::{Advance, Change, Location, TableId, Warehouse};

    use super::*;

    #[tokio::test]
    async fn cells_of_destroyed_epochs_are_left_out_and_the_commit_expects_what_was_seen() {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
        let warehouse = Warehouse::open_or_create(&location).await.unwrap();
        let mut table = warehouse.table(TableId::LabelCells).await.unwrap();
        let mut cells = Builder::default();
        // Mondays: 2026-11-09 and -16 lie in epoch 741, 2026-11-23 in epoch 742.
        for week in [20_766, 20_773, 20_780] {
            cells.push(&LabelCellRow { week, n: 1, ..LabelCellRow::default() });
        }
        let cells = cells.finish();
        let kept = keep(Some(&cells), table.snapshot()).unwrap();
        assert_eq!((kept.cells.unwrap().num_rows(), kept.dropped), (3, 0));
        assert_eq!(kept.expect, [(destroyed_app(), None)]);

        let mut other = warehouse.table(TableId::LabelCells).await.unwrap();
        let advance = vec![Advance { app: destroyed_app(), from: None, to: 741 }];
        other.commit(Change { advance, ..Change::default() }).await.unwrap();
        // Whoever looked before is refused.
        let add = table.write(std::slice::from_ref(&cells)).await.unwrap();
        let stale = Change { add, expect: vec![(destroyed_app(), None)], ..Change::default() };
        assert!(table.commit(stale).await.unwrap_err().is_refusal());
        let kept = keep(Some(&cells), table.snapshot()).unwrap();
        assert_eq!((kept.cells.unwrap().num_rows(), kept.dropped), (1, 2));
        assert_eq!(kept.expect, [(destroyed_app(), Some(741))]);
        let kept = keep(None, table.snapshot()).unwrap();
        assert!(kept.cells.is_none() && kept.expect.is_empty());
    }
}
