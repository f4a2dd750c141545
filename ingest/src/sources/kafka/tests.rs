//! Against librdkafka's own mock cluster: groups, offsets and watermarks as a broker has them.

mod apart;

use std::time::Duration;

use bellwether_warehouse::health::State;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Error, Stopped, client, run};
use crate::batch::{Batch, Position, Stream};
use crate::config::{Ingest, Kafka, OnGap, Span, Start, Topic, TopicFormat};
use crate::dedup::Window;
use crate::intake::{Appender, KafkaAppender, Outgoing};
use crate::sink::{FlushReason, Sink, Waits};
use crate::testing::{House, native};

const TOPIC: &str = "requests";
/// The mock cluster holds the join that follows a leave for a session less one second. The first join of a group it
/// holds for three seconds, whatever the session, and a member whose session ends meanwhile never gets an answer.
const SESSION_MILLIS: &str = "5000";
/// Half the time between two looks of librdkafka whether one is due.
const HEARTBEAT_MILLIS: &str = "500";

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, partitions, 1).unwrap();
    cluster
}

fn topic(format: TopicFormat) -> Topic {
    Topic { name: TOPIC.to_owned(), format, incarnation: 0, start: Start::Earliest, on_gap: OnGap::Stop }
}

fn config(cluster: &Cluster, format: TopicFormat) -> Kafka {
    let properties = [("session.timeout.ms", SESSION_MILLIS), ("heartbeat.interval.ms", HEARTBEAT_MILLIS)];
    Kafka {
        brokers: vec![cluster.bootstrap_servers()],
        topics: vec![topic(format)],
        properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Kafka::default()
    }
}

async fn produce(appender: &KafkaAppender, payloads: impl IntoIterator<Item = String>) {
    let records = payloads
        .into_iter()
        .enumerate()
        .map(|(number, payload)| Outgoing {
            key: Some(format!("key {number}")),
            payload: payload.into_bytes(),
        })
        .collect();
    appender.append(records).await.unwrap();
}

/// A worker that runs until it is ended.
struct Running {
    worker: JoinHandle<Result<(), Error>>,
    stopped: Stopped,
    shutdown: CancellationToken,
}

impl Running {
    fn start(house: &House, config: &Kafka, ingest: &Ingest) -> Self {
        Self::telling(house, config, ingest, Stopped::default())
    }

    fn telling(house: &House, config: &Kafka, ingest: &Ingest, stopped: Stopped) -> Self {
        let shutdown = CancellationToken::new();
        let (config, ingest) = (config.clone(), ingest.clone());
        let (warehouse, tools) = (house.warehouse.clone(), house.tools.clone());
        let (told, ends) = (stopped.clone(), shutdown.clone());
        let worker = tokio::spawn(async move { run(&config, &ingest, &warehouse, tools, told, ends).await });
        Self { worker, stopped, shutdown }
    }

    /// Until it is so; a worker that ends meanwhile fails the test.
    async fn until(&mut self, mut is_so: impl AsyncFnMut(&Stopped) -> bool) {
        while !is_so(&self.stopped).await {
            assert!(!self.worker.is_finished(), "ended by itself: {:?}", (&mut self.worker).await.unwrap());
            tokio::task::yield_now().await;
        }
    }

    /// Until a partition is stopped for a cause that says `words`.
    async fn until_stopped(&mut self, topic: &str, partition: i32, words: &str) {
        let is_meant = |(name, number, why): &(String, i32, String)| {
            name == topic && *number == partition && why.contains(words)
        };
        self.until(async |stopped: &Stopped| stopped.list().iter().any(is_meant)).await;
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.worker.await.unwrap().unwrap();
    }
}

/// The tables' positions.
struct Positions {
    sink: Sink,
    cluster: String,
}

impl Positions {
    async fn of(house: &House, config: &Kafka) -> Self {
        let config = config.clone();
        let contact = tokio::task::spawn_blocking(move || client::contact(&config, &[TOPIC]));
        let cluster = contact.await.unwrap().unwrap().id;
        Self { sink: Sink::open(&house.warehouse).await.unwrap(), cluster }
    }

