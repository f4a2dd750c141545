//! What ingest tells of itself while the tables take nothing, and once they do.

use std::path::{Path, PathBuf};

use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::traffic::{self, Dice};
use crate::support::{http, metrics, scratch, store, wait};

const MIB: i64 = 1 << 20;

fn serve(folder: &Path, roles: &str, config: &Config) -> Running {
    let running = Bellwether::new(folder, &["serve", "--roles", roles, "--config", &config.write()]).start();
    wait::until("the admin port", wait::START, || http::try_get(&config.url("admin", "/livez")));
    running
}

/// Where the rows of all events of these tests go. A file there refuses them, as a disk in trouble does.
fn in_the_way(warehouse: &Path) -> PathBuf {
    let place = warehouse.join("attempts/event_date=2026-03-01");
    std::fs::write(&place, "").expect("put a file where a folder is to be");
    place
}

#[test]
fn kafka_worker_over_its_budget_stands_still_and_goes_on_when_the_tables_do() {
    const TOPIC: &str = "metrics-paused";
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let mut dice = Dice::new(31);
    // Half a second apart, all within the day.
    let records: Vec<_> = (0..30_000).map(|index| traffic::good(index, &mut dice)).collect();
    let folder = scratch();
    let config = Config::new(folder.path())
        .without_catalogue()
        .kafka(&broker.address(), &[(TOPIC, "native")])
        .set("ingest.memory_budget", "3 MiB")
        .set("ingest.flush_bytes", "1 MiB")
        .set("ingest.flush_age", "200ms");
    let mut running = serve(folder.path(), "ingest", &config);
    let obstacle = in_the_way(&config.warehouse());
    broker.produce(TOPIC, records.iter().map(|record| (record.key.clone(), record.value.clone())));

    let paused = r#"bellwether_ingest_paused{worker="kafka"}"#;
    let budget = r#"bellwether_ingest_memory_budget_bytes{worker="kafka"}"#;
    let held = r#"bellwether_ingest_memory_bytes{worker="kafka"}"#;
    metrics::reach(&config, &mut running, &[(paused, 1.0), (budget, (3 * MIB) as f64)]);
    let batches = metrics::value(&config, held).expect("what is held is told");
    assert!(batches > MIB as f64, "paused for {batches} bytes");
    assert_eq!(store::position(&config.warehouse()), 0);

    std::fs::remove_file(obstacle).expect("take the file away");
    let lag = r#"bellwether_ingest_lag_records{topic="metrics-paused",partition="0"}"#;
    wait::until("all records", wait::WORK, || (store::position(&config.warehouse()) == 30_000).then_some(()));
    metrics::reach(&config, &mut running, &[(paused, 0.0), (lag, 0.0)]);
    let window = metrics::value(&config, r#"bellwether_ingest_window_bytes{worker="kafka"}"#);
    // A third of the budget, and the slack of what grows.
    let bound = 1.5 * MIB as f64;
    assert!(window.is_some_and(|bytes| bytes > 0.0 && bytes <= bound), "{window:?} of {bound}");
    assert_eq!(running.interrupt().code(), 0);
    let rows: usize = records.iter().map(|record| record.outcomes.len()).sum();
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM attempts"), rows as i64);
}

#[test]
fn lag_of_the_spool_grows_while_the_tables_take_nothing() {
    let folder = scratch();
    let config = Config::new(folder.path()).without_catalogue().set("ingest.flush_age", "200ms");
    let mut running = serve(folder.path(), "intake,ingest", &config);
    let obstacle = in_the_way(&config.warehouse());
    let mut dice = Dice::new(32);
    let mut good = |indexes: std::ops::Range<u64>| -> Vec<u8> {
        let lines = indexes.map(|index| traffic::good(index, &mut dice).value);
        lines.flat_map(|line| [line, b"\n".to_vec()].concat()).collect()
    };
    let post = |body: Vec<u8>| {
        let answer =
            http::send(http::post(&config.url("intake", "/intake/native")).body(body)).expect("post");
        assert_eq!(answer.status, 200, "{}", answer.text());
    };

    let lag = r#"bellwether_ingest_lag_records{topic="spool",partition="0"}"#;
    // Both bad records lack what no event goes without.
    post([good(0..50), br#"{"request_id":"x","attempts":[]}"#.to_vec(), b"\n{}\n".to_vec()].concat());
    metrics::reach(&config, &mut running, &[("bellwether_spool_head_offset", 52.0), (lag, 52.0)]);
    wait::until("a try to fail", wait::START, || {
        metrics::value(&config, r#"bellwether_ingest_retries_total{table="attempts"}"#)
    });
    post(good(50..60));
    metrics::reach(&config, &mut running, &[(lag, 62.0)]);
    let on_disk = metrics::value(&config, "bellwether_spool_bytes").expect("the spool's size is told");
    let records = store::files(&folder.path().join("spool"));
    let largest = records.iter().map(|path| path.metadata().expect("a file").len()).max();
    assert!(
        on_disk > 0.0 && largest.is_some_and(|bytes| bytes as f64 >= on_disk),
        "{on_disk} of {largest:?}"
    );
    let budget = r#"bellwether_ingest_memory_budget_bytes{worker="spool"}"#;
    metrics::reach(&config, &mut running, &[(budget, (512 * MIB) as f64)]);

    std::fs::remove_file(obstacle).expect("take the file away");
    let missing = r#"bellwether_ingest_rejects_by_reason_total{reason="missing_field"}"#;
    metrics::reach(&config, &mut running, &[(lag, 0.0), (missing, 2.0)]);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM rejects"), 2);
    let newest = store::newest_record(&config.warehouse());
    let freshness = r#"bellwether_ingest_newest_record_timestamp_seconds{topic="spool",partition="0"}"#;
    metrics::reach(&config, &mut running, &[(freshness, newest)]);
    assert_eq!(running.interrupt().code(), 0);
}
