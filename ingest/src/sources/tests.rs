//! From the spool to the tables.

use std::time::Duration;

use bellwether_warehouse::TableId;
use tokio_util::sync::CancellationToken;

use super::spool;
use crate::batch::Stream;
use crate::config;
use crate::formats::{self, Format};
use crate::sink::Sink;
use crate::spool::Spool;
use crate::testing::{House, native};

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
    let spool = Spool::open(&dir, &config::Spool { folder: None, segment: config::Bytes(2000) }).unwrap();
    // The last batch is seldom full, so its age ends it; no batch gets as old while records still come.
    let flush_age = config::Span(Duration::from_secs(1));
    let ingest = config::Ingest { flush_rows: 7, flush_age, ..config::Ingest::default() };
    let mut expected = 0;
    for round in 0..3 {
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn({
            let (reader, warehouse, tools) =
                (spool.reader().unwrap(), house.warehouse.clone(), house.tools.clone());
            let (ingest, shutdown) = (ingest.clone(), shutdown.clone());
            async move { spool::run(reader, &warehouse, tools, &ingest, shutdown).await }
        });
        for number in 0..20 {
            spool.append(vec![stripped(&house, &format!("{round}-{number}"))]).await.unwrap();
        }
        // The last record of each round comes twice.
        spool.append(vec![stripped(&house, &format!("{round}-19")), b"{noise".to_vec()]).await.unwrap();
        expected += 22;
        if round == 2 {
            wait_for(&house, &spool, expected).await;
        }
        shutdown.cancel();
        worker.await.unwrap().unwrap();
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

#[tokio::test]
async fn a_spool_that_lost_records_the_table_needs_stops_with_both_numbers() {
    let house = House::new().await;
    let dir = house.dir.path().join("spool");
    let config = config::Spool { folder: None, segment: config::Bytes(200) };
    let spool = Spool::open(&dir, &config).unwrap();
    for number in 0..4 {
        spool.append(vec![stripped(&house, &format!("{number}"))]).await.unwrap();
    }
    let reader = spool.reader().unwrap();
    let shutdown = CancellationToken::new();
    let ingest = config::Ingest { flush_rows: 1, ..config::Ingest::default() };
    let run = spool::run(reader, &house.warehouse, house.tools.clone(), &ingest, shutdown.clone());
    tokio::select! {
        result = run => panic!("ended by itself: {result:?}"),
        () = wait_for(&house, &spool, 4) => {}
    }
    // A log that begins behind what the table has: the table's position is moved back for this.
    for number in 4..8 {
        spool.append(vec![stripped(&house, &format!("{number}"))]).await.unwrap();
    }
    crate::spool::prune(&dir, 7).unwrap();
    let reader = spool.reader().unwrap();
    let error =
        spool::run(reader, &house.warehouse, house.tools.clone(), &ingest, shutdown).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("stands at offset 4") && text.contains("holds 7 to 8"), "{text}");
}
