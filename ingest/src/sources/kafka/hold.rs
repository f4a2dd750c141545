//! Settings under which a partition stopped because of its records.

use crate::config::{Ingest, Topic};
use crate::sink::DECODER;

/// A fingerprint of everything that decides how many records are refused and when that is too much. A partition
/// that stopped under other settings is tried again.
pub(super) fn settings(topic: &Topic, ingest: &Ingest) -> i64 {
    let told = format!("{DECODER} {:?} {} {}", topic.format, ingest.reject_window, ingest.max_reject_share);
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(told.as_bytes()).as_bytes()[..8]);
    // A transaction's value is not negative.
    i64::from_le_bytes(short) & i64::MAX
}

#[cfg(test)]
mod tests {
    use super::settings;
    use crate::config::{Ingest, OnGap, Start, Topic, TopicFormat};

    #[test]
    fn what_decides_about_rejects_changes_the_fingerprint_and_nothing_else_does() {
        let name = "t".to_owned();
        let topic = Topic {
            name,
            format: TopicFormat::Auto,
            incarnation: 0,
            start: Start::Earliest,
            on_gap: OnGap::Stop,
        };
        let ingest = Ingest::default();
        let before = settings(&topic, &ingest);
        let other = |change: &dyn Fn(&mut Topic, &mut Ingest)| {
            let (mut topic, mut ingest) = (topic.clone(), ingest.clone());
            change(&mut topic, &mut ingest);
            settings(&topic, &ingest)
        };
        assert!(before >= 0);
        assert_ne!(other(&|topic, _| topic.format = TopicFormat::LiteLlm), before);
        assert_ne!(other(&|_, ingest| ingest.max_reject_share = 0.96), before);
        assert_ne!(other(&|_, ingest| ingest.reject_window += 1), before);
        assert_eq!(other(&|topic, ingest| (topic.on_gap, ingest.flush_rows) = (OnGap::Skip, 1)), before);
    }
}
