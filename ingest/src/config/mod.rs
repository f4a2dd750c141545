//! Config of this crate: one struct per concern, composed by the binary.

mod unit;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use unit::{Bytes, ParseError, Span};

/// A value that cannot be used. `key` is relative to the section.
#[derive(Debug, thiserror::Error)]
#[error("`{key}` = {value}: {problem}")]
pub struct Invalid {
    pub key: String,
    pub value: String,
    pub problem: &'static str,
}

fn invalid(key: impl Into<String>, value: impl ToString, problem: &'static str) -> Result<(), Invalid> {
    Err(Invalid { key: key.into(), value: value.to_string(), problem })
}

/// `[ingest]`: how records are collected and committed.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Rows that end a batch. Low values make many small files.
    pub flush_rows: usize,
    /// Size in memory that ends a batch. At most a third of `memory_budget`.
    pub flush_bytes: Bytes,
    /// Age of the oldest record that ends a batch: the freshness of the site.
    pub flush_age: Span,
    /// Bytes that a worker may hold in queues, batches and windows before it stops taking more.
    pub memory_budget: Bytes,
    /// Fingerprints of event ids kept per partition to recognise what was sent twice. About 27 bytes each.
    pub dedup_window: usize,
    /// Share of rejected records in a window of `reject_window` above which a partition stops, until
    /// `bellwether ingest resume` or another value here lets it go on.
    pub max_reject_share: f64,
    /// Records over which `max_reject_share` is judged.
    pub reject_window: u64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            flush_rows: 200_000,
            flush_bytes: Bytes::mib(96),
            flush_age: Span(Duration::from_secs(5)),
            memory_budget: Bytes::mib(512),
            dedup_window: 2_000_000,
            max_reject_share: 0.95,
            reject_window: 10_000,
        }
    }
}

impl Ingest {
    /// # Errors
    /// Names the first key whose value cannot work.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.flush_rows == 0 {
            return invalid("flush_rows", self.flush_rows, "must be at least 1");
        }
        if self.flush_bytes < Bytes::mib(1) {
            return invalid("flush_bytes", self.flush_bytes, "must be at least 1 MiB");
        }
        if self.flush_bytes.0 > self.memory_budget.0 / 3 {
            return invalid(
                "flush_bytes",
                self.flush_bytes,
                "must be at most a third of `memory_budget`, because one batch is written while the next fills",
            );
        }
        if self.flush_age.0 < Duration::from_millis(100) {
            return invalid("flush_age", self.flush_age, "must be at least 100ms");
        }
        if !(0.0..=1.0).contains(&self.max_reject_share) {
            return invalid("max_reject_share", self.max_reject_share, "must lie between 0 and 1");
        }
        if self.reject_window == 0 {
            return invalid("reject_window", self.reject_window, "must be at least 1");
        }
        Ok(())
    }
}

/// `[intake]`: the HTTP intake.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// Address to listen on.
    pub listen: String,
    /// Bearer tokens; any of them opens the intake. Empty is allowed on loopback only.
    pub tokens: Vec<SecretString>,
    /// Largest decompressed body.
    pub max_body: Bytes,
    /// Largest record in a body.
    pub max_record: Bytes,
    /// Largest event after its texts were dropped.
    pub max_event: Bytes,
    /// Most a body may grow when decompressed, as a factor.
    pub max_ratio: u64,
    /// Bytes that all running requests together may hold; beyond it senders are told to come back.
    pub in_flight: Bytes,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:4318".to_owned(),
            tokens: Vec::new(),
            max_body: Bytes::mib(256),
            max_record: Bytes::mib(16),
            max_event: Bytes::kib(256),
            max_ratio: 200,
            in_flight: Bytes::mib(256),
        }
    }
}

impl Intake {
    /// # Errors
    /// Names the first key whose value cannot work.
    pub fn validate(&self) -> Result<(), Invalid> {
        use secrecy::ExposeSecret;
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            return invalid("listen", &self.listen, "must be an address and a port such as 127.0.0.1:4318");
        }
        if let Some(index) = self.tokens.iter().position(|token| token.expose_secret().len() < 16) {
            return invalid(format!("tokens[{index}]"), "(hidden)", "must have at least 16 characters");
        }
        if self.tokens.is_empty() && !self.listens_on_loopback() {
            return invalid(
                "tokens",
                "[]",
                "must hold at least one token when `listen` is not a loopback address",
            );
        }
        if self.max_event.0 == 0 || self.max_event > self.max_record {
            return invalid("max_event", self.max_event, "must be above 0 and at most `max_record`");
        }
        if self.max_record > self.max_body {
            return invalid("max_record", self.max_record, "must be at most `max_body`");
        }
        if self.in_flight < self.max_record {
            return invalid("in_flight", self.in_flight, "must be at least `max_record`");
        }
        if self.max_ratio < 2 {
            return invalid("max_ratio", self.max_ratio, "must be at least 2");
        }
        Ok(())
    }

    pub fn listens_on_loopback(&self) -> bool {
        self.listen.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
    }
}

/// `[spool]`: the durable log between the HTTP intake and ingest.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// Folder of the segments. Unset: beside the warehouse.
    pub folder: Option<PathBuf>,
    /// Size at which a new segment begins. What was ingested is freed by whole segments.
    pub segment: Bytes,
    /// Most that records may take on the disk; beyond it senders are told to come back.
    pub max_bytes: Bytes,
    /// Disk space set aside for the flush that frees a full disk, best as large as `ingest.flush_bytes`. 0: none.
    pub ballast: Bytes,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            folder: None,
            segment: Bytes::mib(64),
            max_bytes: Bytes::mib(10 * 1024),
            ballast: Bytes::mib(96),
        }
    }
}

