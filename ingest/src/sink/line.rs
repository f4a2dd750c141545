//! The one log line of a commit.

use std::fmt::Write as _;

use super::Flushed;
use crate::batch::Range;

/// Streams that a line names.
const MOST: usize = 8;

impl Flushed {
    /// Says what was committed, once, wherever the records came from. `lag` is what is left of the logs behind it,
    /// as far as that is known.
    pub(crate) fn tell(&self, lag: Option<i64>) {
        let Some(version) = self.version else { return };
        let sum = |of: fn(&Range) -> u64| self.ranges.iter().map(of).sum::<u64>();
        tracing::info!(
            version,
            reason = self.reason.map(|reason| reason.as_str()),
            rows = sum(|range| range.counts.rows),
            rejects = sum(|range| range.counts.rejects),
            duplicates = sum(|range| range.counts.duplicates),
            skipped = sum(|range| range.counts.skipped),
            positions = positions(&self.ranges),
            lag,
            millis = self.took.as_millis() as u64,
            "committed"
        );
    }
}

/// T of each stream: `requests/0@120, requests/1@99`.
fn positions(ranges: &[Range]) -> String {
    let mut text = String::new();
    for range in ranges.iter().take(MOST) {
        let comma = if text.is_empty() { "" } else { ", " };
        let (topic, partition) = (range.stream.topic(), range.stream.partition());
        // Writing to a text does not fail.
        let _ = write!(text, "{comma}{topic}/{partition}@{}", range.end);
    }
    if let Some(more) = ranges.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::positions;
    use crate::batch::{Counts, Position, Range, Stream};

    #[test]
    fn a_line_names_the_first_streams_and_counts_the_others() {
        let range = |partition: i32| Range {
            stream: Stream::kafka("c", "t", 0, partition),
            from: Position::default(),
            start: 0,
            end: 100 + i64::from(partition),
            time: None,
            hold: None,
            counts: Counts::default(),
        };
        let ranges: Vec<Range> = (0..10).map(range).collect();
        assert_eq!(positions(&ranges[..2]), "t/0@100, t/1@101");
        assert!(positions(&ranges[..8]).ends_with(", t/7@107"));
        assert!(positions(&ranges).ends_with(", t/7@107 and 2 more"));
    }
}
