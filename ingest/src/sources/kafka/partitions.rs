//! Which partitions are ours, and what becomes of each.
//!
//! A partition of ours *waits* until a survey has told where to read it from, then it is *read*. One that cannot be
//! read waits again, ever longer, and the others go on. One whose records are nearly all refused *settles*: what it
//! gave is committed together with a mark that it is held, and then it waits until the mark is lifted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use bellwether_warehouse::{Moment, World};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::broker::Key;
use super::context::Context;
use super::flight::Flight;
use super::gauges;
use super::hold;
use super::poison::Poison;
use super::stopped::{Cause, Stopped};
use super::survey::{Answer, Place, Query, Surveyor};
use crate::batch::{Batch, Encoding, Range, Slot, Stream};
use crate::config::{Topic, TopicFormat};
use crate::formats::Format;
use crate::sink::{FlushReason, Flushed};
use crate::sources::Error;

/// How long a revoke waits for the last flush; well below the time after which the group goes on without us.
const REVOKE: Duration = Duration::from_secs(10);
/// Between two tries to take a partition: doubles from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Between two looks at the mark of a partition that is held: how soon `resume` takes effect.
const HELD_LOOK: Duration = Duration::from_secs(3);
/// How long librdkafka may take to forget the positions of an earlier assignment.
const RESET: Duration = Duration::from_secs(1);

/// A partition that the group has given us.
#[derive(Debug)]
pub(super) struct Owned {
    topic: Arc<Topic>,
    pub(super) stream: Stream,
    pub(super) encoding: Encoding,
    pub(super) phase: Phase,
    /// T, once it was read, and the offset behind the broker's newest record as last told.
    committed: Option<i64>,
    high: Option<i64>,
    /// Before the next try but one.
    pause: Duration,
}

#[derive(Debug)]
pub(super) enum Phase {
    Waiting { due: Moment },
    Reading { slot: Slot, poison: Poison },
    Settling { slot: Slot },
}

pub(super) struct State {
    pub(super) topics: BTreeMap<String, Arc<Topic>>,
    pub(super) cluster: String,
    pub(super) runtime: Handle,
    pub(super) world: World,
    pub(super) surveyor: Arc<Surveyor>,
    pub(super) flight: Flight,
    pub(super) batch: Batch,
    pub(super) owned: BTreeMap<Key, Owned>,
    pub(super) stopped: Stopped,
    /// Nothing is fetched, because memory is used.
    pub(super) is_paused: bool,
    pub(super) fatal: Option<Error>,
    survey: Option<Survey>,
    /// The flush under way holds what was given up since, and may still move T.
    is_doubtful: bool,
    /// Positions that librdkafka tells are those of the present assignment.
    follows_ends: bool,
}

struct Survey {
    task: JoinHandle<()>,
    answers: Receiver<Answer>,
}

impl Drop for Survey {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Owned {
    /// Takes news of T, or of the broker's end.
    pub(super) fn stands(&mut self, key: &Key, committed: Option<i64>, high: Option<i64>) {
        self.committed = committed.or(self.committed);
        self.high = high.or(self.high);
        if let (Some(committed), Some(high)) = (self.committed, self.high) {
            gauges::lag(key, high, committed);
        }
    }
}

impl State {
    pub(super) fn new(
        topics: &[Topic],
        cluster: String,
        surveyor: Surveyor,
        flight: Flight,
        batch: Batch,
        runtime: Handle,
        stopped: Stopped,
    ) -> Self {
        let topics = topics.iter().map(|topic| (topic.name.clone(), Arc::new(topic.clone()))).collect();
        Self {
            topics,
            cluster,
            runtime,
            world: surveyor.warehouse.world().clone(),
            surveyor: Arc::new(surveyor),
            flight,
            batch,
            owned: BTreeMap::new(),
            stopped,
            is_paused: false,
            fatal: None,
            survey: None,
            is_doubtful: false,
            follows_ends: false,
        }
    }

