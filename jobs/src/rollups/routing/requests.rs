//! Attempts brought together to requests, and requests counted by hour and model of their first attempt.
//!
//! A loop and not SQL: the first and last of the ordered attempts of millions of requests, most of them of
//! one attempt, took an engine a hundred times as long and gigabytes. `oracle.sql` says the same in SQL, and
//! the tests compare the two.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int16Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, take};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::Outcome;
use bellwether_warehouse::tables::rollup::{Key, Sums};
use bellwether_warehouse::tables::routing_hourly::{FAMILY, Routing};
use chrono::TimeDelta;
use datafusion::common::{Result, internal_datafusion_err, internal_err};

use crate::keys::{Bucket, Groups, NameInterner, Rank};

const ID: &[Key] = &[Key::text("request_id")];

pub(super) const COLUMNS: &[&str] = &[
    "event_id",
    "request_id",
    "attempt",
    "is_final",
    "started_at",
    "model_id",
    "author",
    "outcome",
    "output_tokens",
    "ttft_ms",
    "gateway_cache_hit",
];

/// What is computed and what is read for it, in µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Requests that began in `[from, to)` are counted.
    pub from: i64,
    pub to: i64,
    /// Attempts in `[read_from, read_to)` may be theirs.
    pub read_from: i64,
    pub read_to: i64,
}

impl Window {
    /// Requests that began in `[from, to)` µs and take at most `span`.
    pub(super) fn new(from: i64, to: i64, span: TimeDelta) -> Self {
        let span = span.num_microseconds().unwrap_or_default();
        Self { from, to, read_from: from - span, read_to: to + span }
    }

    /// From when to before when attempts are read.
    pub(super) fn read(self) -> (i64, i64) {
        (self.read_from, self.read_to)
    }
}

/// How an attempt ended, as far as routing asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Success,
    Fault,
    RateLimited,
    /// Says nothing about a provider's uptime.
    Other,
}

/// What is kept of the first or the last attempt of a request. Instants and attempt numbers tie only where
/// a source tells neither apart; then the event id decides, looked up where it lies.
#[derive(Clone, Copy, Debug)]
struct Order {
    started_at: i64,
    /// Unknown comes last.
    attempt: i32,
    batch: u32,
    row: u32,
}

/// A request of which attempts came one by one.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: Order,
    last: Order,
    names: u32,
    attempts: u32,
    ending: Ending,
    by_gateway: bool,
    final_success: bool,
}

pub(super) struct Requests {
    window: Window,
    names: NameInterner,
    groups: Groups,
    counts: Vec<Routing>,
    ids: NameInterner,
    chains: Vec<Chain>,
    /// Event ids of the batches that `Order` points into.
    events: Vec<StringArray>,
    event_bytes: usize,
}

impl Requests {
    pub(super) fn new(window: Window) -> Result<Self> {
        Ok(Self {
            window,
            names: NameInterner::new(FAMILY.keys)?,
            groups: Groups::default(),
            counts: Vec::new(),
            ids: NameInterner::new(ID)?,
            chains: Vec::new(),
            events: Vec::new(),
            event_bytes: 0,
        })
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let input = Input::new(batch)?;
        let mut names = Vec::new();
        self.names.intern(&input.keys, &mut names)?;
        let Window { from, to, read_from, read_to } = self.window;
        let mut loose = Vec::new();
        for (row, names) in names.iter().enumerate() {
            let started_at = input.started_at.value(row);
            if input.is_alone(row) {
                // One record told the whole request: nothing to bring together.
                if (from..to).contains(&started_at) && !input.is_by_gateway(row) {
                    let ending = input.ending(row);
                    self.count(started_at, *names, 1, ending, ending == Ending::Success);
                }
            } else if (read_from..read_to).contains(&started_at) {
                loose.push(row as u32);
            }
        }
        if !loose.is_empty() {
            self.chain(&input, &names, loose)?;
        }
        Ok(())
    }

