//! Records that are read again by a reader that refuses others.

use serde_json::Map;

use super::{House, Message, NOON_US, Position, Stream, Worker, native};
use crate::batch::Encoding;
use crate::formats::Format;
use crate::sink::again::{self, Again};
use crate::sink::backoff::Backoff;
use crate::sink::{FlushError, Parts, Waits, commit};
use crate::testing::litellm_failure;
use bellwether_warehouse::streams::StreamNames;
use bellwether_warehouse::{AppId, TableId, World};

const NATIVE: Encoding = Encoding::Raw(Format::Native);
const LITELLM: Encoding = Encoding::Raw(Format::LiteLlm);

/// A native reader takes 0, 2 and 5, one of LiteLLM's format 1 and 4; 3 is refused by both.
fn records() -> Vec<String> {
    let failure = |micros| litellm_failure(micros, 500, "openai");
    vec![native("a"), failure(1), native("b"), "{broken".to_owned(), failure(2), native("c")]
}

/// A worker at the position of the tables that decodes `[start, to)` in the given format.
async fn reader(house: &House, encoding: Encoding, to: i64) -> Worker {
    let mut worker = Worker::new(house, Stream::kafka("c", "t", 0, 0)).await;
    worker.sink = worker.sink.with_patience(std::time::Duration::ZERO);
    let start = worker.assign().await;
    for (offset, record) in (0..).zip(records()).filter(|(offset, _)| (start..to).contains(offset)) {
        let message = Message { offset, appended_at_us: NOON_US, payload: record.as_bytes() };
        worker.batch.push(worker.slot.unwrap(), &message, encoding).unwrap();
    }
    worker
}

/// Lets a flush of `[start, to)` end before `attempts` is committed.
async fn cut_off(house: &House, encoding: Encoding, to: i64) {
    let day = house.dir.path().join("warehouse/attempts/event_date=2026-11-25");
    std::fs::write(&day, "a file where a folder is to be").unwrap();
    let mut worker = reader(house, encoding, to).await;
    assert!(matches!(worker.flush().await, Err(FlushError::Storage { table: "attempts", .. })));
    std::fs::remove_file(day).unwrap();
}

#[tokio::test]
async fn each_record_is_a_row_or_one_reject_whoever_reads_it_to_the_end() {
    let house = House::new().await;
    let refused = async || house.ask("SELECT src_offset FROM rejects ORDER BY 1").await;
    cut_off(&house, NATIVE, 6).await;
    assert_eq!(refused().await, ["1", "3", "4"]);
    // It refuses 0 and 2 beside 1, which stands there and is a row now.
    cut_off(&house, LITELLM, 3).await;
    assert_eq!(refused().await, ["0", "1", "2", "3", "4"]);
    let mut worker = reader(&house, LITELLM, 6).await;
    let version = worker.flush().await.unwrap().version.unwrap();
    assert_eq!(refused().await, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(house.ask("SELECT src_offset FROM attempts ORDER BY 1").await, ["1", "4"]);

    let entry = house.warehouse.table(TableId::Attempts).await.unwrap();
    let entry = entry.commits(version - 1, version).await.unwrap().remove(0);
    let range = &entry.info["ranges"][0];
    assert_eq!((&range["rejects"], &range["recovered"]), (&4.into(), &2.into()));
    let rejects = house.warehouse.table(TableId::Rejects).await.unwrap();
    assert_eq!(rejects.snapshot().txn(&AppId("ingest/c/t/0/0/again".to_owned())), Some(2));
    let position = worker.sink.position(&worker.stream).await.unwrap();
    assert_eq!((position.attempts, position.rejects), (Some(6), Some(6)));
}

#[tokio::test]
async fn a_reader_like_the_first_one_writes_nothing_of_what_it_reads_again() {
    let house = House::new().await;
    cut_off(&house, NATIVE, 6).await;
    for to in [2, 6] {
        reader(&house, NATIVE, to).await.flush().await.unwrap();
    }
    assert_eq!(house.ask("SELECT src_offset FROM rejects ORDER BY 1").await, ["1", "3", "4"]);
    assert_eq!(house.ask("SELECT src_offset FROM attempts ORDER BY 1").await, ["0", "2", "5"]);
    let rejects = house.warehouse.table(TableId::Rejects).await.unwrap();
    assert_eq!(rejects.snapshot().txn(&AppId("ingest/c/t/0/0/again".to_owned())), None);
}

#[tokio::test]
async fn of_two_readers_that_found_the_same_one_writes() {
    let house = House::new().await;
    cut_off(&house, NATIVE, 6).await;
    let mut outcomes = Vec::new();
    let mut compared = Vec::new();
    for _ in 0..2 {
        let mut worker = reader(&house, LITELLM, 6).await;
        let frozen = worker.batch.freeze().unwrap();
        let found = frozen.rejects_again.as_ref();
        let again = again::compare(&mut worker.sink.rejects, &frozen.ranges, found).await.unwrap();
        compared.push((worker, again));
    }
    for (worker, Again { rows, advance, .. }) in &mut compared {
        let (advance, backoff) = (
            std::mem::take(advance),
            Backoff::new("rejects", None, None, Waits::default(), World::default()),
        );
        let (untold, info) = (StreamNames::default(), Map::new());
        let parts = Parts { rows, streams: &untold, advance, expect: Vec::new() };
        let written = commit(&mut worker.sink.rejects, parts, &info, backoff).await;
        outcomes.push(written.is_ok());
        assert!(matches!(written, Ok(Some(_)) | Err(FlushError::Fenced { .. })), "{written:?}");
    }
    assert_eq!(outcomes, [true, false]);
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 6);
}

#[tokio::test]
async fn rejects_of_other_streams_and_offsets_are_not_taken_for_those_of_this_one() {
    let house = House::new().await;
    // Another partition's reject stands at each offset that is refused now.
    let mut other = Worker::new(&house, Stream::kafka("c", "t", 0, 1)).await;
    other.assign().await;
    other.push(&vec!["{".to_owned(); 6], 0, 6);
    other.flush().await.unwrap();
    cut_off(&house, NATIVE, 6).await;
    let position = Position { attempts: None, labels: Some(6), rejects: Some(6), ..Position::default() };
    let mut worker = reader(&house, LITELLM, 6).await;
    assert_eq!(worker.sink.position_seen(&worker.stream), position);
    worker.flush().await.unwrap();
    let own = house.ask("SELECT src_offset FROM rejects WHERE src_partition = 0 ORDER BY 1").await;
    assert_eq!(own, ["0", "1", "2", "3", "4", "5"]);
}
