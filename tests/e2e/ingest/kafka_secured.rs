//! The same source over TLS with SASL, as a production cluster asks for it.

use toml::{Table, Value};

use crate::support::app::Bellwether;
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::traffic::{self, Dice};
use crate::support::wire::Wire;
use crate::support::{scratch, store, wait};

const TOPIC: &str = "secured";

fn secured(folder: &std::path::Path, broker: &Broker, password: &str) -> Config {
    secured_at(&broker.secured_address(), folder, broker, password)
}

fn secured_at(address: &str, folder: &std::path::Path, broker: &Broker, password: &str) -> Config {
    let mut tls = Table::new();
    tls.insert("ca_file".into(), broker.authority().to_str().expect("a text path").into());
    let mut sasl = Table::new();
    sasl.insert("mechanism".into(), "SCRAM-SHA-512".into());
    sasl.insert("username".into(), broker.user().0.into());
    sasl.insert("password".into(), password.into());
    Config::new(folder)
        .kafka(address, &[(TOPIC, "native")])
        .set("kafka.tls", Value::Table(tls))
        .set("kafka.sasl", Value::Table(sasl))
        .set("kafka.connect_timeout", "5s")
        .set("ingest.flush_age", "200ms")
}

#[test]
fn kafka_with_tls_and_scram_is_read_and_a_wrong_password_is_told() {
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let mut dice = Dice::new(3);
    let records: Vec<_> = (0..20).map(|index| traffic::good(index, &mut dice)).collect();
    broker.produce(TOPIC, records.iter().map(|r| (r.key.clone(), r.value.clone())));

    // Refused only when its time to connect is over, so it runs beside the other.
    let refused = scratch();
    let file = secured(refused.path(), broker, "a-wrong-password").write();
    let refusal = Bellwether::new(refused.path(), &["serve", "--roles", "ingest", "--config", &file]).start();

    let folder = scratch();
    let config = secured(folder.path(), broker, broker.user().1);
    let file = config.write();
    let running = Bellwether::new(folder.path(), &["serve", "--roles", "ingest", "--config", &file]).start();
    wait::until("the secured topic's records", wait::START, || {
        (store::position(&config.warehouse()) == 20).then_some(())
    });
    assert_eq!(running.interrupt().code(), 0);
    let rows: usize = records.iter().map(|r| r.outcomes.len()).sum();
    assert_eq!(
        store::number(&config.warehouse(), "SELECT count(*) FROM attempts"),
        i64::try_from(rows).unwrap()
    );

    let ended = refusal.ended(wait::START);
    assert_ne!(ended.code(), 0);
    assert!(ended.stderr.contains(&broker.secured_address()), "{}", ended.stderr);
    assert!(!ended.stderr.contains("a-wrong-password"), "a password was logged: {}", ended.stderr);
}

#[test]
fn certificate_for_another_name_is_told_with_the_address_and_what_to_set() {
    let broker = Broker::shared();
    broker.create_topic("secured-elsewhere", 1);
    // The certificate is made for localhost and 127.0.0.1.
    let port =
        broker.secured_address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let elsewhere = Wire::forward("127.0.0.2", port).address();
    let folder = scratch();
    let config = secured_at(&elsewhere, folder.path(), broker, broker.user().1);
    let file = config.set("kafka.connect_timeout", "2s").write();
    let run = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file).run();
    let words = [elsewhere.as_str(), "certificate", "`kafka.brokers`", "`kafka.tls.ca_file`"];

    let checked = run(&["check"]);
    assert_eq!(checked.code(), 2);
    let told: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with("failed")).collect();
    assert!(told.len() == 1 && words.iter().all(|word| told[0].contains(word)), "{}", checked.stdout);
    run(&["serve", "--roles", "ingest"]).refused(1, &words);
}
