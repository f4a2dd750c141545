//! Arrow batches → the bytes of one Parquet file.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
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

#[derive(Debug)]
pub(crate) struct Encoded {
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
    let Some(first) = rest.next_slice() else {
        return Ok(None);
    };
    let (mut file, mut spans) = (Encoder::new(id)?, Spans::new(streams));
    let mut slice = Some(first);
    while let Some(batch) = slice {
        file.push(&batch)?;
        spans.add(&batch);
        slice = if file.size_bytes() < FILE_BYTES { rest.next_slice() } else { None };
    }
    Ok(Some(Encoded { streams: spans.finish(), ..file.finish()? }))
}

/// One file on its way, in memory.
pub(crate) struct Encoder {
    id: TableId,
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
}

impl Encoder {
    pub(crate) fn new(id: TableId) -> Result<Self, Error> {
        let schema = file_schema(id);
        let writer = properties(id)
            .and_then(|properties| ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)))
            .map_err(|source| Error::Encode { table: id.name(), source })?;
        Ok(Self { id, schema, writer })
    }

    /// `rows`: the columns that lie in the files.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.writer.write(rows).map_err(|source| self.failed(source))
    }

    /// Ends a row group: what is encoded of it is held only as bytes from then on.
    pub(crate) fn end_row_group(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|source| self.failed(source))
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// What the open row group holds.
    pub(crate) fn open_bytes(&self) -> usize {
        self.writer.memory_size()
    }

    pub(crate) fn finish(mut self) -> Result<Encoded, Error> {
        self.close().map_err(|source| self.failed(source))
    }

    fn close(&mut self) -> Result<Encoded, ParquetError> {
        let footer = self.writer.finish()?;
        let rows = footer.file_metadata().num_rows();
        let stats = stats::from_footer(&footer, &self.schema, self.id.stats_columns())?;
        let bytes = std::mem::take(self.writer.inner_mut()).into();
        Ok(Encoded { bytes, rows, stats, streams: None })
    }

    fn failed(&self, source: ParquetError) -> Error {
        Error::Encode { table: self.id.name(), source }
    }
}

fn properties(id: TableId) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("bellwether ", env!("CARGO_PKG_VERSION")).to_owned());
    // Bounds of single pages are worth their cost where rows are looked up by the column.
    for column in id.stats_columns() {
        properties =
            properties.set_column_statistics_enabled(ColumnPath::from(*column), EnabledStatistics::Page);
    }
    // A dictionary of values that never repeat is work for nothing.
    for column in id.unique_columns() {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    if id.is_rollup() {
        for field in id.schema().fields() {
            properties = measure(properties, ColumnPath::from(field.name().as_str()), field.data_type());
        }
    }
    Ok(properties.build())
}

/// Rollups have dozens of columns and a small file a date, so what a column costs by itself is most of their cost: a
/// dictionary and a compressor have to be made for each. Counts and sums are small numbers, mostly 0, and their
/// differences take the few bits that they need. Sketches and money hardly ever repeat.
fn measure(
    properties: WriterPropertiesBuilder,
    column: ColumnPath,
    data_type: &DataType,
) -> WriterPropertiesBuilder {
    match data_type {
        DataType::Int64 => properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column, Compression::UNCOMPRESSED),
        DataType::Binary | DataType::Decimal128(..) => {
            properties.set_column_dictionary_enabled(column, false)
        }
        _ => properties,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, BinaryArray, Decimal128Array, Int64Array, StringArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    const ROWS: i64 = 3_000;

    /// A day of usage: sums that are mostly 0, sketches that differ, few names.
    fn rows(schema: &SchemaRef) -> RecordBatch {
        let column = |field: &arrow::datatypes::FieldRef| -> ArrayRef {
            let sums = (0..ROWS).map(|row| if row % 50 == 0 { 3 } else { 0 });
            match field.data_type() {
                DataType::Int64 => Arc::new(Int64Array::from_iter_values(sums)),
                DataType::Decimal128(..) => Arc::new(
                    Decimal128Array::from_iter_values(sums.map(i128::from))
                        .with_precision_and_scale(38, 9)
                        .unwrap(),
                ),
                DataType::Binary => {
                    Arc::new(BinaryArray::from_iter_values((0..ROWS).map(|row| row.to_le_bytes())))
                }
                _ => {
                    Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("name {}", row % 9))))
                }
            }
        };
        RecordBatch::try_new(schema.clone(), schema.fields().iter().map(column).collect()).unwrap()
    }

    #[test]
    fn sums_of_a_rollup_are_packed_without_dictionary_and_compressor_and_come_back() {
        let id = TableId::UsageDaily;
        let written = rows(&file_schema(id));
        let encoded =
            next_file(id, &mut Rest::new(vec![written.clone()]), &StreamNames::default()).unwrap().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(encoded.bytes).unwrap();
        let group = reader.metadata().row_group(0).clone();
        for (field, column) in written.schema().fields().iter().zip(group.columns()) {
            let has_dictionary = column.dictionary_page_offset().is_some();
            let is_compressed = column.compression() != Compression::UNCOMPRESSED;
            let expected = match field.data_type() {
                DataType::Int64 => (false, false),
                DataType::Utf8 => (true, true),
                _ => (false, true),
            };
            assert_eq!((has_dictionary, is_compressed), expected, "{}", field.name());
            if *field.data_type() == DataType::Int64 {
                // Plain they would take eight bytes each.
                assert!(
                    column.compressed_size() < ROWS * 2,
                    "{}: {}",
                    field.name(),
                    column.compressed_size()
                );
            }
        }
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let read = concat_batches(&written.schema(), &read).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.column_by_name("requests").unwrap().as_primitive::<Int64Type>().value(50), 3);
    }
}
