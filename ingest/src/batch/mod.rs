//! Rows of several streams between two commits.
//!
//! A batch takes records in offset order, stream by stream, and turns them into rows, rejects and label cells.
//! Every decision depends on the stream's records alone (never on the clock or on where a batch begins), so a
//! replay after a crash gives the same. Tables may be ahead of `attempts`: the label cells that they hold are left out
//! here, and rejects that they may hold are set apart.

mod frozen;
mod lane;
mod sources;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_warehouse::World;
use bellwether_warehouse::tables::attempts;
use bellwether_warehouse::tables::rejects::{self, RejectRow};

pub use frozen::{Counts, Frozen, Prices, Range};
pub use stream::{Position, Stream};

use crate::catalogue;
use crate::dedup::{Dates, Mark, Seen};
use crate::event::Event;
use crate::formats::{self, Appended, Format};
use crate::identity::{self, Identities};
use crate::labels::Labeller;
use crate::labels::cells::Cells;
use crate::normalise::{Lineage, normalise};
use crate::reject::{Reason, Reject};
use lane::Lane;
use sources::Sources;

/// What turning a record into rows needs. Shared by all workers.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Asked for each record, so that another one takes effect between two.
    pub catalogue: catalogue::Current,
    pub identities: Arc<Identities>,
    pub labeller: Arc<Labeller>,
    pub world: World,
}

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As a router or a file gave it, with texts and raw ids.
    Raw(Format),
    /// As our intake appended it: stripped.
    Appended,
}

/// A stream's place in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(usize);

/// One record of a log.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub offset: i64,
    pub appended_at_us: i64,
    pub payload: &'a [u8],
}

/// What became of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub rows: u32,
    pub duplicates: u32,
    pub rejected: Option<Reject>,
}

#[derive(Debug)]
pub struct Batch {
    tools: Tools,
    lanes: Vec<Option<Lane>>,
    rows: attempts::Builder,
    rejects: rejects::Builder,
    rejects_again: rejects::Builder,
    cells: Cells,
    sources: Sources,
    reasons: BTreeMap<Reason, u64>,
    prices: Prices,
}

impl Batch {
    pub fn new(tools: Tools) -> Self {
        Self {
            tools,
            lanes: Vec::new(),
            rows: attempts::Builder::default(),
            rejects: rejects::Builder::default(),
            rejects_again: rejects::Builder::default(),
            cells: Cells::default(),
            sources: Sources::default(),
            reasons: BTreeMap::new(),
            prices: Prices::default(),
        }
    }

    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Takes a stream in, from `start` on: `position.attempts` where there is one. `seen` is what is known
    /// at `start`.
    pub fn assign(&mut self, stream: Stream, position: Position, start: i64, seen: impl Into<Seen>) -> Slot {
        let slot = self.lanes.iter().position(Option::is_none).unwrap_or(self.lanes.len());
        let lane = Some(Lane::new(stream, position, start, seen.into()));
        match self.lanes.get_mut(slot) {
            Some(free) => *free = lane,
            None => self.lanes.push(lane),
        }
        Slot(slot)
    }

    /// Gives up a stream of which nothing is pending. False: something is, so the batch must be flushed or
    /// dropped first.
    pub fn release(&mut self, slot: Slot) -> bool {
        match self.lanes.get_mut(slot.0) {
            Some(lane) if lane.as_ref().is_none_or(|lane| !lane.is_pending()) => {
                *lane = None;
                true
            }
            _ => false,
        }
    }

    /// Drops all rows and all streams: what follows a failed flush. Every stream has to be assigned again.
    pub fn clear(&mut self) {
        let mut sources = std::mem::take(&mut self.sources);
        sources.take();
        *self = Self { sources, ..Self::new(self.tools.clone()) };
    }

    /// Next offset that the stream expects.
    pub fn next_offset(&self, slot: Slot) -> Option<i64> {
        Some(self.lane(slot)?.next)
    }

