//! Writes a classic checkpoint from the former one and the entries since.
//!
//! Memory follows what changed since the former checkpoint, not the table: that one passes through batch by batch,
//! and only the encoded file is held whole.

use std::collections::BTreeMap;
use std::fmt::Display;

use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::read::each_batch;
use super::{Pointer, schema};
use crate::error::Error;
use crate::log::Log;
use crate::log::action::{Action, Add, MetaData, Protocol, Remove, Txn};

/// Actions turned into columns at once.
const BATCH: usize = 4096;

impl Log {
    /// Writes the checkpoint of `version`, reads it back, and only then points to it. Does nothing when a
    /// checkpoint of that version or a newer one stands. Writers that meet write the same rows.
    ///
    /// `tombstones_since`: of files removed before it nothing is told any more (ms).
    pub(crate) async fn write_checkpoint(&self, version: i64, tombstones_since: i64) -> Result<(), Error> {
        let former = self.newest_checkpoint_files().await?;
        if former.as_ref().is_some_and(|(former, _)| former.version >= version) {
            return Ok(());
        }
        let mut changes = Changes::default();
        for entry in former.as_ref().map_or(0, |(former, _)| former.version + 1)..=version {
            let actions = self.read_actions(entry).await?;
            let table = self.storage.table();
            actions
                .ok_or(Error::CommitGone { table, version: entry })?
                .into_iter()
                .for_each(|action| changes.note(action));
        }
        let files = former.map(|(_, files)| files).unwrap_or_default();
        let name = Pointer::single(version).name();
        let written = tokio::task::spawn_blocking(move || encode(files, changes, tombstones_since));
        let written = written.await.map_err(|source| Error::Task { table: self.storage.table(), source })?;
        let Encoded { mut bytes, mut rows, mut adds } =
            written.map_err(|detail| self.damaged(&name, &detail))?;
        // What stands there stays: a writer that stood still meanwhile may have read entries that are no history.
        if !self.storage.put_if_absent(&name, bytes.clone()).await? {
            let standing = self.storage.get(&name).await?;
            bytes = standing.ok_or_else(|| self.damaged(&name, "the checkpoint is there and is not"))?;
            let counted = self.decode(name.clone(), bytes.clone(), count).await?;
            counted.check().map_err(|detail| self.damaged(&name, &detail))?;
            (rows, adds) = (counted.rows, counted.adds);
        }
        if self.storage.get(&name).await?.as_ref() != Some(&bytes) {
            return Err(self.damaged(&name, "the checkpoint was not read back as it was written"));
        }
        let size_in_bytes = i64::try_from(bytes.len()).ok();
        let pointer =
            Pointer { size: rows, size_in_bytes, num_of_add_files: Some(adds), ..Pointer::single(version) };
        self.point_to(pointer).await
    }
}

/// Rows of a checkpoint.
#[derive(Default)]
pub(super) struct Count {
    pub rows: i64,
    pub adds: i64,
    protocols: i64,
    metadata: i64,
}

impl Count {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.adds += other.adds;
        self.protocols += other.protocols;
        self.metadata += other.metadata;
    }

    pub(super) fn check(&self) -> Result<(), String> {
        one_of_each((self.protocols, self.metadata))
    }
}

/// Reads a file of a checkpoint to its end.
///
/// # Errors
/// What is wrong with it.
pub(super) fn count(bytes: Bytes) -> Result<Count, String> {
    let mut count = Count::default();
    each_batch(bytes, |batch| {
        for action in batch {
            count.rows += 1;
            count.adds += i64::from(action.add.is_some());
            count.protocols += i64::from(action.protocol.is_some());
            count.metadata += i64::from(action.meta_data.is_some());
        }
        Ok(())
    })?;
    Ok(count)
}

fn one_of_each((protocols, metadata): (i64, i64)) -> Result<(), String> {
    match (protocols, metadata) {
        (1, 1) => Ok(()),
        _ => Err(format!("the log tells {protocols} protocols and {metadata} schemas, not one of each")),
    }
}

/// The newest word of the entries on each thing.
#[derive(Default)]
struct Changes {
    protocol: Option<Protocol>,
    meta_data: Option<MetaData>,
    txns: BTreeMap<String, Txn>,
    files: BTreeMap<String, File>,
}

enum File {
    Active(Add),
    Removed(Remove),
}

