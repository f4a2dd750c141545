//! The sink and the one flush that may be under way while the next batch fills.

use std::time::Duration;

use bellwether_warehouse::Warehouse;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::batch::Frozen;
use crate::sink::{FlushError, FlushReason, Flushed, Sink, Waits};

/// A flush that left open what it did. Its batch, and all that was frozen behind it, are to be read again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the flush failed")]
    Failed(#[source] FlushError),
    #[error("the flush ended unexpectedly")]
    Panicked(#[source] tokio::task::JoinError),
    #[error("the flush took longer than {0:?} and was abandoned")]
    TooSlow(Duration),
}

/// Between two looks at a flush that is waited for.
const LOOK: Duration = Duration::from_millis(1);

type Landed = (Sink, Result<Flushed, FlushError>);

#[derive(Debug)]
pub(super) struct Flight {
    runtime: Handle,
    warehouse: Warehouse,
    /// None while a flush has it, and after one was abandoned.
    sink: Option<Sink>,
    waits: Waits,
    flush: Option<JoinHandle<Landed>>,
    held_bytes: usize,
}

impl Flight {
    pub(super) fn new(runtime: Handle, warehouse: Warehouse, sink: Sink) -> Self {
        let waits = sink.waits().clone();
        Self { runtime, warehouse, sink: Some(sink), waits, flush: None, held_bytes: 0 }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.flush.is_some()
    }

    /// Bytes of the batch that is being flushed.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Begins a flush; call only when not busy.
    pub(super) fn begin(
        &mut self,
        frozen: Frozen,
        reason: FlushReason,
    ) -> Result<(), bellwether_warehouse::Error> {
        let mut sink = match self.sink.take() {
            Some(sink) => sink,
            None => self.runtime.block_on(Sink::open(&self.warehouse))?.telling(self.waits.clone()),
        };
        self.held_bytes = frozen.size_bytes();
        self.flush = Some(self.runtime.spawn(async move {
            let result = sink.commit(frozen, reason).await;
            (sink, result)
        }));
        Ok(())
    }

    /// What the flush came to, once it has ended.
    pub(super) fn landed(&mut self) -> Option<Result<Flushed, Lost>> {
        if !self.flush.as_ref()?.is_finished() {
            return None;
        }
        self.land(Duration::from_secs(1))
    }

    /// The same after waiting at most `patience` for its end.
    pub(super) fn landed_within(&mut self, patience: Duration) -> Option<Result<Flushed, Lost>> {
        let world = self.warehouse.world();
        let until = world.now() + patience;
        while !self.flush.as_ref()?.is_finished() && world.now() < until {
            self.runtime.block_on(world.sleep(LOOK));
        }
        self.landed()
    }

    /// Waits for the flush under way. None: there is none. Of one that takes longer and is abandoned it does not
    /// matter to the next reader of T whether it still commits.
    pub(super) fn land(&mut self, patience: Duration) -> Option<Result<Flushed, Lost>> {
        let mut flush = self.flush.take()?;
        self.held_bytes = 0;
        let landed = self.runtime.block_on(self.warehouse.world().within(patience, &mut flush));
        Some(match landed {
            Some(Ok((sink, result))) => {
                self.sink = Some(sink);
                result.map_err(Lost::Failed)
            }
            Some(Err(panicked)) => Err(Lost::Panicked(panicked)),
            None => {
                flush.abort();
                Err(Lost::TooSlow(patience))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batch, Position, Stream};
    use crate::dedup::Window;
    use crate::testing::House;

    /// The polling thread is none of the runtime's.
    fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flush_that_panicked_is_lost_and_the_next_one_goes_through() {
        let house = House::new().await;
        let sink = Sink::open(&house.warehouse).await.unwrap();
        let mut flight = Flight::new(Handle::current(), house.warehouse.clone(), sink);
        flight.sink = None;
        flight.flush = Some(tokio::spawn(async { panic!("in a flush") }));
        flight.held_bytes = 7;
        let lost = apart(|| flight.land(Duration::from_secs(60)));
        assert!(matches!(lost, Some(Err(Lost::Panicked(_)))), "its range would wait for the next record");
        assert!(!flight.is_busy() && flight.held_bytes() == 0);
        assert!(apart(|| flight.landed()).is_none());
        let mut batch = Batch::new(house.tools.clone());
        let slot = batch.assign(Stream::kafka("c", "t", 0, 0), Position::default(), 0, Window::new(1));
        batch.skip_to(slot, 3);
        let frozen = batch.freeze().unwrap();
        apart(|| flight.begin(frozen, FlushReason::End)).unwrap();
        let landed = apart(|| flight.land(Duration::from_secs(60)));
        assert_eq!(landed.unwrap().unwrap().ranges[0].end, 3);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flush_that_is_abandoned_is_lost_too() {
        let house = House::new().await;
        let sink = Sink::open(&house.warehouse).await.unwrap();
        let mut flight = Flight::new(Handle::current(), house.warehouse.clone(), sink);
        flight.flush = Some(tokio::spawn(std::future::pending()));
        assert!(matches!(apart(|| flight.land(Duration::ZERO)), Some(Err(Lost::TooSlow(_)))));
        assert!(!flight.is_busy());
    }
}
