//! A real Kafka broker: one node, on free loopback ports, in a folder of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::guard::Guard;
use super::http::runtime;
use super::traffic::Record;
use super::{free_port, scratch, services, wait};

/// A test that asks for metadata of a broker which is starting gets its answer or an error in this time.
const METADATA: Duration = Duration::from_millis(500);
const DELIVERY: Duration = Duration::from_secs(120);
/// Tests that kill a member of a group ask for less than the six seconds that a broker grants by default.
const SHORTEST_SESSION_MILLIS: u32 = 1_000;

const USER: &str = "bellwether";
const PASSWORD: &str = "not-a-secret-1";

#[derive(Debug)]
pub struct Broker {
    child: Child,
    folder: PathBuf,
    plain: u16,
    secured: u16,
    _guard: Guard,
}

impl Broker {
    /// The broker that all tests share. It ends with the test process.
    pub fn shared() -> &'static Self {
        static BROKER: OnceLock<Broker> = OnceLock::new();
        BROKER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let lib = services::prefetch("kafka");
        let folder = scratch().keep();
        let (plain, secured, controller) = (free_port(), free_port(), free_port());
        certificates(&folder);
        let properties = folder.join("server.properties");
        std::fs::write(&properties, server_properties(&folder, plain, secured, controller))
            .expect("write properties");
        let class_path = format!("{}/*", lib.display());
        let formatted = Command::new("java")
            .args([
                "-cp",
                &class_path,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "bellwether-tests-0000A",
                "-c",
            ])
            .arg(&properties)
            .arg("--add-scram")
            .arg(format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]"))
            .stdin(Stdio::null())
            .output()
            .expect("start java (install Debian's default-jre-headless)");
        assert!(formatted.status.success(), "cannot format Kafka's storage: {formatted:?}");
        let log = std::fs::File::create(folder.join("broker.log")).expect("create the broker's log");
        let child = Command::new("java")
            .args(["-Xmx512m", "-cp", &class_path, "kafka.Kafka"])
            .arg(&properties)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("share the broker's log"))
            .stderr(log)
            .spawn()
            .expect("start java");
        let guard = Guard::over(child.id(), Some(&folder));
        let broker = Self { child, folder, plain, secured, _guard: guard };
        wait::until("the Kafka broker to answer", wait::START, || {
            let producer: BaseProducer = broker.client().create().ok()?;
            producer.client().fetch_metadata(None, METADATA).ok().filter(|m| !m.brokers().is_empty())
        });
        broker
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.plain)
    }

    /// Listener with TLS and SASL SCRAM-SHA-512; `localhost` because that is the certificate's name.
    pub fn secured_address(&self) -> String {
        format!("localhost:{}", self.secured)
    }

    pub fn user(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// PEM file of the authority that signed the broker's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address()).set("log_level", "0");
        config
    }

    pub fn create_topic(&self, name: &str, partitions: i32) {
        let admin = self.admin();
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let made =
            runtime().block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("create a topic");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().expect("create a Kafka admin client")
    }

    /// Gives a topic more partitions, `partitions` in all.
    pub fn add_partitions(&self, topic: &str, partitions: usize) {
        let wanted = [NewPartitions::new(topic, partitions)];
        let made = runtime()
            .block_on(self.admin().create_partitions(&wanted, &AdminOptions::new()))
            .expect("add partitions");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }

    /// Deletes what lies below `offset`, as retention does.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut below = TopicPartitionList::new();
        below.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
        let done = runtime()
            .block_on(self.admin().delete_records(&below, &AdminOptions::new()))
            .expect("delete records");
        assert!(done.elements().iter().all(|element| element.error().is_ok()), "{done:?}");
    }

    /// Sends records to one partition, acknowledged by the broker.
    pub fn produce_to(&self, topic: &str, partition: i32, records: &[Record]) {
        self.produce_at(topic, partition, chrono::Utc::now(), records);
    }

    /// The same as of some time.
    pub fn produce_at(
        &self,
        topic: &str,
        partition: i32,
        time: chrono::DateTime<chrono::Utc>,
        records: &[Record],
    ) {
        let producer: BaseProducer =
            self.client().set("acks", "all").create().expect("create a Kafka producer");
        send(&producer, topic, partition, time, records);
        producer.flush(DELIVERY).expect("deliver every record to Kafka");
    }

    /// Sends two transactions to partition 0, of which the second is aborted.
    pub fn transact(&self, topic: &str, committed: &[Record], aborted: &[Record]) {
        let producer: BaseProducer =
            self.client().set("transactional.id", topic).create().expect("create a Kafka producer");
        producer.init_transactions(DELIVERY).expect("begin with transactions");
        producer.begin_transaction().expect("begin a transaction");
        send(&producer, topic, 0, chrono::Utc::now(), committed);
        producer.commit_transaction(DELIVERY).expect("commit a transaction");
        producer.begin_transaction().expect("begin a transaction");
        send(&producer, topic, 0, chrono::Utc::now(), aborted);
        producer.flush(DELIVERY).expect("deliver every record to Kafka");
        producer.abort_transaction(DELIVERY).expect("abort a transaction");
    }

    /// Sends records with key and value, acknowledged by the broker.
    pub fn produce(&self, topic: &str, records: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let producer: BaseProducer = self
            .client()
            .set("acks", "all")
            .set("linger.ms", "50")
            .set("batch.size", "1000000")
            .set("queue.buffering.max.messages", "1000000")
            .set("message.max.bytes", "20000000")
            .create()
            .expect("create a Kafka producer");
        for (key, value) in records {
            let mut record = BaseRecord::to(topic).key(&key).payload(&value);
            while let Err((error, back)) = producer.send(record) {
                assert!(
                    matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)),
                    "cannot send to Kafka: {error}"
                );
                producer.poll(Duration::from_millis(20));
                record = back;
            }
            producer.poll(Duration::ZERO);
        }
        producer.flush(DELIVERY).expect("deliver every record to Kafka");
    }

    /// Every partition's next offset, by asking the broker.
    pub fn ends(&self, topic: &str, partitions: i32) -> Vec<i64> {
        let producer: BaseProducer = self.client().create().expect("create a Kafka client");
        (0..partitions)
            .map(|p| producer.client().fetch_watermarks(topic, p, wait::START).expect("ask for watermarks").1)
            .collect()
    }

    /// Every record of a topic as an independent client prints it: partition, offset, value.
    pub fn dump(&self, topic: &str) -> Vec<(i32, i64, Vec<u8>)> {
        let output = Command::new("kcat")
            .args(["-C", "-q", "-e", "-o", "beginning", "-b", &self.address(), "-t", topic])
            // Length-prefixed, because bad records may hold any byte.
            .args(["-f", "%p %o %S\n%s\n"])
            .stdin(Stdio::null())
            .output()
            .expect("start kcat (install Debian's kcat)");
        assert!(output.status.success(), "kcat failed: {}", String::from_utf8_lossy(&output.stderr));
        let mut rest = output.stdout.as_slice();
        let mut records = Vec::new();
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let head = std::str::from_utf8(&rest[..end]).expect("kcat prints numbers");
            let numbers: Vec<i64> =
                head.split(' ').map(|n| n.parse().expect("kcat prints numbers")).collect();
            let size = usize::try_from(numbers[2]).unwrap_or(0);
            let value = rest[end + 1..end + 1 + size].to_vec();
            records.push((i32::try_from(numbers[0]).expect("a partition"), numbers[1], value));
            rest = &rest[end + 1 + size + 1..];
        }
        records
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn send(
    producer: &BaseProducer,
    topic: &str,
    partition: i32,
    time: chrono::DateTime<chrono::Utc>,
    records: &[Record],
) {
    for record in records {
        let record = BaseRecord::to(topic).partition(partition).key(&record.key).payload(&record.value);
        let record = record.timestamp(time.timestamp_millis());
        producer.send(record).map_err(|(error, _)| error).expect("send to Kafka");
    }
}

