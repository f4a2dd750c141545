//! librdkafka's configuration, and the first contact with the brokers.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;
use secrecy::ExposeSecret;

use crate::config::{Kafka, Tls};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Values are never told: they may be secrets.
    #[error("`kafka.properties.{key}` {reason}")]
    Property { key: String, reason: &'static str },
    #[error("cannot make a kafka client")]
    Create(#[source] KafkaError),
    #[error(
        "no answer from the kafka brokers `{brokers}` within {waited:?}; check `kafka.brokers` and that they run"
    )]
    Unreachable {
        brokers: String,
        waited: Duration,
        #[source]
        source: KafkaError,
    },
    #[error("the kafka brokers `{brokers}` do not tell their cluster id")]
    NoClusterId { brokers: String },
    #[error("topic `{topic}` does not exist on `{brokers}`; create it or correct `kafka.topics`")]
    NoTopic { topic: String, brokers: String },
}

impl Error {
    pub(crate) fn create(error: KafkaError) -> Self {
        let KafkaError::ClientConfig(kind, _, key, _) = error else {
            return Self::Create(error);
        };
        let reason = match kind {
            RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => "is not known to librdkafka",
            _ => "has a value that librdkafka does not take",
        };
        Self::Property { key, reason }
    }
}

/// What producers and consumers have in common.
pub(crate) fn common(config: &Kafka) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", config.brokers.join(","));
    client.set("client.id", "bellwether");
    let protocol = match (&config.tls, &config.sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    client.set("security.protocol", protocol);
    if let Some(tls) = &config.tls {
        set_tls(&mut client, tls);
    }
    if let Some(sasl) = &config.sasl {
        client.set("sasl.mechanisms", sasl.mechanism.name());
        client.set("sasl.username", &sasl.username);
        client.set("sasl.password", sasl.password.expose_secret());
    }
    client.set_log_level(RDKafkaLogLevel::Warning);
    client
}

fn set_tls(client: &mut ClientConfig, tls: &Tls) {
    let files = [
        ("ssl.ca.location", &tls.ca_file),
        ("ssl.certificate.location", &tls.certificate_file),
        ("ssl.key.location", &tls.key_file),
    ];
    for (property, file) in files {
        if let Some(file) = file {
            client.set(property, file.to_string_lossy());
        }
    }
}

/// A consumer's configuration. The operator's own properties come first; those that the contract rests on are
/// set last.
pub(crate) fn consumer(config: &Kafka, queue_bytes: usize) -> ClientConfig {
    let mut client = common(config);
    client.set("queued.max.messages.kbytes", (queue_bytes >> 10).max(1024).to_string());
    client.set("statistics.interval.ms", "10000");
    for (name, value) in &config.properties {
        client.set(name, value);
    }
    client.set("group.id", &config.group);
    // The table knows where to read; an offset that is not there must never be replaced by another.
    client.set("auto.offset.reset", "error");
    client.set("enable.auto.commit", "false");
    client.set("enable.auto.offset.store", "false");
    client.set("enable.partition.eof", "false");
    client.set("isolation.level", "read_committed");
    // All partitions are given up and taken together: one flush covers them all.
    client.set("partition.assignment.strategy", "range,roundrobin");
    client
}

/// What the brokers tell of themselves.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) id: String,
    /// Partitions of all configured topics together.
    pub(crate) partitions: usize,
}

/// Asks the brokers who they are and whether the topics exist.
pub(crate) fn contact(config: &Kafka, topics: &[&str]) -> Result<Cluster, Error> {
    let brokers = config.brokers.join(",");
    let waited = config.connect_timeout.0;
    let mut client = common(config);
    for (name, value) in &config.properties {
        client.set(name, value);
    }
    let consumer: BaseConsumer<Quiet> = client.create_with_context(Quiet).map_err(Error::create)?;
    let unreachable = |source| Error::Unreachable { brokers: brokers.clone(), waited, source };
    let mut partitions = 0;
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), waited).map_err(unreachable)?;
        let known = metadata.topics().iter().find(|known| known.name() == *topic && known.error().is_none());
        let Some(known) = known.filter(|known| !known.partitions().is_empty()) else {
            return Err(Error::NoTopic { topic: (*topic).to_owned(), brokers: brokers.clone() });
        };
        partitions += known.partitions().len();
    }
    let id = consumer.client().fetch_cluster_id(waited).ok_or(Error::NoClusterId { brokers })?;
    Ok(Cluster { id, partitions })
}

/// The first contact reports its failure itself; librdkafka's repeated complaints are not shown.
#[derive(Clone, Copy, Debug)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, "{reason}");
    }
}

impl ConsumerContext for Quiet {}