    /// Decodes one record and takes what it gives. Offsets below the next one were taken before and are
    /// ignored; offsets left out are counted as skipped.
    ///
    /// # Errors
    /// The label secrets cannot be read. The batch must be dropped.
    pub fn push(
        &mut self,
        slot: Slot,
        message: &Message<'_>,
        encoding: Encoding,
    ) -> Result<Outcome, identity::Error> {
        if self.next_offset(slot).is_none_or(|next| message.offset < next) {
            return Ok(Outcome::default());
        }
        let decoded = match encoding {
            Encoding::Appended => formats::decode_appended(message.payload),
            Encoding::Raw(format) => formats::decode(format, message.payload).map(Appended::Event),
        };
        match decoded {
            Ok(Appended::Event(mut event)) => {
                // Others may write to a topic of ours too: what is stripped stays as it is, and nothing else passes.
                event.strip(&self.tools.identities, &self.tools.labeller);
                self.push_event(slot, message, &event)
            }
            Ok(Appended::Reject(reject)) | Err(reject) => {
                Ok(self.push_reject(slot, message.offset, message.appended_at_us, reject))
            }
        }
    }

    /// Takes a stripped event as the record at `message.offset`. Of the payload only the length is used.
    ///
    /// # Errors
    /// The label secrets cannot be read. The batch must be dropped.
    pub fn push_event(
        &mut self,
        slot: Slot,
        message: &Message<'_>,
        event: &Event<'_>,
    ) -> Result<Outcome, identity::Error> {
        let Message { offset, appended_at_us, payload } = *message;
        let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) else {
            return Ok(Outcome::default());
        };
        if !lane.advance(offset) {
            return Ok(Outcome::default());
        }
        let source = if event.source.is_empty() { "native" } else { event.source.as_ref() };
        let judged = lane.judge(appended_at_us, &self.tools.world);
        let Lane { stream, seen, labels_from, .. } = &mut *lane;
        let lineage = Lineage {
            source,
            topic: stream.lineage(),
            partition: stream.partition(),
            offset,
            first_index: 0,
            appended_at_us: judged.appended_at_us,
            events_until_us: judged.events_until_us,
        };
        let takes_labels = offset >= *labels_from;
        let (rows, cells, identities) = (&mut self.rows, &mut self.cells, &self.tools.identities);
        let prices = &mut self.prices;
        let mut outcome = Outcome::default();
        let mut failed = None;
        let catalogue = self.tools.catalogue.get();
        let normalised = normalise(event, &catalogue, &lineage, &mut |row, priced| {
            if !seen.insert(offset, row.started_at, Mark::of(row)) {
                outcome.duplicates += 1;
                return;
            }
            outcome.rows += 1;
            rows.push(row);
            prices.count(row.provider_id, priced);
            if takes_labels && let Err(error) = cells.add(event, row, identities) {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        lane.counts.rows += u64::from(outcome.rows);
        lane.counts.duplicates += u64::from(outcome.duplicates);
        let counts = self.sources.of(source);
        counts.rows += u64::from(outcome.rows);
        counts.duplicates += u64::from(outcome.duplicates);
        counts.unknown_fields += u64::from(event.unknown_fields);
        counts.absurd += u64::from(event.flaws.absurd);
        counts.diagnostics += u64::from(event.flaws.diagnostics);
        counts.words += u64::from(event.flaws.words);
        if let Err(mut reject) = normalised {
            reject.size_bytes = payload.len() as u64;
            self.take_reject(slot, offset, judged.appended_at_us, &reject);
            outcome.rejected = Some(reject);
        }
        Ok(outcome)
    }

    /// Takes the record at `offset` as one that cannot become rows.
    pub fn push_reject(&mut self, slot: Slot, offset: i64, appended_at_us: i64, reject: Reject) -> Outcome {
        let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) else {
            return Outcome::default();
        };
        if !lane.advance(offset) {
            return Outcome::default();
        }
        let judged = lane.judge(appended_at_us, &self.tools.world);
        self.take_reject(slot, offset, judged.appended_at_us, &reject);
        Outcome { rejected: Some(reject), ..Outcome::default() }
    }

    /// Moves a stream to `offset` without records: what lies between is not there (transaction markers,
    /// compaction, a gap that is to be skipped) or has no value.
    pub fn skip_to(&mut self, slot: Slot, offset: i64) {
        if let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) {
            lane.skip_to(offset);
        }
    }

