//! Brokers that are too old are told in one line, and hold up nothing else.

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::wire::Wire;
use crate::support::{http, scratch, store, traffic, wait};

const TOPIC: &str = "old";

/// `check` says so; a process goes on with its other parts, and asks the broker again after longer and longer pauses.
fn is_told_and_waited_for(broker: &Wire, words: &[&str]) {
    let folder = scratch();
    let config = Config::new(folder.path())
        .without_catalogue()
        .kafka(&broker.address(), &[(TOPIC, "native")])
        .set("kafka.connect_timeout", "1s")
        .set("ingest.flush_age", "200ms");
    let file = config.write();

    let checked = Bellwether::new(folder.path(), &["check", "--config", &file]).run();
    assert_eq!(checked.code(), 2, "{}", checked.stdout);
    let told: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with("failed")).collect();
    assert_eq!(told.len(), 1, "{}", checked.stdout);
    for word in [&[broker.address().as_str(), "Kafka 0.11 or newer"], words].concat() {
        assert!(told[0].contains(word), "`{word}` is missing in: {}", told[0]);
    }

    let before = broker.connections();
    let running =
        Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest", "--config", &file]).start();
    running.wait_for("again_in_secs=4", wait::START);
    // Three starts of a second at most, with pauses of a second and of two between them.
    let tries = broker.connections() - before;
    assert!((3..=45).contains(&tries), "{tries} connections");
    let ready = http::get(&config.url("admin", "/readyz"));
    let line =
        ready.text().lines().find(|line| line.starts_with("ingest of Kafka: down: ")).map(str::to_owned);
    let line = line.unwrap_or_else(|| panic!("{}", ready.text()));
    assert!(line.contains("Kafka 0.11 or newer") && line.contains("started again"), "{line}");

    let started_at = traffic::instant(0);
    let event = format!(
        r#"{{"request_id":"a","started_at":"{started_at}","attempts":[{{"model":"m","http_status":200}}]}}"#
    );
    let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(event)).expect("post");
    assert_eq!(answer.status, 200, "{}", answer.text());
    wait::until("the row of the intake", wait::START, || {
        (store::position(&config.warehouse()) == 1).then_some(())
    });
    let ended = running.interrupt();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn broker_that_knows_no_versions_is_told_with_what_is_needed() {
    is_told_and_waited_for(
        &Wire::broker_without_versions(),
        &["ApiVersions", "older than Kafka 0.10", "`kafka.tls`"],
    );
}

#[test]
fn broker_of_kafka_0_10_is_told_with_what_is_needed() {
    is_told_and_waited_for(&Wire::broker_of_0_10(TOPIC), &["cluster id", "older than Kafka 0.10.1"]);
}
