//! One body: split, decode, strip, append.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::BodyDataStream;
use futures::StreamExt;

use super::appender::Outgoing;
use super::budget::Share;
use super::inflate::{Compression, Failure, Inflate, WINDOW_LOG};
use super::problem::Problem;
use super::repeats::Mark;
use super::{Inner, Receipt, Refused};
use crate::config::Bytes;
use crate::formats::{self, Format};
use crate::metric;
use crate::reject::{Reason, Reject};
use crate::split::{Piece, Splitter};

/// Stripped events are appended whenever this much memory holds what is ready.
const APPEND_BYTES: usize = 2 << 20;
/// What the allocator adds to a record that is ready; without it a body of tiny records would look small.
const RECORD_BYTES: usize = size_of::<Outgoing>() + 32;
/// Rejects of one body that are kept one by one. A body of millions of junk lines would fill the log with them.
const KEPT_REJECTS: usize = 1000;
/// Rejects told in the answer.
const TOLD: usize = 10;
/// A sender that stalls for this long is given up.
const STALL: Duration = Duration::from_secs(60);
/// What is still read of a refused body, and for how long.
const DRAIN_BYTES: usize = 4 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

pub(super) async fn receive(
    inner: &Inner,
    format: Format,
    compression: Compression,
    body: &mut BodyDataStream,
) -> Result<Receipt, Problem> {
    let mut intake = Intake::new(inner, format);
    let outcome = intake.read(compression, body).await;
    // Whatever became of the rest: what was read so far is kept.
    intake.sum_up();
    intake.append().await?;
    let (accepted, rejected) = (intake.receipt.accepted, intake.receipt.rejected - intake.repeated);
    for (outcome, count) in [("accepted", accepted), ("rejected", rejected), ("repeated", intake.repeated)] {
        let format = format.to_string();
        metrics::counter!(metric::INTAKE_RECORDS, "format" => format, "outcome" => outcome).increment(count);
    }
    outcome?;
    intake.answer()
}

