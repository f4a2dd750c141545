//! What a commit says about itself: enough to check the exactly-once invariant from the log alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::batch::{Counts, Range};

/// Version of what decoding and normalising make of a record. Raised whenever a row would come out otherwise.
pub const DECODER: u32 = 4;

/// `recovered`: rejects of records that are no longer refused, by range.
pub(super) fn of(ranges: &[Range], recovered: &[(usize, u64)]) -> Map<String, Value> {
    let mut ranges: Vec<Value> = ranges
        .iter()
        .map(|range| {
            json!({
                "app": range.stream.to_string(),
                "start": range.start,
                "end": range.end,
                "rows": range.counts.rows,
                "rejects": range.counts.rejects,
                "duplicates": range.counts.duplicates,
                "skipped": range.counts.skipped,
            })
        })
        .collect();
    for (number, rejects) in recovered {
        if let Some(Value::Object(range)) = ranges.get_mut(*number) {
            range.insert("recovered".to_owned(), (*rejects).into());
        }
    }
    let mut info = Map::new();
    info.insert("decoder".to_owned(), DECODER.into());
    info.insert("ranges".to_owned(), ranges.into());
    info
}

/// Adds the counts by source, which the commit to `attempts` alone carries.
pub(super) fn with_intake(
    mut info: Map<String, Value>,
    sources: &BTreeMap<String, Counts>,
) -> Map<String, Value> {
    let sources: Vec<Value> = sources
        .iter()
        .map(|(source, counts)| {
            json!({
                "source": source,
                "rows": counts.rows,
                "rejects": counts.rejects,
                "duplicates": counts.duplicates,
                "unknown_fields": counts.unknown_fields,
                "absurd_values": counts.absurd,
                "bad_diagnostics": counts.diagnostics,
                "unknown_words": counts.words,
            })
        })
        .collect();
    info.insert("intake".to_owned(), sources.into());
    info
}
