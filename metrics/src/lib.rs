//! Every published number, made once: what each column means, and the one statement that computes it from the rollups.
//!
//! A folder a table: its declaration (name, type, unit, meaning, when null) and its `.sql`, which reads views over the
//! rollups that already know which rows may be named. What this crate does not do: decide when a table is computed
//! or commit it (`jobs`), or word and draw it (`web`).

mod catalogue;
mod functions;
pub mod gate;
mod health;
pub mod health_by_5min;
pub mod health_by_day;
pub mod health_by_hour;
pub mod health_by_window;
pub mod health_now;
mod metric;
mod routing;
pub mod routing_by_day;
pub mod routing_by_hour;
pub mod routing_now;
pub mod speed_by_hour;
mod terms;
mod views;

pub use catalogue::{Catalogue, Model, Named};
pub use metric::{Error, METRICS, Metric, Touched};
pub use terms::{Keyless, Terms};
pub use views::register;

use bellwether_warehouse::TableId;

/// Every table of this crate, in the order in which they are computed: a later one may read an earlier one.
pub fn tables() -> Vec<TableId> {
    METRICS.iter().map(Metric::id).collect()
}
