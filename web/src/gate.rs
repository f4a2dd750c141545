//! How many pages are made at once, and how many may wait for their turn.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pages that wait for a turn. Making one takes a tenth of a second or two, so the last in the line still has its
/// answer before the time-out of a request; a longer line would only make pages that nobody waits for any more.
const LINE: usize = 64;

/// Making a page is pure computation: more turns than cores only slow each other down.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Turns and places in the line.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// Given back when dropped, which is when the work ends and not when the visitor goes away.
#[derive(Debug)]
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Gate {
    /// One turn more than there are cores, for the one that waits for storage.
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(cores + 1, LINE)
    }

    pub fn new(turns: usize, line: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(turns + line)), turns: Arc::new(Semaphore::new(turns)) }
    }

    /// `None` at once when the line is full.
    pub async fn enter(&self) -> Option<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        Some(Turn { _turn: turn, _place: place })
    }

    /// Every turn, for as long as the answer lives: whoever enters stands in the line.
    #[cfg(test)]
    pub fn stop(&self) -> OwnedSemaphorePermit {
        let all = u32::try_from(self.turns.available_permits()).unwrap();
        Arc::clone(&self.turns).try_acquire_many_owned(all).unwrap()
    }

    /// Every turn and every place in the line, for as long as the answer lives.
    #[cfg(test)]
    pub fn fill(&self) -> OwnedSemaphorePermit {
        let all = u32::try_from(self.places.available_permits()).unwrap();
        Arc::clone(&self.places).try_acquire_many_owned(all).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_place_in_the_line_is_given_and_the_next_one_is_refused_at_once() {
        let gate = Gate::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(first)) = pin!(gate.enter()).poll(&mut context) else { panic!("no turn") };
        let mut second = pin!(gate.enter());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(matches!(pin!(gate.enter()).poll(&mut context), Poll::Ready(None)));

        drop(first);
        let Poll::Ready(Some(_turn)) = second.as_mut().poll(&mut context) else { panic!("no turn") };
        // The line is empty again.
        assert!(pin!(gate.enter()).poll(&mut context).is_pending());
    }

    #[test]
    fn a_visitor_who_leaves_the_line_frees_the_place() {
        let gate = Gate::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(_first)) = pin!(gate.enter()).poll(&mut context) else { panic!("no turn") };
        {
            let mut waiting = pin!(gate.enter());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
        }
        assert!(pin!(gate.enter()).poll(&mut context).is_pending());
    }
}
