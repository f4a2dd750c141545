//! Finds out where partitions are to be read from, beside the polling thread.
//!
//! A survey reads T of all its partitions, asks the brokers once what they hold, begins topics that nobody has
//! begun, and reads the windows of ids back. It takes as long as it takes: meanwhile the others are polled, and the
//! group hears from us.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use bellwether_warehouse::Warehouse;
use tokio::sync::Mutex;

use super::broker::{self, Broker, Layout};
use super::hold;
use super::stopped::Cause;
use super::stopped::Key;
use crate::batch::{Position, Stream};
use crate::config::{Ingest, OnGap, Start, Topic};
use crate::dedup::Window;
use crate::reject::{Reason, Reject};
use crate::sink::Sink;

/// What is asked about one partition.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) key: Key,
    pub(super) topic: Arc<Topic>,
    pub(super) stream: Stream,
}

/// Where a partition is to be read from.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) position: Position,
    /// First offset to fetch.
    pub(super) start: i64,
    /// What is written about the offsets between T and `start`.
    pub(super) gap: Option<Reject>,
    pub(super) window: Window,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) key: Key,
    /// The broker's end, where it told.
    pub(super) high: Option<i64>,
    /// T, where it was read.
    pub(super) position: Option<i64>,
    pub(super) place: Result<Place, Cause>,
}

/// What all surveys of a worker share.
pub(super) struct Surveyor {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) warehouse: Warehouse,
    pub(super) ingest: Ingest,
    /// Ids remembered per partition.
    pub(super) window: usize,
    /// Kept between surveys that follow each other.
    pub(super) sink: Mutex<Option<Sink>>,
}

/// What the brokers said.
struct Told {
    layout: Layout,
    bounds: broker::Told<(i64, i64)>,
    /// First offsets by topic, where a topic begins at a time.
    first: broker::Firsts,
}

impl Surveyor {
    /// Answers each query, in no certain order.
    pub(super) async fn survey(self: Arc<Self>, queries: Vec<Query>, answers: Sender<Answer>) {
        let mut kept = self.sink.lock().await;
        if kept.is_none() {
            match Sink::open(&self.warehouse).await {
                Ok(sink) => *kept = Some(sink),
                Err(error) => return refuse_all(&queries, &answers, &table(error)),
            }
        }
        let Some(sink) = kept.as_mut() else { return };
        if let Err(error) = sink.refresh().await {
            return refuse_all(&queries, &answers, &table(error));
        }
        let unbegun: BTreeMap<&str, &Query> = queries
            .iter()
            .filter(|query| sink.begun_with(&query.stream.start_app()).is_none())
            .map(|query| (query.topic.name.as_str(), query))
            .collect();
        let mut told = match self.ask(&queries, &unbegun).await {
            Ok(told) => told,
            Err(error) => return refuse_all(&queries, &answers, &Cause::Broker(error)),
        };
        let mut refused: BTreeMap<&str, Cause> = BTreeMap::new();
        for (name, query) in unbegun {
            if let Err(cause) = begin(sink, query, &told).await {
                refused.insert(name, cause);
            }
        }
        for query in &queries {
            let position = sink.position_seen(&query.stream);
            let bounds = told.bounds.remove(&query.key).unwrap_or(Err(Cause::NoLeader));
            let high = bounds.as_ref().ok().map(|(_, high)| *high);
            let place = match (refused.get(query.topic.name.as_str()), bounds) {
                (Some(cause), _) => Err(cause.clone()),
                (None, Err(cause)) => Err(cause),
                (None, Ok(bounds)) => self.place(sink, query, position, bounds).await,
            };
            let (key, position) = (query.key.clone(), position.attempts);
            // Nobody listens when the worker has ended.
            let _ = answers.send(Answer { key, high, position, place });
        }
    }

    /// Forgets what was read of the tables: the next survey is far.
    pub(super) fn rest(&self) {
        if let Ok(mut sink) = self.sink.try_lock() {
            *sink = None;
        }
    }

    /// Asks the brokers about the partitions of the queries, and about all of the `new` topics.
    async fn ask(
        &self,
        queries: &[Query],
        new: &BTreeMap<&str, &Query>,
    ) -> Result<Told, rdkafka::error::KafkaError> {
        let topics: BTreeSet<String> = queries.iter().map(|query| query.topic.name.clone()).collect();
        let layout = self.broker.layout(topics).await?;
        let mut keys: BTreeSet<Key> = queries.iter().map(|query| query.key.clone()).collect();
        for topic in new.keys() {
            keys.extend(layout.partitions(topic));
        }
        keys.retain(|key| layout.has_leader(key));
        let keys: Vec<Key> = keys.into_iter().collect();
        let bounds = self.broker.bounds(keys.clone()).await?;
        let mut first = BTreeMap::new();
        for (topic, query) in new {
            if let Start::At(time) = &query.topic.start {
                let keys: Vec<Key> =
                    keys.iter().filter(|(name, _)| name.as_str() == *topic).cloned().collect();
                first.extend(self.broker.first_at(keys, time.timestamp_millis()).await?);
            }
        }
        Ok(Told { layout, bounds, first })
    }

