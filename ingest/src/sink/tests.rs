//! Exactly once: positions, order of the tables, fences, and a crash between each pair of commits.

mod again;

use bellwether_warehouse::TableId;

use super::{FlushError, FlushReason, Sink};
use crate::batch::{Batch, Encoding, Message, Position, Slot, Stream};
use crate::dedup;
use crate::formats::Format;
use crate::testing::{FORMER_FAILURE, House, NOON_US, attempts_of_one_call, native};

const RAW: Encoding = Encoding::Raw(Format::Native);

/// Ten records: `r<n>`, of which number 3 is broken and number 7 repeats number 6.
fn records() -> Vec<String> {
    (0..10)
        .map(|n| match n {
            3 => "{broken".to_owned(),
            7 => native("r6"),
            n => native(&format!("r{n}")),
        })
        .collect()
}

struct Worker {
    sink: Sink,
    batch: Batch,
    stream: Stream,
    slot: Option<Slot>,
}

impl Worker {
    async fn new(house: &House, stream: Stream) -> Self {
        let sink = Sink::open(&house.warehouse).await.unwrap();
        Self { sink, batch: Batch::new(house.tools.clone()), stream, slot: None }
    }

    async fn assign(&mut self) -> i64 {
        let position = self.sink.position(&self.stream).await.unwrap();
        let start = position.attempts.unwrap_or_default();
        let window = self.sink.window(&self.stream, start, 100).await.unwrap();
        self.batch.clear();
        self.slot = Some(self.batch.assign(self.stream.clone(), position, start, window));
        start
    }

    fn push(&mut self, records: &[String], from: i64, to: i64) {
        for offset in from..to {
            let payload = records[offset as usize].as_bytes();
            let message = Message { offset, appended_at_us: NOON_US, payload };
            self.batch.push(self.slot.unwrap(), &message, RAW).unwrap();
        }
    }

    async fn flush(&mut self) -> Result<super::Flushed, FlushError> {
        self.sink.flush(&mut self.batch, FlushReason::Rows).await
    }
}

async fn check_all_there_once(house: &House) {
    let offsets = house.ask("SELECT src_offset FROM attempts ORDER BY src_offset").await;
    assert_eq!(offsets, ["0", "1", "2", "4", "5", "6", "8", "9"]);
    assert_eq!(house.ask("SELECT src_offset, reason FROM rejects").await, ["3|malformed_json"]);
    // One labelled request each.
    assert_eq!(house.count("SELECT coalesce(sum(n), 0) FROM label_cells").await, 8);
}

#[tokio::test]
async fn batches_commit_rows_rejects_and_positions() {
    let house = House::new().await;
    let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, 0)).await;
    let records = records();
    assert_eq!(worker.assign().await, 0);
    for (from, to) in [(0, 4), (4, 7), (7, 10)] {
        worker.push(&records, from, to);
        let flushed = worker.flush().await.unwrap();
        assert_eq!((flushed.ranges[0].start, flushed.ranges[0].end), (from, to));
    }
    check_all_there_once(&house).await;
    let position = worker.sink.position(&worker.stream).await.unwrap();
    assert_eq!(
        position,
        Position {
            attempts: Some(10),
            labels: Some(10),
            rejects: Some(10),
            time: Some(NOON_US / 1000),
            ..Position::default()
        }
    );
    assert_eq!(worker.flush().await.unwrap().version, None);
}

#[tokio::test]
async fn the_log_tells_ranges_and_intake_of_each_commit() {
    let house = House::new().await;
    let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, 0)).await;
    worker.assign().await;
    worker.push(&records(), 0, 10);
    let version = worker.flush().await.unwrap().version.unwrap();
    let table = house.warehouse.table(TableId::Attempts).await.unwrap();
    let entry = table.commits(version - 1, version).await.unwrap().remove(0);
    assert_eq!(
        entry.info["ranges"],
        serde_json::json!([{
            "app": "ingest/c/t/0/0", "start": 0, "end": 10, "rows": 8, "rejects": 1, "duplicates": 1, "skipped": 0
        }])
    );
    let intake = entry.info["intake"].as_array().unwrap();
    let rows: u64 = intake.iter().map(|source| source["rows"].as_u64().unwrap()).sum();
    let rejects: u64 = intake.iter().map(|source| source["rejects"].as_u64().unwrap()).sum();
    assert_eq!((rows, rejects), (8, 1));
    assert!(entry.info.contains_key("batch_uuid"));
    assert_eq!(entry.info["decoder"], 4);
}

