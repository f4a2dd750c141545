//! Against librdkafka's own mock cluster: groups, offsets and watermarks as a broker has them.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio_util::sync::CancellationToken;

use super::{Error, client, run};
use crate::batch::{Batch, Position, Stream};
use crate::config::{Ingest, Kafka, OnGap, Span, Start, Topic, TopicFormat};
use crate::dedup::Window;
use crate::intake::{Appender, KafkaAppender, Outgoing};
use crate::sink::{FlushReason, Sink};
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

/// Runs ingest until the tables hold `records` offsets of all partitions together.
async fn ingest(house: &House, config: &Kafka, partitions: i32, records: i64) {
    let id = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || client::contact(&config, &[TOPIC])).await.unwrap().unwrap().id
    };
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn({
        let (config, shutdown) = (config.clone(), shutdown.clone());
        let (warehouse, tools) = (house.warehouse.clone(), house.tools.clone());
        async move {
            // The last batch is seldom full, so its age ends it.
            let flush_age = Span(Duration::from_millis(200));
            let ingest = Ingest { flush_rows: 40, flush_age, ..Ingest::default() };
            run(&config, &ingest, &warehouse, tools, shutdown).await
        }
    });
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    loop {
        assert!(!worker.is_finished(), "ended by itself: {:?}", worker.await.unwrap());
        let mut reached = 0;
        for partition in 0..partitions {
            let position = sink.position(&Stream::kafka(&id, TOPIC, 0, partition)).await.unwrap();
            reached += position.attempts.unwrap_or_default();
        }
        if reached == records {
            break;
        }
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    worker.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_all_partitions_become_rows_once_across_restarts() {
    let house = House::new().await;
    let cluster = cluster(3);
    let config = config(&cluster, TopicFormat::Native);
    let appender = {
        let config = config.clone();
        let connected = tokio::task::spawn_blocking(move || KafkaAppender::connect(&config, TOPIC));
        Arc::new(connected.await.unwrap().unwrap())
    };
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
async fn a_table_ahead_of_the_broker_stops_the_partition_and_the_others_go_on() {
    let house = House::new().await;
    let cluster = cluster(2);
    let config = config(&cluster, TopicFormat::Native);
    let id = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || client::contact(&config, &[TOPIC])).await.unwrap().unwrap().id
    };
    let mut sink = Sink::open(&house.warehouse).await.unwrap();
    for partition in 0..2 {
        let mut batch = Batch::new(house.tools.clone());
        let stream = Stream::kafka(&id, TOPIC, 0, partition);
        let slot = batch.assign(stream, Position::default(), 0, Window::new(1));
        batch.skip_to(slot, 1000);
        sink.flush(&mut batch, FlushReason::End).await.unwrap();
    }
    let result =
        run(&config, &Ingest::default(), &house.warehouse, house.tools.clone(), CancellationToken::new())
            .await;
    assert!(matches!(result, Err(Error::AllStopped { partitions: 2 })), "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_nothing_but_rejects_stops_loudly() {
    let house = House::new().await;
    let cluster = cluster(1);
    let config = config(&cluster, TopicFormat::Native);
    let appender = {
        let config = config.clone();
        let connected = tokio::task::spawn_blocking(move || KafkaAppender::connect(&config, TOPIC));
        connected.await.unwrap().unwrap()
    };
    produce(&appender, (0..60).map(|_| "no json".to_owned())).await;
    let ingest = Ingest { reject_window: 50, ..Ingest::default() };
    let result = run(&config, &ingest, &house.warehouse, house.tools.clone(), CancellationToken::new()).await;
    assert!(matches!(result, Err(Error::Poison { partition: 0, offset: 49, .. })), "{result:?}");
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
    let result =
        run(&config, &Ingest::default(), &house.warehouse, house.tools.clone(), CancellationToken::new())
            .await;
    let Err(Error::Client(error)) = result else { panic!("unexpected {result:?}") };
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
