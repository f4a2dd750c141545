//! librdkafka's configuration, and the first contact with the brokers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;
use secrecy::ExposeSecret;

use crate::config::{Kafka, Tls};

/// Largest record that formats allow.
const LARGEST_RECORD: usize = 16 << 20;
/// Largest response that is asked for, whatever the budget; librdkafka ends at 2 GiB.
const LARGEST_RESPONSE: usize = 1 << 30;
/// More than it says of its connections while it is waited for.
const SAID: usize = 256;
/// What librdkafka calls the state in which it waits for the first answer.
const NO_VERSIONS: &str = "APIVERSION_QUERY";
/// What librdkafka writes before its complaints about a connection.
const FAIL: &str = "FAIL";
/// librdkafka's own limit.
const LARGEST_QUEUE_KIB: usize = 2_097_151;

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
    #[error(
        "the kafka brokers `{brokers}` close the connection on the first question (ApiVersions): brokers older than \
         Kafka 0.10 do so, and those that ask for TLS or SASL; bellwether needs Kafka 0.11 or newer, and for secured \
         brokers `kafka.tls` and `kafka.sasl`"
    )]
    NoVersions { brokers: String },
    #[error(
        "the certificate of the kafka brokers `{brokers}` is refused: `kafka.brokers` must call them by a name that it \
         is made for, and `kafka.tls.ca_file` hold the authority that signed it: {heard}"
    )]
    Certificate { brokers: String, heard: String },
    #[error("the kafka brokers `{brokers}` cannot be used: {heard}")]
    Refused { brokers: String, heard: String },
    #[error(
        "the kafka brokers `{brokers}` do not tell their cluster id, as those older than Kafka 0.10.1; bellwether needs \
         Kafka 0.11 or newer"
    )]
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

    /// By what librdkafka said meanwhile.
    fn unreachable(brokers: String, waited: Duration, heard: Option<String>, source: KafkaError) -> Self {
        match heard {
            Some(heard) if heard.contains(NO_VERSIONS) => Self::NoVersions { brokers },
            Some(heard) if heard.contains("certificate verify failed") => {
                Self::Certificate { brokers, heard }
            }
            // Of the network it says no more than the source does.
            Some(heard) if heard.contains("SSL") || heard.contains("SASL") => {
                Self::Refused { brokers, heard }
            }
            _ => Self::Unreachable { brokers, waited, source },
        }
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
pub(crate) fn consumer(config: &Kafka, queue_bytes: usize, brokers: usize) -> ClientConfig {
    let mut client = common(config);
    client.set("queued.max.messages.kbytes", (queue_bytes >> 10).clamp(1024, LARGEST_QUEUE_KIB).to_string());
    // What is on its way lies outside the queue: one response of each broker. A response may exceed its limit by
    // one batch, and a limit below one record would only make every response exceed it.
    let response_bytes = (queue_bytes / brokers.max(1)).clamp(LARGEST_RECORD, LARGEST_RESPONSE);
    client.set("fetch.max.bytes", response_bytes.to_string());
    client.set("fetch.message.max.bytes", LARGEST_RECORD.to_string());
    client.set("receive.message.max.bytes", (response_bytes + 2 * LARGEST_RECORD).to_string());
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
    pub(crate) brokers: usize,
}

/// Asks the brokers who they are and whether the topics exist.
pub(crate) fn contact(config: &Kafka, topics: &[&str]) -> Result<Cluster, Error> {
    let brokers = config.brokers.join(",");
    let waited = config.connect_timeout.0;
    let mut client = common(config);
    for (name, value) in &config.properties {
        client.set(name, value);
    }
    // That a broker hangs up is no more than news to librdkafka.
    client.set_log_level(RDKafkaLogLevel::Info);
    let consumer: BaseConsumer<Quiet> =
        client.create_with_context(Quiet::default()).map_err(Error::create)?;
    let unreachable = |source| {
        // Each takes one thing that librdkafka has said; None means no message, not that there is no more.
        for _ in 0..SAID {
            let _ = consumer.poll(Duration::ZERO);
        }
        Error::unreachable(brokers.clone(), waited, consumer.context().heard(), source)
    };
    let (mut partitions, mut nodes) = (0, 0);
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), waited).map_err(unreachable)?;
        nodes = metadata.brokers().len();
        let known = metadata.topics().iter().find(|known| known.name() == *topic && known.error().is_none());
        let Some(known) = known.filter(|known| !known.partitions().is_empty()) else {
            return Err(Error::NoTopic { topic: (*topic).to_owned(), brokers: brokers.clone() });
        };
        partitions += known.partitions().len();
    }
    let id = consumer.client().fetch_cluster_id(waited).ok_or(Error::NoClusterId { brokers })?;
    Ok(Cluster { id, partitions, brokers: nodes })
}

/// The first contact reports its failure itself; librdkafka's repeated complaints are not shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Quiet {
    /// The last complaint about a connection.
    heard: Arc<Mutex<Option<String>>>,
}

impl Quiet {
    fn heard(&self) -> Option<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
        if facility == FAIL {
            // Behind the name of the thread.
            let reason = message.split_once("]: ").map_or(message, |(_, reason)| reason);
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, "{reason}");
    }
}

impl ConsumerContext for Quiet {}

#[cfg(test)]
mod tests {
    use super::{Kafka, consumer};

    fn kafka() -> Kafka {
        Kafka { brokers: vec!["127.0.0.1:9092".to_owned()], ..Kafka::default() }
    }

    #[test]
    fn what_is_fetched_at_a_time_follows_the_budget_and_holds_a_record_at_least() {
        let size = |queue: usize, brokers, name: &str| -> usize {
            consumer(&kafka(), queue, brokers).get(name).unwrap().parse().unwrap()
        };
        // A quarter of the queue for each of four brokers.
        assert_eq!(size(256 << 20, 4, "fetch.max.bytes"), 64 << 20);
        assert_eq!(size(256 << 20, 4, "receive.message.max.bytes"), 96 << 20);
        assert_eq!(size(32 << 20, 4, "fetch.max.bytes"), 16 << 20);
        assert_eq!(size(32 << 20, 4, "fetch.message.max.bytes"), 16 << 20);
        // librdkafka takes them together.
        for queue in [1 << 20, 32 << 20, 1 << 30, 1 << 40] {
            consumer(&kafka(), queue, 1).create::<rdkafka::consumer::BaseConsumer>().unwrap();
        }
    }

    #[test]
    fn an_operator_may_choose_other_sizes() {
        let mut kafka = kafka();
        kafka.properties.insert("fetch.max.bytes".to_owned(), "2000000".to_owned());
        assert_eq!(consumer(&kafka, 32 << 20, 1).get("fetch.max.bytes"), Some("2000000"));
    }
}
