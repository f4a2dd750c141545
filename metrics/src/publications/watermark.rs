//! Up to when everything has arrived.

use chrono::{DateTime, TimeDelta, Utc};

/// Late enough for what a router logs when a request ends.
const SETTLED: TimeDelta = TimeDelta::seconds(60);
/// The same where nothing comes any more, so that the time-outs of an outage are in.
const SILENT: TimeDelta = TimeDelta::seconds(120);

/// A minute before the newest event, or two before now when none comes.
pub fn watermark(newest_event: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let silent = now - SILENT;
    newest_event.map_or(silent, |newest| silent.max(newest.min(now) - SETTLED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_newest_event_until_none_comes_any_more() {
        let at = |text: &str| format!("2026-11-25T{text}Z").parse::<DateTime<Utc>>().unwrap();
        for (newest, expected) in [
            (Some("11:59:59"), "11:58:59"),
            (Some("11:59:01"), "11:58:01"),
            (Some("11:59:00"), "11:58:00"),
            (Some("09:00:00"), "11:58:00"),
            (None, "11:58:00"),
            // Of a clock that runs ahead.
            (Some("13:00:00"), "11:59:00"),
        ] {
            assert_eq!(watermark(newest.map(at), at("12:00:00")), at(expected), "{newest:?}");
        }
    }
}
