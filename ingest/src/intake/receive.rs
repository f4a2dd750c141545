//! One body: split, decode, strip, append.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures::StreamExt;

use super::appender::Outgoing;
use super::budget::Share;
use super::inflate::{Compression, Failure, Inflate};
use super::problem::Problem;
use super::{Inner, Receipt, Refused};
use crate::formats::{self, Format};
use crate::metric;
use crate::reject::{Reason, Reject};
use crate::split::{Piece, Splitter};

/// Stripped events are appended whenever this much is ready.
const APPEND_BYTES: usize = 256 << 10;
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
    intake.append().await?;
    for (outcome, count) in [("accepted", intake.receipt.accepted), ("rejected", intake.receipt.rejected)] {
        let format = format.to_string();
        metrics::counter!(metric::INTAKE_RECORDS, "format" => format, "outcome" => outcome).increment(count);
    }
    outcome?;
    intake.answer()
}

/// Reads on for a while after a refusal: a connection that is closed under a sender that still writes gives it
/// a broken pipe instead of the reason.
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
        let result = loop {
            let chunk = match tokio::time::timeout(STALL, body.next()).await {
                Err(_) => break Err(Problem::slow(STALL.as_secs())),
                Ok(None) => break Ok(()),
                Ok(Some(Err(_))) => break Err(Problem::interrupted(self.receipt.accepted)),
                Ok(Some(Ok(chunk))) => chunk,
            };
            if let Err(failure) = inflate.push(&chunk, |bytes| splitter.push(bytes, |piece| self.take(piece)))
            {
                break Err(self.failed(failure));
            }
            if !self.share.resize(splitter.held_bytes() + self.ready_bytes + chunk.len()) {
                break Err(Problem::busy());
            }
            if self.ready_bytes >= APPEND_BYTES {
                self.append().await?;
            }
        };
        let result = result.and_then(|()| {
            inflate
                .finish(|bytes| splitter.push(bytes, |piece| self.take(piece)))
                .map_err(|failure| self.failed(failure))
        });
        let read_bytes = inflate.given_bytes();
        metrics::counter!(metric::INTAKE_BYTES, "format" => self.format.to_string()).increment(read_bytes);
        result?;
        if splitter.is_empty() {
            let detail = "the body is empty; send a JSON array, JSON lines or one JSON object".to_owned();
            return Err(Problem::unreadable(detail));
        }
        splitter.finish(|piece| self.take(piece));
        Ok(())
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
        };
        self.refuse(Reject::new(reason, detail, self.source(), 0));
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
            Piece::Record { bytes, .. } => match formats::decode(self.format, bytes) {
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
                        self.refuse(Reject::new(Reason::TooLarge, detail, &event.source, bytes.len()));
                    } else {
                        let key = Some(event.request_id.clone().into_owned());
                        self.push(Outgoing { key, payload });
                        self.receipt.accepted += 1;
                        self.understood = true;
                    }
                }
                Err(reject) => self.refuse(reject),
            },
            Piece::TooLarge { size_bytes, at } => {
                let limit = self.inner.config.max_record;
                let detail = format!("record at byte {at}: {size_bytes} bytes, limit {limit}");
                let mut reject = Reject::new(Reason::TooLarge, detail, self.source(), 0);
                reject.size_bytes = size_bytes;
                self.refuse(reject);
            }
            Piece::Truncated { size_bytes, at, .. } => {
                let detail = if size_bytes == 0 {
                    "body: the array is not closed".to_owned()
                } else {
                    format!("record at byte {at}: the body ends inside it")
                };
                let mut reject = Reject::new(Reason::Truncated, detail, self.source(), 0);
                reject.size_bytes = size_bytes;
                self.refuse(reject);
            }
        }
        self.index += 1;
    }

    fn refuse(&mut self, reject: Reject) {
        let mut payload = Vec::new();
        formats::write_reject(&reject, &mut payload);
        self.push(Outgoing { key: None, payload });
        self.receipt.rejected += 1;
        self.understood |= matches!(
            reject.reason,
            Reason::WrongType | Reason::MissingField | Reason::InvalidValue | Reason::TimeOutOfRange
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
        self.ready_bytes += record.payload.len();
        self.ready.push(record);
    }

    async fn append(&mut self) -> Result<(), Problem> {
        if self.ready.is_empty() {
            return Ok(());
        }
        self.ready_bytes = 0;
        self.inner.appender.append(std::mem::take(&mut self.ready)).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to append what the intake received"
            );
            Problem::not_durable()
        })
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
