//! A file as scans see it.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;

/// What a scan needs of one file; worked out once and kept beside it, for every file of a table in every process. So
/// it holds the few columns that have bounds, and not all of them as a plan wants it.
#[derive(Clone, Debug)]
pub(crate) struct ScanFile {
    pub(crate) file: PartitionedFile,
    pub(crate) bounds: Arc<Statistics>,
}
