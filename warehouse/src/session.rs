//! DataFusion sessions with the sketch functions and pinned tables registered.

use std::sync::{Arc, LazyLock};

use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::snapshot::Snapshot;
use crate::tables::{TableId, attempts};

/// One for the process, so that a Parquet footer read for one query is at hand for the next.
static RUNTIME: LazyLock<Arc<RuntimeEnv>> = LazyLock::new(Arc::default);

/// A session with Bellwether's functions and no tables. `threads` = target partitions.
pub fn session(threads: usize) -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(true);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Scans and casts give the types that the table schemas name.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let ctx = SessionContext::new_with_config_rt(config, Arc::clone(&RUNTIME));
    crate::sketches::register(&ctx);
    ctx
}

/// Registers each snapshot under its table name, and the `requests` view when `attempts` is among them.
pub fn register(ctx: &SessionContext, snapshots: &[Snapshot]) -> Result<(), DataFusionError> {
    for snapshot in snapshots {
        ctx.register_table(snapshot.table().name(), snapshot.provider())?;
        if snapshot.table() == TableId::Attempts {
            attempts::register_requests(ctx)?;
        }
    }
    Ok(())
}
