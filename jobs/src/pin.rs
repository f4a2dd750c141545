//! Every table at one state, for whoever reads several of them together.

use std::time::Duration;

use bellwether_warehouse::{Snapshot, Table, TableId, Warehouse};

use crate::error::Error;
use crate::jobs::refresh;
use crate::rollup::{FOLDED, folded};

/// Looks at the tables until they stand at one version of `attempts`. A fold commits table after table within
/// a second or so; longer only helps where the storage is slower than that.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Snapshots of all tables.
#[derive(Debug)]
pub struct Pinned {
    pub snapshots: Vec<Snapshot>,
    /// Whether all folded tables stand at one version of `attempts`. False after a fold that was cut off: a join
    /// over two of them then mixes versions.
    pub is_even: bool,
}

/// Pins every table of a warehouse, the folded ones at one version of `attempts`; waits for a fold that is
/// committing.
///
/// # Errors
/// When a table is missing or cannot be read.
pub async fn pin(warehouse: &Warehouse) -> Result<Pinned, Error> {
    pin_within(warehouse, LOOKS).await
}

async fn pin_within(warehouse: &Warehouse, looks: u32) -> Result<Pinned, Error> {
    let mut tables = Vec::new();
    for id in TableId::ALL {
        let table = warehouse.table(id).await;
        tables.push(table.map_err(|source| Error::Open { table: id.name(), source })?);
    }
    let mut is_even = is_even(&tables);
    for _ in 1..looks {
        if is_even {
            break;
        }
        warehouse.world().sleep(BETWEEN_LOOKS).await;
        for table in &mut tables {
            refresh(table).await?;
        }
        is_even = self::is_even(&tables);
    }
    Ok(Pinned { snapshots: tables.iter().map(|table| table.snapshot().clone()).collect(), is_even })
}

fn is_even(tables: &[Table]) -> bool {
    let is_folded = |table: &&Table| FOLDED.iter().any(|rollup| rollup.table == table.id());
    let mut standing = tables.iter().filter(is_folded).map(|table| folded(table.snapshot()));
    let first = standing.next();
    standing.all(|at| Some(at) == first)
}

#[cfg(test)]
mod tests {
    use bellwether_warehouse::TableId;
    use bellwether_warehouse::testing::attempt;

    use super::{LOOKS, pin_within};
    use crate::Jobs;
    use crate::rollup::folded;
    use crate::testing::{Fixture, at};

    #[tokio::test]
    async fn folded_tables_are_pinned_at_one_version_while_a_fold_is_committing() {
        let now = at("2026-11-25T13:00:00Z");
        let mut f = Fixture::new().await;
        assert!(pin_within(&f.warehouse, 1).await.unwrap().is_even, "before the first fold");
        f.append(&[attempt("a")]).await;
        // Cut off after two tables.
        let mut cut = Jobs::open(&f.warehouse).await.unwrap();
        cut.folded.truncate(2);
        cut.fold(now).await.unwrap();
        let uneven = pin_within(&f.warehouse, 1).await.unwrap();
        assert!(!uneven.is_even);
        assert_eq!(uneven.snapshots.len(), TableId::ALL.len());

        let (pinned, done) = tokio::join!(pin_within(&f.warehouse, LOOKS), f.jobs.fold(now));
        done.unwrap();
        let pinned = pinned.unwrap();
        assert!(pinned.is_even);
        let daily = pinned.snapshots.iter().find(|snapshot| snapshot.table() == TableId::HealthDaily);
        assert_eq!(folded(daily.unwrap()), Some(1));
    }
}