    /// These partitions are ours now and no others. Nothing of them is fetched yet.
    pub(super) fn take(&mut self, consumer: &BaseConsumer<Context>, keys: Vec<Key>) {
        self.forget();
        let now = self.world.now();
        for key in keys {
            let Some(topic) = self.topics.get(&key.0).cloned() else { continue };
            let encoding = match topic.format {
                TopicFormat::Auto => Encoding::Raw(Format::Auto),
                TopicFormat::Native => Encoding::Raw(Format::Native),
                TopicFormat::LiteLlm => Encoding::Raw(Format::LiteLlm),
                TopicFormat::Appended => Encoding::Appended,
            };
            let stream = Stream::kafka(&self.cluster, &key.0, topic.incarnation, key.1);
            let phase = Phase::Waiting { due: now };
            let owned =
                Owned { topic, stream, encoding, phase, committed: None, high: None, pause: FIRST_PAUSE };
            self.owned.insert(key, owned);
        }
        self.apply(consumer);
    }

    /// Gives all partitions back.
    pub(super) fn give_up(&mut self, consumer: &BaseConsumer<Context>) {
        self.forget();
        if let Err(error) = consumer.unassign() {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to give partitions back");
        }
    }

    fn forget(&mut self) {
        // A flush that is still under way here was not waited for by a revoke: its result decides nothing.
        let _ = self.flight.land(REVOKE);
        self.survey = None;
        self.batch.clear();
        for key in std::mem::take(&mut self.owned).keys() {
            self.stopped.clear(key);
            gauges::not_ours(key);
        }
        self.stopped.reading(0);
    }

    /// Drops what was read and not committed, and asks anew where everything is to be read from. With a `cause`,
    /// which concerns all partitions, not before a while.
    pub(super) fn take_again(&mut self, consumer: &BaseConsumer<Context>, cause: Option<&Cause>) {
        self.again(consumer, |_| cause);
    }

    /// The same, but `cause` concerns only the partitions that `is_meant` names: the others are asked for at once.
    pub(super) fn take_again_but(
        &mut self,
        consumer: &BaseConsumer<Context>,
        cause: &Cause,
        is_meant: impl Fn(&Stream) -> bool,
    ) {
        self.again(consumer, |stream| is_meant(stream).then_some(cause));
    }

    fn again<'c>(
        &mut self,
        consumer: &BaseConsumer<Context>,
        cause_of: impl Fn(&Stream) -> Option<&'c Cause>,
    ) {
        self.survey = None;
        self.is_doubtful = self.flight.is_busy();
        self.batch.clear();
        let keys: Vec<(Key, Option<&Cause>)> = self
            .owned
            .iter()
            .filter(|(_, owned)| !matches!(owned.phase, Phase::Waiting { .. }))
            .map(|(key, owned)| (key.clone(), cause_of(&owned.stream)))
            .collect();
        for (key, cause) in &keys {
            match cause {
                Some(cause) => self.halt(key, cause),
                None => {
                    if let Some(owned) = self.owned.get_mut(key) {
                        owned.phase = Phase::Waiting { due: self.world.now() };
                    }
                }
            }
        }
        self.apply(consumer);
    }

    /// Fetches exactly what is being read, each from the next offset. What was fetched before is dropped.
    fn apply(&mut self, consumer: &BaseConsumer<Context>) {
        let result = self.reading().and_then(|places| {
            consumer.assign(&places)?;
            // A partition that was paused for memory stays paused over an assignment.
            consumer.resume(&places)?;
            if self.is_paused { consumer.pause(&places) } else { Ok(()) }
        });
        if let Err(error) = result {
            self.fatal = Some(Error::Kafka(error));
        }
        self.follows_ends = self.are_positions_reset(consumer);
    }

    /// The partitions being read, with the next offset of each.
    pub(super) fn reading(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut places = TopicPartitionList::new();
        for ((topic, partition), owned) in &self.owned {
            if let Phase::Reading { slot, .. } = &owned.phase
                && let Some(next) = self.batch.next_offset(*slot)
            {
                places.add_partition_offset(topic, *partition, Offset::Offset(next))?;
            }
        }
        self.stopped.reading(places.count());
        Ok(places)
    }

