//! The polling thread: a loop around the worker, which waits where the worker cannot.

use std::sync::Arc;
use std::time::Duration;

use bellwether_warehouse::{Warehouse, World};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::client;
use super::flight::Flight;
use super::member::GroupMember;
use super::partitions::State;
use super::questions::Brokers;
use super::stopped::Stopped;
use super::survey::Surveyor;
use super::worker::{Step, Worker};
use crate::batch::{Batch, Tools};
use crate::config::{Ingest, Kafka};
use crate::sink::Sink;
use crate::sources::Error;

/// Bytes of one fingerprint in a window, with its places in set and queue.
const FINGERPRINT_BYTES: usize = 27;
/// Between two steps of a worker that waits for something to land.
const LOOK: Duration = Duration::from_millis(1);

pub(super) struct Setup {
    pub(super) config: Kafka,
    pub(super) ingest: Ingest,
    pub(super) warehouse: Warehouse,
    pub(super) tools: Tools,
    pub(super) runtime: Handle,
    pub(super) stopped: Stopped,
    pub(super) shutdown: CancellationToken,
}

pub(super) fn run(setup: Setup) -> Result<(), Error> {
    let Setup { config, ingest, warehouse, tools, runtime, stopped, shutdown } = setup;
    let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
    let cluster = client::contact(&config, &topics).map_err(Error::Client)?;
    let sink = runtime.block_on(Sink::open(&warehouse)).map_err(Error::Tables)?.telling(stopped.waits());
    // Windows take a third of the budget at most. The share of one partition counts all partitions of the
    // topics, not the ones assigned here, so that every owner of a partition decides alike.
    let fitting = ingest.memory_budget.len() / 3 / FINGERPRINT_BYTES / cluster.partitions.max(1);
    let surveyor = Surveyor {
        broker: Arc::new(Brokers::connect(&config).map_err(Error::Client)?),
        warehouse: warehouse.clone(),
        ingest: ingest.clone(),
        window: ingest.dedup_window.min(fitting),
        sink: tokio::sync::Mutex::default(),
    };
    let world = warehouse.world().clone();
    let flight = Flight::new(runtime.clone(), warehouse, sink);
    let queue_bytes = ingest.memory_budget.len() / 16;
    let member = GroupMember::join(&config, queue_bytes, cluster.brokers, runtime.clone(), world.clone())?;
    let batch = Batch::new(tools);
    let state = State::new(&config.topics, cluster.id, surveyor, flight, batch, Arc::new(member), stopped);
    tracing::info!(brokers = config.brokers.join(","), topics = topics.join(","), "ingest from kafka starts");
    let result = drive(Worker::new(state, ingest, shutdown, world.now()), &runtime, &world);
    tracing::info!("ingest from kafka ended");
    result
}

/// Leaves the group at the end, with the last of the worker.
fn drive(mut worker: Worker, runtime: &Handle, world: &World) -> Result<(), Error> {
    loop {
        match worker.step(world.now())? {
            Step::Read(wait) => worker.read(world, wait),
            Step::Wait => runtime.block_on(world.sleep(LOOK)),
            Step::Ended => return Ok(()),
        }
    }
}
