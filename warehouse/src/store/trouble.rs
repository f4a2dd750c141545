//! What stops a store until somebody mends it: credentials, rights, a bucket that is gone.
//!
//! Reads may go well while writes are denied, and one table while another is not, so each is kept apart: whoever
//! succeeds ends only his own trouble.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::world::World;

/// Whoever is refused asks again within a minute. What nobody has met for longer may be mended long since.
const STALE: Duration = Duration::from_secs(150);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A table, or nothing for the warehouse's own files; and what was done with it.
pub(crate) type Of = (&'static str, Access);

#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// The log tells of it from when the warehouse is open; before, whoever opens it gets the error.
    is_watched: AtomicBool,
    /// Spares the successful, who are nearly all, the lock.
    is_any: AtomicBool,
    list: Mutex<BTreeMap<Of, (String, Moment)>>,
    world: World,
}

impl Trouble {
    pub(super) fn in_world(world: World) -> Self {
        Self { world, ..Self::default() }
    }

    pub(super) fn watch(&self) {
        self.is_watched.store(true, Ordering::Release);
    }

    pub(super) fn begins(&self, of: Of, text: String) {
        let mut list = self.lock();
        let known = list.iter().any(|(_, (told, at))| *told == text && self.world.since(*at) < STALE);
        if !known && self.is_watched.load(Ordering::Acquire) {
            tracing::error!("the warehouse cannot be used: {text}");
        }
        list.insert(of, (text, self.world.now()));
        self.is_any.store(true, Ordering::Release);
    }

    pub(super) fn ends(&self, of: Of) {
        if !self.is_any.load(Ordering::Acquire) {
            return;
        }
        let mut list = self.lock();
        let ended = list.remove(&of).is_some();
        list.retain(|_, (_, at)| self.world.since(*at) < STALE);
        if ended && list.is_empty() {
            self.is_any.store(false, Ordering::Release);
            if self.is_watched.load(Ordering::Acquire) {
                tracing::info!("the warehouse can be used again");
            }
        }
    }

    /// In one line.
    pub(super) fn told(&self) -> Option<String> {
        let list = self.lock();
        list.values().find(|(_, at)| self.world.since(*at) < STALE).map(|(text, _)| text.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Of, (String, Moment)>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_ends_only_its_own_trouble() {
        let trouble = Trouble::default();
        trouble.begins(("attempts", Access::Write), "denied".to_owned());
        trouble.ends(("attempts", Access::Read));
        trouble.ends(("rejects", Access::Write));
        assert_eq!(trouble.told().as_deref(), Some("denied"));
        trouble.ends(("attempts", Access::Write));
        assert_eq!(trouble.told(), None);
    }
}
