//! Rollups that `bellwether simulate --rollups` wrote straight: no attempts stand behind them, and whoever opens the
//! warehouse is to know.

use bellwether_warehouse::Error;
use bellwether_warehouse::{Advance, AppId, Snapshot, TableId, Warehouse};

/// Transaction of `attempts` and of every such rollup: the seed.
const APP: &str = "simulate/rollups";

pub const NOTE: &str =
    "its rollups were written straight by `bellwether simulate --rollups`, no attempts stand behind them";

/// Marks a table as such.
pub fn mark(seed: u64) -> Advance {
    Advance { app: AppId(APP.to_owned()), from: None, to: i64::try_from(seed).unwrap_or(i64::MAX) }
}

/// Whether the rollups of the warehouse were written straight.
///
/// # Errors
/// The log of `attempts` cannot be read.
pub async fn is_straight(warehouse: &Warehouse) -> Result<bool, Error> {
    Ok(is_marked(warehouse.table(TableId::Attempts).await?.snapshot()))
}

/// The same, of whoever has `attempts` at hand.
pub fn is_marked(attempts: &Snapshot) -> bool {
    attempts.txn(&AppId(APP.to_owned())).is_some()
}