    /// Marks the stream as stopped behind what it has pending: whoever takes it next finds this in the table.
    pub fn hold(&mut self, slot: Slot, settings: i64) {
        if let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) {
            lane.hold(settings);
        }
    }

    fn take_reject(&mut self, slot: Slot, offset: i64, appended_at_us: i64, reject: &Reject) {
        let Some(lane) = self.lanes.get_mut(slot.0).and_then(Option::as_mut) else { return };
        lane.counts.rejects += 1;
        self.sources.of(&reject.source).rejects += 1;
        *self.reasons.entry(reject.reason).or_default() += 1;
        let is_new = offset >= lane.rejects_from;
        let rejects = if is_new { &mut self.rejects } else { &mut self.rejects_again };
        rejects.push(&RejectRow {
            received_at: appended_at_us,
            reason: reject.reason.as_str(),
            detail: &reject.detail,
            source: &reject.source,
            src_topic: lane.stream.lineage(),
            src_partition: lane.stream.partition(),
            src_offset: offset,
            size_bytes: i64::try_from(reject.size_bytes).unwrap_or(i64::MAX),
            skeleton: reject.skeleton.as_deref(),
            raw: None,
            // A record is refused as a whole.
            src_index: Some(0),
        });
    }

    /// Rows and rejects waiting.
    pub fn len(&self) -> usize {
        let rejects: u64 = self.lanes.iter().flatten().map(|lane| lane.counts.rejects).sum();
        self.rows.len().saturating_add(usize::try_from(rejects).unwrap_or(usize::MAX))
    }

    /// Nothing was read since the last flush, not even a record without rows.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().flatten().all(|lane| !lane.is_pending())
    }

    /// Bytes of the waiting rows.
    pub fn pending_bytes(&self) -> usize {
        self.rows.size_bytes()
            + self.rejects.size_bytes()
            + self.rejects_again.size_bytes()
            + self.cells.size_bytes()
    }

    /// The dates that a stream of imported files knows.
    pub fn dates_mut(&mut self, slot: Slot) -> Option<&mut Dates> {
        match &mut self.lanes.get_mut(slot.0)?.as_mut()?.seen {
            Seen::Dates(dates) => Some(dates),
            Seen::Window(_) => None,
        }
    }

    /// Bytes of what the streams know of the past.
    pub fn seen_bytes(&self) -> usize {
        self.lanes.iter().flatten().map(|lane| lane.seen.size_bytes()).sum()
    }

    /// Takes everything out as what one flush commits. The streams stay and go on behind it. None: nothing to do.
    pub fn freeze(&mut self) -> Option<Frozen> {
        if self.is_empty() {
            return None;
        }
        let ranges = self.lanes.iter_mut().flatten().filter_map(Lane::take_range).collect();
        let rows = (!self.rows.is_empty()).then(|| self.rows.finish());
        Some(Frozen {
            ranges,
            rows,
            rejects: (!self.rejects.is_empty()).then(|| self.rejects.finish()),
            rejects_again: (!self.rejects_again.is_empty()).then(|| self.rejects_again.finish()),
            cells: self.cells.finish(),
            sources: self.sources.take(),
            reasons: std::mem::take(&mut self.reasons),
            prices: std::mem::take(&mut self.prices),
        })
    }

    fn lane(&self, slot: Slot) -> Option<&Lane> {
        self.lanes.get(slot.0)?.as_ref()
    }
}

#[cfg(test)]
mod tests;
