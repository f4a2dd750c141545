//! Which partitions are ours, and what becomes of each.
//!
//! A partition of ours *waits* until a survey has told where to read it from, then it is *read*. One that cannot be
//! read waits again, ever longer, and the others go on. One whose records are nearly all refused *settles*: what it
//! gave is committed together with a mark that it is held, and then it waits until the mark is lifted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use bellwether_warehouse::Moment;
use tokio::task::JoinHandle;

use super::broker::{self, Member};
use super::flight::Flight;
use super::gauges;
use super::hold;
use super::poison::Poison;
use super::stopped::Key;
use super::stopped::{Cause, Stopped};
use super::survey::{Answer, Place, Query, Surveyor};
use crate::batch::{Batch, Encoding, Range, Slot, Stream};
use crate::config::{Topic, TopicFormat};
use crate::formats::Format;
use crate::sink::Flushed;
use crate::sources::Error;

/// Between two tries to take a partition: doubles from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Between two looks at the mark of a partition that is held: how soon `resume` takes effect.
const HELD_LOOK: Duration = Duration::from_secs(3);

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
    pub(super) member: Arc<dyn Member>,
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
        member: Arc<dyn Member>,
        stopped: Stopped,
    ) -> Self {
        let topics = topics.iter().map(|topic| (topic.name.clone(), Arc::new(topic.clone()))).collect();
        Self {
            topics,
            cluster,
            member,
            surveyor: Arc::new(surveyor),
            flight,
            batch,
            owned: BTreeMap::new(),
            stopped,
            is_paused: false,
            fatal: None,
            survey: None,
            is_doubtful: false,
        }
    }

    /// These partitions are ours now and no others. Nothing of them is fetched yet.
    pub(super) fn take(&mut self, now: Moment, keys: Vec<Key>) {
        self.forget();
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
        self.apply();
    }

    /// Gives all partitions back.
    pub(super) fn give_up(&mut self) {
        self.forget();
        if let Err(error) = self.member.unassign() {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to give partitions back");
        }
    }

    /// Nothing is ours any more. A flush that is still under way has been waited for long enough.
    pub(super) fn forget(&mut self) {
        self.flight.abandon();
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
    pub(super) fn take_again(&mut self, now: Moment, cause: Option<&Cause>) {
        self.again(now, |_| cause);
    }

    /// The same, but `cause` concerns only the partitions that `is_meant` names: the others are asked for at once.
    pub(super) fn take_again_but(&mut self, now: Moment, cause: &Cause, is_meant: impl Fn(&Stream) -> bool) {
        self.again(now, |stream| is_meant(stream).then_some(cause));
    }

    fn again<'c>(&mut self, now: Moment, cause_of: impl Fn(&Stream) -> Option<&'c Cause>) {
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
                Some(cause) => self.halt(now, key, cause),
                None => {
                    if let Some(owned) = self.owned.get_mut(key) {
                        owned.phase = Phase::Waiting { due: now };
                    }
                }
            }
        }
        self.apply();
    }

    /// Fetches exactly what is being read, each from the next offset. What was fetched before is dropped.
    fn apply(&mut self) {
        let (places, member) = (self.reading(), &self.member);
        let result = member.assign(&places).and_then(|()| {
            // A partition that was paused for memory stays paused over an assignment.
            member.resume(&places)?;
            if self.is_paused { member.pause(&places) } else { Ok(()) }
        });
        if let Err(error) = result {
            self.fatal = Some(Error::Kafka(error));
        }
    }

    /// The partitions being read, with the next offset of each.
    pub(super) fn reading(&self) -> Vec<broker::Place> {
        let next = |(key, owned): (&Key, &Owned)| match owned.phase {
            Phase::Reading { slot, .. } => Some((key.clone(), self.batch.next_offset(slot)?)),
            Phase::Waiting { .. } | Phase::Settling { .. } => None,
        };
        let places: Vec<broker::Place> = self.owned.iter().filter_map(next).collect();
        self.stopped.reading(places.len());
        places
    }

    /// Takes news of the brokers' ends.
    pub(super) fn note_ends(&mut self, ends: Vec<broker::Place>) {
        for (key, high) in ends {
            if let Some(owned) = self.owned.get_mut(&key) {
                owned.stands(&key, None, Some(high));
            }
        }
    }

    /// Takes the answers of the survey under way and begins the next one when one is due.
    pub(super) fn survey(&mut self, now: Moment) {
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
                Err(cause) => self.halt(now, &key, &cause),
            }
        }
        if is_over {
            self.survey = None;
        }
        if has_places {
            self.apply();
        }
        self.is_doubtful &= self.flight.is_busy();
        if self.survey.is_none() && !self.is_doubtful {
            self.begin_survey(now);
        }
    }

    fn begin_survey(&mut self, now: Moment) {
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
        let task = self.flight.runtime().spawn(Arc::clone(&self.surveyor).survey(queries, answer));
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
    fn halt(&mut self, now: Moment, key: &Key, cause: &Cause) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        let pause = if cause.passes() {
            let next = (owned.pause * 2).min(LONGEST_PAUSE);
            std::mem::replace(&mut owned.pause, next)
        } else {
            HELD_LOOK
        };
        owned.phase = Phase::Waiting { due: now + pause };
        let error = cause as &dyn std::error::Error;
        if self.stopped.stop(key, cause) {
            tracing::error!(topic = key.0, partition = key.1, error, "partition stopped, the others go on");
        } else {
            tracing::debug!(topic = key.0, partition = key.1, error, "partition is still stopped");
        }
    }

    /// Stops a partition for good behind what it gave so far.
    pub(super) fn settle(&mut self, key: &Key) {
        let Some(owned) = self.owned.get_mut(key) else { return };
        let Phase::Reading { slot, .. } = owned.phase else { return };
        self.batch.hold(slot, hold::settings(&owned.topic, &self.surveyor.ingest));
        owned.phase = Phase::Settling { slot };
        let position = self.batch.next_offset(slot).unwrap_or_default();
        let cause = Cause::Poison { position };
        let error = &cause as &dyn std::error::Error;
        tracing::error!(topic = key.0, partition = key.1, error, "partition stopped, the others go on");
        self.stopped.stop(key, &cause);
        self.apply();
    }

    /// A flush was committed.
    pub(super) fn landed(&mut self, now: Moment, flushed: &Flushed) {
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
                owned.phase = Phase::Waiting { due: now + HELD_LOOK };
            }
        }
        flushed.tell(lag);
        let place = |range: &Range| ((range.stream.topic().to_owned(), range.stream.partition()), range.end);
        self.member.mirror(&flushed.ranges.iter().map(place).collect::<Vec<_>>());
    }

    /// Moves each partition over what no record came of behind its last one: transaction markers and aborted
    /// records. Otherwise T would stand below them for ever, and seem to stand before a gap once they are deleted.
    pub(super) fn follow_ends(&mut self) {
        for (key, at) in self.member.positions() {
            if let Some(Owned { phase: Phase::Reading { slot, .. }, .. }) = self.owned.get(&key) {
                self.batch.skip_to(*slot, at);
            }
        }
    }
}
