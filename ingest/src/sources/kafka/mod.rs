//! Ingests Kafka topics.
//!
//! The worker is a function from one step to the next (`worker`), over what it asks of Kafka (`broker`); a thread polls
//! and waits around it (`thread`). The protocol of a rebalance, all on that thread and before it polls again:
//!
//! * *assign*: the partitions are noted, and nothing of them is fetched. A survey beside the polling thread reads T
//!   of each from the table, compares it with what the broker holds, and reads the window of ids back; then the
//!   partition is fetched **from T**. Nothing is fetched from anywhere else. The first survey of a topic gives all
//!   of its partitions their first T, in one commit, so that `start` means one moment for the whole topic.
//! * *revoke*: what was read is flushed if that takes not too long, else dropped. Both are right, for the next
//!   owner starts at T.
//! * *lost*: dropped.
//!
//! A partition that cannot be read stops alone and stays ours: what passes by itself (no leader, a table or a broker
//! in trouble, a gap, a topic made anew) is tried again after 1 s, 2 s, … 5 min; a partition whose records are
//! nearly all refused is held by a mark in the table until `bellwether ingest resume` lifts it, or its settings
//! change. Both are seen by whoever has the partition then, on any host.
//!
//! The group's offsets are written after each commit to the table, for tools only; they are never read.

mod broker;
mod client;
mod context;
mod flight;
mod gauges;
mod hold;
mod member;
#[cfg(test)]
mod memory;
mod partitions;
mod poison;
mod questions;
mod stopped;
mod survey;
mod thread;
mod worker;

use std::time::Duration;

use bellwether_warehouse::Warehouse;
use tokio_util::sync::CancellationToken;

pub use client::Error as ClientError;
pub(crate) use client::{common, contact};
pub use stopped::{Cause, Stopped};

use super::Error;
use crate::batch::Tools;
use crate::config::{Ingest, Kafka};
use crate::metric;

/// How long the end of the polling thread is waited for; librdkafka may hang when it leaves a group.
const STOP: Duration = Duration::from_secs(30);

/// Contacts the brokers and looks for the configured topics. Blocks for up to the connect time-out. Returns the number of
/// partitions.
///
/// # Errors
/// The brokers do not answer or a topic does not exist.
pub fn check(config: &Kafka) -> Result<usize, ClientError> {
    let topics: Vec<&str> =
        config.topics.iter().map(|topic| topic.name.as_str()).chain(config.intake_topic.as_deref()).collect();
    Ok(contact(config, &topics)?.partitions)
}

/// Runs until `shutdown`, then commits what it has read and ends. Tells `stopped` of partitions that stand still.
///
/// # Errors
/// The brokers cannot be reached at the start, a topic is missing, or the client fails for good. Later trouble with
/// brokers, storage or single partitions is waited out.
pub async fn run(
    config: &Kafka,
    ingest: &Ingest,
    warehouse: &Warehouse,
    tools: Tools,
    stopped: Stopped,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    metrics::gauge!(metric::MEMORY_BUDGET, "worker" => "kafka").set(ingest.memory_budget.len() as f64);
    let setup = thread::Setup {
        config: config.clone(),
        ingest: ingest.clone(),
        warehouse: warehouse.clone(),
        tools,
        runtime: tokio::runtime::Handle::current(),
        stopped,
        shutdown: shutdown.clone(),
    };
    let (done, mut ended) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("kafka-poll".to_owned())
        .spawn(move || {
            let _ = done.send(thread::run(setup));
        })
        .map_err(|_| Error::Thread)?;
    tokio::select! {
        result = &mut ended => result.map_err(|_| Error::Thread)?,
        () = shutdown.cancelled() => match warehouse.world().within(STOP, ended).await {
            Some(result) => result.map_err(|_| Error::Thread)?,
            None => {
                tracing::warn!("the kafka consumer did not stop in time; what it had not committed is read again");
                Ok(())
            }
        },
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod worlds;
