//! Rollups: fold, settle, recompute, remap, rebuild. Publication of what is made of them. Maintenance of all tables.
//!
//! Every folded table keeps in its own log how far into `attempts` it has got (its `fold` transaction, F), in
//! the same commit as the rows. So no job needs a store of its own, any of them may be killed anywhere, and
//! several workers on one warehouse cannot count a row twice: the loser's commit is fenced.
//!
//! What it does not do: decide what a page shows or what a published number is (`metrics`). Readers of rollups merge
//! partial rows.

// The tests share files with examples, which see this crate from outside.
#[cfg(test)]
extern crate self as bellwether_jobs;

mod base;
mod changes;
mod dates;
mod error;
mod expire;
mod fold;
mod jobs;
mod keys;
mod maintain;
mod mark;
pub mod metric;
mod once;
mod publish;
mod rebuild;
mod recompute;
mod remap;
mod replace;
mod rollups;
mod schedule;
mod settle;
mod statement;
mod status;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use expire::ExpireReport;
pub use fold::{FoldReport, FoldedTable};
pub use jobs::Jobs;
pub use maintain::{
    Action, Depth, Intent, LEAST_HISTORY, MaintainReport, MaintainSettings, Maintainer, Step, TableReport,
};
pub use publish::{PublishReport, PublishedTable, Publisher};
pub use rebuild::{Drift, RebuildReport};
pub use recompute::RecomputeReport;
pub use remap::{Asked, Left, Naming, RemapReport, Renaming};
pub use schedule::{Job, JobReport, Outcome, RoundReport, Scheduler, Settings};
pub use settle::{SettleReport, Settling};
pub use status::{Status, TableStatus};