    /// Takes the answers of the survey under way and begins the next one when one is due.
    pub(super) fn survey(&mut self, consumer: &BaseConsumer<Context>) {
        let mut is_over = false;
        let mut has_places = false;
        while let Some(survey) = &self.survey {
            let answer = match survey.answers.try_recv() {
                Ok(answer) => answer,
                Err(error) => {
                    is_over = error == TryRecvError::Disconnected;
                    break;
                }
            };
            let Answer { key, high, position, place } = answer;
            if let Some(owned) = self.owned.get_mut(&key) {
                owned.stands(&key, position, high);
            }
            match place {
                Ok(place) => {
                    self.read(&key, place);
                    has_places = true;
                }
                Err(cause) => self.halt(&key, &cause),
            }
        }
        if is_over {
            self.survey = None;
        }
        if has_places {
            self.apply(consumer);
        }
        self.is_doubtful &= self.flight.is_busy();
        if self.survey.is_none() && !self.is_doubtful {
            self.begin_survey();
        }
    }

    fn begin_survey(&mut self) {
        let now = self.world.now();
        let mut queries = Vec::new();
        let mut waits = false;
        for (key, owned) in &mut self.owned {
            let Phase::Waiting { due } = &mut owned.phase else { continue };
            waits = true;
            if *due <= now {
                // Should the survey come to nothing, it is asked again after this.
                *due = now + FIRST_PAUSE;
                let (key, topic, stream) = (key.clone(), Arc::clone(&owned.topic), owned.stream.clone());
                queries.push(Query { key, topic, stream });
            }
        }
        if !waits {
            self.surveyor.rest();
        }
        if queries.is_empty() {
            return;
        }
        let (answer, answers) = channel();
        let task = self.runtime.spawn(Arc::clone(&self.surveyor).survey(queries, answer));
        self.survey = Some(Survey { task, answers });
    }

    /// Reads a partition from the place that was found.
    fn read(&mut self, key: &Key, place: Place) {
        let Place { position, start, gap, window } = place;
        let Some(owned) = self.owned.get_mut(key) else { return };
        // A gap begins at T, and is jumped over only in the batch, so that it is committed like a record.
        let begin = if gap.is_some() { position.attempts.unwrap_or(start) } else { start };
        let slot = self.batch.assign(owned.stream.clone(), position, begin, window);
        if let Some(gap) = gap {
            tracing::error!(
                topic = key.0,
                partition = key.1,
                gap = gap.detail,
                "records are gone, skipping the gap"
            );
            // By what the table knows, so that every reading gives the gap the same date.
            let known_us = position.time.unwrap_or_default().saturating_mul(1000);
            self.batch.push_reject(slot, begin, known_us, gap);
            self.batch.skip_to(slot, start);
        }
        owned.phase = Phase::Reading { slot, poison: Poison::default() };
        owned.stands(key, Some(begin), None);
        gauges::newest(key, position.time);
        self.stopped.clear(key);
        tracing::info!(topic = key.0, partition = key.1, offset = start, "reading partition");
    }

