//! The warehouse: table schemas, Delta commits, pinned snapshots, sessions and mergeable sketches.
//!
//! A table is one Delta table in its own folder under the warehouse root. Only this crate opens, writes or
//! commits them. What it does not do: decide what goes into a row (`ingest`) or into a rollup (`jobs`).

pub mod clock;
pub mod commit;
mod delta_schema;
pub mod dice;
mod error;
pub mod health;
pub mod location;
mod log;
pub mod maintain;
mod pinned;
mod provider;
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
mod warehouse;
mod world;
mod write;

pub use clock::Moment;
pub use commit::{Advance, AppId, Change, CommitError, Committed};
pub use error::{Retry, chain, is_missing_file};
pub use location::{Location, S3};
pub use pinned::{Attempts, Followed, PinError, Pinned, Standing, fold_app};
pub use snapshot::Snapshot;
pub use stats::{Between, Bounds};
pub use table::{CommitEntry, DataFile, Error, Table, Warehouse};
pub use tables::{Kind, TableId};
pub use world::World;
pub use write::Staging;