/// Reads on for a while after a refusal: a connection that is closed under a sender that still writes gives it
/// a broken pipe instead of the reason.
#[expect(
    clippy::disallowed_methods,
    reason = "the patience is with a connection, not part of what is decided"
)]
pub(super) async fn drain(body: &mut BodyDataStream) {
    let mut left = DRAIN_BYTES;
    let rest = async {
        while let Some(Ok(chunk)) = body.next().await {
            match left.checked_sub(chunk.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // Past the time the sender has to do without the reason.
    let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
}

/// Runs what may take long. Other tasks of the same worker go on meanwhile where the runtime can move them.
pub(super) fn beside_others<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

struct Intake<'a> {
    inner: &'a Inner,
    format: Format,
    share: Share<'a>,
    ready: Vec<Outgoing>,
    ready_bytes: usize,
    index: u64,
    receipt: Receipt,
    /// At least one record was understood, though it may have been refused.
    understood: bool,
    /// The first refusal, and whether all are for size.
    first: Option<Reason>,
    kept_rejects: usize,
    /// Refused records that an earlier copy of the body brought, and which are not appended again.
    repeated: u64,
    /// What is refused for the first time and not known to be appended yet.
    fresh: Vec<Mark>,
    /// Rejects beyond `KEPT_REJECTS`: how many by reason, and their bytes.
    further: BTreeMap<Reason, u64>,
    further_bytes: u64,
    /// Accepted records among those that were appended.
    kept: u64,
}

impl<'a> Intake<'a> {
    fn new(inner: &'a Inner, format: Format) -> Self {
        Self {
            inner,
            format,
            share: inner.budget.share(),
            ready: Vec::new(),
            ready_bytes: 0,
            index: 0,
            receipt: Receipt::default(),
            understood: false,
            first: None,
            kept_rejects: 0,
            repeated: 0,
            fresh: Vec::new(),
            further: BTreeMap::new(),
            further_bytes: 0,
            kept: 0,
        }
    }

    async fn read(&mut self, compression: Compression, body: &mut BodyDataStream) -> Result<(), Problem> {
        let config = &self.inner.config;
        let mut inflate =
            Inflate::new(compression, config.max_body.0, config.max_ratio).map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "failed to start a decoder");
                Problem::busy()
            })?;
        let mut splitter = Splitter::new(config.max_record.len());
        let outcome = self.stream(&mut inflate, &mut splitter, body).await;
        let read_bytes = inflate.given_bytes();
        metrics::counter!(metric::INTAKE_BYTES, "format" => self.format.to_string()).increment(read_bytes);
        if let Err(failure) = outcome? {
            if matches!(failure, Failure::Trailing { .. }) {
                // The content was complete, so a complete last record needs no line end. What is not complete is
                // part of the damage, as it is wherever a stream breaks.
                splitter.finish(|piece| {
                    if matches!(piece, Piece::Record { .. }) {
                        self.take(piece);
                    }
                });
            }
            return Err(self.failed(failure));
        }
        if splitter.is_empty() {
            let detail = "the body is empty; send a JSON array, JSON lines or one JSON object".to_owned();
            return Err(Problem::unreadable(detail));
        }
        beside_others(|| splitter.finish(|piece| self.take(piece)));
        Ok(())
    }

    /// Reads the body to its end in steps that are small after decompression. The inner error is one of the body.
    #[expect(
        clippy::disallowed_methods,
        reason = "the patience is with a connection, not part of what is decided"
    )]
    async fn stream(
        &mut self,
        inflate: &mut Inflate,
        splitter: &mut Splitter,
        body: &mut BodyDataStream,
    ) -> Result<Result<(), Failure>, Problem> {
        loop {
            let chunk = match tokio::time::timeout(STALL, body.next()).await {
                Err(_) => return Err(Problem::slow(STALL.as_secs())),
                Ok(None) => break,
                Ok(Some(Err(_))) => return Err(Problem::interrupted(self.receipt.accepted)),
                Ok(Some(Ok(chunk))) => chunk,
            };
            self.hold(splitter.held_bytes() + inflate.held_bytes() + chunk.len())?;
            let mut rest: &[u8] = &chunk;
            while !rest.is_empty() {
                let stepped = beside_others(|| {
                    inflate.step(&mut rest, |bytes| splitter.push(bytes, |piece| self.take(piece)))
                });
                if stepped.is_err() {
                    return Ok(stepped);
                }
                self.hold(splitter.held_bytes() + inflate.held_bytes() + chunk.len())?;
                if self.ready_bytes >= APPEND_BYTES {
                    self.append().await?;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(beside_others(|| inflate.finish(|bytes| splitter.push(bytes, |piece| self.take(piece)))))
    }

    /// Takes `bytes` and what is ready into the share of the budget.
    fn hold(&mut self, bytes: usize) -> Result<(), Problem> {
        if self.share.resize(bytes.saturating_add(self.ready_bytes)) { Ok(()) } else { Err(Problem::busy()) }
    }

    /// Records why a body could not be read to its end.
    fn failed(&mut self, failure: Failure) -> Problem {
        let config = &self.inner.config;
        let (reason, detail, problem) = match failure {
            Failure::TooLarge => (
                Reason::TooLarge,
                format!("body: more than {} after decompression", config.max_body),
                Problem::body_too_large(config.max_body),
            ),
            Failure::Ratio => (
                Reason::TooLarge,
                format!("body: grows by more than {} times when decompressed", config.max_ratio),
                Problem::ratio(config.max_ratio),
            ),
            Failure::Broken { after_bytes } => (
                Reason::Truncated,
                format!(
                    "body: compressed stream is damaged or cut off behind byte {after_bytes} of its content"
                ),
                Problem::broken(after_bytes, self.receipt.accepted),
            ),
            Failure::Trailing { after_bytes } => (
                Reason::Truncated,
                format!("body: something that is not gzip follows behind byte {after_bytes} of its content"),
                Problem::trailing(after_bytes, self.receipt.accepted),
            ),
            Failure::Window => {
                let limit = Bytes(1 << WINDOW_LOG);
                (
                    Reason::TooLarge,
                    format!("body: zstd frame with a window above {limit}"),
                    Problem::window(limit),
                )
            }
        };
        let reject = Reject::new(reason, detail, self.source(), 0);
        // Why a body was not read to its end is told beside however many rejects.
        self.keep(&reject);
        self.count(reject);
        problem
    }

    /// Source of a record that nothing could be told of.
    fn source(&self) -> &'static str {
        match self.format {
            Format::Native => "native",
            Format::LiteLlm => "litellm",
            Format::Auto => "unknown",
        }
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Record { bytes, at } => match formats::decode(self.format, bytes) {
                Ok(mut event) => {
                    event.strip(&self.inner.identities, &self.inner.labeller);
                    let mut payload = Vec::with_capacity(1024);
                    formats::write_event(&event, &mut payload);
                    if payload.len() > self.inner.config.max_event.len() {
                        let detail = format!(
                            "record: {} bytes without its texts, limit {}",
                            payload.len(),
                            self.inner.config.max_event
                        );
                        let reject = Reject::new(Reason::TooLarge, detail, &event.source, bytes.len());
                        self.refuse(reject, Some((at, bytes)));
                    } else {
                        let key = Some(event.request_id.clone().into_owned());
                        self.push(Outgoing { key, payload });
                        self.receipt.accepted += 1;
                        self.understood = true;
                    }
                }
                Err(reject) => self.refuse(reject, Some((at, bytes))),
            },
            Piece::TooLarge { size_bytes, at } => {
                let limit = self.inner.config.max_record;
                let detail = format!("record at byte {at}: {size_bytes} bytes, limit {limit}");
                let mut reject = Reject::new(Reason::TooLarge, detail, self.source(), 0);
                reject.size_bytes = size_bytes;
                // Its bytes are not there to be known again.
                self.refuse(reject, None);
            }
            Piece::Zeros { size_bytes, at } => {
                let reject = Reject::zeros(size_bytes, at, self.source());
                self.refuse(reject, Some((at, &size_bytes.to_le_bytes())));
            }
            Piece::Truncated { bytes, size_bytes, at } => {
                let detail = if size_bytes == 0 {
                    "body: the array is not closed".to_owned()
                } else {
                    format!("record at byte {at}: the body ends inside it")
                };
                let mut reject = Reject::new(Reason::Truncated, detail, self.source(), 0);
                reject.size_bytes = size_bytes;
                let is_whole = bytes.len() as u64 == size_bytes;
                self.refuse(reject, is_whole.then_some((at, bytes)));
            }
        }
        self.index += 1;
    }

    /// `known_by`: its place in the body and its bytes.
    fn refuse(&mut self, reject: Reject, known_by: Option<(u64, &[u8])>) {
        if self.kept_rejects < KEPT_REJECTS {
            self.kept_rejects += 1;
            if self.is_repeated(known_by) {
                self.repeated += 1;
            } else {
                self.keep(&reject);
            }
        } else {
            *self.further.entry(reject.reason).or_default() += 1;
            self.further_bytes = self.further_bytes.saturating_add(reject.size_bytes);
        }
        self.count(reject);
    }

    fn is_repeated(&mut self, known_by: Option<(u64, &[u8])>) -> bool {
        let Some((at, bytes)) = known_by else { return false };
        let mark = self.inner.repeats.mark(at, bytes);
        if self.inner.repeats.knows(mark) {
            return true;
        }
        self.fresh.push(mark);
        false
    }

    fn keep(&mut self, reject: &Reject) {
        let mut payload = Vec::new();
        formats::write_reject(reject, &mut payload);
        self.push(Outgoing { key: None, payload });
    }

    /// Makes one reject of all that were not kept one by one.
    fn sum_up(&mut self) {
        let further = std::mem::take(&mut self.further);
        let Some((&reason, _)) = further.iter().max_by_key(|(_, count)| **count) else { return };
        let total: u64 = further.values().sum();
        let counts: Vec<String> =
            further.iter().map(|(reason, count)| format!("{count} {}", reason.as_str())).collect();
        let detail = format!("body: {total} further records refused: {}", counts.join(", "));
        let mut reject = Reject::new(reason, detail, self.source(), 0);
        reject.size_bytes = self.further_bytes;
        // They are known by their numbers and by those that were kept before them.
        let numbers = format!("{} {} bytes", reject.detail, reject.size_bytes);
        let is_repeated = self.repeated == KEPT_REJECTS as u64;
        if self.is_repeated(Some((self.index, numbers.as_bytes()))) && is_repeated {
            self.repeated += total;
        } else {
            self.keep(&reject);
        }
    }

    fn count(&mut self, reject: Reject) {
        self.receipt.rejected += 1;
        self.understood |= matches!(
            reject.reason,
            Reason::WrongType
                | Reason::MissingField
                | Reason::MissingIdentity
                | Reason::InvalidValue
                | Reason::TimeOutOfRange
        );
        self.first.get_or_insert(reject.reason);
        if self.receipt.rejects.len() < TOLD {
            self.receipt.rejects.push(Refused {
                index: self.index,
                reason: reject.reason.as_str(),
                detail: reject.detail,
            });
        }
    }

    fn push(&mut self, record: Outgoing) {
        self.ready_bytes +=
            RECORD_BYTES + record.payload.capacity() + record.key.as_ref().map_or(0, String::capacity);
        self.ready.push(record);
    }

    async fn append(&mut self) -> Result<(), Problem> {
        if self.ready.is_empty() {
            return Ok(());
        }
        self.ready_bytes = 0;
        match self.inner.appender.append(std::mem::take(&mut self.ready)).await {
            Ok(()) => {
                self.inner.repeats.remember(self.fresh.drain(..));
                self.kept = self.receipt.accepted;
                Ok(())
            }
            Err(error) => {
                // A log over its bound is no failure: the sender is told, and the metric counts it.
                if !error.is_over_bound() {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "failed to append what the intake received"
                    );
                }
                Err(Problem::refused(&error, self.kept))
            }
        }
    }

    fn answer(self) -> Result<Receipt, Problem> {
        match (self.understood, self.receipt.rejects.first()) {
            (false, Some(first)) => {
                let detail = format!("record {}: {}: {}", first.index, first.reason, first.detail);
                Err(match self.first {
                    Some(Reason::TooLarge) => Problem::records_too_large(detail),
                    _ => Problem::unreadable(detail),
                })
            }
            _ => Ok(self.receipt),
        }
    }
}
