//! Time that stands still until it is told, and dice whose course a seed decides.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::clock::{Clock, Moment};
use crate::dice::Dice;

/// Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct SetClock(Arc<Mutex<Hands>>);

#[derive(Debug, Default)]
struct Hands {
    wall_us: i64,
    now: Moment,
    /// Whoever sleeps; all look again when time passes.
    asleep: Vec<(Moment, Waker)>,
}

impl SetClock {
    pub fn at(wall_us: i64) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall_us, ..Hands::default() })))
    }

    /// Lets time pass, on the wall too.
    pub fn advance(&self, time: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now + time;
        hands.wall_us += i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let now = hands.now;
        let (woken, asleep) =
            std::mem::take(&mut hands.asleep).into_iter().partition(|(until, _)| *until <= now);
        hands.asleep = asleep;
        drop(hands);
        let woken: Vec<(Moment, Waker)> = woken;
        woken.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Somebody sets the clock on the wall; no time passes.
    pub fn set_wall(&self, wall_us: i64) {
        self.hands().wall_us = wall_us;
    }

    /// The next moment that somebody waits for.
    pub fn next(&self) -> Option<Moment> {
        self.hands().asleep.iter().map(|(until, _)| *until).min()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SetClock {
    fn wall_us(&self) -> i64 {
        self.hands().wall_us
    }

    fn now(&self) -> Moment {
        self.hands().now
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(poll_fn(move |context| {
            let mut hands = clock.hands();
            if hands.now >= moment {
                return Poll::Ready(());
            }
            let waker = context.waker();
            if !hands.asleep.iter().any(|(until, known)| *until == moment && known.will_wake(waker)) {
                hands.asleep.push((moment, waker.clone()));
            }
            Poll::Pending
        }))
    }
}

/// SplitMix64: every seed gives a course of its own, and no number is left out.
#[derive(Debug)]
pub struct SeededDice(AtomicU64);

impl SeededDice {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Dice for SeededDice {
    fn roll(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
