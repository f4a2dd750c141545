//! From the spool to the tables.

use std::time::Duration;

use bellwether_warehouse::TableId;
use bellwether_warehouse::health::State;
use tokio_util::sync::CancellationToken;

use super::spool::{Source, Stopped};
use crate::batch::Stream;
use crate::config;
use crate::formats::{self, Format};
use crate::sink::{Sink, Waits};
use crate::spool::{Spool, logs};
use crate::testing::{House, Lines, native};

fn settings(segment_bytes: u64) -> config::Spool {
    config::Spool {
        segment: config::Bytes(segment_bytes),
        ballast: config::Bytes(0),
        ..config::Spool::default()
    }
}

/// An ingest of the spool in the background.
struct Running {
    shutdown: CancellationToken,
    stopped: Stopped,
    worker: tokio::task::JoinHandle<Result<(), super::Error>>,
}

impl Running {
    fn start(house: &House, ingest: &config::Ingest) -> Self {
        Self::telling(house, ingest, Stopped::default())
    }

    fn telling(house: &House, ingest: &config::Ingest, stopped: Stopped) -> Self {
        let shutdown = CancellationToken::new();
        let source = Source::open(&house.dir.path().join("spool"), &settings(2000), stopped.clone()).unwrap();
        let worker = tokio::spawn({
            let (warehouse, tools) = (house.warehouse.clone(), house.tools.clone());
            let (ingest, shutdown) = (ingest.clone(), shutdown.clone());
            async move { source.run(&warehouse, tools, &ingest, shutdown).await }
        });
        Self { shutdown, stopped, worker }
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.worker.await.unwrap().unwrap();
    }
}

fn stripped(house: &House, id: &str) -> Vec<u8> {
    let record = native(id);
    let mut event = formats::decode(Format::Native, record.as_bytes()).unwrap();
    event.strip(&house.tools.identities, &house.tools.labeller);
    let mut out = Vec::new();
    formats::write_event(&event, &mut out);
    out
}

async fn wait_for(house: &House, spool: &Spool, offset: i64) {
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    let stream = Stream::spool(spool.uuid());
    // Wakes on the table's own state; the harness's time limit ends a test that would wait for ever.
    while sink.position(&stream).await.unwrap().attempts != Some(offset) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_becomes_rows_once_across_restarts() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    // The last batch is seldom full, so its age ends it; no batch gets as old while records still come.
    let flush_age = config::Span(Duration::from_secs(1));
    let ingest = config::Ingest { flush_rows: 7, flush_age, ..config::Ingest::default() };
    let mut expected = 0;
    for round in 0..3 {
        let running = Running::start(&house, &ingest);
        for number in 0..20 {
            spool.append(vec![stripped(&house, &format!("{round}-{number}"))]).await.unwrap();
        }
        // The last record of each round comes twice.
        spool.append(vec![stripped(&house, &format!("{round}-19")), b"{noise".to_vec()]).await.unwrap();
        expected += 22;
        if round == 2 {
            wait_for(&house, &spool, expected).await;
        }
        running.end().await;
        let mut sink = Sink::open(&house.warehouse).await.unwrap();
        let at = sink.position(&Stream::spool(spool.uuid())).await.unwrap().attempts.unwrap_or_default();
        assert!(at <= expected);
    }
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 60);
    assert_eq!(house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 60);
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 3);
    let mut reader = spool.reader().unwrap();
    assert!(reader.low().unwrap() > 0, "ingested segments are freed");
    assert!(reader.seek(expected).is_ok());
    let table = house.warehouse.table(TableId::Attempts).await.unwrap();
    assert!(table.snapshot().version() > 3, "small flush limits make several commits");
}

async fn append(house: &House, spool: &Spool, ids: &[&str]) {
    for id in ids {
        spool.append(vec![stripped(house, id)]).await.unwrap();
    }
}

fn quick() -> config::Ingest {
    config::Ingest { flush_rows: 1, ..config::Ingest::default() }
}

#[tokio::test]
async fn a_log_that_lost_records_the_table_needs_stops_alone_with_both_numbers() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(200)).unwrap();
    let running = Running::start(&house, &quick());
    append(&house, &spool, &["0", "1", "2", "3"]).await;
    wait_for(&house, &spool, 4).await;
    running.end().await;
    append(&house, &spool, &["4", "5", "6", "7"]).await;
    crate::spool::prune(spool.log().dir(), 7).unwrap();
    drop(spool);
    let spool = Spool::open(&dir, &settings(200)).unwrap();
    append(&house, &spool, &["8"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 1).await;
    let reasons = running.stopped.reasons();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("stands at offset 4") && reasons[0].contains("holds 7 to 8"), "{reasons:?}");
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 5);
    assert_eq!(logs(&dir).unwrap().readable.len(), 2, "the log that stopped stays on the disk");
}

