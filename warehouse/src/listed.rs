//! Rows of files with texts as they lie there: a list of those that occur, and a number in it a row.
//!
//! A scan gives each row its text again. Who works with numbers reads faster this way, and in the order of the files.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::error::DataFusionError;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::data_file::DataFile;
use crate::runtime;
use crate::store::Storage;
use crate::tables::TableId;
use crate::write::file_schema;

/// More: fewer steps; less: what is worked out of one batch is still near when the next step wants it.
const BATCH_ROWS: usize = 2_048;
/// The end of a file, read first. Less than the footer has: a read more.
const FOOTER_BYTES: usize = 64 * 1024;

pub(crate) type Rows = BoxStream<'static, Result<RecordBatch, DataFusionError>>;

/// `columns`: of those that lie in the files. A file that lacks one has it unknown.
pub(crate) fn rows(table: TableId, storage: &Arc<Storage>, files: Vec<DataFile>, columns: &[&str]) -> Rows {
    let schema = file_schema(table);
    let fields = schema.fields().iter().filter(|field| columns.contains(&field.name().as_str()));
    let wanted = Arc::new(Schema::new(fields.map(|field| listed(field)).collect::<Vec<_>>()));
    let files: VecDeque<DataFile> = files.into();
    let begin = (files, Arc::clone(storage), wanted);
    let of_files = stream::try_unfold(begin, |(mut files, storage, wanted)| async move {
        let Some(file) = files.pop_front() else { return Ok(None) };
        let rows = of_file(&storage, &file, &wanted).await?;
        Ok::<_, DataFusionError>(Some((rows, (files, storage, wanted))))
    });
    of_files.try_flatten().boxed()
}

async fn of_file(storage: &Storage, file: &DataFile, wanted: &SchemaRef) -> Result<Rows, DataFusionError> {
    let path = storage.scanned(&file.path).map_err(|source| DataFusionError::External(Box::new(source)))?;
    let store = storage.root().runtime().object_store(&runtime::url()?)?;
    let mut reader = File { store, path, bytes: u64::try_from(file.size_bytes).unwrap_or_default() };
    let metadata =
        with_lists(ArrowReaderMetadata::load_async(&mut reader, ArrowReaderOptions::new()).await?)?;
    let stored = Arc::clone(metadata.schema());
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let there = wanted.fields().iter().filter_map(|field| stored.index_of(field.name()).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), there);
    let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
    let wanted = Arc::clone(wanted);
    Ok(batches.map(move |batch| fit(&batch?, &wanted)).boxed())
}

/// What is read by it has texts as lists.
fn with_lists(stored: ArrowReaderMetadata) -> ParquetResult<ArrowReaderMetadata> {
    let fields = stored.schema().fields().iter().map(|field| listed(field));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    ArrowReaderMetadata::try_new(Arc::clone(stored.metadata()), options)
}

/// A file in a store.
struct File {
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: u64,
}

impl AsyncFileReader for File {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.store.get_range(&self.path, range).map_err(failed).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { self.store.get_ranges(&self.path, &ranges).await.map_err(failed) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let bytes = self.bytes;
        let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
        async move { Ok(Arc::new(reader.load_and_finish(self, bytes).await?)) }.boxed()
    }
}

fn failed(source: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(source))
}

fn listed(field: &Field) -> Field {
    match field.data_type() {
        DataType::Utf8 => {
            let list = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            field.clone().with_data_type(list)
        }
        _ => field.clone(),
    }
}

/// Columns as the table has them, whatever wrote the file.
fn fit(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    // Exact: a value that does not fit is an error, not a null.
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let columns = wanted.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => cast_with_options(column, field.data_type(), &exact),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &rows)?)
}
