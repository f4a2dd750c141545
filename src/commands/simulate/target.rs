//! Where simulated records go.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use crate::exit::usage;

/// Records of one POST.
const POST_RECORDS: usize = 2_000;
const KAFKA_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `-` is standard output.
    File(String),
    Kafka {
        brokers: String,
        topic: String,
    },
    Http(String),
    Warehouse(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::File(text.to_owned()));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Http(text.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("kafka://") {
            let (brokers, topic) =
                rest.split_once('/').ok_or("kafka:// needs a topic: kafka://HOST:PORT/TOPIC")?;
            return Ok(Self::Kafka { brokers: brokers.to_owned(), topic: topic.to_owned() });
        }
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(("warehouse", folder)) if !folder.is_empty() => Ok(Self::Warehouse(folder.to_owned())),
            _ => Err("expected file:PATH, -, kafka://HOST:PORT/TOPIC, http://HOST:PORT/intake/native or warehouse:FOLDER"
                .to_owned()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Kafka { brokers, topic } => write!(f, "kafka://{brokers}/{topic}"),
            Self::Http(url) => f.write_str(url),
            Self::Warehouse(folder) => write!(f, "warehouse:{folder}"),
        }
    }
}

/// An open target.
pub enum Output {
    File(Box<dyn Write + Send>),
    Kafka { producer: ThreadedProducer<DefaultProducerContext>, topic: String },
    Http { client: reqwest::Client, url: String, token: Option<String> },
}

impl Target {
    pub fn open(&self, token: Option<&str>) -> anyhow::Result<Output> {
        Ok(match self {
            Self::File(path) if path == "-" => Output::File(Box::new(BufWriter::new(std::io::stdout()))),
            Self::File(path) => {
                let file = File::create(path)
                    .map_err(|error| usage(format!("--to file:{path}: cannot write there: {error}")))?;
                Output::File(Box::new(BufWriter::with_capacity(1 << 20, file)))
            }
            Self::Kafka { brokers, topic } => {
                let producer: ThreadedProducer<_> = ClientConfig::new()
                    .set("bootstrap.servers", brokers)
                    .set("enable.idempotence", "true")
                    .set("linger.ms", "20")
                    .set("queue.buffering.max.messages", "200000")
                    .create()
                    .context("set up the Kafka producer")?;
                producer
                    .client()
                    .fetch_metadata(Some(topic), Duration::from_secs(10))
                    .map_err(|error| usage(format!("no broker answers at `{brokers}`: {error}")))?;
                Output::Kafka { producer, topic: topic.clone() }
            }
            Self::Http(url) => Output::Http {
                client: reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?,
                url: url.clone(),
                token: token.map(str::to_owned),
            },
            Self::Warehouse(_) => anyhow::bail!("a warehouse takes history, not records"),
        })
    }
}

impl Output {
    /// Records as (request id, line with its newline).
    pub async fn write(&mut self, records: Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
        match self {
            Self::File(file) => {
                for (_, line) in &records {
                    file.write_all(line).context("write the file")?;
                }
            }
            Self::Kafka { producer, topic } => {
                for (key, line) in &records {
                    let payload = line.strip_suffix(b"\n").unwrap_or(line);
                    let mut record = BaseRecord::to(topic).key(key).payload(payload);
                    while let Err((error, unsent)) = producer.send(record) {
                        let full = rdkafka::types::RDKafkaErrorCode::QueueFull;
                        if error.rdkafka_error_code() != Some(full) {
                            return Err(error).context("send to Kafka");
                        }
                        // The queue is full: wait until the broker has taken some of it.
                        producer.flush(Duration::from_millis(200)).ok();
                        record = unsent;
                    }
                }
            }
            Self::Http { client, url, token } => {
                for part in records.chunks(POST_RECORDS) {
                    let body: Vec<u8> = part.iter().flat_map(|(_, line)| line.iter().copied()).collect();
                    let mut request =
                        client.post(url.as_str()).header("content-type", "application/x-ndjson").body(body);
                    if let Some(token) = token {
                        request = request.bearer_auth(token);
                    }
                    let response = request.send().await.with_context(|| format!("post to `{url}`"))?;
                    let status = response.status();
                    if !status.is_success() {
                        anyhow::bail!(
                            "`{url}` answered {status}: {}",
                            response.text().await.unwrap_or_default()
                        );
                    }
                }
            }
        }
        Ok(())
    }

    pub async fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::File(mut file) => file.flush().context("write the file"),
            Self::Kafka { producer, .. } => producer.flush(KAFKA_TIMEOUT).context("send to Kafka"),
            Self::Http { .. } => Ok(()),
        }
    }
}
