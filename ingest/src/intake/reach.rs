//! Whether the brokers of the intake's topic can be reached, for the readiness of the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellwether_warehouse::health::State;
use rdkafka::client::ClientContext;
use rdkafka::statistics::Statistics;

/// How often librdkafka tells of its connections.
pub(super) const TOLD_EVERY_MILLIS: &str = "1000";
/// Reports without any connection before that counts: one may be lost and made again in between.
const PATIENCE: u32 = 3;

/// What a producer knows. Clones are one, so that a producer in another's place goes on with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    reports_without_broker: u32,
    /// Why the newest append failed; None since one went well.
    trouble: Option<String>,
}

impl Reach {
    pub(super) fn appended(&self) {
        self.lock().trouble = None;
    }

    pub(super) fn failed(&self, why: &dyn std::error::Error) {
        self.lock().trouble = Some(bellwether_warehouse::chain(why));
    }

    /// A single append may fail by what is wrong with it, and without senders none would show that all is well again:
    /// only brokers that are gone make the intake useless.
    pub(super) fn state(&self) -> State {
        let known = self.lock();
        match &known.trouble {
            _ if known.reports_without_broker >= PATIENCE => State::Down(
                "no broker can be reached, senders get 503; see `kafka.brokers`, it is tried again"
                    .to_owned(),
            ),
            Some(why) => State::Impaired(format!("the last records were not appended: {why}")),
            None => State::Works,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reach {
    fn stats(&self, statistics: Statistics) {
        let is_connected = statistics.brokers.values().any(|broker| broker.state == "UP");
        let mut known = self.lock();
        known.reports_without_broker =
            if is_connected { 0 } else { known.reports_without_broker.saturating_add(1) };
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Broker;

    use super::*;

    #[test]
    fn a_failed_append_is_told_until_one_goes_well() {
        let reach = Reach::default();
        assert_eq!(reach.state(), State::Works);
        reach.failed(&std::io::Error::other("message timed out"));
        let told = "the last records were not appended: message timed out";
        assert_eq!(reach.state(), State::Impaired(told.to_owned()));
        reach.appended();
        assert_eq!(reach.state(), State::Works);
    }

    #[test]
    fn brokers_are_gone_after_some_reports_without_any_and_are_back_with_the_first() {
        let reach = Reach::default();
        let report = |state: &str| {
            let broker = Broker { state: state.to_owned(), ..Broker::default() };
            let brokers = [("b".to_owned(), broker)].into();
            reach.stats(Statistics { brokers, ..Statistics::default() });
        };
        for _ in 0..2 {
            report("DOWN");
        }
        assert_eq!(reach.state(), State::Works);
        report("CONNECT");
        assert!(matches!(reach.state(), State::Down(_)));
        report("UP");
        assert_eq!(reach.state(), State::Works);
    }
}
