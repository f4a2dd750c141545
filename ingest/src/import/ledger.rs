//! The `imports` table: which content owns which range of the import log.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use bellwether_warehouse::tables::imports::{self, ImportRow};
use bellwether_warehouse::{Advance, AppId, Change, Table, TableId, Warehouse};
use futures::TryStreamExt;

use super::ImportError;

/// Application transaction of `imports`: the next free offset.
const APP: &str = "import/claims";

/// `format` of a row that gives up the rest of its content's claim, so that other files can go on: offsets
/// `[start_offset, end_offset)` stay without records. The content may come again and then goes on there.
const GIVEN_UP: &str = "given up";

/// `format` of a row that says of its content's claim that every record was rejected. The content may have a new
/// claim, for nothing of it would be there twice.
const ONLY_REJECTS: &str = "only rejects";

/// A content's place in the log: offsets `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) hash: String,
    pub(super) file_name: String,
    pub(super) start: i64,
    pub(super) end: i64,
    /// Number of the content's item at `start`; not 0 where an earlier claim was given up in the middle.
    pub(super) first_item: u64,
    /// First item without a place, where the rest of this claim was given up.
    pub(super) given_up_at: Option<u64>,
    /// No record of the whole content became a row.
    pub(super) only_rejects: bool,
    /// Append time of all its records, so that a repeated run judges time like the first.
    pub(super) imported_at_us: i64,
}

impl Claim {
    /// Number of the content's item at an offset of this claim.
    pub(super) fn item_at(&self, offset: i64) -> u64 {
        self.first_item.saturating_add_signed(offset - self.start)
    }
}

/// A claim, then what became of it, then the next claim of the same content.
const STATEMENT: &str = "SELECT content_hash, file_name, format, start_offset, end_offset, imported_at \
     FROM imports ORDER BY start_offset, imported_at";

/// Content that wants a place.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) hash: String,
    pub(super) file_name: String,
    pub(super) format: String,
    pub(super) size_bytes: u64,
    /// Items `[first_item, items)` want a place.
    pub(super) first_item: u64,
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
            let end = next.saturating_add_unsigned(content.items.saturating_sub(content.first_item));
            claims.push(Claim {
                hash: content.hash.clone(),
                file_name: content.file_name.clone(),
                start: next,
                end,
                first_item: content.first_item,
                given_up_at: None,
                only_rejects: false,
                imported_at_us: now_us,
            });
            next = end;
        }
        self.append(rows(wanted, &claims), vec![Advance { app, from, to: next }]).await?;
        self.claims.extend(claims.into_iter().map(|claim| (claim.hash.clone(), claim)));
        Ok(())
    }

    /// Gives up what a claim has from `position` on. Everything before must be committed.
    pub(super) async fn give_up(
        &mut self,
        claim: &Claim,
        position: i64,
        now_us: i64,
    ) -> Result<(), ImportError> {
        let mut rows = imports::Builder::default();
        rows.push(&ImportRow {
            content_hash: &claim.hash,
            file_name: &claim.file_name,
            format: GIVEN_UP,
            size_bytes: 0,
            start_offset: position,
            end_offset: claim.end,
            imported_at: behind(claim, now_us),
        });
        self.append(rows.finish(), Vec::new()).await?;
        if let Some(known) = self.claims.get_mut(&claim.hash) {
            known.given_up_at = Some(known.item_at(position));
        }
        Ok(())
    }

    /// Notes that no record of these claims, each of a whole content, became a row.
    pub(super) async fn note_only_rejects(
        &mut self,
        claims: &[Claim],
        now_us: i64,
    ) -> Result<(), ImportError> {
        if claims.is_empty() {
            return Ok(());
        }
        let mut rows = imports::Builder::default();
        for claim in claims {
            rows.push(&ImportRow {
                content_hash: &claim.hash,
                file_name: &claim.file_name,
                format: ONLY_REJECTS,
                size_bytes: 0,
                start_offset: claim.start,
                end_offset: claim.end,
                imported_at: behind(claim, now_us),
            });
            if let Some(known) = self.claims.get_mut(&claim.hash) {
                known.only_rejects = true;
            }
        }
        self.append(rows.finish(), Vec::new()).await
    }

    async fn append(&mut self, rows: RecordBatch, advance: Vec<Advance>) -> Result<(), ImportError> {
        let files = self.table.write(&[rows]).await.map_err(ImportError::Tables)?;
        match self.table.commit(Change { advance, add: files, ..Change::default() }).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_refusal() => Err(ImportError::Busy),
            Err(error) => Err(ImportError::Claim(Box::new(error))),
        }
    }

    async fn read(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.table.snapshot().files().is_empty() {
            return Ok(());
        }
        let ctx = self.table.snapshot().session(2);
        ctx.register_table(TableId::Imports.name(), self.table.snapshot().provider())?;
        let rows = ctx.sql(STATEMENT).await?;
        let mut stream = rows.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let text = |column: usize| arrow::compute::cast(batch.column(column), &DataType::Utf8);
            let number = |column: usize| arrow::compute::cast(batch.column(column), &DataType::Int64);
            let (hash, name, format) = (text(0)?, text(1)?, text(2)?);
            let (start, end, at) = (number(3)?, number(4)?, number(5)?);
            for row in 0..batch.num_rows() {
                let value = |column: &ArrayRef| column.as_primitive::<Int64Type>().value(row);
                let hash = hash.as_string::<i32>().value(row);
                let earlier = self.claims.get_mut(hash);
                match (format.as_string::<i32>().value(row), earlier) {
                    (GIVEN_UP, Some(claim)) => claim.given_up_at = Some(claim.item_at(value(&start))),
                    (ONLY_REJECTS, Some(claim)) => claim.only_rejects = true,
                    _ => {}
                }
                if matches!(format.as_string::<i32>().value(row), GIVEN_UP | ONLY_REJECTS) {
                    continue;
                }
                let earlier = self.claims.get(hash);
                let claim = Claim {
                    hash: hash.to_owned(),
                    file_name: name.as_string::<i32>().value(row).to_owned(),
                    start: value(&start),
                    end: value(&end),
                    first_item: earlier.and_then(|claim| claim.given_up_at).unwrap_or_default(),
                    given_up_at: None,
                    only_rejects: false,
                    imported_at_us: value(&at),
                };
                self.claims.insert(claim.hash.clone(), claim);
            }
        }
        Ok(())
    }
}

/// A time behind that of the claim, for rows are read in the order of both. A clock may have been set back.
fn behind(claim: &Claim, now_us: i64) -> i64 {
    now_us.max(claim.imported_at_us.saturating_add(1))
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
