//! A publication for which there is little memory. What all statements of a process may hold is said once for the process, so
//! each size has one of its own.

use std::process::Command;

use bellwether_metrics::METRICS;
use bellwether_warehouse::session::{DEFAULT_MEMORY_BYTES, limit_memory};

use super::super::Publisher;
use super::market::{NOW, market, terms_of_market};
use super::names::answer;
use super::newest;
use crate::testing::at;

const NAME: &str = "publish::tests::pool::the_least_memory_that_may_be_set_gives_the_same_rows";
/// The least that the configuration takes: too little for the windows of a week at once, whose sorts hold more than their share
/// before they could go on in files.
const LEAST: usize = 64 << 20;
/// Bytes for the process that is to publish.
const POOL: &str = "POOL_OF_A_TEST";

/// Publishes the market, and prints every row.
async fn publish_within(bytes: usize) {
    assert!(limit_memory(bytes));
    let f = market(1_500).await;
    let mut publisher = Publisher::open(&f.warehouse, terms_of_market()).await.unwrap();
    // As many operators share the memory on any host: too many.
    publisher.threads = 8;
    publisher.publish(at(NOW)).await.unwrap();
    let versions = newest(&f).await.versions;
    for metric in METRICS {
        let name = metric.table.name;
        let table = f.warehouse.table(metric.id()).await.unwrap().at(versions[name]).await.unwrap();
        let mut rows = answer(&f, table, &format!("SELECT * FROM {name}")).await;
        rows.sort();
        rows.iter().for_each(|row| println!("row {name} {row}"));
    }
}

/// The rows that such a process prints.
fn published_within(bytes: usize) -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    let run = Command::new(program)
        .args([NAME, "--exact", "--nocapture"])
        .env(POOL, bytes.to_string())
        .output()
        .unwrap();
    let (said, failed) =
        (String::from_utf8(run.stdout).unwrap(), String::from_utf8_lossy(&run.stderr).into_owned());
    assert!(run.status.success(), "{bytes} bytes: {failed}");
    said.lines().filter(|line| line.starts_with("row ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_least_memory_that_may_be_set_gives_the_same_rows() {
    if let Ok(bytes) = std::env::var(POOL) {
        return publish_within(bytes.parse().unwrap()).await;
    }
    let (rows, found) = (published_within(DEFAULT_MEMORY_BYTES), published_within(LEAST));
    assert!(rows.len() > 10_000, "{}", rows.len());
    let differ: Vec<_> = rows.iter().zip(&found).filter(|(one, other)| one != other).take(3).collect();
    assert!(rows == found, "{} and {} rows; {differ:#?}", rows.len(), found.len());
}