#[tokio::test]
async fn a_folder_put_back_from_a_copy_swallows_nothing() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let copy = house.dir.path().join("copy");
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    append(&house, &spool, &["a", "b"]).await;
    let status = std::process::Command::new("cp").arg("-r").arg(&dir).arg(&copy).status().unwrap();
    assert!(status.success());
    append(&house, &spool, &["c", "d"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 4).await;
    running.end().await;
    drop(spool);
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::rename(&copy, &dir).unwrap();
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    append(&house, &spool, &["e", "f", "g"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 3).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 7);
    let left = logs(&dir).unwrap().readable;
    assert_eq!(left.len(), 1, "the copy is deleted, since the tables hold all of it");
    assert_eq!(left[0].uuid(), spool.uuid());
}

#[tokio::test]
async fn what_a_sender_repeats_to_the_next_log_is_one_row() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    for ids in [&["a", "b"][..], &["b", "c"]] {
        let spool = Spool::open(&dir, &settings(2000)).unwrap();
        append(&house, &spool, ids).await;
        let running = Running::start(&house, &quick());
        wait_for(&house, &spool, 2).await;
        running.end().await;
    }
    // The first log went when the second was begun; its ids did not.
    assert_eq!(logs(&dir).unwrap().readable.len(), 1);
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 3);
}

/// Leaves a log of five records of which the tables hold three, with the head that it had at two.
async fn log_with_a_head_of_before(house: &House) -> std::path::PathBuf {
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(1 << 20)).unwrap();
    append(house, &spool, &["0", "1"]).await;
    let head = spool.log().dir().join("head");
    let early = std::fs::read(&head).unwrap();
    append(house, &spool, &["2"]).await;
    let running = Running::start(house, &quick());
    wait_for(house, &spool, 3).await;
    running.end().await;
    append(house, &spool, &["3", "4"]).await;
    let log = spool.log().dir().to_owned();
    drop(spool);
    // As a power cut leaves it.
    std::fs::write(&head, early).unwrap();
    log
}

#[tokio::test]
async fn a_log_with_records_that_nobody_read_is_kept_and_told_though_its_head_lies_before_them() {
    for is_damaged in [false, true] {
        let house = House::new().await;
        let log = log_with_a_head_of_before(&house).await;
        if is_damaged {
            let segment = log.join("00000000000000000000.spool");
            let mut bytes = std::fs::read(&segment).unwrap();
            bytes[16 + 20 + 3] ^= 1;
            std::fs::write(&segment, bytes).unwrap();
        }
        let dir = house.dir.path().join("spool");
        let spool = Spool::open(&dir, &settings(1 << 20)).unwrap();
        append(&house, &spool, &["5"]).await;
        let running = Running::start(&house, &quick());
        wait_for(&house, &spool, 1).await;
        let reasons = running.stopped.reasons();
        running.end().await;
        if is_damaged {
            assert_eq!(reasons.len(), 1);
            assert!(reasons[0].contains("is damaged at byte 16"), "{reasons:?}");
            assert!(log.exists(), "its last two records are nowhere else");
        } else {
            assert_eq!(reasons, [""; 0]);
            assert_eq!(house.count("SELECT count(*) FROM attempts").await, 6);
        }
    }
}

