//! The warehouse: table schemas, Delta commits, pinned snapshots, sessions and mergeable sketches.
//!
//! A table is one Delta table in its own folder under the warehouse root. Only this crate opens, writes or
//! commits them. What it does not do: decide what goes into a row (`ingest`) or into a rollup (`jobs`).

pub mod commit;
pub mod location;
pub mod session;
pub mod sketches;
pub mod snapshot;
pub mod table;
pub mod tables;

pub use commit::{Advance, AppId, Change, CommitError, Committed};
pub use location::Location;
pub use snapshot::Snapshot;
pub use table::{CommitEntry, DataFile, Error, Table, Warehouse};
pub use tables::TableId;
