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
    /// Attempts that are newer than what the folded tables hold, and therefore left out.
    pub left_out: i64,
    /// Whether all folded tables stand at one version of `attempts`. False after a fold that was cut off: a join
    /// over two of them then mixes versions.
    pub is_even: bool,
}

/// Pins every table of a warehouse, the folded ones at one version of `attempts`, and `attempts` at that version:
/// a sum over it is the sum of a rollup, but for what that no longer keeps and for copies that a rebuild left out.
/// Waits for a fold that is committing. Before the first fold there is nothing to agree with.
///
/// # Errors
/// When a table is missing or cannot be read, or the log of `attempts` no longer reaches back to that version.
pub async fn pin(warehouse: &Warehouse) -> Result<Pinned, Error> {
    let (tables, mut pinned) = pin_within(warehouse, LOOKS).await?;
    let is_attempts = |table: &&Table| table.id() == TableId::Attempts;
    // Where they stand apart, the last one that has all of it.
    let standing = |table: &Table| folded(table.snapshot()).map(|at| (at, table.id().name()));
    let lowest = tables.iter().filter(is_folded).filter_map(standing).min();
    let (Some((version, table)), Some(attempts)) = (lowest, tables.iter().find(is_attempts)) else {
        return Ok(pinned);
    };
    let newest = attempts.snapshot();
    if version > newest.version() {
        return Err(Error::Ahead { table, folded: version, version: newest.version() });
    }
    let name = attempts.id().name();
    let at = attempts.at(version).await.map_err(|source| Error::Log { table: name, source })?;
    pinned.left_out = rows(newest) - rows(&at);
    for snapshot in pinned.snapshots.iter_mut().filter(|snapshot| snapshot.table() == TableId::Attempts) {
        *snapshot = at.clone();
    }
    Ok(pinned)
}

/// As [`pin`], but `attempts` as it stands now.
///
/// # Errors
/// When a table is missing or cannot be read.
pub async fn pin_newest(warehouse: &Warehouse) -> Result<Pinned, Error> {
    Ok(pin_within(warehouse, LOOKS).await?.1)
}

fn rows(snapshot: &Snapshot) -> i64 {
    snapshot.files().iter().map(|file| file.rows).sum()
}

async fn pin_within(warehouse: &Warehouse, looks: u32) -> Result<(Vec<Table>, Pinned), Error> {
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
    let snapshots = tables.iter().map(|table| table.snapshot().clone()).collect();
    Ok((tables, Pinned { snapshots, left_out: 0, is_even }))
}

fn is_folded(table: &&Table) -> bool {
    FOLDED.iter().any(|rollup| rollup.table == table.id())
}

fn is_even(tables: &[Table]) -> bool {
    let mut standing = tables.iter().filter(is_folded).map(|table| folded(table.snapshot()));
    let first = standing.next();
    standing.all(|at| Some(at) == first)
}

#[cfg(test)]
mod tests {
    use bellwether_warehouse::TableId;
    use bellwether_warehouse::testing::attempt;

    use super::{Pinned, pin, pin_newest, pin_within};
    use crate::Jobs;
    use crate::rollup::folded;
    use crate::testing::{Fixture, at, lines};

    #[tokio::test]
    async fn folded_tables_are_pinned_at_one_version_while_a_fold_is_committing() {
        let now = at("2026-11-25T13:00:00Z");
        let mut f = Fixture::new().await;
        assert!(pin_within(&f.warehouse, 1).await.unwrap().1.is_even, "before the first fold");
        f.append(&[attempt("a")]).await;
        // Cut off after two tables.
        let mut cut = Jobs::open(&f.warehouse).await.unwrap();
        cut.folded.truncate(2);
        cut.fold(now).await.unwrap();
        let uneven = pin_within(&f.warehouse, 1).await.unwrap().1;
        assert!(!uneven.is_even);
        assert_eq!(uneven.snapshots.len(), TableId::ALL.len());

        let (pinned, done) = tokio::join!(pin(&f.warehouse), f.jobs.fold(now));
        done.unwrap();
        let pinned = pinned.unwrap();
        assert!(pinned.is_even);
        let daily = pinned.snapshots.iter().find(|snapshot| snapshot.table() == TableId::HealthDaily);
        assert_eq!(folded(daily.unwrap()), Some(1));
    }

    /// Rows of `attempts`, and what the rollup has of them.
    async fn counted(pinned: &Pinned) -> [String; 2] {
        let ctx = pinned.snapshots[0].session(2);
        bellwether_warehouse::session::register(&ctx, &pinned.snapshots).unwrap();
        let count = async |sql: &str| {
            let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
            batches.iter().flat_map(lines).next().unwrap()
        };
        [
            count("SELECT count(*) FROM attempts").await,
            count("SELECT coalesce(sum(requests), 0) FROM usage_daily").await,
        ]
    }

    #[tokio::test]
    async fn attempts_are_read_as_far_as_the_rollups_are_folded() {
        let now = at("2026-11-25T13:00:00Z");
        let mut f = Fixture::new().await;
        f.append(&[attempt("a")]).await;
        assert_eq!(counted(&pin(&f.warehouse).await.unwrap()).await, ["1", "0"], "before the first fold");
        f.jobs.fold(now).await.unwrap();
        f.append(&[attempt("b"), attempt("c")]).await;
        let pinned = pin(&f.warehouse).await.unwrap();
        assert_eq!((pinned.left_out, counted(&pinned).await), (2, ["1".to_owned(), "1".to_owned()]));
        let newest = pin_newest(&f.warehouse).await.unwrap();
        assert_eq!((newest.left_out, counted(&newest).await), (0, ["3".to_owned(), "1".to_owned()]));
        f.jobs.fold(now).await.unwrap();
        let pinned = pin(&f.warehouse).await.unwrap();
        assert_eq!((pinned.left_out, counted(&pinned).await), (0, ["3".to_owned(), "3".to_owned()]));
    }

    #[tokio::test]
    async fn a_version_whose_entries_were_cleaned_up_is_told() {
        let mut f = Fixture::new().await;
        f.append(&[attempt("a")]).await;
        f.jobs.fold(at("2026-11-25T13:00:00Z")).await.unwrap();
        f.append(&[attempt("b")]).await;
        f.append(&[attempt("c")]).await;
        f.attempts.checkpoint().await.unwrap();
        let log = f.warehouse.location().folder().unwrap().join("attempts/_delta_log");
        for version in 0..3 {
            std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
        }
        let error = bellwether_warehouse::chain(&pin(&f.warehouse).await.unwrap_err());
        assert!(error.contains("version 1 of table `attempts`"), "{error}");
        assert_eq!(counted(&pin_newest(&f.warehouse).await.unwrap()).await, ["3", "1"]);
    }
}