#[tokio::test]
async fn a_log_that_could_not_be_ended_is_kept_until_it_is() {
    let house = House::new().await;
    let log = log_with_a_head_of_before(&house).await;
    let dir = house.dir.path().join("spool");
    // Its end cannot be written: the head is a folder.
    let head = log.join("head");
    std::fs::rename(&head, log.join("head.kept")).unwrap();
    std::fs::create_dir(&head).unwrap();
    let spool = Spool::open(&dir, &settings(1 << 20)).unwrap();
    append(&house, &spool, &["5"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 1).await;
    let reasons = running.stopped.reasons();
    assert!(reasons.len() == 1 && reasons[0].contains("was not ended"), "{reasons:?}");
    running.end().await;
    drop(spool);
    std::fs::remove_dir(&head).unwrap();
    std::fs::rename(log.join("head.kept"), &head).unwrap();
    let spool = Spool::open(&dir, &settings(1 << 20)).unwrap();
    append(&house, &spool, &["6"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 1).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 7);
    assert!(!log.exists());
}

#[tokio::test]
async fn a_spool_that_waits_for_the_tables_says_which_one_and_why_until_it_goes_through() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    let partition = house.dir.path().join("warehouse/attempts/event_date=2026-11-25");
    std::fs::write(&partition, "a file where a folder is to be").unwrap();
    append(&house, &spool, &["a"]).await;
    let waits = Waits::with_limits(Duration::ZERO, Duration::ZERO);
    let running = Running::telling(&house, &quick(), Stopped::default().with_waits(waits.clone()));
    let told = loop {
        match waits.state() {
            State::Down(why) => break why,
            state => assert_eq!(state, State::Works),
        }
        tokio::task::yield_now().await;
    };
    assert!(told.starts_with("table `attempts` cannot be used since 20"), "{told}");
    assert!(told.contains("event_date=2026-11-25"), "{told}");
    std::fs::remove_file(&partition).unwrap();
    wait_for(&house, &spool, 1).await;
    while waits.state() != State::Works {
        tokio::task::yield_now().await;
    }
    running.end().await;
}

#[tokio::test]
async fn what_waits_is_told_from_the_start_and_while_the_tables_take_nothing() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(1 << 20)).unwrap();
    append(&house, &spool, &["a", "b", "c"]).await;
    let partition = house.dir.path().join("warehouse/attempts/event_date=2026-11-25");
    std::fs::write(&partition, "a file where a folder is to be").unwrap();
    let running = Running::start(&house, &quick());
    let wait_until = async |records: u64| {
        while running.stopped.waiting().records != records {
            tokio::task::yield_now().await;
        }
    };
    wait_until(3).await;
    append(&house, &spool, &["d", "e"]).await;
    wait_until(5).await;
    assert!(running.stopped.waiting().bytes > 5 * 100);
    std::fs::remove_file(&partition).unwrap();
    wait_until(0).await;
    running.end().await;
}

#[tokio::test]
async fn a_commit_is_one_line_with_what_it_took_and_what_is_left() {
    let house = House::new().await;
    let spool = Spool::open(&house.dir.path().join("spool"), &settings(1 << 20)).unwrap();
    append(&house, &spool, &["a", "a"]).await;
    spool.append(vec![b"{noise".to_vec()]).await.unwrap();
    let lines = Lines::default();
    // While a process has a single subscriber, a line that another thread comes by first is off for all of them.
    let _another = tracing::Dispatch::new(lines.clone());
    let _guard = tracing::subscriber::set_default(lines.clone());
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 3).await;
    running.end().await;
    let told = lines.with("committed");
    assert_eq!(told.len(), 1, "{told:?}");
    for part in
        ["INFO", " rows=1", " rejects=1", " duplicates=1", " positions=\"spool/0@3\"", " lag=0", " millis="]
    {
        assert!(told[0].contains(part), "{part} is missing in {}", told[0]);
    }
    assert_eq!(lines.with("flushed"), [""; 0]);
}

#[tokio::test]
async fn a_log_of_a_newer_build_is_told_and_the_next_one_goes_on() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    append(&house, &spool, &["a"]).await;
    let newer = spool.log().dir().join("manifest.json");
    drop(spool);
    std::fs::write(&newer, "{\"version\": 9}").unwrap();
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    append(&house, &spool, &["b"]).await;
    let running = Running::start(&house, &quick());
    wait_for(&house, &spool, 1).await;
    let reasons = running.stopped.reasons();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("version 9"), "{reasons:?}");
    running.end().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_told_and_taken_up_once_it_can() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    std::fs::write(&dir, "a file where a folder is to be").unwrap();
    let running = Running::start(&house, &quick());
    while running.stopped.reasons().is_empty() {
        tokio::task::yield_now().await;
    }
    let reasons = running.stopped.reasons();
    assert!(reasons.len() == 1 && reasons[0].contains(dir.to_str().unwrap()), "{reasons:?}");
    std::fs::remove_file(&dir).unwrap();
    let spool = Spool::open(&dir, &settings(2000)).unwrap();
    append(&house, &spool, &["a"]).await;
    wait_for(&house, &spool, 1).await;
    assert!(running.stopped.reasons().is_empty());
    running.end().await;
}
