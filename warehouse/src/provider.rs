//! Snapshot → plain Parquet `DataSourceExec`: one `PartitionedFile` per file, pruned by partition and statistics.
//!
//! The scan's own column order is file columns, then the partition column; the provider shows the schema
//! of the table, partition column first.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{
    DFSchema, DataFusionError, Result, ScalarValue, Statistics, internal_err, project_schema,
};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, Volatility};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;

use crate::data_file::DataFile;
use crate::log::FileSet;
use crate::runtime;
use crate::scan_file::ScanFile;
use crate::stats;
use crate::store::Storage;
use crate::tables::TableId;

/// Files that carry their bounds into a plan, where a filter that is only known while it runs can skip them. More:
/// some 20 KB for each as long as the plan lives. The others are skipped by row group.
const FILES_WITH_BOUNDS: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Provider {
    storage: Arc<Storage>,
    files: Arc<FileSet>,
    schema: SchemaRef,
    partition: Option<FieldRef>,
    table_schema: TableSchema,
    /// Scan column of each provider column.
    scan_index: Vec<usize>,
    bounded: Bounded,
}

/// The columns of a file that have bounds in the log.
#[derive(Debug)]
struct Bounded {
    schema: SchemaRef,
    /// Place of each among all columns of the file.
    at: Vec<usize>,
}

impl Bounded {
    fn of(file_schema: &Schema, names: &[&str]) -> Self {
        let has_bounds = |field: &&FieldRef| names.contains(&field.name().as_str());
        let fields: Vec<FieldRef> = file_schema.fields().iter().filter(has_bounds).cloned().collect();
        let at = fields.iter().filter_map(|field| file_schema.index_of(field.name()).ok()).collect();
        Self { schema: Arc::new(Schema::new(fields)), at }
    }
}

impl Provider {
    pub(crate) fn new(table: TableId, storage: Arc<Storage>, files: Arc<FileSet>) -> Self {
        let schema = table.schema();
        let is_partition = |field: &FieldRef| table.partition_column() == Some(field.name().as_str());
        let in_file: Vec<FieldRef> = schema.fields().iter().filter(|f| !is_partition(f)).cloned().collect();
        let partition = schema.fields().iter().find(|f| is_partition(f)).cloned();
        let mut next = 0;
        let scan_index = schema
            .fields()
            .iter()
            .map(|field| {
                if is_partition(field) {
                    return in_file.len();
                }
                next += 1;
                next - 1
            })
            .collect();
        let file_schema = Arc::new(Schema::new(in_file));
        let table_schema = TableSchema::builder(Arc::clone(&file_schema))
            .with_table_partition_cols(partition.iter().cloned().collect::<Vec<_>>())
            .build();
        let bounded = Bounded::of(&file_schema, table.stats_columns());
        Self { storage, files, schema, partition, table_schema, scan_index, bounded }
    }

    fn scan_file(&self, file: &DataFile) -> Result<ScanFile> {
        let location =
            self.storage.scanned(&file.path).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let rows = usize::try_from(file.rows).unwrap_or_default();
        let bounds = stats::to_bounds(file.stats.as_deref(), rows, &self.bounded.schema);
        let mut values = Vec::new();
        if let Some(partition) = &self.partition {
            let text = file.partition.iter().find(|(name, _)| name == partition.name());
            let text = text.and_then(|(_, value)| value.as_deref());
            match stats::partition_scalar(text, partition.data_type()) {
                Some(value) => values.push(value),
                None => return internal_err!("file `{}` has partition value {text:?}", file.path),
            }
        }
        let meta = ObjectMeta {
            location,
            // Files never change, so one instant for all keeps cached footers valid.
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: u64::try_from(file.size_bytes).unwrap_or_default(),
            e_tag: None,
            version: None,
        };
        let file = PartitionedFile::new_from_meta(meta).with_partition_values(values);
        Ok(ScanFile { file, bounds: Arc::new(bounds) })
    }

    fn scan_files(&self) -> Result<Vec<Arc<ScanFile>>> {
        self.files
            .iter()
            .map(|(file, cell)| match cell.get() {
                Some(scan) => Ok(Arc::clone(scan)),
                None => {
                    let scan = Arc::new(self.scan_file(file)?);
                    Ok(Arc::clone(cell.get_or_init(|| scan)))
                }
            })
            .collect()
    }

