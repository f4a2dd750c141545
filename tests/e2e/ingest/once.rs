//! Whether the tables hold what a topic's records must have become: every row, its id and where it came from, once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use crate::support::broker::Broker;
use crate::support::store;
use crate::support::traffic::Record;
use bellwether_warehouse::TableId;

/// Lines that tell of a missing or a surplus row; there may be very many.
const SHOWN: usize = 5;

/// Rows and rejects are what the broker's records must have become, and every table stands at the topic's end.
#[track_caller]
pub(super) fn every_event_is_there_once(broker: &Broker, topic: &str, sent: &[Record], warehouse: &Path) {
    let stored = broker.dump(topic);
    assert_eq!(stored.len(), sent.len());
    let (rows, rejects) = expected(topic, &stored, sent);
    let place = "src_topic, CAST(src_partition AS VARCHAR), CAST(src_offset AS VARCHAR), \
                 CAST(coalesce(src_index, 0) AS VARCHAR)";
    let line =
        |rest: &str, table: &str| format!("SELECT concat_ws(' ', {place}, {rest}) AS line FROM {table}");
    holds(&found(warehouse, &line("event_id, request_id, outcome", "attempts")), &rows, "rows");
    holds(&found(warehouse, &line("reason", "rejects")), &rejects, "rejects");
    for table in [TableId::Rejects, TableId::LabelCells, TableId::Attempts] {
        let snapshot = store::snapshot(warehouse, table).expect("the table exists");
        assert_eq!(store::sum_of_positions(&snapshot), sent.len() as i64, "{}", table.name());
    }
}

/// What the broker's records must have become, told by an independent client's dump of the topic. Each row is a line
/// of its values.
fn expected(topic: &str, stored: &[(i32, i64, Vec<u8>)], sent: &[Record]) -> (Vec<String>, Vec<String>) {
    let by_value: HashMap<&[u8], &Record> = sent.iter().map(|r| (r.value.as_slice(), r)).collect();
    let mut seen = HashSet::new();
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for (partition, offset, value) in stored {
        let record = by_value[value.as_slice()];
        let place = format!("{topic} {partition} {offset}");
        if let Some(reason) = record.reject {
            rejects.push(format!("{place} 0 {reason}"));
        } else if seen.insert(&record.key) {
            let key = &record.key;
            let attempts = record.outcomes.iter().enumerate();
            rows.extend(
                attempts.map(|(at, outcome)| format!("{place} {at} native:{key}:{at} {key} {outcome}")),
            );
        }
    }
    (rows, rejects)
}

/// The same of a table.
#[track_caller]
fn found(warehouse: &Path, sql: &str) -> Vec<String> {
    let rows = store::rows(warehouse, sql);
    rows.iter().map(|row| row["line"].as_str().expect("a line").to_owned()).collect()
}

/// Each line as often as the other list has it.
#[track_caller]
fn holds(found: &[String], expected: &[String], what: &str) {
    let mut surplus: BTreeMap<&str, i64> = BTreeMap::new();
    for line in found {
        *surplus.entry(line).or_default() += 1;
    }
    for line in expected {
        *surplus.entry(line).or_default() -= 1;
    }
    let wrong = |is_wrong: fn(i64) -> bool| {
        let lines = surplus.iter().filter(move |(_, count)| is_wrong(**count)).map(|(line, _)| *line);
        lines.collect::<Vec<_>>()
    };
    let (lost, doubled) = (wrong(|count| count < 0), wrong(|count| count > 0));
    let first = |lines: &[&str]| lines.iter().take(SHOWN).copied().collect::<Vec<_>>().join("\n  ");
    assert!(
        lost.is_empty() && doubled.is_empty(),
        "of {} {what}, {} are missing:\n  {}\nand {} should not be there:\n  {}",
        expected.len(),
        lost.len(),
        first(&lost),
        doubled.len(),
        first(&doubled),
    );
}
