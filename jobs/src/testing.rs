//! Warehouses with rows, for the tests of the jobs.

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{append, batch};
use bellwether_warehouse::{Change, Kind, Location, Snapshot, Table, TableId, Warehouse, snapshot};
use chrono::{DateTime, Utc};
use tempfile::TempDir;

use crate::Jobs;

pub(crate) struct Fixture {
    pub warehouse: Warehouse,
    pub attempts: Table,
    pub jobs: Jobs,
    folder: TempDir,
}

/// "2026-11-25T12:00:00Z" as an instant.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The same in µs, as rows have it.
pub(crate) fn us(text: &str) -> i64 {
    at(text).timestamp_micros()
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        let warehouse = Warehouse::open_or_create(&location).await.unwrap();
        let attempts = warehouse.table(TableId::Attempts).await.unwrap();
        let jobs = Jobs::open(&warehouse).await.unwrap();
        Self { warehouse, attempts, jobs, folder }
    }

    /// The folder of the warehouse.
    pub(crate) fn root(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// One commit.
    pub(crate) async fn append(&mut self, rows: &[AttemptRow<'_>]) {
        append(&mut self.attempts, &batch(rows)).await.unwrap();
    }

    /// A commit without rows that says what arrived.
    pub(crate) async fn commit_info(&mut self, info: serde_json::Value) {
        let info = info.as_object().unwrap().clone();
        self.attempts.commit(Change { info, ..Change::default() }).await.unwrap();
    }

    pub(crate) async fn snapshot(&self, table: TableId) -> Snapshot {
        self.warehouse.table(table).await.unwrap().snapshot().clone()
    }

    /// Takes a stored file out of the way; what it returns puts it back.
    pub(crate) async fn hide(&self, table: TableId, date: &str) -> impl FnOnce() + use<> {
        let snapshot = self.snapshot(table).await;
        let file = snapshot.files().iter().find(|file| file.path.contains(date)).unwrap();
        let path = self.warehouse.location().folder().unwrap().join(table.name()).join(&file.path);
        let hidden = path.with_extension("hidden");
        std::fs::rename(&path, &hidden).unwrap();
        move || std::fs::rename(hidden, path).unwrap()
    }

    /// Puts something in the place of the next commit; what it returns takes it away.
    pub(crate) async fn damage_log(&self, table: TableId) -> impl FnOnce() + use<> {
        let next = self.snapshot(table).await.version() + 1;
        let log = self.warehouse.location().folder().unwrap().join(table.name()).join("_delta_log");
        let path = log.join(format!("{next:020}.json"));
        std::fs::write(&path, "damaged").unwrap();
        move || std::fs::remove_file(path).unwrap()
    }

    /// Answer of a query over the stored tables, a line a row, cells joined by a blank; NULL is `-`.
    pub(crate) async fn query(&self, sql: &str) -> Vec<String> {
        let ctx = self.warehouse.session(2);
        for table in TableId::ALL {
            snapshot::register(&ctx, &[self.snapshot(table).await]).unwrap();
        }
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        batches.iter().flat_map(lines).collect()
    }

    /// Every stored row of the rollups, byte for byte, file by file as they lie there.
    pub(crate) async fn contents(&self) -> Vec<(TableId, Vec<String>)> {
        let mut contents = Vec::new();
        for table in TableId::of(Kind::Folded).chain(TableId::of(Kind::Recomputed)) {
            let order = table.rollup().unwrap().order().join(", ");
            let sql = format!("SELECT * FROM {} ORDER BY {order}", table.name());
            contents.push((table, self.query(&sql).await));
        }
        contents
    }
}

/// A line a row, cells joined by a blank; NULL is `-`.
pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    (0..batch.num_rows())
        .map(|row| {
            let cells = batch.columns().iter().map(|column| match column.is_null(row) {
                true => "-".to_owned(),
                false => array_value_to_string(column, row).unwrap(),
            });
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The values of one answered row by name.
#[macro_export]
macro_rules! assert_row {
    ($fixture:expr, $from:expr, { $($column:ident: $value:expr),+ $(,)? }) => {
        let columns = [$(stringify!($column)),+];
        let found = $fixture.query(&format!("SELECT {} FROM {}", columns.join(", "), $from)).await;
        assert_eq!(found.len(), 1, "one row of {}", $from);
        let cells: Vec<&str> = found[0].split(' ').collect();
        let expected = [$($value.to_string()),+];
        for ((column, found), expected) in columns.iter().zip(cells).zip(expected) {
            assert_eq!(found, expected, "{column} of {}", $from);
        }
    };
}