impl Spool {
    /// # Errors
    /// Names the first key whose value cannot work.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.segment < Bytes::kib(64) || self.segment > Bytes::mib(1024) {
            return invalid("segment", self.segment, "must lie between 64 KiB and 1 GiB");
        }
        if self.max_bytes.0 / 2 < self.segment.0 {
            return invalid("max_bytes", self.max_bytes, "must be at least twice `segment`");
        }
        Ok(())
    }
}

/// What the records of a topic are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TopicFormat {
    /// By the keys of each record.
    #[default]
    Auto,
    Native,
    LiteLlm,
    /// What our own intake appends: already stripped.
    Appended,
}

/// Where the partitions of a topic begin when it is read for the first time. One that is added later is read from its
/// beginning.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    #[default]
    Earliest,
    Latest,
    /// First record with this timestamp or later.
    At(chrono::DateTime<chrono::Utc>),
}

/// What to do when the table's position lies outside what the broker holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnGap {
    /// The partition stops with an error and is tried again, the others go on.
    #[default]
    Stop,
    /// The gap is written into `rejects` and the partition goes on behind it.
    Skip,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    #[serde(default)]
    pub format: TopicFormat,
    /// Raise it after the topic was recreated or moved to another cluster.
    #[serde(default)]
    pub incarnation: u32,
    #[serde(default)]
    pub start: Start,
    #[serde(default)]
    pub on_gap: OnGap,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub enum SaslMechanism {
    #[serde(rename = "PLAIN")]
    Plain,
    #[default]
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SaslMechanism {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    #[serde(default)]
    pub mechanism: SaslMechanism,
    pub username: String,
    pub password: SecretString,
}

/// TLS towards the brokers. Its presence turns TLS on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file of the authorities to trust. Unset: those of the system.
    pub ca_file: Option<PathBuf>,
    /// PEM files of this client, where the broker asks for them.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// `[kafka]`: topics to ingest, and where the intake appends when it is not the spool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kafka {
    /// Bootstrap servers, `host:port`.
    pub brokers: Vec<String>,
    /// Consumer group.
    pub group: String,
    pub topics: Vec<Topic>,
    /// Topic that the HTTP intake appends to. Unset: the spool.
    pub intake_topic: Option<String>,
    pub tls: Option<Tls>,
    pub sasl: Option<Sasl>,
    /// How long the first connection may take before the process gives up.
    pub connect_timeout: Span,
    /// librdkafka properties handed on as they are. Those that exactly-once rests on are refused.
    pub properties: BTreeMap<String, String>,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            group: "bellwether".to_owned(),
            topics: Vec::new(),
            intake_topic: None,
            tls: None,
            sasl: None,
            connect_timeout: Span(Duration::from_secs(20)),
            properties: BTreeMap::new(),
        }
    }
}

/// Properties that the exactly-once contract fixes.
const FIXED: [&str; 12] = [
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "acks",
    "group.id",
    "group.protocol",
    "isolation.level",
    "metadata.broker.list",
    "partition.assignment.strategy",
];
/// Properties that `[kafka.tls]` and `[kafka.sasl]` set.
const OF_TLS: [&str; 3] = ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location"];
const OF_SASL: [&str; 4] = ["sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"];

impl Kafka {
    /// # Errors
    /// Names the first key whose value cannot work.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.topics.is_empty() && self.intake_topic.is_none() {
            return Ok(());
        }
        if self.brokers.is_empty() {
            return invalid("brokers", "[]", "must name at least one `host:port`");
        }
        if let Some(index) = self.brokers.iter().position(|broker| !broker.contains(':')) {
            let value = self.brokers.get(index).map_or("", String::as_str);
            return invalid(format!("brokers[{index}]"), value, "must be `host:port`");
        }
        if self.group.is_empty() {
            return invalid("group", "\"\"", "must not be empty");
        }
        for (index, topic) in self.topics.iter().enumerate() {
            if topic.name.is_empty() || topic.name.contains('/') {
                return invalid(format!("topics[{index}].name"), &topic.name, "is no topic name");
            }
            if self.intake_topic.as_ref() == Some(&topic.name) && topic.format != TopicFormat::Appended {
                return invalid(
                    format!("topics[{index}].format"),
                    format!("{:?}", topic.format).to_lowercase(),
                    "must be \"appended\", because the intake writes this topic",
                );
            }
            if self.topics.iter().take(index).any(|earlier| earlier.name == topic.name) {
                return invalid(format!("topics[{index}].name"), &topic.name, "is named twice");
            }
        }
        if let Some(name) = self.properties.keys().find(|name| FIXED.contains(&name.as_str())) {
            return invalid(
                format!("properties.{name}"),
                "(hidden)",
                "is fixed, because exactly-once rests on it",
            );
        }
        if let Some(name) = self.properties.keys().find(|name| self.is_set_elsewhere(name)) {
            return invalid(
                format!("properties.{name}"),
                "(hidden)",
                "is set by `[kafka.tls]` or `[kafka.sasl]`; leave it to that section",
            );
        }
        Ok(())
    }

    fn is_set_elsewhere(&self, property: &str) -> bool {
        let (has_tls, has_sasl) = (self.tls.is_some(), self.sasl.is_some());
        (has_tls && OF_TLS.contains(&property))
            || (has_sasl && OF_SASL.contains(&property))
            || ((has_tls || has_sasl) && property == "security.protocol")
    }
}

#[cfg(test)]
mod tests;
