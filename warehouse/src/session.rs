//! DataFusion sessions with Bellwether's functions, and the rows of their answers.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;

use crate::runtime::SHARED;
pub use crate::runtime::{DEFAULT_MEMORY_BYTES, limit_memory};
use crate::tables::attempts;

/// After so many rows an aggregation knows whether its groups repeat.
const PROBED_ROWS: usize = 10_000;

/// A session with Bellwether's functions over rows in memory: it reads no file. What scans tables comes from the
/// warehouse or a snapshot.
pub fn without_files(threads: usize) -> SessionContext {
    session(threads, &SHARED)
}

/// A session with Bellwether's functions and no tables. `threads` = target partitions.
pub(crate) fn session(threads: usize, runtime: &Arc<RuntimeEnv>) -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(true);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Where nearly every row is a group of its own, as of names by hour, each is grouped once and not once a thread before; what
    // is made of one day has too few rows for the engine's own measure.
    options.execution.skip_partial_aggregation_probe_rows_threshold = PROBED_ROWS;
    // Scans and casts give the types that the table schemas name.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let ctx = SessionContext::new_with_config_rt(config, Arc::clone(runtime));
    crate::sketches::register(&ctx);
    attempts::register_functions(&ctx);
    ctx
}

/// Rows of an answer as they come.
pub struct Answer(SendableRecordBatchStream);

impl Answer {
    /// Starts a statement.
    pub async fn of(frame: DataFrame) -> Result<Self, DataFusionError> {
        frame.execute_stream().await.map(Self)
    }

    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    /// None at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        self.0.try_next().await
    }
}
