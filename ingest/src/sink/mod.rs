//! Commits batches exactly once.
//!
//! For each stream, the rows of `attempts` are those of the records with offset < T, where T is the stream's
//! application transaction in the same snapshot. A flush commits `rejects`, then `label_cells`, then `attempts`,
//! so T_attempts ≤ T_labels ≤ T_rejects always holds. After a crash in between a worker reads again from
//! T_attempts, and each table takes only the offsets that it does not have (`again`: what `rejects` has of them is
//! compared with what is refused now). A commit moves T by
//! compare-and-set: a worker that lost its stream is *fenced*, drops its batch and asks for the position anew.
//!
//! Events that come from no log at all (simulated history) take the same way under a stream of their own:
//! [`Batch::assign`](crate::batch::Batch::assign) with [`Stream::history`], [`Batch::push_event`] with offsets
//! counted by the writer from [`Sink::position`] on, [`Sink::flush`].

mod again;
mod backoff;
mod destroyed;
mod info;
mod line;
mod marks;
mod rows;
mod waits;

use std::time::Duration;

use arrow::array::RecordBatch;
use bellwether_warehouse::streams::StreamNames;
use bellwether_warehouse::{
    Advance, AppId, Change, CommitError, Retry, Staging, Table, TableId, Warehouse, World,
};

use crate::batch::{Batch, Frozen, Position, Prices, Range, Stream};
use crate::dedup::{self, Window};
use crate::metric;
use crate::spool::Ballast;
use again::Again;
use backoff::Backoff;
pub use info::DECODER;
pub use marks::{MarkError, Standing};
pub(crate) use waits::Waiting;
pub use waits::Waits;

/// Why a batch ends; a label of the flush metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushReason {
    Bytes,
    Rows,
    Age,
    Revoke,
    Shutdown,
    /// The source has no more.
    End,
}

impl FlushReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Rows => "rows",
            Self::Age => "age",
            Self::Revoke => "revoke",
            Self::Shutdown => "shutdown",
            Self::End => "end",
        }
    }
}

/// What a flush did.
#[derive(Clone, Debug, Default)]
pub struct Flushed {
    /// Version of `attempts`; None when there was nothing to commit.
    pub version: Option<i64>,
    pub took: Duration,
    pub reason: Option<FlushReason>,
    pub ranges: Vec<Range>,
    pub prices: Prices,
}

