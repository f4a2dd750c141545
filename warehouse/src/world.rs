//! What the core takes from outside beside brokers and stores. The default is the host's own clock and dice; a test
//! gives others (`testing::SetClock`, `testing::SeededDice`), and then all that follows is the same on every run.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, Either, select};
use uuid::Uuid;

use crate::clock::{Clock, Moment, SystemClock};
use crate::dice::{Dice, SystemDice};

/// A clock and dice. Cheap to clone; clones share them.
#[derive(Clone, Debug)]
pub struct World {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl Default for World {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemDice))
    }
}

impl World {
    pub fn new(clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { clock, dice }
    }

    /// What the host's calendar and clock on the wall say: may jump, see [`Clock`].
    pub fn wall_us(&self) -> i64 {
        self.clock.wall_us()
    }

    pub fn wall_millis(&self) -> i64 {
        self.wall_us().div_euclid(1000)
    }

    pub fn wall(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.wall_us()).unwrap_or_default()
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Time that has passed since `moment`.
    pub fn since(&self, moment: Moment) -> Duration {
        self.now().since(moment)
    }

    pub fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now() + time)
    }

    pub fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        self.clock.sleep_until(moment)
    }

    /// What the future comes to. None: not within this time; it is dropped then.
    pub async fn within<T>(&self, time: Duration, future: impl Future<Output = T>) -> Option<T> {
        match select(Box::pin(future), self.sleep(time)).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(_) => None,
        }
    }

    pub fn random(&self) -> u64 {
        self.dice.roll()
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.random().to_le_bytes());
        bytes[8..].copy_from_slice(&self.random().to_le_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Somewhere in `[0, 1)`.
    pub fn fraction(&self) -> f64 {
        // As many bits as the number holds exactly.
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use super::World;
    use crate::testing::{NOON_US, SeededDice, SetClock};

    #[tokio::test]
    async fn a_set_clock_stands_still_and_wakes_whoever_it_passes() {
        let clock = Arc::new(SetClock::at(NOON_US));
        let world = World::new(clock.clone(), Arc::new(SeededDice::new(1)));
        let begun = world.now();
        assert_eq!((world.now(), world.wall_us()), (begun, NOON_US));
        let (first, second) = (world.sleep(Duration::from_secs(3)), world.sleep(Duration::from_secs(5)));
        let first = tokio::spawn(first);
        let second = tokio::spawn(second);
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
        assert!(!first.is_finished());
        clock.advance(Duration::from_secs(1));
        first.await.unwrap();
        assert!(!second.is_finished());
        assert_eq!(world.since(begun), Duration::from_secs(3));
        assert_eq!(world.wall_us(), NOON_US + 3_000_000);
        // The wall jumps a day back; what is waited for does not care.
        clock.set_wall(NOON_US - 86_400_000_000);
        assert_eq!(world.wall_us(), NOON_US - 86_400_000_000);
        assert_eq!(world.since(begun), Duration::from_secs(3));
        clock.advance(Duration::from_secs(2));
        second.await.unwrap();
        assert_eq!(world.within(Duration::from_secs(1), async { 7 }).await, Some(7));
        let late = tokio::spawn({
            let world = world.clone();
            async move { world.within(Duration::from_secs(1), std::future::pending::<()>()).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1));
        assert_eq!(late.await.unwrap(), None);
    }

    #[test]
    fn one_seed_gives_one_course_and_another_seed_another() {
        let world = |seed| World::new(Arc::new(SetClock::at(0)), Arc::new(SeededDice::new(seed)));
        let course = |world: &World| (world.random(), world.uuid(), world.fraction().to_bits());
        let (one, same, other) = (world(7), world(7), world(8));
        assert_eq!(course(&one), course(&same));
        assert_ne!(course(&world(7)), course(&other));
        assert_ne!(course(&one), course(&world(7)), "dice go on");
        let uuids: BTreeSet<_> = (0..100).map(|_| one.uuid()).collect();
        assert_eq!(uuids.len(), 100);
        assert!(uuids.iter().all(|uuid| uuid.get_version_num() == 4));
        let mean = (0..1000).map(|_| one.fraction()).sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }

    #[test]
    fn the_default_is_the_host() {
        let (one, other) = (World::default(), World::default());
        assert_ne!(one.uuid(), other.uuid());
        // All handles on the host's clock count from one beginning.
        let before = one.now();
        assert!(other.now() >= before && other.since(before) < Duration::from_secs(60));
    }
}
