//! What stops one topic stops no other.

use super::{Cluster, Positions, Running, TOPIC, appender, cluster, config, produce, quick, topic};
use crate::batch::{Batch, Position, Stream};
use crate::config::{Kafka, Topic, TopicFormat};
use crate::dedup::Window;
use crate::identity;
use crate::sink::FlushReason;
use crate::testing::{House, NOON_US, native};

/// One record in each of two topics.
async fn two_topics() -> (Cluster, Kafka) {
    const OTHER: &str = "other";
    let cluster = cluster(1);
    cluster.create_topic(OTHER, 1, 1).unwrap();
    let mut config = config(&cluster, TopicFormat::Native);
    config.topics.push(Topic { name: OTHER.to_owned(), ..topic(TopicFormat::Native) });
    for topic in [TOPIC, OTHER] {
        let appender = appender(&config, topic).await;
        produce(&appender, [native(&format!("first of {topic}"))]).await;
    }
    (cluster, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_topic_that_a_table_does_not_take_stop_no_other() {
    let house = House::new().await;
    let (_cluster, config) = two_topics().await;
    let mut positions = Positions::of(&house, &config).await;
    fail::cfg("sink-rows", &format!("return({}/other/)", positions.cluster)).unwrap();
    let mut running = Running::start(&house, &config, &quick());
    running.until_stopped("other", 0, "cannot take the rows of").await;
    running.until(async |_| positions.position(TOPIC, 0).await == Some(1)).await;
    assert!(running.stopped.list().iter().all(|(topic, ..)| topic == "other"), "{:?}", running.stopped);
    assert_eq!(positions.position("other", 0).await, Some(0));
    fail::remove("sink-rows");
    running.until(async |_| positions.position("other", 0).await == Some(1)).await;
    assert_eq!(running.stopped.list(), []);
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_another_cluster_with_the_same_name_is_not_mixed_into_its_rows() {
    let house = House::new().await;
    let cluster = cluster(1);
    let mut config = config(&cluster, TopicFormat::Native);
    let mut positions = Positions::of(&house, &config).await;
    let mut batch = Batch::new(house.tools.clone());
    let stream = Stream::kafka("elsewhere", TOPIC, 0, 0);
    let slot = batch.assign(stream, Position::default(), 0, Window::new(1));
    batch.skip_to(slot, 7);
    positions.sink.flush(&mut batch, FlushReason::End).await.unwrap();
    let mut running = Running::start(&house, &config, &quick());
    running.until_stopped(TOPIC, 0, "from the cluster `elsewhere`").await;
    running.end().await;
    assert_eq!(positions.position(TOPIC, 0).await, None);
    config.topics[0].incarnation = 1;
    let appender = appender(&config, TOPIC).await;
    produce(&appender, [native("a")]).await;
    let mut running = Running::start(&house, &config, &quick());
    let stream = Stream::kafka(&positions.cluster, TOPIC, 1, 0);
    running.until(async |_| positions.sink.position(&stream).await.unwrap().attempts == Some(1)).await;
    running.end().await;
    assert_eq!(house.ask("SELECT src_topic FROM attempts").await, [format!("{TOPIC}@1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_secret_that_cannot_be_read_stops_the_partition_that_needs_it_and_no_other() {
    let house = House::new().await;
    let (_cluster, config) = two_topics().await;
    let early = appender(&config, "other").await;
    // A request of twelve weeks before, and the secret of its label epoch.
    produce(&early, [native("early").replace("2026-11-25T11", "2026-09-02T11")]).await;
    let epoch = identity::epoch_of(NOON_US - 84 * 86_400_000_000);
    let secret = house.dir.path().join(format!("secrets/label-{epoch}.key"));
    std::fs::write(&secret, "damaged").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut positions = Positions::of(&house, &config).await;
    let mut running = Running::start(&house, &config, &quick());
    running.until_stopped("other", 0, "the label secrets cannot be read").await;
    running.until(async |_| positions.position(TOPIC, 0).await == Some(1)).await;
    assert!(running.stopped.list().iter().all(|(topic, ..)| topic == "other"), "{:?}", running.stopped);
    std::fs::remove_file(&secret).unwrap();
    running.until(async |_| positions.position("other", 0).await == Some(2)).await;
    running.end().await;
    assert_eq!(house.count("SELECT count(*) FROM attempts").await, 3);
}