/// The batch is lost and every stream must be assigned again from the table's position.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    #[error("`{app}` is no longer at the position this worker read from; another worker has it")]
    Fenced {
        app: AppId,
        #[source]
        source: Box<CommitError>,
    },
    #[error("failed to write to `{table}` for {waited:?}")]
    Storage {
        table: &'static str,
        waited: Duration,
        #[source]
        source: Box<bellwether_warehouse::Error>,
    },
    #[error("failed to read what `rejects` holds of records that are read again")]
    Again(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Trying again cannot help.
    #[error("`{table}` cannot take the rows")]
    Table {
        table: &'static str,
        #[source]
        source: Box<bellwether_warehouse::Error>,
    },
    /// The rows of these streams are none that the table takes: trying again cannot help them. The other streams of
    /// the batch are well.
    #[error("`{table}` cannot take the rows of {apps:?}")]
    Rows {
        table: &'static str,
        apps: Vec<AppId>,
        #[source]
        source: Box<bellwether_warehouse::Error>,
    },
    #[error("stopped by fail point `{0}`")]
    Interrupted(&'static str),
}

/// Handles on the three tables. One per worker.
#[derive(Debug)]
pub struct Sink {
    rejects: Table,
    cells: Table,
    attempts: Table,
    patience: Option<Duration>,
    ballast: Option<Ballast>,
    world: World,
    waits: Waits,
}

impl Sink {
    /// # Errors
    /// A table cannot be opened.
    pub async fn open(warehouse: &Warehouse) -> Result<Self, bellwether_warehouse::Error> {
        Ok(Self {
            rejects: warehouse.table(TableId::Rejects).await?,
            cells: warehouse.table(TableId::LabelCells).await?,
            attempts: warehouse.table(TableId::Attempts).await?,
            patience: None,
            ballast: None,
            world: warehouse.world().clone(),
            waits: Waits::default(),
        })
    }

    /// Gives up on storage that fails for this long. Without it a flush is tried for ever, which is right for a
    /// worker whose log can wait.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Gives up this ballast when a table's disk is full. Whoever reads the spool makes it again.
    pub fn with_ballast(mut self, ballast: Ballast) -> Self {
        self.ballast = Some(ballast);
        self
    }

    /// The warehouse's clock and dice.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Tells here when it has to wait for storage.
    pub fn telling(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// `attempts` as this sink last saw it.
    pub fn attempts(&self) -> &bellwether_warehouse::Snapshot {
        self.attempts.snapshot()
    }

    /// Reads anew how far the tables are with a stream.
    ///
    /// # Errors
    /// A log cannot be read.
    pub async fn position(&mut self, stream: &Stream) -> Result<Position, bellwether_warehouse::Error> {
        self.refresh().await?;
        Ok(self.position_seen(stream))
    }

    /// Reads what others committed since.
    ///
    /// # Errors
    /// A log cannot be read.
    pub async fn refresh(&mut self) -> Result<(), bellwether_warehouse::Error> {
        // In the opposite order of the commits, so that no table seems to be behind a later one.
        self.attempts.refresh().await?;
        self.cells.refresh().await?;
        self.rejects.refresh().await?;
        Ok(())
    }

    /// How far the tables are with a stream, as last read.
    pub fn position_seen(&self, stream: &Stream) -> Position {
        let (app, attempts) = (stream.app(), self.attempts.snapshot());
        Position {
            attempts: attempts.txn(&app),
            labels: self.cells.snapshot().txn(&app),
            rejects: self.rejects.snapshot().txn(&app),
            time: attempts.txn(&stream.time_app()),
            held: attempts.txn(&stream.held_app()),
            held_under: attempts.txn(&stream.held_under_app()),
        }
    }

    /// The ids of the newest rows below `start`, as far as `limit` reaches.
    ///
    /// # Errors
    /// `attempts` cannot be read.
    pub async fn window(
        &self,
        stream: &Stream,
        start: i64,
        limit: usize,
    ) -> Result<Window, dedup::RebuildError> {
        let (name, topic) = (stream.to_string(), stream.lineage());
        let wanted = dedup::Wanted { stream: &name, topic, partition: stream.partition(), below: start };
        dedup::rebuild(self.attempts.snapshot(), wanted, limit).await
    }

    /// Commits what the batch holds. The batch goes on behind it with the same streams.
    ///
    /// # Errors
    /// The batch is cleared: nothing of it may be counted on.
    pub async fn flush(&mut self, batch: &mut Batch, reason: FlushReason) -> Result<Flushed, FlushError> {
        let Some(frozen) = batch.freeze() else { return Ok(Flushed::default()) };
        let result = self.commit(frozen, reason).await;
        if result.is_err() {
            batch.clear();
        }
        result
    }

    /// Commits a frozen batch. Batches of one stream must come in order.
    ///
    /// # Errors
    /// This batch and all that were frozen behind it are lost.
    pub async fn commit(&mut self, frozen: Frozen, reason: FlushReason) -> Result<Flushed, FlushError> {
        let started = self.world.now();
        let ranges = &frozen.ranges;
        let backoff = |id: TableId| {
            let (waits, world) = (self.waits.clone(), self.world.clone());
            Backoff::new(id.name(), self.patience, self.ballast.clone(), waits, world)
        };
        let (of_rejects, of_cells, of_attempts) =
            (backoff(TableId::Rejects), backoff(TableId::LabelCells), backoff(TableId::Attempts));
        fail_point("sink-before-rejects", ranges)?;
        rows::fail_point(ranges)?;
        let Again { rows, advance, recovered } =
            again::compare(&mut self.rejects, ranges, frozen.rejects_again.as_ref())
                .await
                .map_err(FlushError::Again)?;
        let (info, untold) = (info::of(ranges, &recovered), StreamNames::default());
        let rejects: Vec<RecordBatch> = frozen.rejects.iter().cloned().chain(rows).collect();
        let advance = [advances(ranges, |position| position.rejects), advance].concat();
        let parts = Parts { rows: &rejects, streams: &untold, advance, expect: Vec::new() };
        let committed = commit(&mut self.rejects, parts, &info, of_rejects).await;
        rows::told_apart(committed, &self.rejects, &rejects, ranges).await?;
        fail_point("sink-after-rejects", ranges)?;
        let advance = advances(ranges, |position| position.labels);
        let table = TableId::LabelCells.name();
        let kept = destroyed::keep(frozen.cells.as_ref(), self.cells.snapshot()).map_err(|source| {
            let source = bellwether_warehouse::Error::Arrow { table, source };
            FlushError::Table { table, source: Box::new(source) }
        })?;
        let parts = Parts { rows: kept.cells.as_slice(), streams: &untold, advance, expect: kept.expect };
        commit(&mut self.cells, parts, &info, of_cells).await?;
        metrics::counter!(metric::LABELS_DROPPED).increment(kept.dropped as u64);
        fail_point("sink-after-label-cells", ranges)?;
        let mut advance = advances(ranges, |position| position.attempts);
        advance.extend(ranges.iter().flat_map(beside));
        let info = info::with_intake(info, &frozen.sources);
        let (own, streams) = (frozen.rows.as_slice(), names(ranges));
        let parts = Parts { rows: own, streams: &streams, advance, expect: Vec::new() };
        let committed = commit(&mut self.attempts, parts, &info, of_attempts).await;
        let version = rows::told_apart(committed, &self.attempts, own, ranges).await?;
        fail_point("sink-after-attempts", ranges)?;
        self.waits.moved();
        let took = self.world.since(started);
        let recovered = recovered.iter().map(|(_, rejects)| rejects).sum();
        metrics::counter!(metric::RECOVERED).increment(recovered);
        record(&frozen, reason, took);
        let Frozen { ranges, prices, .. } = frozen;
        Ok(Flushed { version, took, reason: Some(reason), ranges, prices })
    }
}

/// By what the rows of each stream say.
fn names(ranges: &[Range]) -> StreamNames {
    let mut names = StreamNames::default();
    for Range { stream, .. } in ranges {
        names.insert(stream.lineage(), stream.partition(), stream.to_string());
    }
    names
}

/// What moves in one table: the streams that it is not ahead of.
fn advances(ranges: &[Range], table: impl Fn(&Position) -> Option<i64>) -> Vec<Advance> {
    ranges
        .iter()
        .map(|range| Advance { app: range.stream.app(), from: table(&range.from), to: range.end })
        .filter(|advance| advance.from.is_none_or(|from| from < advance.to))
        .collect()
}

/// What moves beside T in `attempts`.
fn beside(range: &Range) -> Vec<Advance> {
    let mut advance = Vec::new();
    if let Some(to) = range.time.filter(|to| range.from.time != Some(*to)) {
        advance.push(Advance { app: range.stream.time_app(), from: range.from.time, to });
    }
    if let Some(settings) = range.hold {
        let (app, from) = (range.stream.held_app(), range.from.held);
        advance.push(Advance { app, from, to: range.end });
        let (app, from) = (range.stream.held_under_app(), range.from.held_under);
        advance.push(Advance { app, from, to: settings });
    }
    advance
}

/// What one table gets.
struct Parts<'a> {
    rows: &'a [RecordBatch],
    streams: &'a StreamNames,
    advance: Vec<Advance>,
    expect: Vec<(AppId, Option<i64>)>,
}

/// Writes and commits to one table; tried again for as long as the trouble may pass. None: nothing to commit.
async fn commit(
    table: &mut Table,
    Parts { rows, streams, advance, expect }: Parts<'_>,
    info: &serde_json::Map<String, serde_json::Value>,
    mut backoff: Backoff,
) -> Result<Option<i64>, FlushError> {
    if advance.is_empty() {
        return Ok(None);
    }
    let name = table.id().name();
    let staging = store(table, rows, streams, &mut backoff).await?;
    // A commit whose answer was lost may have landed all the same.
    let mut is_in_doubt = false;
    loop {
        let change = Change {
            advance: advance.clone(),
            expect: expect.clone(),
            add: staging.files(),
            info: info.clone(),
            ..Change::default()
        };
        match table.commit(change).await {
            Ok(committed) => return Ok(Some(committed.version)),
            Err(CommitError::Log { source, .. }) if source.retry() != Retry::Never => {
                is_in_doubt = true;
                backoff.wait(source).await?;
            }
            Err(CommitError::Log { source, .. }) => {
                return Err(FlushError::Table { table: name, source: Box::new(source) });
            }
            Err(error) => {
                if !is_in_doubt {
                    staging.discard().await;
                }
                let app = match &error {
                    CommitError::Fenced { app, .. } => app.clone(),
                    _ => AppId(String::new()),
                };
                metrics::counter!(metric::FENCED).increment(1);
                return Err(FlushError::Fenced { app, source: Box::new(error) });
            }
        }
    }
}

/// Stores the rows as files. A further try goes on with what is not stored yet, and giving up leaves nothing.
async fn store(
    table: &Table,
    rows: &[RecordBatch],
    streams: &StreamNames,
    backoff: &mut Backoff,
) -> Result<Staging, FlushError> {
    let name = table.id().name();
    let fatal = |error| FlushError::Table { table: name, source: Box::new(error) };
    let mut staging = loop {
        match table.stage_of_streams(rows, streams.clone()).await {
            Ok(staging) => break staging,
            Err(error) if error.retry() != Retry::Never => backoff.wait(error).await?,
            Err(error) => return Err(fatal(error)),
        }
    };
    loop {
        let given_up = match staging.store().await {
            Ok(()) => return Ok(staging),
            Err(error) if error.retry() != Retry::Never => backoff.wait(error).await.err(),
            Err(error) => Some(fatal(error)),
        };
        if let Some(error) = given_up {
            staging.discard().await;
            return Err(error);
        }
    }
}

fn record(frozen: &Frozen, reason: FlushReason, took: Duration) {
    metrics::counter!(metric::FLUSHES, "reason" => reason.as_str()).increment(1);
    metrics::histogram!(metric::FLUSH_SECONDS).record(took.as_secs_f64());
    for (source, counts) in &frozen.sources {
        metrics::counter!(metric::ROWS, "source" => source.clone()).increment(counts.rows);
        metrics::counter!(metric::REJECTS, "source" => source.clone()).increment(counts.rejects);
        metrics::counter!(metric::DUPLICATES, "source" => source.clone()).increment(counts.duplicates);
        metrics::counter!(metric::UNKNOWN_FIELDS, "source" => source.clone())
            .increment(counts.unknown_fields);
        for (reason, count) in
            [("absurd", counts.absurd), ("diagnostic", counts.diagnostics), ("word", counts.words)]
        {
            metrics::counter!(metric::FLAWS, "source" => source.clone(), "reason" => reason).increment(count);
        }
    }
    for (reason, records) in &frozen.reasons {
        metrics::counter!(metric::REJECT_REASONS, "reason" => reason.as_str()).increment(*records);
    }
    metrics::counter!(metric::PRICED_BY_LIST).increment(frozen.prices.by_list);
    for (provider, rows) in &frozen.prices.far_from_list {
        metrics::counter!(metric::PRICE_MISMATCHES, "provider" => provider.clone()).increment(*rows);
    }
    for range in &frozen.ranges {
        metrics::counter!(metric::SKIPPED, "topic" => range.stream.topic().to_owned())
            .increment(range.counts.skipped);
    }
}

/// `<name>=return` kills the process on the spot, as a power cut would. `<name>=return(<words>)` makes the flushes
/// fail there of which `<thread> <app id>@<start>` holds all the words.
fn fail_point(name: &'static str, ranges: &[Range]) -> Result<(), FlushError> {
    let interrupt = fail::eval(name, |words| match words {
        Some(words) => ranges.iter().any(|range| is_meant(range, &words)),
        None => {
            // A signal may arrive a moment late; the abort behind it does not.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
    });
    if interrupt == Some(true) { Err(FlushError::Interrupted(name)) } else { Ok(()) }
}

fn is_meant(range: &Range, words: &str) -> bool {
    let thread = std::thread::current();
    let place = format!("{} {}@{} ", thread.name().unwrap_or_default(), range.stream, range.start);
    words.split(' ').all(|word| place.contains(word))
}

#[cfg(test)]
mod tests;