#[tokio::test]
async fn a_crash_between_any_two_commits_loses_and_doubles_nothing() {
    for (point, name) in [
        ("sink-before-rejects", "one"),
        ("sink-after-rejects", "two"),
        ("sink-after-label-cells", "three"),
        ("sink-after-attempts", "four"),
    ] {
        let house = House::new().await;
        let stream = Stream::kafka("crash", name, 0, 0);
        let records = records();
        let mut worker = Worker::new(&house, stream.clone()).await;
        worker.assign().await;
        worker.push(&records, 0, 2);
        worker.flush().await.unwrap();
        worker.push(&records, 2, 8);
        fail::cfg(point, &format!("return(crash/{name}/)")).unwrap();
        let result = worker.flush().await;
        fail::remove(point);
        assert!(matches!(result, Err(FlushError::Interrupted(_))), "{point}");
        // Another process, with other batch borders.
        let mut worker = Worker::new(&house, stream).await;
        let start = worker.assign().await;
        assert_eq!(start, if point == "sink-after-attempts" { 8 } else { 2 });
        for (from, to) in [(start, 4.max(start)), (4.max(start), 9), (9, 10)] {
            worker.push(&records, from, to);
            worker.flush().await.unwrap();
        }
        check_all_there_once(&house).await;
    }
}

#[tokio::test]
async fn of_two_workers_on_one_stream_the_slower_is_fenced_and_drops_its_batch() {
    let house = House::new().await;
    let stream = Stream::kafka("c", "t", 0, 0);
    let records = records();
    let mut one = Worker::new(&house, stream.clone()).await;
    let mut two = Worker::new(&house, stream).await;
    one.assign().await;
    two.assign().await;
    one.push(&records, 0, 6);
    two.push(&records, 0, 4);
    one.flush().await.unwrap();
    assert!(matches!(two.flush().await, Err(FlushError::Fenced { .. })));
    assert!(two.batch.is_empty());
    assert_eq!(two.assign().await, 6);
    two.push(&records, 6, 10);
    two.flush().await.unwrap();
    check_all_there_once(&house).await;
}

#[tokio::test]
async fn one_flush_covers_several_streams() {
    let house = House::new().await;
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    let mut batch = Batch::new(house.tools.clone());
    let streams = [Stream::kafka("c", "t", 0, 0), Stream::kafka("c", "t", 0, 1)];
    for (index, stream) in streams.iter().enumerate() {
        let slot = batch.assign(stream.clone(), Position::default(), 5, dedup::Window::new(10));
        for offset in 5..8 {
            let record = native(&format!("p{index}-{offset}"));
            let message = Message { offset, appended_at_us: NOON_US, payload: record.as_bytes() };
            batch.push(slot, &message, RAW).unwrap();
        }
    }
    let flushed = sink.flush(&mut batch, FlushReason::Age).await.unwrap();
    assert_eq!(flushed.ranges.len(), 2);
    for stream in &streams {
        assert_eq!(sink.position(stream).await.unwrap().attempts, Some(8));
    }
    let files = sink.attempts().files();
    let tag = r#"[["ingest/c/t/0/0",5,7],["ingest/c/t/0/1",5,7]]"#;
    assert_eq!(files.iter().map(|file| file.streams.as_deref()).collect::<Vec<_>>(), [Some(tag)]);
    let rows = house.ask("SELECT src_partition, count(*) FROM attempts GROUP BY 1 ORDER BY 1").await;
    assert_eq!(rows, ["0|3", "1|3"]);
}

