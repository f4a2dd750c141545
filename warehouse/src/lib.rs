//! The warehouse: table schemas, Delta commits, pinned snapshots, sessions and mergeable sketches.
//!
//! A table is one Delta table in its own folder under the warehouse root. Only this crate opens, writes or
//! commits them. What it does not do: decide what goes into a row (`ingest`) or into a rollup (`jobs`).

mod causes;
pub mod clock;
pub mod commit;
mod data_file;
mod delta_schema;
pub mod dice;
mod error;
pub mod health;
mod listed;
pub mod location;
mod log;
mod log_folder;
pub mod maintain;
mod pinned;
mod provider;
mod retry;
mod runtime;
mod scan_file;
pub mod session;
pub mod sketches;
pub mod snapshot;
mod stats;
mod store;
pub mod streams;
pub mod table;
pub mod tables;
pub mod testing;
#[cfg(test)]
mod tests;
mod transaction;
mod warehouse;
mod world;
mod write;

pub use causes::{chain, is_missing_file};
pub use clock::Moment;
pub use commit::{Advance, Change, CommitError, Committed};
pub use data_file::DataFile;
pub use error::Error;
pub use location::{Location, S3};
pub use log::CommitEntry;
pub use pinned::{Attempts, Followed, PinError, Pinned, Standing, fold_app};
pub use retry::Retry;
pub use snapshot::Snapshot;
pub use stats::{Between, Bounds};
pub use table::Table;
pub use tables::{Kind, TableId};
pub use transaction::AppId;
pub use warehouse::Warehouse;
pub use world::World;
pub use write::Staging;
