//! Every published number, made once: what each column means, and the one statement that computes it from the rollups.
//!
//! A folder a table: its declaration (name, type, unit, meaning, when null) and its `.sql`, which reads views over the
//! rollups that already know which rows may be named. What this crate does not do: decide when a table is computed
//! or commit it (`jobs`), or word and draw it (`web`).

pub mod app_gate;
pub mod apps;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod by_hand;
mod catalogue;
mod chosen;
mod document;
pub mod endpoints;
pub mod events;
mod facts;
mod fingerprint;
mod former;
mod functions;
pub mod gate;
pub mod growth_by_month;
mod health;
pub mod health_by_5min;
pub mod health_by_day;
pub mod health_by_hour;
pub mod health_by_window;
pub mod health_now;
mod keyed;
pub mod labels;
pub mod live_by_minute;
mod measures;
mod metric;
pub mod models;
pub mod prices;
pub mod providers;
pub mod publications;
pub mod quality_by_day;
pub mod rankings;
mod renamed;
pub mod revisions;
mod routing;
pub mod routing_by_day;
pub mod routing_by_hour;
pub mod routing_now;
pub mod share_by_week;
pub mod speed_by_context;
pub mod speed_by_hour;
mod terms;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod usage_by_day;
pub mod users_by_window;
mod views;
mod windows;

pub use catalogue::{Catalogue, Model, Named};
pub use chosen::{Chosen, Inputs};
pub use document::document;
pub use facts::{Facts, ModelFacts, Price, ProviderFacts};
pub use former::{Former, former};
pub use metric::{Error, History, Lane, METRICS, Metric, Touched};
pub(crate) use metric::{SHOWN, Step};
pub use renamed::Renamed;
pub use terms::{Keyless, Terms};
pub use views::register;

use bellwether_warehouse::TableId;

/// Every table of this crate, in the order in which they are written: a later one may read an earlier one, and
/// `publications` is last.
pub fn tables() -> Vec<TableId> {
    METRICS.iter().map(Metric::id).chain([publications::id()]).collect()
}