    async fn position(&mut self, topic: &str, partition: i32) -> Option<i64> {
        let stream = Stream::kafka(&self.cluster, topic, 0, partition);
        self.sink.position(&stream).await.unwrap().attempts
    }

    async fn sum(&mut self, partitions: i32) -> i64 {
        let mut sum = 0;
        for partition in 0..partitions {
            sum += self.position(TOPIC, partition).await.unwrap_or_default();
        }
        sum
    }
}

/// The last batch is seldom full, so its age ends it.
fn quick() -> Ingest {
    Ingest { flush_rows: 40, flush_age: Span(Duration::from_millis(200)), ..Ingest::default() }
}

/// Runs ingest until the tables hold `records` offsets of all partitions together.
async fn ingest(house: &House, config: &Kafka, partitions: i32, records: i64) {
    let mut positions = Positions::of(house, config).await;
    let mut running = Running::start(house, config, &quick());
    running.until(async |_| positions.sum(partitions).await == records).await;
    running.end().await;
}

async fn appender(config: &Kafka, topic: &'static str) -> KafkaAppender {
    let config = config.clone();
    tokio::task::spawn_blocking(move || KafkaAppender::connect(&config, topic)).await.unwrap().unwrap()
}

/// With a plain producer, for what no appender of ours sends.
async fn send(cluster: &Cluster, records: impl FnOnce(&BaseProducer) + Send + 'static) {
    let bootstrap = cluster.bootstrap_servers();
    let sent = tokio::task::spawn_blocking(move || {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
        records(&producer);
        producer.flush(Duration::from_secs(30)).unwrap();
    });
    sent.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_all_partitions_become_rows_once_across_restarts() {
    let house = House::new().await;
    let cluster = cluster(3);
    let config = config(&cluster, TopicFormat::Native);
    let appender = appender(&config, TOPIC).await;
    let records = (0..300).map(|n| if n % 100 == 7 { "{bad".to_owned() } else { native(&format!("r{n}")) });
    produce(&appender, records).await;
    ingest(&house, &config, 3, 300).await;
    // A sender repeats its last batch and goes on; the same keys lead to the same partitions.
    produce(&appender, (0..20).map(|n| native(&format!("r{n}")))).await;
    produce(&appender, (300..350).map(|n| native(&format!("r{n}")))).await;
    ingest(&house, &config, 3, 370).await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 297 + 1 + 50);
    assert_eq!(house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 348);
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 3);
    assert_eq!(house.count("SELECT count(DISTINCT src_partition) FROM attempts").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_is_the_first_start_of_the_topic_and_not_of_each_process() {
    let house = House::new().await;
    let cluster = cluster(2);
    let mut config = config(&cluster, TopicFormat::Native);
    config.topics[0].start = Start::Latest;
    let appender = appender(&config, TOPIC).await;
    produce(&appender, (0..20).map(|n| native(&format!("before-{n}")))).await;
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &Ingest::default());
    running.until(async |_| positions.sum(2).await == 20).await;
    running.end().await;
    // Nobody reads when these arrive, and no record was ever committed.
    produce(&appender, (0..10).map(|n| native(&format!("after-{n}")))).await;
    ingest(&house, &config, 2, 30).await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 10);
    assert_eq!(house.count("SELECT count(*) FROM attempts WHERE request_id LIKE 'after-%'").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_ahead_of_the_broker_stops_the_partitions_and_the_worker_stays() {
    let house = House::new().await;
    let cluster = cluster(2);
    let config = config(&cluster, TopicFormat::Native);
    let mut positions = Positions::of(&house, &config).await;
    for partition in 0..2 {
        let mut batch = Batch::new(house.tools.clone());
        let stream = Stream::kafka(&positions.cluster, TOPIC, 0, partition);
        let slot = batch.assign(stream, Position::default(), 0, Window::new(1));
        batch.skip_to(slot, 1000);
        positions.sink.flush(&mut batch, FlushReason::End).await.unwrap();
    }
    let mut running = Running::start(&house, &config, &quick());
    for partition in 0..2 {
        running.until_stopped(TOPIC, partition, "stands at offset 1000, but the broker ends at 0").await;
    }
    assert!(running.stopped.is_all());
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_without_leader_waits_alone_and_is_read_when_it_has_one() {
    let house = House::new().await;
    let cluster = cluster(2);
    let config = config(&cluster, TopicFormat::Native);
    let appender = appender(&config, TOPIC).await;
    produce(&appender, (0..40).map(|n| native(&format!("r{n}")))).await;
    cluster.partition_leader(TOPIC, 1, None).unwrap();
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &quick());
    running.until_stopped(TOPIC, 1, "no leader").await;
    running.until(async |_| positions.position(TOPIC, 0).await.is_some_and(|at| at > 0)).await;
    assert!(!running.stopped.is_all());
    assert_eq!(positions.position(TOPIC, 1).await, None);
    cluster.partition_leader(TOPIC, 1, Some(1)).unwrap();
    running.until(async |_| positions.sum(2).await == 40).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_takes_nothing_is_tried_again_until_it_does() {
    let house = House::new().await;
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Native);
    let appender = appender(&config, TOPIC).await;
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &quick());
    running.until(async |_| positions.position(TOPIC, 0).await == Some(0)).await;
    let version = positions.sink.attempts().version() + 1;
    let entry = house.root().join(format!("attempts/_delta_log/{version:020}.json"));
    std::fs::write(&entry, "no action").unwrap();
    produce(&appender, (0..10).map(|n| native(&format!("r{n}")))).await;
    running.until_stopped(TOPIC, 0, "the tables cannot be read or written").await;
    std::fs::remove_file(&entry).unwrap();
    running.until(async |_| positions.position(TOPIC, 0).await == Some(10)).await;
    assert_eq!(running.stopped.list(), []);
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_the_tables_says_so_until_they_take_its_rows() {
    let house = House::new().await;
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Native);
    let partition = house.dir.path().join("warehouse/attempts/event_date=2026-11-25");
    std::fs::write(&partition, "a file where a folder is to be").unwrap();
    let appender = appender(&config, TOPIC).await;
    produce(&appender, [native("a")]).await;
    let waits = Waits::with_limits(Duration::ZERO, Duration::ZERO);
    let telling = Stopped::default().with_waits(waits.clone());
    let mut running = Running::telling(&house, &config, &quick(), telling);
    running.until(async |_| matches!(waits.state(), State::Down(why) if why.contains("`attempts`"))).await;
    assert_eq!(running.stopped.list(), [], "no partition is at fault");
    std::fs::remove_file(&partition).unwrap();
    running.until(async |_| waits.state() == State::Works).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_rejects_is_held_behind_what_it_gave_until_it_is_resumed() {
    const BAD: &str = "bad";
    let house = House::new().await;
    let cluster = cluster(1);
    cluster.create_topic(BAD, 1, 1).unwrap();
    let mut config = config(&cluster, TopicFormat::Native);
    config.topics.push(Topic { name: BAD.to_owned(), ..topic(TopicFormat::Native) });
    let (good, bad) = (appender(&config, TOPIC).await, appender(&config, BAD).await);
    produce(&bad, (0..60).map(|_| "no json".to_owned())).await;
    produce(&good, (0..20).map(|n| native(&format!("r{n}")))).await;
    let ingest = Ingest { reject_window: 50, ..quick() };
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &ingest);
    running.until_stopped(BAD, 0, "before offset 50 were rejected").await;
    running.until(async |_| positions.position(BAD, 0).await == Some(50)).await;
    running.until(async |_| positions.position(TOPIC, 0).await == Some(20)).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 50);

    // The next process finds it held, and goes on with the other.
    produce(&good, (20..30).map(|n| native(&format!("r{n}")))).await;
    let mut running = Running::start(&house, &config, &ingest);
    running.until_stopped(BAD, 0, "before offset 50 were rejected").await;
    running.until(async |_| positions.position(TOPIC, 0).await == Some(30)).await;
    assert_eq!(positions.position(BAD, 0).await, Some(50));
    let resumed = positions.sink.resume(BAD, None).await.unwrap();
    assert_eq!(resumed.len(), 1);
    running.until(async |_| positions.position(BAD, 0).await == Some(60)).await;
    assert_eq!(running.stopped.list(), []);
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 60);
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_and_times_that_cannot_be_neither_refuse_nor_stop_anything() {
    let house = House::new().await;
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Native);
    send(&cluster, |producer| {
        for n in 0..60 {
            let key = n.to_string();
            let record = BaseRecord::<str, str>::to(TOPIC).key(&key);
            let record = if n % 2 == 0 { record } else { record.payload("") };
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        for (n, millis) in [1, 1_700_000_000].into_iter().enumerate() {
            let payload = native(&format!("r{n}"));
            let record = BaseRecord::<str, str>::to(TOPIC).payload(&payload).timestamp(millis);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
    })
    .await;
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &Ingest { reject_window: 50, ..quick() });
    running.until(async |_| positions.position(TOPIC, 0).await == Some(62)).await;
    assert_eq!(running.stopped.list(), []);
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM rejects").await, 0);
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_record_with_an_impossible_time_stops_nothing_and_is_shown_in_the_calendar() {
    let house = House::new().await;
    let cluster = cluster(3);
    let config = config(&cluster, TopicFormat::Native);
    send(&cluster, |producer| {
        // Nanoseconds, microseconds and seconds where milliseconds belong.
        for (partition, time) in [(0, 1_795_608_000_000_000_000), (1, 1_795_608_000_000_000), (2, 1)] {
            for payload in ["{bad", &native("good")] {
                let record = BaseRecord::<str, str>::to(TOPIC).partition(partition).payload(payload);
                producer.send(record.timestamp(time)).map_err(|(error, _)| error).unwrap();
            }
        }
    })
    .await;
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &quick());
    running.until(async |_| positions.sum(3).await == 6).await;
    running.end().await;
    let dates = house.ask("SELECT DISTINCT date, received_at FROM rejects").await;
    assert_eq!(dates, ["2020-01-01|2020-01-01T00:00:00Z"]);
    assert_eq!(house.ask("SELECT DISTINCT ingested_at FROM attempts").await, ["2020-01-01T00:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_brokers_are_named_after_a_bounded_time() {
    let house = House::new().await;
    let config = Kafka {
        brokers: vec!["127.0.0.1:1".to_owned()],
        topics: vec![topic(TopicFormat::Auto)],
        connect_timeout: Span(Duration::from_millis(500)),
        ..Kafka::default()
    };
    let running = Running::start(&house, &config, &Ingest::default());
    let Err(Error::Client(error)) = running.worker.await.unwrap() else { panic!("it went on") };
    assert!(error.to_string().contains("`127.0.0.1:1`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_has_ended_for_good_is_replaced() {
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Appended);
    // The broker refuses the id of the first producer, after which librdkafka takes nothing with it any more.
    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &refused);
    let connected = tokio::task::spawn_blocking(move || KafkaAppender::connect(&config, TOPIC));
    let appender = connected.await.unwrap().unwrap();
    let record = |id: &str| vec![Outgoing { key: None, payload: native(id).into_bytes() }];
    assert!(appender.append(record("a")).await.is_err());
    appender.append(record("b")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_says_that_its_brokers_are_gone_and_that_they_are_back() {
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Appended);
    let appender = appender(&config, TOPIC).await;
    cluster.broker_down(1).unwrap();
    while !matches!(appender.state(), State::Down(why) if why.contains("no broker can be reached")) {
        tokio::task::yield_now().await;
    }
    // Nobody sends: librdkafka finds the brokers by itself.
    cluster.broker_up(1).unwrap();
    while appender.state() != State::Works {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_later_than_every_record_begins_behind_them_and_keeps_that_place() {
    let house = House::new().await;
    let cluster = cluster(1);
    let mut config = config(&cluster, TopicFormat::Native);
    config.topics[0].start = Start::At(house.warehouse.world().wall() + chrono::Duration::days(365));
    let appender = appender(&config, TOPIC).await;
    produce(&appender, (0..3).map(|n| native(&format!("before-{n}")))).await;
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &Ingest::default());
    running.until(async |_| positions.position(TOPIC, 0).await == Some(3)).await;
    running.end().await;
    // Whatever their times are: the place was found once.
    produce(&appender, (0..2).map(|n| native(&format!("after-{n}")))).await;
    ingest(&house, &config, 1, 5).await;
    assert_eq!(house.count("SELECT count(*) FROM attempts WHERE request_id LIKE 'after-%'").await, 2);
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 2);
}