    async fn place(
        &self,
        sink: &Sink,
        query: &Query,
        position: Position,
        (low, high): (i64, i64),
    ) -> Result<Place, Cause> {
        let settings = hold::settings(&query.topic, &self.ingest);
        if let Some(at) = position.attempts
            && position.stopped_under() == Some(settings)
        {
            return Err(Cause::Poison { position: at });
        }
        let (start, gap) = locate(&query.topic, position.attempts, low, high)?;
        let window = sink.window(&query.stream, start, self.window).await.map_err(table)?;
        Ok(Place { position, start, gap, window })
    }
}

/// Gives every partition of a topic its first position.
async fn begin(sink: &mut Sink, query: &Query, told: &Told) -> Result<(), Cause> {
    let topic = &query.topic;
    let partitions = told.layout.partitions(&topic.name);
    if partitions.is_empty() {
        return Err(Cause::NoLeader);
    }
    let count = partitions.len() as i64;
    let mut places = Vec::new();
    for key in partitions {
        let stream = query.stream.beside(key.1);
        let (low, high) = match told.bounds.get(&key) {
            Some(Ok(bounds)) => *bounds,
            // Its beginning is where a partition without T begins anyway.
            _ if topic.start == Start::Earliest => continue,
            Some(Err(cause)) => return Err(cause.clone()),
            None => return Err(Cause::NoLeader),
        };
        let start = match topic.start {
            Start::Earliest => low,
            Start::Latest => high,
            Start::At(_) => told.first.get(&key).copied().flatten().unwrap_or(high),
        };
        places.push((stream, start));
    }
    let is_known = places.iter().any(|(stream, _)| sink.position_seen(stream).attempts.is_some());
    if !is_known && let Some(cluster) = sink.other_cluster(&query.stream) {
        return Err(Cause::OtherCluster { cluster });
    }
    if is_known && topic.start != Start::Earliest {
        tracing::warn!(
            topic = topic.name,
            "this topic was begun by an earlier version, which did not note where: partitions that the tables do not \
             know begin at their `start` as of now"
        );
    }
    sink.begin(&query.stream.start_app(), count, &places).await.map_err(table)
}

/// Compares T with what the broker holds. Returns where to read from, and what to say of a gap before it.
fn locate(topic: &Topic, position: Option<i64>, low: i64, high: i64) -> Result<(i64, Option<Reject>), Cause> {
    // Partitions without T came later than the topic's beginning.
    let Some(at) = position else { return Ok((low, None)) };
    if at > high {
        return Err(Cause::Recreated { position: at, high });
    }
    if at >= low {
        return Ok((at, None));
    }
    match topic.on_gap {
        OnGap::Stop => Err(Cause::Gap { position: at, low }),
        OnGap::Skip => {
            let detail = format!(
                "offsets {at} to {low} are no longer at the broker: deleted before they were ingested, or transaction \
                 markers or compacted records"
            );
            Ok((low, Some(Reject::new(Reason::Gap, detail, "unknown", 0))))
        }
    }
}

fn table<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    Cause::Table(Arc::new(error))
}

fn refuse_all(queries: &[Query], answers: &Sender<Answer>, cause: &Cause) {
    for query in queries {
        let (key, place) = (query.key.clone(), Err(cause.clone()));
        let _ = answers.send(Answer { key, high: None, position: None, place });
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, OnGap, Start, Topic, locate};
    use crate::config::TopicFormat;

    fn topic(on_gap: OnGap) -> Topic {
        let (name, format, start) = ("t".to_owned(), TopicFormat::Native, Start::Latest);
        Topic { name, format, incarnation: 0, start, on_gap }
    }

    #[test]
    fn a_position_inside_what_the_broker_holds_is_read_from() {
        let topic = topic(OnGap::Stop);
        for at in [5, 7, 9] {
            assert_eq!(locate(&topic, Some(at), 5, 9).unwrap(), (at, None));
        }
        assert!(matches!(locate(&topic, Some(10), 5, 9), Err(Cause::Recreated { position: 10, high: 9 })));
        assert!(matches!(locate(&topic, Some(4), 5, 9), Err(Cause::Gap { position: 4, low: 5 })));
    }

    #[test]
    fn a_partition_that_the_table_does_not_know_is_read_from_its_beginning() {
        assert_eq!(locate(&topic(OnGap::Stop), None, 5, 9).unwrap(), (5, None));
    }

    #[test]
    fn a_gap_to_skip_is_told_with_both_ends_and_what_it_may_be() {
        let (start, gap) = locate(&topic(OnGap::Skip), Some(4), 6, 9).unwrap();
        assert_eq!(start, 6);
        let detail = gap.unwrap().detail;
        assert!(detail.starts_with("offsets 4 to 6 ") && detail.contains("transaction markers"), "{detail}");
    }
}