fn server_properties(folder: &Path, plain: u16, secured: u16, controller: u16) -> String {
    let folder = folder.display();
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL\n\
         listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secured},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://localhost:{secured}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         sasl.enabled.mechanisms=SCRAM-SHA-512\n\
         listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
         ssl.keystore.location={folder}/broker.p12\n\
         ssl.keystore.password={PASSWORD}\n\
         ssl.keystore.type=PKCS12\n\
         log.dirs={folder}/data\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         group.min.session.timeout.ms={SHORTEST_SESSION_MILLIS}\n\
         auto.create.topics.enable=false\n\
         message.max.bytes=20000000\n"
    )
}

/// A key pair for `localhost` that signs itself, and its certificate as PEM.
fn certificates(folder: &Path) {
    let store = folder.join("broker.p12");
    let keytool = |args: &[&str]| {
        let output = Command::new("keytool")
            .args(args)
            .args(["-alias", "broker", "-storepass", PASSWORD, "-keystore"])
            .arg(&store)
            .stdin(Stdio::null())
            .output()
            .expect("start keytool (install Debian's default-jre-headless)");
        assert!(output.status.success(), "keytool failed: {}", String::from_utf8_lossy(&output.stdout));
        output.stdout
    };
    keytool(&[
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-validity",
        "30",
        "-storetype",
        "PKCS12",
        "-dname",
        "CN=localhost",
        "-ext",
        "SAN=dns:localhost,ip:127.0.0.1",
        "-ext",
        "bc=ca:true",
    ]);
    let pem = keytool(&["-exportcert", "-rfc"]);
    let mut file = std::fs::File::create(folder.join("authority.pem")).expect("create a PEM file");
    file.write_all(&pem).expect("write a PEM file");
}
