//! Time, as something that is given: nothing else in the warehouse, in ingest or in the jobs asks the system for it.

use std::fmt;
use std::ops::Add;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;

/// Two times that have nothing to do with each other, as on every host, and waiting.
pub trait Clock: fmt::Debug + Send + Sync {
    /// µs since 1970, UTC. Somebody may set it, so it may jump either way; nothing is measured by it.
    fn wall_us(&self) -> i64;

    /// Never goes back.
    fn now(&self) -> Moment;

    /// Resolves once `now` has reached the moment.
    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()>;
}

/// A point of monotonic time. Says nothing by itself, only together with others of the same clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub(crate) Duration);

impl Moment {
    /// How long ago `earlier` was; nothing when it was not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

/// The host's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Moments count from here, whichever handle gave them.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is to ask")]
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

#[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is to ask")]
impl Clock for SystemClock {
    fn wall_us(&self) -> i64 {
        chrono::Utc::now().timestamp_micros()
    }

    fn now(&self) -> Moment {
        let beginning = *BEGINNING;
        Moment(Instant::now().saturating_duration_since(beginning))
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        let clock = *self;
        // Begun where it is awaited: threads without a runtime make the future too.
        Box::pin(async move { tokio::time::sleep(moment.since(clock.now())).await })
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Duration, Moment, SystemClock};

    #[test]
    fn moments_are_told_apart_and_never_lie_before_the_beginning() {
        let (early, late) = (Moment::default(), Moment::default() + Duration::from_secs(3));
        assert_eq!(late.since(early), Duration::from_secs(3));
        assert_eq!(early.since(late), Duration::ZERO);
        assert!(early + Duration::MAX + Duration::MAX > late);
    }

    #[tokio::test]
    async fn the_system_sleeps_for_as_long_as_it_is_told() {
        let begun = SystemClock.now();
        SystemClock.sleep_until(begun + Duration::from_millis(20)).await;
        assert!(SystemClock.now().since(begun) >= Duration::from_millis(20));
        // It may be made where no runtime is, and a moment that has passed is not waited for.
        std::thread::spawn(move || SystemClock.sleep_until(begun)).join().unwrap().await;
        assert!(SystemClock.wall_us() > crate::testing::NOON_US - 365 * crate::testing::DAY_US);
    }
}