impl Changes {
    fn note(&mut self, action: Action) {
        let Action { add, remove, txn, protocol, meta_data, commit_info: _ } = action;
        if let Some(remove) = remove {
            self.files.insert(remove.path.clone(), File::Removed(remove));
        }
        if let Some(add) = add {
            self.files.insert(add.path.clone(), File::Active(add));
        }
        if let Some(txn) = txn {
            self.txns.insert(txn.app_id.clone(), txn);
        }
        self.protocol = protocol.or(self.protocol.take());
        self.meta_data = meta_data.or(self.meta_data.take());
    }

    /// Whether the entries say nothing newer on what a row of the former checkpoint tells.
    fn leaves(&self, row: &Action) -> bool {
        let path = row.add.as_ref().map(|add| &add.path).or(row.remove.as_ref().map(|remove| &remove.path));
        path.is_none_or(|path| !self.files.contains_key(path))
            && row.txn.as_ref().is_none_or(|txn| !self.txns.contains_key(&txn.app_id))
            && (row.protocol.is_none() || self.protocol.is_none())
            && (row.meta_data.is_none() || self.meta_data.is_none())
    }

    fn into_actions(self) -> impl Iterator<Item = Action> {
        let protocol = self.protocol.map(|it| Action { protocol: Some(it), ..Action::default() });
        let meta_data = self.meta_data.map(|it| Action { meta_data: Some(it), ..Action::default() });
        let txns = self.txns.into_values().map(|it| Action { txn: Some(it), ..Action::default() });
        let files = self.files.into_values().map(|file| match file {
            File::Active(it) => Action { add: Some(it), ..Action::default() },
            File::Removed(it) => Action { remove: Some(it), ..Action::default() },
        });
        protocol.into_iter().chain(meta_data).chain(txns).chain(files)
    }
}

struct Encoded {
    bytes: Bytes,
    rows: i64,
    adds: i64,
}

fn encode(former: Vec<(String, Bytes)>, changes: Changes, oldest_tombstone: i64) -> Result<Encoded, String> {
    let mut rows = Rows::new(oldest_tombstone)?;
    for (_, bytes) in former {
        each_batch(bytes, |batch| {
            batch.into_iter().filter(|row| changes.leaves(row)).try_for_each(|row| rows.push(row))
        })?;
    }
    changes.into_actions().try_for_each(|action| rows.push(action))?;
    rows.finish()
}

/// Actions on their way into the file.
struct Rows {
    decoder: Decoder,
    writer: ArrowWriter<Vec<u8>>,
    waiting: Vec<Action>,
    oldest_tombstone: i64,
    rows: i64,
    adds: i64,
    /// Rows of `protocol` and `metaData`: a table has one each.
    singles: (i64, i64),
}

impl Rows {
    fn new(oldest_tombstone: i64) -> Result<Self, String> {
        let schema = schema::schema();
        let zstd = ZstdLevel::try_new(1).map_err(text)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(zstd))
            .set_created_by(concat!("bellwether ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).map_err(text)?;
        let decoder = ReaderBuilder::new(schema).with_batch_size(BATCH).build_decoder().map_err(text)?;
        Ok(Self { decoder, writer, waiting: Vec::new(), oldest_tombstone, rows: 0, adds: 0, singles: (0, 0) })
    }

    fn push(&mut self, mut action: Action) -> Result<(), String> {
        if let Some(remove) = &mut action.remove {
            if remove.deletion_timestamp.unwrap_or(0) < self.oldest_tombstone {
                return Ok(());
            }
            remove.data_change = false;
        }
        if let Some(add) = &mut action.add {
            add.data_change = false;
            self.adds += 1;
        }
        self.singles.0 += i64::from(action.protocol.is_some());
        self.singles.1 += i64::from(action.meta_data.is_some());
        self.rows += 1;
        self.waiting.push(action);
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), String> {
        self.decoder.serialize(&self.waiting).map_err(text)?;
        self.waiting.clear();
        if let Some(batch) = self.decoder.flush().map_err(text)? {
            self.writer.write(&batch).map_err(text)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Encoded, String> {
        self.flush()?;
        one_of_each(self.singles)?;
        let bytes = self.writer.into_inner().map_err(text)?.into();
        Ok(Encoded { bytes, rows: self.rows, adds: self.adds })
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