#[tokio::test]
async fn a_window_read_back_knows_the_newest_ids_of_its_own_partition() {
    let house = House::new().await;
    let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, 0)).await;
    let records: Vec<String> = (0..12).map(|n| native(&format!("r{n}"))).collect();
    worker.assign().await;
    for from in [0, 4, 8] {
        worker.push(&records, from, from + 4);
        worker.flush().await.unwrap();
    }
    let mut other = Worker::new(&house, Stream::kafka("c", "t", 0, 1)).await;
    other.assign().await;
    other.push(&[native("elsewhere")], 0, 1);
    other.flush().await.unwrap();
    worker.sink.position(&worker.stream).await.unwrap();
    let knows =
        |window: &dedup::Window, id: &str| window.contains(dedup::Fingerprint::of(&format!("native:{id}:0")));
    let window = worker.sink.window(&worker.stream, 12, 5).await.unwrap();
    assert_eq!(window.len(), 5);
    assert!(knows(&window, "r7") && knows(&window, "r11"));
    assert!(!knows(&window, "r6") && !knows(&window, "elsewhere"));
    // Of an earlier position only what lies below it.
    let window = worker.sink.window(&worker.stream, 6, 100).await.unwrap();
    assert_eq!(window.len(), 6);
    assert!(knows(&window, "r5") && !knows(&window, "r6"));
}

#[tokio::test]
async fn a_call_that_an_earlier_version_read_without_its_start_is_recognised() {
    let house = House::new().await;
    let former = Message { offset: 0, appended_at_us: NOON_US, payload: FORMER_FAILURE.as_bytes() };
    let mut partition = 0;
    for (record, is_new) in attempts_of_one_call() {
        for reads_back in [false, true] {
            let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, partition)).await;
            partition += 1;
            worker.assign().await;
            worker.batch.push(worker.slot.unwrap(), &former, Encoding::Appended).unwrap();
            if reads_back {
                worker.flush().await.unwrap();
                assert_eq!(worker.assign().await, 1);
            }
            let mut push = |offset: i64| {
                let message = Message { offset, appended_at_us: NOON_US, payload: record.as_bytes() };
                let encoding = Encoding::Raw(Format::LiteLlm);
                worker.batch.push(worker.slot.unwrap(), &message, encoding).unwrap().rows
            };
            assert_eq!(push(1), u32::from(is_new), "{record}");
            assert_eq!(push(2), 0, "{record}");
        }
    }
}

#[tokio::test]
async fn labels_of_no_list_do_not_pass_through_a_log_of_ours() {
    let house = House::new().await;
    let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, 0)).await;
    worker.assign().await;
    let labels = r#"{"nl":"a sentence of the prompt","nl_src":"rule:2","cat":"another","cat_src":"a third"}"#;
    let record = native("a").replacen('{', &format!(r#"{{"labels":{labels},"#), 1);
    let message = Message { offset: 0, appended_at_us: NOON_US, payload: record.as_bytes() };
    worker.batch.push(worker.slot.unwrap(), &message, Encoding::Appended).unwrap();
    worker.flush().await.unwrap();
    let cells = house.ask("SELECT nl, nl_src, cat, cat_src FROM label_cells").await;
    assert_eq!(cells, ["other|rule:2|other|router"]);
}

#[tokio::test]
async fn a_flush_that_is_given_up_leaves_no_files() {
    let house = House::new().await;
    let table = house.dir.path().join("warehouse/attempts");
    std::fs::write(table.join("event_date=2026-11-25"), "a file where a folder is to be").unwrap();
    let mut worker = Worker::new(&house, Stream::kafka("c", "t", 0, 0)).await;
    worker.sink = worker.sink.with_patience(std::time::Duration::ZERO);
    worker.assign().await;
    let records = [native("a").replace("11-25T11", "11-24T11"), native("b")];
    worker.push(&records, 0, 2);
    assert!(matches!(worker.flush().await, Err(FlushError::Storage { table: "attempts", .. })));
    let left = std::fs::read_dir(table.join("event_date=2026-11-24")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn rows_that_a_table_does_not_take_name_their_stream() {
    let house = House::new().await;
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    let mut batch = Batch::new(house.tools.clone());
    // What a writer of history says of its time is believed, whatever it is.
    let wrong = Stream::history("beyond the calendar");
    for (stream, appended_at_us) in [(Stream::kafka("c", "t", 0, 0), NOON_US), (wrong.clone(), i64::MAX)] {
        let slot = batch.assign(stream, Position::default(), 0, dedup::Window::new(10));
        let message = Message { offset: 0, appended_at_us, payload: b"{broken" };
        batch.push(slot, &message, RAW).unwrap();
    }
    match sink.flush(&mut batch, FlushReason::Age).await {
        Err(FlushError::Rows { table, apps, .. }) => {
            assert_eq!((table, apps), ("rejects", vec![wrong.app()]))
        }
        other => panic!("{other:?}"),
    }
    assert!(batch.is_empty());
}
