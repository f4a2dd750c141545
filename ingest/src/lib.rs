//! From request logs to rows: sources, formats, labels, batches and the exactly-once sink.

mod account;
pub mod batch;
pub mod catalogue;
pub mod config;
pub mod dedup;
pub mod epoch_keys;
pub mod event;
pub mod formats;
pub mod identity;
pub mod import;
mod instant;
pub mod intake;
pub mod labels;
mod magic;
pub mod metric;
pub mod normalise;
mod outcome;
mod record_time;
pub mod reject;
pub mod sink;
pub mod sources;
pub mod split;
pub mod spool;
mod strip;
#[cfg(test)]
mod testing;
mod wiped;