    /// Keeps the files whose partition value satisfies `filters`: exactly the rows that do.
    fn prune_by_partition(
        &self,
        state: &dyn Session,
        filters: Vec<Expr>,
        files: Vec<Arc<ScanFile>>,
    ) -> Result<Vec<Arc<ScanFile>>> {
        let (Some(partition), Some(filter)) = (&self.partition, conjunction(filters)) else {
            return Ok(files);
        };
        let value = |file: &ScanFile| file.file.partition_values.first().cloned();
        let mut slots = BTreeMap::new();
        let mut values: Vec<ScalarValue> = Vec::new();
        for value in files.iter().filter_map(|file| value(file)) {
            slots.entry(value.to_string()).or_insert_with(|| {
                values.push(value);
                values.len() - 1
            });
        }
        if values.is_empty() {
            return Ok(files);
        }
        let schema = Arc::new(Schema::new(vec![Arc::clone(partition)]));
        let predicate = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&schema))?)?;
        let rows = values.len();
        let batch = RecordBatch::try_new(schema, vec![ScalarValue::iter_to_array(values)?])?;
        let verdicts = predicate.evaluate(&batch)?.into_array(rows)?;
        let verdicts = datafusion::common::cast::as_boolean_array(&verdicts)?;
        let holds = |verdicts: &BooleanArray, slot: usize| verdicts.is_valid(slot) && verdicts.value(slot);
        Ok(files
            .into_iter()
            .filter(|file| {
                let slot = value(file).and_then(|value| slots.get(&value.to_string()).copied());
                slot.is_none_or(|slot| holds(verdicts, slot))
            })
            .collect())
    }

    /// Drops the files that the logged minima, maxima and null counts rule out.
    fn prune_by_statistics(
        &self,
        state: &dyn Session,
        filters: Vec<Expr>,
        files: Vec<Arc<ScanFile>>,
    ) -> Result<Vec<Arc<ScanFile>>> {
        let Some(filter) = conjunction(filters).filter(|_| !files.is_empty()) else {
            return Ok(files);
        };
        let scan_schema = Arc::clone(self.table_schema.table_schema());
        let filter = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&scan_schema))?)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(scan_schema).build(filter);
        let Some(predicate) = predicate else {
            return Ok(files);
        };
        let bounds = files.iter().map(|file| Arc::clone(&file.bounds)).collect();
        let keep = predicate.prune(&PrunableStatistics::new(bounds, Arc::clone(&self.bounded.schema)))?;
        Ok(files.into_iter().zip(keep).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }

    /// Of all files together.
    fn plan_statistics(&self, files: &[Arc<ScanFile>]) -> Statistics {
        let bounds: Vec<&Statistics> = files.iter().map(|file| &*file.bounds).collect();
        let mut all = stats::to_plan(&bounds, self.table_schema.table_schema(), &self.bounded.at);
        let dates = || files.iter().filter_map(|file| file.file.partition_values.first());
        let extremes = match dates().any(ScalarValue::is_null) {
            true => None,
            false => dates().min_by(compare).zip(dates().max_by(compare)),
        };
        if let (Some((least, greatest)), Some(column)) = (extremes, all.column_statistics.last_mut()) {
            column.min_value = Precision::Exact(least.clone());
            column.max_value = Precision::Exact(greatest.clone());
            column.null_count = Precision::Exact(0);
        }
        all
    }

    fn with_bounds(&self, files: Vec<Arc<ScanFile>>) -> Vec<Arc<ScanFile>> {
        if files.len() > FILES_WITH_BOUNDS {
            return files;
        }
        let schema = self.table_schema.file_schema();
        let with_bounds = |scan: Arc<ScanFile>| {
            let bounds = stats::to_plan(&[&scan.bounds], schema, &self.bounded.at);
            let file = scan.file.clone().with_statistics(Arc::new(bounds));
            Arc::new(ScanFile { file, bounds: Arc::clone(&scan.bounds) })
        };
        files.into_iter().map(with_bounds).collect()
    }

    /// Whether a filter can be answered from the partition value alone.
    fn is_partition_filter(&self, filter: &Expr) -> bool {
        let Some(partition) = &self.partition else {
            return false;
        };
        let columns: HashSet<_> = filter.column_refs();
        let pure = |expr: &Expr| {
            let mut pure = true;
            let visited = expr.apply(|node| {
                match node {
                    Expr::ScalarFunction(call)
                        if call.func.signature().volatility != Volatility::Immutable =>
                    {
                        pure = false;
                    }
                    Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::OuterReferenceColumn(..)
                    | Expr::Placeholder(_) => pure = false,
                    _ => {}
                }
                Ok(if pure { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            });
            pure && visited.is_ok()
        };
        !columns.is_empty() && columns.iter().all(|c| c.name() == partition.name()) && pure(filter)
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let kind = |filter: &&Expr| match self.is_partition_filter(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(kind).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (by_partition, others): (Vec<_>, Vec<_>) =
            filters.iter().cloned().partition(|filter| self.is_partition_filter(filter));
        let limit = limit.filter(|_| others.is_empty());
        let files = self.prune_by_partition(state, by_partition, self.scan_files()?)?;
        let files = self.prune_by_statistics(state, others, files)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let url = runtime::url()?;
        let runtime = state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(&url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let options = state.default_table_options().parquet;
        let source = ParquetSource::new(self.table_schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(readers));
        let statistics = self.plan_statistics(&files);
        let files = self.with_bounds(files);
        let columns: Vec<usize> = match projection {
            Some(projection) => projection.iter().filter_map(|i| self.scan_index.get(*i).copied()).collect(),
            None => self.scan_index.clone(),
        };
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_statistics(statistics)
            .with_file_groups(spread(&files, state.config().target_partitions()))
            .with_projection_indices(Some(columns))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn compare(a: &&ScalarValue, b: &&ScalarValue) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Equal)
}

/// At most `groups` groups of about the same number of bytes.
fn spread(files: &[Arc<ScanFile>], groups: usize) -> Vec<FileGroup> {
    let mut by_size: Vec<&ScanFile> = files.iter().map(|file| &**file).collect();
    // Stable: files of one size keep the order of their paths.
    by_size.sort_by_key(|file| std::cmp::Reverse(file.file.object_meta.size));
    let mut loads = vec![(0_u64, Vec::new()); groups.clamp(1, by_size.len().max(1))];
    for scan in by_size {
        if let Some((bytes, group)) = loads.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            // Opening a file costs about as much as reading this many bytes.
            *bytes = bytes.saturating_add(scan.file.object_meta.size).saturating_add(64 * 1024);
            group.push(scan.file.clone());
        }
    }
    loads.into_iter().map(|(_, group)| FileGroup::new(group)).collect()
}
