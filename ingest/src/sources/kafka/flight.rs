//! The sink and the one flush that may be under way while the next batch fills.

use bellwether_warehouse::Warehouse;
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::batch::Frozen;
use crate::sink::{FlushError, FlushReason, Flushed, Sink, Waits};

/// A flush that left open what it did. Its batch, and all that was frozen behind it, are to be read again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the tables could not be opened")]
    Unopened(#[source] bellwether_warehouse::Error),
    #[error("the flush failed")]
    Failed(#[source] FlushError),
    #[error("the flush ended unexpectedly")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Lost {
    /// Whether the same would come of it at once.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Unopened(_) | Self::Failed(FlushError::Table { .. } | FlushError::Interrupted(_))
        )
    }
}

type Landed = Result<(Sink, Result<Flushed, FlushError>), bellwether_warehouse::Error>;

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

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn is_busy(&self) -> bool {
        self.flush.is_some()
    }

    /// Bytes of the batch that is being flushed.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Begins a flush; call only when not busy.
    pub(super) fn begin(&mut self, frozen: Frozen, reason: FlushReason) {
        let (sink, warehouse, waits) = (self.sink.take(), self.warehouse.clone(), self.waits.clone());
        self.held_bytes = frozen.size_bytes();
        self.flush = Some(self.runtime.spawn(async move {
            let mut sink = match sink {
                Some(sink) => sink,
                None => Sink::open(&warehouse).await?.telling(waits),
            };
            let result = sink.commit(frozen, reason).await;
            Ok::<_, bellwether_warehouse::Error>((sink, result))
        }));
    }

    /// What the flush came to, once it has ended. None: there is none, or it has not.
    pub(super) fn landed(&mut self) -> Option<Result<Flushed, Lost>> {
        let landed = self.flush.as_mut()?.now_or_never()?;
        self.flush = None;
        self.held_bytes = 0;
        Some(match landed {
            Ok(Ok((sink, result))) => {
                self.sink = Some(sink);
                result.map_err(Lost::Failed)
            }
            Ok(Err(unopened)) => Err(Lost::Unopened(unopened)),
            Err(panicked) => Err(Lost::Panicked(panicked)),
        })
    }

    /// Gives up the flush under way. To the next reader of T it does not matter whether it still commits.
    pub(super) fn abandon(&mut self) {
        if let Some(flush) = self.flush.take() {
            flush.abort();
            self.held_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batch, Position, Stream};
    use crate::dedup::Window;
    use crate::testing::House;

    async fn land(flight: &mut Flight) -> Result<Flushed, Lost> {
        loop {
            if let Some(landed) = flight.landed() {
                return landed;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_flush_that_panicked_is_lost_and_the_next_one_goes_through() {
        let house = House::new().await;
        let sink = Sink::open(&house.warehouse).await.unwrap();
        let mut flight = Flight::new(Handle::current(), house.warehouse.clone(), sink);
        flight.sink = None;
        flight.flush = Some(tokio::spawn(async { panic!("in a flush") }));
        flight.held_bytes = 7;
        let lost = land(&mut flight).await;
        assert!(matches!(lost, Err(Lost::Panicked(_))), "its range would wait for the next record");
        assert!(!flight.is_busy() && flight.held_bytes() == 0);
        assert!(flight.landed().is_none());
        let mut batch = Batch::new(house.tools.clone());
        let slot = batch.assign(Stream::kafka("c", "t", 0, 0), Position::default(), 0, Window::new(1));
        batch.skip_to(slot, 3);
        flight.begin(batch.freeze().unwrap(), FlushReason::End);
        assert_eq!(land(&mut flight).await.unwrap().ranges[0].end, 3);
    }

    #[tokio::test]
    async fn a_flush_that_is_abandoned_is_under_way_no_more() {
        let house = House::new().await;
        let sink = Sink::open(&house.warehouse).await.unwrap();
        let mut flight = Flight::new(Handle::current(), house.warehouse.clone(), sink);
        flight.flush = Some(tokio::spawn(std::future::pending()));
        flight.held_bytes = 7;
        flight.abandon();
        assert!(!flight.is_busy() && flight.held_bytes() == 0);
    }
}
