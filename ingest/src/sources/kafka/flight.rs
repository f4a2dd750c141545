//! The sink and the one flush that may be under way while the next batch fills.

use std::time::{Duration, Instant};

use bellwether_warehouse::Warehouse;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::batch::Frozen;
use crate::sink::{FlushError, FlushReason, Flushed, Sink};

/// Between two looks at a flush that is waited for.
const LOOK: Duration = Duration::from_millis(1);

type Landed = (Sink, Result<Flushed, FlushError>);

#[derive(Debug)]
pub(super) struct Flight {
    runtime: Handle,
    warehouse: Warehouse,
    /// None while a flush has it, and after one was abandoned.
    sink: Option<Sink>,
    flush: Option<JoinHandle<Landed>>,
    held_bytes: usize,
}

impl Flight {
    pub(super) fn new(runtime: Handle, warehouse: Warehouse, sink: Sink) -> Self {
        Self { runtime, warehouse, sink: Some(sink), flush: None, held_bytes: 0 }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.flush.is_some()
    }

    /// Bytes of the batch that is being flushed.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The sink while no flush is under way.
    pub(super) fn sink(&mut self) -> Result<&mut Sink, bellwether_warehouse::Error> {
        if self.sink.is_none() {
            self.sink = Some(self.runtime.block_on(Sink::open(&self.warehouse))?);
        }
        #[expect(clippy::expect_used, reason = "filled above")]
        Ok(self.sink.as_mut().expect("sink is there"))
    }

    /// Begins a flush; call only when not busy.
    pub(super) fn begin(
        &mut self,
        frozen: Frozen,
        reason: FlushReason,
    ) -> Result<(), bellwether_warehouse::Error> {
        self.held_bytes = frozen.size_bytes();
        self.sink()?;
        let Some(mut sink) = self.sink.take() else { return Ok(()) };
        self.flush = Some(self.runtime.spawn(async move {
            let result = sink.commit(frozen, reason).await;
            (sink, result)
        }));
        Ok(())
    }

    /// What the flush came to, once it has ended.
    pub(super) fn landed(&mut self) -> Option<Result<Flushed, FlushError>> {
        if !self.flush.as_ref()?.is_finished() {
            return None;
        }
        self.land(Duration::from_secs(1))
    }

    /// The same after waiting at most `patience` for its end.
    pub(super) fn landed_within(&mut self, patience: Duration) -> Option<Result<Flushed, FlushError>> {
        let until = Instant::now() + patience;
        while !self.flush.as_ref()?.is_finished() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        self.landed()
    }

    /// Waits for the flush under way. None: there is none, or it takes longer and was abandoned; whether it
    /// still commits does not matter to the next reader of T.
    pub(super) fn land(&mut self, patience: Duration) -> Option<Result<Flushed, FlushError>> {
        let mut flush = self.flush.take()?;
        self.held_bytes = 0;
        let landed = self.runtime.block_on(async { tokio::time::timeout(patience, &mut flush).await });
        match landed {
            Ok(Ok((sink, result))) => {
                self.sink = Some(sink);
                Some(result)
            }
            Ok(Err(panicked)) => {
                tracing::error!(error = &panicked as &dyn std::error::Error, "a flush ended unexpectedly");
                None
            }
            Err(_) => {
                tracing::warn!(waited = ?patience, "a flush takes too long and is abandoned");
                flush.abort();
                None
            }
        }
    }
}
