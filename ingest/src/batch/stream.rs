//! Which log a record comes from.

use std::fmt;

use bellwether_warehouse::AppId;
use uuid::Uuid;

const INGEST: &str = "ingest";

/// One partition of one log. Its application transaction in the tables is `<job>/<log>/<topic>/<incarnation>/<partition>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream {
    job: &'static str,
    /// Cluster id of Kafka, uuid of a spool, name of a virtual log.
    log: String,
    topic: String,
    incarnation: u32,
    partition: i32,
    /// `src_topic` of the rows: tells this log's offsets from those of any other.
    lineage: String,
}

impl Stream {
    /// A Kafka partition. Incarnations other than 0 show in `src_topic` as `<topic>@<incarnation>`, because
    /// their offsets begin again.
    pub fn kafka(cluster: &str, topic: &str, incarnation: u32, partition: i32) -> Self {
        let lineage = if incarnation == 0 { topic.to_owned() } else { format!("{topic}@{incarnation}") };
        let (log, topic) = (cluster.to_owned(), topic.to_owned());
        Self { job: INGEST, log, topic, incarnation, partition, lineage }
    }

    /// Another partition of the same topic.
    pub fn beside(&self, partition: i32) -> Self {
        Self { partition, ..self.clone() }
    }

    pub fn spool(uuid: Uuid) -> Self {
        Self::single(INGEST, uuid.to_string(), "spool", format!("spool/{uuid}"))
    }

    /// The virtual log of all imported files of a warehouse.
    pub fn import() -> Self {
        Self::single("import", "warehouse".to_owned(), "files", "import".to_owned())
    }

    /// Simulated history that is written without any log; `name` tells one run's offsets from another's.
    pub fn history(name: &str) -> Self {
        Self::single("history", name.to_owned(), "events", format!("history/{name}"))
    }

    fn single(job: &'static str, log: String, topic: &str, lineage: String) -> Self {
        Self { job, log, topic: topic.to_owned(), incarnation: 0, partition: 0, lineage }
    }

    pub fn app(&self) -> AppId {
        AppId(self.to_string())
    }

    /// Transaction that says what the newest valid record time (ms) among the offsets below T is.
    pub fn time_app(&self) -> AppId {
        AppId(format!("{self}/time"))
    }

    /// Transaction whose value is the T at which the stream was stopped for good; any other value: it was not.
    pub fn held_app(&self) -> AppId {
        AppId(format!("held/{self}"))
    }

    /// Transaction that tells the settings under which the stream was stopped.
    pub fn held_under_app(&self) -> AppId {
        AppId(format!("held/{self}/settings"))
    }

    /// Transaction that says with how many partitions this stream's topic was begun.
    pub fn start_app(&self) -> AppId {
        AppId(format!("start/{}/{}/{}", self.log, self.topic, self.incarnation))
    }

    /// The cluster of another stream's transaction, where rows of both could not be told apart: their `src_topic` is
    /// one, and so is the window of ids that is read back by it.
    pub fn shares_lineage_with<'a>(&self, app: &'a AppId) -> Option<&'a str> {
        let mut parts = app.0.strip_prefix(INGEST)?.strip_prefix('/')?.rsplitn(4, '/');
        let _partition: i32 = parts.next()?.parse().ok()?;
        let (incarnation, topic, log) = (parts.next()?, parts.next()?, parts.next()?);
        let is_shared = incarnation.parse() == Ok(self.incarnation) && topic == self.topic && log != self.log;
        is_shared.then_some(log)
    }

    /// Whether record times come from elsewhere and are judged by those before them.
    pub(super) fn doubts_times(&self) -> bool {
        self.job == INGEST
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// `src_topic` of this stream's rows.
    pub fn lineage(&self) -> &str {
        &self.lineage
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}/{}", self.job, self.log, self.topic, self.incarnation, self.partition)
    }
}

/// How far each table is with a stream: the next offset, None where it has none yet. What follows `rejects`
/// stands in `attempts` beside its T.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub attempts: Option<i64>,
    pub labels: Option<i64>,
    pub rejects: Option<i64>,
    /// Newest valid record time (ms) below T.
    pub time: Option<i64>,
    pub held: Option<i64>,
    pub held_under: Option<i64>,
}

impl Position {
    /// The settings under which the stream was stopped at its T.
    pub fn stopped_under(&self) -> Option<i64> {
        self.held_under.filter(|_| self.attempts.is_some() && self.held == self.attempts)
    }
}
