//! Which files of `attempts` may hold the newest rows of one log.

use bellwether_warehouse::DataFile;
use bellwether_warehouse::streams::StreamSpans;

/// Whose rows, and up to where.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Name of the log, as files are tagged with it.
    pub stream: &'a str,
    /// What its rows say.
    pub topic: &'a str,
    pub partition: i32,
    /// The offset behind the last one.
    pub below: i64,
}

#[derive(Debug)]
pub(super) struct Candidate<'f> {
    pub(super) file: &'f DataFile,
    /// No row of the log has a higher offset.
    pub(super) last: i64,
    /// About how many rows of the log it holds, at most.
    pub(super) rows: u64,
}

/// Newest first. A file whose tag does not name the log is none; without a tag its statistics tell, which know the
/// highest offset of all logs together. What tells nothing comes first.
pub(super) fn candidates<'f>(files: &'f [DataFile], wanted: &Wanted<'_>) -> Vec<Candidate<'f>> {
    let mut found: Vec<Candidate<'f>> = files.iter().filter_map(|file| candidate(file, wanted)).collect();
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.last));
    found
}

fn candidate<'f>(file: &'f DataFile, wanted: &Wanted<'_>) -> Option<Candidate<'f>> {
    let (first, last) = match file.streams.as_deref().and_then(StreamSpans::parse) {
        Some(spans) => spans.of(wanted.stream)?,
        None => by_statistics(file, wanted)?,
    };
    let last = last.min(wanted.below.saturating_sub(1));
    let offsets = last.saturating_sub(first).saturating_add(1);
    (offsets > 0).then_some(Candidate { file, last, rows: file.rows.min(offsets).unsigned_abs() })
}

/// Lowest and highest offset in the file of whatever log; None where it holds nothing of this topic or partition.
fn by_statistics(file: &DataFile, wanted: &Wanted<'_>) -> Option<(i64, i64)> {
    let bounds = file.bounds();
    let (topic, partitions) = (bounds.text("src_topic"), bounds.number("src_partition"));
    // An upper bound may be cut short, so only one that cannot be a prefix excludes the file.
    let above = topic.least.is_some_and(|least| least > wanted.topic);
    let under = topic.most.is_some_and(|most| most < wanted.topic && !wanted.topic.starts_with(most));
    let partition = i64::from(wanted.partition);
    let beside = partitions.least.is_some_and(|least| least > partition)
        || partitions.most.is_some_and(|most| most < partition);
    if above || under || beside {
        return None;
    }
    let offsets = bounds.number("src_offset");
    Some((offsets.least.unwrap_or(0), offsets.most.unwrap_or(i64::MAX)))
}
