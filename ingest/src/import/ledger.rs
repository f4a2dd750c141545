//! The `imports` table: which content owns which range of the import log.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use bellwether_warehouse::tables::imports::{self, ImportRow};
use bellwether_warehouse::{Advance, AppId, Change, CommitError, Table, TableId, Warehouse, session};
use futures::TryStreamExt;

use super::ImportError;

/// Application transaction of `imports`: the next free offset.
const APP: &str = "import/claims";

/// A content's place in the log: offsets `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) hash: String,
    pub(super) file_name: String,
    pub(super) start: i64,
    pub(super) end: i64,
    /// Append time of all its records, so that a repeated run judges time like the first.
    pub(super) imported_at_us: i64,
}

/// Content that wants a place.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) hash: String,
    pub(super) file_name: String,
    pub(super) format: String,
    pub(super) size_bytes: u64,
    pub(super) items: u64,
}

#[derive(Debug)]
pub(super) struct Ledger {
    table: Table,
    claims: HashMap<String, Claim>,
}

impl Ledger {
    pub(super) async fn open(warehouse: &Warehouse) -> Result<Self, ImportError> {
        let table = warehouse.table(TableId::Imports).await.map_err(ImportError::Tables)?;
        let mut ledger = Self { table, claims: HashMap::new() };
        ledger.read().await.map_err(ImportError::Ledger)?;
        Ok(ledger)
    }

    pub(super) fn claim_of(&self, hash: &str) -> Option<&Claim> {
        self.claims.get(hash)
    }

    /// Claims that end behind `position`, in the order of the log.
    pub(super) fn unfinished(&self, position: i64) -> Vec<&Claim> {
        let mut open: Vec<&Claim> = self.claims.values().filter(|claim| claim.end > position).collect();
        open.sort_unstable_by_key(|claim| claim.start);
        open
    }

    /// Gives each content a range behind all earlier ones, in one commit.
    pub(super) async fn claim(&mut self, wanted: &[Wanted], now_us: i64) -> Result<(), ImportError> {
        let app = AppId(APP.to_owned());
        let from = self.table.snapshot().txn(&app);
        let mut next = from.unwrap_or_default();
        let mut claims = Vec::with_capacity(wanted.len());
        for content in wanted {
            let end = next.saturating_add_unsigned(content.items);
            let (hash, file_name) = (content.hash.clone(), content.file_name.clone());
            claims.push(Claim { hash, file_name, start: next, end, imported_at_us: now_us });
            next = end;
        }
        let files = self.table.write(&[rows(wanted, &claims)]).await.map_err(ImportError::Tables)?;
        let advance = vec![Advance { app, from, to: next }];
        match self.table.commit(Change { advance, add: files, ..Change::default() }).await {
            Ok(_) => {}
            Err(CommitError::Fenced { .. }) => return Err(ImportError::Busy),
            Err(error) => return Err(ImportError::Claim(Box::new(error))),
        }
        self.claims.extend(claims.into_iter().map(|claim| (claim.hash.clone(), claim)));
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.table.snapshot().files().is_empty() {
            return Ok(());
        }
        let ctx = session::session(2);
        ctx.register_table(TableId::Imports.name(), self.table.snapshot().provider())?;
        let rows = ctx
            .sql("SELECT content_hash, file_name, start_offset, end_offset, imported_at FROM imports")
            .await?;
        let mut stream = rows.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let text = |column: usize| arrow::compute::cast(batch.column(column), &DataType::Utf8);
            let number = |column: usize| arrow::compute::cast(batch.column(column), &DataType::Int64);
            let (hash, name) = (text(0)?, text(1)?);
            let (start, end, at) = (number(2)?, number(3)?, number(4)?);
            for row in 0..batch.num_rows() {
                let value = |column: &ArrayRef| column.as_primitive::<Int64Type>().value(row);
                let claim = Claim {
                    hash: hash.as_string::<i32>().value(row).to_owned(),
                    file_name: name.as_string::<i32>().value(row).to_owned(),
                    start: value(&start),
                    end: value(&end),
                    imported_at_us: value(&at),
                };
                self.claims.insert(claim.hash.clone(), claim);
            }
        }
        Ok(())
    }
}

fn rows(wanted: &[Wanted], claims: &[Claim]) -> RecordBatch {
    let mut rows = imports::Builder::default();
    for (content, claim) in wanted.iter().zip(claims) {
        rows.push(&ImportRow {
            content_hash: &claim.hash,
            file_name: &claim.file_name,
            format: &content.format,
            size_bytes: i64::try_from(content.size_bytes).unwrap_or(i64::MAX),
            start_offset: claim.start,
            end_offset: claim.end,
            imported_at: claim.imported_at_us,
        });
    }
    rows.finish()
}