    /// Bytes held, about.
    pub(super) fn size(&self) -> usize {
        let counts = self.counts.len() * (size_of::<Routing>() + 32);
        self.ids.size() + self.chains.capacity() * size_of::<Chain>() + self.event_bytes + counts
    }

    fn chain(&mut self, input: &Input, names: &[usize], rows: Vec<u32>) -> Result<()> {
        let batch = self.events.len() as u32;
        let rows = UInt32Array::from(rows);
        let events = take(&input.events, &rows, None)?.as_string::<i32>().clone();
        self.event_bytes += events.get_array_memory_size();
        self.events.push(events);
        let mut requests = Vec::new();
        self.ids.intern(&[take(&input.requests, &rows, None)?], &mut requests)?;
        for (at, (row, request)) in (0_u32..).zip(rows.values().iter().zip(requests)) {
            let row = *row as usize;
            let attempt =
                if input.attempt.is_null(row) { i32::MAX } else { i32::from(input.attempt.value(row)) };
            let order = Order { started_at: input.started_at.value(row), attempt, batch, row: at };
            let ending = input.ending(row);
            let own = Chain {
                first: order,
                last: order,
                names: names[row] as u32,
                attempts: 1,
                ending,
                by_gateway: input.is_by_gateway(row),
                final_success: ending == Ending::Success,
            };
            match self.chains.get_mut(request) {
                None => self.chains.push(own),
                Some(chain) => {
                    chain.attempts += 1;
                    if order.is_before(&chain.first, &self.events) {
                        chain.first = order;
                        (chain.names, chain.ending, chain.by_gateway) =
                            (own.names, own.ending, own.by_gateway);
                    }
                    if chain.last.is_before(&order, &self.events) {
                        chain.last = order;
                        chain.final_success = own.final_success;
                    }
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn count(&mut self, started_at: i64, names: usize, attempts: i64, first: Ending, final_success: bool) {
        let group = self.groups.group(Bucket::of(started_at).hour(), names);
        if group == self.counts.len() {
            self.counts.push(Routing::default());
        }
        let counts = &mut self.counts[group];
        let routed_ok = i64::from(final_success);
        counts.all_requests += 1;
        counts.attempts += attempts;
        if matches!(first, Ending::Success | Ending::Fault) {
            counts.requests += 1;
            counts.routed_ok += routed_ok;
        }
        if first != Ending::Other {
            counts.requests_with_rate_limits += 1;
            counts.routed_ok_with_rate_limits += routed_ok;
        }
        // A rate-limited first attempt is no success, so both pairs share this count.
        let first_ok = i64::from(first == Ending::Success);
        counts.first_ok += first_ok;
        counts.first_ok_with_rate_limits += first_ok;
    }

    /// Rows of `routing_hourly`, sorted by key.
    pub(super) fn finish(mut self) -> Result<RecordBatch> {
        let Window { from, to, .. } = self.window;
        for chain in std::mem::take(&mut self.chains) {
            let started_at = chain.first.started_at;
            if (from..to).contains(&started_at) && !chain.by_gateway {
                let attempts = i64::from(chain.attempts);
                self.count(started_at, chain.names as usize, attempts, chain.ending, chain.final_success);
            }
        }
        let (names, rank_of) = self.names.finish()?;
        let keys = self.groups.finish(&rank_of);
        let mut rows: Vec<((Bucket, Rank), Routing)> = keys.into_iter().zip(self.counts).collect();
        rows.sort_unstable_by_key(|row| row.0);
        let (keys, counts): (Vec<(Bucket, Rank)>, Vec<Routing>) = rows.into_iter().unzip();
        let ranks = UInt32Array::from_iter_values(keys.iter().map(|key| key.1));
        let schema = TableId::RoutingHourly.schema();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for field in schema.fields() {
            columns.push(match field.name().as_str() {
                "date" => Arc::new(Date32Array::from_iter_values(keys.iter().map(|key| key.0.day_number()))),
                "hour" => {
                    let hours = keys.iter().map(|key| key.0.start_us());
                    Arc::new(TimestampMicrosecondArray::from_iter_values(hours).with_timezone("UTC"))
                }
                name => match (names.column(name, &ranks), Routing::column(&counts, name)) {
                    (Some(names), _) => names?,
                    (None, Some(counts)) => counts,
                    (None, None) => {
                        return internal_err!("nothing is counted for `{name}` of `routing_hourly`");
                    }
                },
            });
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

impl Order {
    fn is_before(&self, other: &Self, events: &[StringArray]) -> bool {
        let key = |order: &Self| (order.started_at, order.attempt);
        let event = |order: &Self| events[order.batch as usize].value(order.row as usize);
        key(self).cmp(&key(other)).then_with(|| event(self).cmp(event(other))).is_lt()
    }
}

/// Columns of one batch.
struct Input {
    keys: Vec<ArrayRef>,
    events: ArrayRef,
    /// An attempt that names no request is a request of its own.
    requests: ArrayRef,
    attempt: Int16Array,
    is_final: BooleanArray,
    started_at: TimestampMicrosecondArray,
    outcome: StringArray,
    output_tokens: Int64Array,
    ttft_ms: Int32Array,
    gateway_cache_hit: BooleanArray,
}

impl Input {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).cloned();
            column.ok_or_else(|| internal_datafusion_err!("`attempts` has no column `{name}`"))
        };
        let wrong = |name: &str| internal_datafusion_err!("`{name}` of `attempts` has another type");
        let flags = |name: &str| column(name)?.as_boolean_opt().cloned().ok_or_else(|| wrong(name));
        let (events, requests) = (column("event_id")?, column("request_id")?);
        Ok(Self {
            keys: FAMILY.keys.iter().map(|key| column(key.name)).collect::<Result<_>>()?,
            requests: zip(&is_not_null(&requests)?, &requests, &events)?,
            events,
            attempt: column("attempt")?
                .as_primitive_opt::<Int16Type>()
                .cloned()
                .ok_or_else(|| wrong("attempt"))?,
            is_final: flags("is_final")?,
            started_at: column("started_at")?
                .as_primitive_opt::<TimestampMicrosecondType>()
                .cloned()
                .ok_or_else(|| wrong("started_at"))?,
            outcome: column("outcome")?.as_string_opt().cloned().ok_or_else(|| wrong("outcome"))?,
            output_tokens: column("output_tokens")?
                .as_primitive_opt::<Int64Type>()
                .cloned()
                .ok_or_else(|| wrong("output_tokens"))?,
            ttft_ms: column("ttft_ms")?
                .as_primitive_opt::<Int32Type>()
                .cloned()
                .ok_or_else(|| wrong("ttft_ms"))?,
            gateway_cache_hit: flags("gateway_cache_hit")?,
        })
    }

    /// The only attempt of its request, as one record tells.
    #[inline]
    fn is_alone(&self, row: usize) -> bool {
        self.attempt.is_valid(row)
            && self.attempt.value(row) == 0
            && self.is_final.is_valid(row)
            && self.is_final.value(row)
    }

    /// Answered by the router itself, for better or worse: says nothing about a provider.
    #[inline]
    fn is_by_gateway(&self, row: usize) -> bool {
        self.outcome.value(row) == Outcome::GatewayError.as_str() || self.gateway_cache_hit.value(row)
    }

    #[inline]
    fn ending(&self, row: usize) -> Ending {
        let Some(outcome) = Outcome::parse(self.outcome.value(row)) else {
            return Ending::Other;
        };
        let tokens = self.output_tokens.is_valid(row).then(|| self.output_tokens.value(row));
        match outcome {
            _ if outcome.is_success(tokens, self.ttft_ms.is_valid(row)) => Ending::Success,
            Outcome::Fault => Ending::Fault,
            Outcome::RateLimited => Ending::RateLimited,
            Outcome::Ok | Outcome::ClientError | Outcome::Cancelled | Outcome::GatewayError => Ending::Other,
        }
    }
}
