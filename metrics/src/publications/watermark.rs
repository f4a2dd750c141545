//! Up to when everything has arrived.

use chrono::{DateTime, TimeDelta, Utc};

use super::Publication;

/// Late enough for what a router logs when a request ends.
const SETTLED: TimeDelta = TimeDelta::seconds(60);
/// The same where nothing comes any more, so that the time-outs of an outage are in.
const SILENT: TimeDelta = TimeDelta::seconds(120);

/// A minute before the newest event, or two before now when none comes.
pub fn watermark(newest_event: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let silent = now - SILENT;
    newest_event.map_or(silent, |newest| silent.max(newest.min(now) - SETTLED))
}

impl Publication {
    /// The newest event. None: there was none in the minute before it was published.
    pub fn newest_event(&self) -> Option<DateTime<Utc>> {
        (self.watermark > self.published_at - SILENT).then(|| self.watermark + SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_newest_event_until_none_comes_any_more() {
        let at = |text: &str| format!("2026-11-25T{text}Z").parse::<DateTime<Utc>>().unwrap();
        let now = at("12:00:00");
        for (newest, expected, told) in [
            (Some("11:59:59"), "11:58:59", Some("11:59:59")),
            (Some("11:59:01"), "11:58:01", Some("11:59:01")),
            (Some("11:59:00"), "11:58:00", None),
            (Some("09:00:00"), "11:58:00", None),
            (None, "11:58:00", None),
            // Of a clock that runs ahead.
            (Some("13:00:00"), "11:59:00", Some("12:00:00")),
        ] {
            let watermark = watermark(newest.map(at), now);
            assert_eq!(watermark, at(expected), "{newest:?}");
            let publication = Publication { watermark, published_at: now, ..Publication::default() };
            assert_eq!(publication.newest_event(), told.map(at), "{newest:?}");
        }
    }
}
