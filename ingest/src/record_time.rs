//! The times of records, which senders and brokers set, and which may be wrong.
//!
//! A record's time says when it was appended: no event of it can have begun much later. Some clients write 0 or
//! seconds, some hosts are days ahead. What follows from a time must come out the same on every reading, so a
//! time is judged by those before it in its own stream, of which the newest valid one stands in the table. A day
//! without records must not make those after it wrong.

/// 2020-01-01T00:00:00Z; nothing older is a request to a language model.
pub(crate) const EARLIEST_US: i64 = 1_577_836_800_000_000;
/// 2100-01-01T00:00:00Z.
pub(crate) const LATEST_US: i64 = 4_102_444_800_000_000;
/// Shown of a record that has no possible time, while its stream has given no valid one. A table holds only days of the
/// calendar, so what a sender or a broker wrote there must never reach it as it is.
const UNKNOWN_US: i64 = EARLIEST_US;
/// A clock may run ahead of the others by a day at most.
pub(crate) const AHEAD_US: i64 = 86_400_000_000;

/// What is known of a record's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What the tables show.
    pub(crate) appended_at_us: i64,
    /// The latest moment at which an event of this record may have begun.
    pub(crate) events_until_us: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Times {
    /// Our own clock gave them.
    Believed,
    Doubted {
        /// Newest valid one so far, in milliseconds as the table keeps it.
        newest_millis: Option<i64>,
    },
}

impl Times {
    pub(crate) fn after(newest_millis: Option<i64>) -> Self {
        Self::Doubted { newest_millis }
    }

    pub(crate) fn newest_millis(&self) -> Option<i64> {
        match self {
            Self::Believed => None,
            Self::Doubted { newest_millis } => *newest_millis,
        }
    }

    /// `wall_us` asks this host's clock.
    pub(crate) fn judge(&mut self, appended_at_us: i64, wall_us: impl FnOnce() -> i64) -> Judged {
        let Self::Doubted { newest_millis } = self else {
            return Judged { appended_at_us, events_until_us: appended_at_us.saturating_add(AHEAD_US) };
        };
        let newest_us = newest_millis.map(|millis| millis.saturating_mul(1000));
        // Only the first valid time of a stream is held against this host's clock: there is nothing else yet.
        let until = newest_us.unwrap_or_else(wall_us).saturating_add(AHEAD_US);
        let is_valid = (EARLIEST_US..=until).contains(&appended_at_us);
        if newest_us.is_some() && (until..=LATEST_US).contains(&appended_at_us) && !is_valid {
            return Self::catch_up(newest_millis, until);
        }
        if is_valid {
            let millis = appended_at_us.div_euclid(1000);
            *newest_millis = Some(newest_millis.map_or(millis, |newest| newest.max(millis)));
        }
        let Some(newest_us) = newest_millis.map(|millis| millis.saturating_mul(1000)) else {
            // Nothing but the time itself may decide here, or another reading could show another one.
            let is_possible = (EARLIEST_US..LATEST_US).contains(&appended_at_us);
            let shown = if is_possible { appended_at_us } else { UNKNOWN_US };
            return Judged { appended_at_us: shown, events_until_us: LATEST_US };
        };
        Judged {
            appended_at_us: if is_valid { appended_at_us } else { newest_us },
            events_until_us: newest_us
                .max(if is_valid { appended_at_us } else { newest_us })
                .saturating_add(AHEAD_US),
        }
    }

    /// A time further ahead than clocks may run: of a stream that was idle for days, of a host whose clock was behind and
    /// was put right, or wrong. Its events are not refused for that, and the newest time follows by a day a record, so
    /// that one wrong record moves it no further.
    fn catch_up(newest_millis: &mut Option<i64>, until: i64) -> Judged {
        *newest_millis = Some(until.div_euclid(1000));
        Judged { appended_at_us: until, events_until_us: LATEST_US }
    }
}

#[cfg(test)]
mod tests {
    use super::{AHEAD_US, EARLIEST_US, Judged, LATEST_US, Times};

    /// 2026-11-25T12:00:00Z.
    const NOON: i64 = 1_795_608_000_000_000;
    const HOUR: i64 = 3_600_000_000;

    fn judged(appended_at_us: i64, events_until_us: i64) -> Judged {
        Judged { appended_at_us, events_until_us }
    }

    /// Behind the first valid time the host's clock decides nothing.
    fn unasked() -> i64 {
        panic!("the clock was asked")
    }

    #[test]
    fn a_valid_time_stands_for_itself_and_moves_the_newest() {
        let mut times = Times::after(Some(NOON / 1000));
        assert_eq!(times.judge(NOON + HOUR, unasked), judged(NOON + HOUR, NOON + HOUR + AHEAD_US));
        // A record that comes late is shown as it says and judged by the newest.
        assert_eq!(times.judge(NOON, unasked), judged(NOON, NOON + HOUR + AHEAD_US));
        assert_eq!(times.newest_millis(), Some((NOON + HOUR) / 1000));
    }

    #[test]
    fn a_time_that_cannot_be_judges_nothing() {
        for wrong in [0, -1, 1_700_000_000_000, LATEST_US + 1, i64::MAX, i64::MIN] {
            let mut times = Times::after(Some(NOON / 1000));
            assert_eq!(times.judge(wrong, unasked), judged(NOON, NOON + AHEAD_US), "{wrong}");
            assert_eq!(times.newest_millis(), Some(NOON / 1000), "{wrong}");
        }
    }

    #[test]
    fn a_stream_that_was_idle_for_days_refuses_nothing_and_catches_up() {
        let mut times = Times::after(Some(NOON / 1000));
        let late = NOON + 3 * AHEAD_US;
        for days in 1..3 {
            assert_eq!(times.judge(late, unasked), judged(NOON + days * AHEAD_US, LATEST_US));
            assert_eq!(times.newest_millis(), Some((NOON + days * AHEAD_US) / 1000));
        }
        assert_eq!(times.judge(late, unasked), judged(late, late + AHEAD_US));
    }

    #[test]
    fn before_the_first_valid_time_only_the_century_judges() {
        let mut times = Times::after(None);
        // Seconds and nanoseconds instead of milliseconds, none at all, and what no calendar holds.
        let impossible =
            [1_700_000_000_000, NOON * 1_000, 0, 1_000, EARLIEST_US - 1, LATEST_US, i64::MIN, i64::MAX];
        for wrong in impossible {
            assert_eq!(times.judge(wrong, || NOON), judged(EARLIEST_US, LATEST_US), "{wrong}");
            assert_eq!(times.newest_millis(), None, "{wrong}");
        }
        let future = NOON + AHEAD_US + 1;
        assert_eq!(times.judge(future, || NOON), judged(future, LATEST_US));
        // A year after 2020 that is over is valid whatever the clock of this host says.
        let past = 1_600_000_000_000_000;
        assert_eq!(times.judge(past, || NOON), judged(past, past + AHEAD_US));
        assert_eq!(times.newest_millis(), Some(past / 1000));
    }

    #[test]
    fn times_of_our_own_clock_are_believed() {
        let mut times = Times::Believed;
        assert_eq!(times.judge(5, unasked), judged(5, 5 + AHEAD_US));
        assert_eq!(times.newest_millis(), None);
    }
}
