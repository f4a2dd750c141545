//! Arrow batches → the bytes of one Parquet file.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::Error;
use crate::stats;
use crate::streams::{Spans, StreamNames};
use crate::tables::TableId;
use crate::write::split::file_schema;

/// A file is closed when it has grown past this. Larger: fewer files to open, more memory per writer.
const FILE_BYTES: usize = 128 * 1024 * 1024;
/// Rows are given to the encoder in slices, so that the size is looked at in between.
const SLICE_ROWS: usize = 128 * 1024;
const ROW_GROUP_ROWS: usize = 1024 * 1024;

pub(super) struct Encoded {
    pub bytes: Bytes,
    pub rows: i64,
    pub stats: String,
    pub streams: Option<String>,
}

/// Batches not encoded yet. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Rest(VecDeque<RecordBatch>);

impl Rest {
    pub(super) fn new(batches: Vec<RecordBatch>) -> Self {
        Self(batches.into())
    }

    fn next_slice(&mut self) -> Option<RecordBatch> {
        let batch = self.0.pop_front()?;
        if batch.num_rows() <= SLICE_ROWS {
            return Some(batch);
        }
        self.0.push_front(batch.slice(SLICE_ROWS, batch.num_rows() - SLICE_ROWS));
        Some(batch.slice(0, SLICE_ROWS))
    }
}

/// None when nothing is left.
pub(super) fn next_file(
    id: TableId,
    rest: &mut Rest,
    streams: &StreamNames,
) -> Result<Option<Encoded>, Error> {
    encode(id, rest, streams).map_err(|source| Error::Encode { table: id.name(), source })
}

fn encode(id: TableId, rest: &mut Rest, streams: &StreamNames) -> Result<Option<Encoded>, ParquetError> {
    let Some(first) = rest.next_slice() else {
        return Ok(None);
    };
    let schema = file_schema(id);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), Some(properties(id)?))?;
    let mut spans = Spans::new(streams);
    let mut slice = Some(first);
    while let Some(batch) = slice {
        writer.write(&batch)?;
        spans.add(&batch);
        let size = writer.bytes_written() + writer.in_progress_size();
        slice = if size < FILE_BYTES { rest.next_slice() } else { None };
    }
    let footer = writer.close()?;
    let rows = footer.file_metadata().num_rows();
    let stats = stats::from_footer(&footer, &schema, id.stats_columns())?;
    Ok(Some(Encoded { bytes: bytes.into(), rows, stats, streams: spans.finish() }))
}

fn properties(id: TableId) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("bellwether ", env!("CARGO_PKG_VERSION")).to_owned());
    // A dictionary of values that never repeat is work for nothing.
    for column in id.unique_columns() {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    Ok(properties.build())
}
