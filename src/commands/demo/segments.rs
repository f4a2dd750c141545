//! How history is divided: the newest weeks first, so that there is something to look at, then the others backwards.
//!
//! Segments and lanes name streams, so a folder keeps those that it began with: whoever changes anything here counts
//! up `settings::LAYOUT`.

/// A site with this many days has most of what it can show.
const NEWEST_DAYS: i64 = 28;
const OTHER_DAYS: i64 = 28;
/// Nothing else runs yet: more than there are cores, so that none waits for a disk.
const LANES_OF_NEWEST: i64 = 4;
/// Folds and pages run beside these.
const LANES_OF_OTHERS: i64 = 2;
pub const MINUTES_PER_DAY: i64 = 1_440;

/// Unix minutes `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub from: i64,
    pub to: i64,
    /// Side by side, each with its share of the days.
    pub lanes: i64,
}

/// All between two minutes, newest first.
pub fn divide(first_minute: i64, live_from_minute: i64) -> Vec<Segment> {
    let newest = live_from_minute.div_euclid(MINUTES_PER_DAY) - NEWEST_DAYS;
    let starts = (0..).map(|nth| (newest - nth * OTHER_DAYS) * MINUTES_PER_DAY);
    let starts = starts.take_while(|start| *start > first_minute).chain([first_minute]);
    let mut to = live_from_minute;
    let mut lanes = LANES_OF_NEWEST;
    starts
        .map(|from| {
            let segment = Segment { from, to, lanes };
            (to, lanes) = (from, LANES_OF_OTHERS);
            segment
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const LIVE_FROM: &str = "2026-11-29T13:40:00Z";

    fn minute(text: &str) -> i64 {
        text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp() / 60
    }

    #[test]
    fn the_newest_four_weeks_come_first_and_the_others_backwards() {
        let of = |from, to, lanes| Segment { from: minute(from), to: minute(to), lanes };
        assert_eq!(
            divide(minute("2026-08-20T00:00:00Z"), minute(LIVE_FROM)),
            [
                of("2026-11-01T00:00:00Z", LIVE_FROM, 4),
                of("2026-10-04T00:00:00Z", "2026-11-01T00:00:00Z", 2),
                of("2026-09-06T00:00:00Z", "2026-10-04T00:00:00Z", 2),
                of("2026-08-20T00:00:00Z", "2026-09-06T00:00:00Z", 2),
            ]
        );
    }

    #[test]
    fn a_short_history_is_one_segment() {
        for first in ["2026-11-27T00:00:00Z", "2026-11-01T00:00:00Z"].map(minute) {
            let all = divide(first, minute(LIVE_FROM));
            assert_eq!(all, [Segment { from: first, to: minute(LIVE_FROM), lanes: 4 }]);
        }
    }
}