    /// Lets a partition wait that cannot be read. The caller sees to it that nothing of it is fetched.
    fn halt(&mut self, key: &Key, cause: &Cause) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        let pause = if cause.passes() {
            let next = (owned.pause * 2).min(LONGEST_PAUSE);
            std::mem::replace(&mut owned.pause, next)
        } else {
            HELD_LOOK
        };
        owned.phase = Phase::Waiting { due: self.world.now() + pause };
        let error = cause as &dyn std::error::Error;
        if self.stopped.stop(key, cause) {
            tracing::error!(topic = key.0, partition = key.1, error, "partition stopped, the others go on");
        } else {
            tracing::debug!(topic = key.0, partition = key.1, error, "partition is still stopped");
        }
    }

    /// Stops a partition for good behind what it gave so far.
    pub(super) fn settle(&mut self, consumer: &BaseConsumer<Context>, key: &Key) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        let Phase::Reading { slot, .. } = owned.phase else { return };
        self.batch.hold(slot, hold::settings(&owned.topic, &self.surveyor.ingest));
        owned.phase = Phase::Settling { slot };
        let position = self.batch.next_offset(slot).unwrap_or_default();
        let cause = Cause::Poison { position };
        let error = &cause as &dyn std::error::Error;
        tracing::error!(topic = key.0, partition = key.1, error, "partition stopped, the others go on");
        self.stopped.stop(key, &cause);
        self.apply(consumer);
    }

    /// A flush was committed.
    pub(super) fn landed(&mut self, consumer: &BaseConsumer<Context>, flushed: &Flushed) {
        gauges::committed(flushed);
        let mut lag = None;
        for range in &flushed.ranges {
            let key = (range.stream.topic().to_owned(), range.stream.partition());
            let Some(owned) = self.owned.get_mut(&key).filter(|owned| owned.stream == range.stream) else {
                continue;
            };
            owned.stands(&key, Some(range.end), None);
            lag = owned.high.map(|high| lag.unwrap_or(0) + (high - range.end).max(0)).or(lag);
            owned.pause = FIRST_PAUSE;
            if let Phase::Settling { slot } = owned.phase
                && range.hold.is_some()
            {
                self.batch.release(slot);
                owned.phase = Phase::Waiting { due: self.world.now() + HELD_LOOK };
            }
        }
        flushed.tell(lag);
        mirror(consumer, &flushed.ranges);
    }

    /// Moves each partition over what no record came of behind its last one: transaction markers and aborted
    /// records. Otherwise T would stand below them for ever, and seem to stand before a gap once they are deleted.
    pub(super) fn follow_ends(&mut self, consumer: &BaseConsumer<Context>) {
        if !self.follows_ends {
            return;
        }
        let Ok(positions) = consumer.position() else { return };
        for element in positions.elements() {
            let key = (element.topic().to_owned(), element.partition());
            if let (Some(Owned { phase: Phase::Reading { slot, .. }, .. }), Offset::Offset(at)) =
                (self.owned.get(&key), element.offset())
            {
                self.batch.skip_to(*slot, at);
            }
        }
    }

    /// Commits what is pending, if that takes not too long.
    pub(super) fn flush_before_revoke(&mut self, consumer: &BaseConsumer<Context>) {
        self.flush_within(consumer, FlushReason::Revoke, REVOKE);
    }

    /// Waits for the flush under way and then for that of the rest, as long as patience lasts.
    pub(super) fn flush_within(
        &mut self,
        consumer: &BaseConsumer<Context>,
        reason: FlushReason,
        patience: Duration,
    ) {
        let until = self.world.now() + patience;
        for _ in 0..2 {
            match self.flight.land(until.since(self.world.now())) {
                None => {}
                Some(Ok(flushed)) => self.landed(consumer, &flushed),
                Some(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the last flush failed; what it held is read again");
                    // What was frozen behind it has lost its place.
                    self.batch.clear();
                    return;
                }
            }
            if let Some(frozen) = self.batch.freeze()
                && let Err(error) = self.flight.begin(frozen, reason)
            {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the last flush could not begin; what it held is read again");
                return;
            }
        }
    }

    /// Whether librdkafka has forgotten how far earlier assignments were read. It does so on a thread of its own; until
    /// then a position says nothing of this assignment. Nothing can be read meanwhile, as only polling moves positions.
    fn are_positions_reset(&self, consumer: &BaseConsumer<Context>) -> bool {
        let until = self.world.now() + RESET;
        loop {
            let Ok(positions) = consumer.position() else { return false };
            if positions.elements().iter().all(|element| !matches!(element.offset(), Offset::Offset(_))) {
                return true;
            }
            if self.world.now() > until {
                return false;
            }
            self.runtime.block_on(self.world.sleep(Duration::from_millis(1)));
        }
    }
}

/// Writes the committed positions to the group, for tools that look there.
fn mirror(consumer: &BaseConsumer<Context>, ranges: &[Range]) {
    let mut offsets = TopicPartitionList::new();
    for range in ranges {
        let (topic, partition) = (range.stream.topic(), range.stream.partition());
        if offsets.add_partition_offset(topic, partition, Offset::Offset(range.end)).is_err() {
            return;
        }
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Async) {
        tracing::debug!(error = &error as &dyn std::error::Error, "failed to mirror positions to the group");
    }
}
