//! One run of an import: examine, claim, load.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_warehouse::Warehouse;
use tokio::sync::mpsc;

use super::file::{self, Content};
use super::ledger::{Claim, Ledger, Wanted};
use super::lock::Lock;
use super::portion::{self, Owned, Portion};
use super::summary::{FileStatus, FileSummary, Names, Summary};
use super::{ImportError, Options, Progress};
use crate::batch::{Batch, Message, Outcome, Slot, Stream, Tools};
use crate::dedup::{Dates, Seen};
use crate::event::Event;
use crate::formats;
use crate::sink::{FlushError, FlushReason, Sink};

/// Files whose ranges are claimed in one commit.
const GROUP_FILES: usize = 1000;
const GROUP_BYTES: u64 = 256 << 20;
const DAY_US: i64 = 86_400_000_000;

pub(super) struct Run<'a> {
    options: &'a Options,
    progress: &'a (dyn Fn(Progress<'_>) + Sync),
    ledger: Ledger,
    sink: Sink,
    batch: Batch,
    slot: Slot,
    /// Bytes read of all files.
    read: Arc<AtomicU64>,
    total_bytes: u64,
    file_count: usize,
    rows: u64,
    _lock: Lock,
    summary: Summary,
    names: Names,
    /// Claims of whole contents that gave only rejects, not yet noted.
    only_rejects: Vec<Claim>,
}

/// A file with what is in it.
struct Examined {
    index: usize,
    path: PathBuf,
    content: Content,
    /// The hash under which the ledger knows or will know the content.
    key: String,
    /// Items before it have their place from an earlier run.
    first_item: u64,
    status: FileStatus,
}

impl<'a> Run<'a> {
    pub(super) async fn open(
        warehouse: &Warehouse,
        tools: Tools,
        options: &'a Options,
        files: &[PathBuf],
        progress: &'a (dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Self, ImportError> {
        let mut total_bytes = 0;
        for path in files {
            let fail = |source| ImportError::Read { path: path.clone(), source };
            let metadata = std::fs::metadata(path).map_err(fail)?;
            if !metadata.is_file() {
                return Err(ImportError::NotAFile { path: path.clone() });
            }
            total_bytes += metadata.len() * 2;
        }
        let lock = Lock::take(warehouse)?;
        let ledger = Ledger::open(warehouse).await?;
        let mut sink =
            Sink::open(warehouse).await.map_err(ImportError::Tables)?.with_patience(options.patience);
        let stream = Stream::import();
        let position = sink.position(&stream).await.map_err(ImportError::Tables)?;
        let mut batch = Batch::new(tools);
        let start = position.attempts.unwrap_or_default();
        let slot = batch.assign(stream, position, start, Seen::Dates(Dates::new(options.max_ids.0)));
        Ok(Self {
            options,
            progress,
            ledger,
            sink,
            batch,
            slot,
            read: Arc::default(),
            total_bytes,
            file_count: files.len(),
            rows: 0,
            _lock: lock,
            summary: Summary::default(),
            names: Names::default(),
            only_rejects: Vec::new(),
        })
    }

    pub(super) async fn all(mut self, files: &[PathBuf]) -> Result<Summary, ImportError> {
        let mut summaries: HashMap<usize, FileSummary> = HashMap::new();
        let mut seen = HashSet::new();
        let mut fresh = Vec::new();
        let mut begun = HashMap::new();
        for (index, path) in files.iter().enumerate() {
            let content = self.examine(index, path).await?;
            let is_repeated = !seen.insert(content.hash);
            let key = self.key_of(&content);
            let claim = self.ledger.claim_of(&key);
            let path = path.clone();
            let mut examined =
                Examined { index, path, content, key, first_item: 0, status: FileStatus::Imported };
            if is_repeated {
                self.skip(examined, &mut summaries);
                continue;
            }
            match claim {
                None => fresh.push(examined),
                Some(Claim { given_up_at: Some(item), .. }) => {
                    examined.first_item = *item;
                    fresh.push(examined);
                }
                Some(claim) if claim.only_rejects && claim.end <= self.position() => {
                    tracing::warn!(
                        file = %examined.path.display(),
                        "an earlier import of this file rejected every record, so it is read again"
                    );
                    examined.status = FileStatus::ImportedAgain;
                    fresh.push(examined);
                }
                Some(claim) if claim.end <= self.position() && self.options.again => {
                    examined.status = FileStatus::ImportedAgain;
                    fresh.push(examined);
                }
                Some(claim) if claim.end <= self.position() => self.skip(examined, &mut summaries),
                Some(_) => {
                    examined.status = FileStatus::Resumed;
                    begun.insert(examined.key.clone(), examined);
                }
            }
        }
        // What an earlier run has begun comes first, for its ranges lie before all new ones.
        let unfinished: Vec<Claim> = self.ledger.unfinished(self.position()).into_iter().cloned().collect();
        for claim in unfinished {
            match begun.remove(&claim.hash) {
                Some(examined) => {
                    let index = examined.index;
                    summaries.insert(index, self.load(examined, &claim).await?);
                }
                None => self.give_up(&claim).await?,
            }
        }
        self.note_only_rejects().await?;
        let mut queue: Vec<Examined> = Vec::new();
        let mut group_bytes = 0;
        for examined in fresh {
            group_bytes += examined.content.size_bytes;
            queue.push(examined);
            if queue.len() >= GROUP_FILES || group_bytes >= GROUP_BYTES {
                self.group(std::mem::take(&mut queue), &mut summaries).await?;
                group_bytes = 0;
            }
        }
        self.group(queue, &mut summaries).await?;
        self.flush(FlushReason::End).await?;
        self.finish(summaries)
    }

    /// Earlier versions knew a packed file by its own bytes.
    fn key_of(&self, content: &Content) -> String {
        let former = content.file_hash.to_hex().to_string();
        if self.ledger.claim_of(&former).is_some() { former } else { content.hash.to_hex().to_string() }
    }

    /// Goes behind a claim whose content is not among the files.
    async fn give_up(&mut self, claim: &Claim) -> Result<(), ImportError> {
        self.flush(FlushReason::End).await?;
        if claim.given_up_at.is_none() {
            tracing::warn!(
                file = claim.file_name,
                from = self.position(),
                to = claim.end,
                "an earlier import of this file was cut off; import it again to add the rest"
            );
            self.summary.unfinished.push(claim.file_name.clone());
            self.ledger.give_up(claim, self.position(), self.batch.tools().world.wall_us()).await?;
        }
        self.batch.skip_to(self.slot, claim.end);
        Ok(())
    }

    fn finish(mut self, summaries: HashMap<usize, FileSummary>) -> Result<Summary, ImportError> {
        let mut summaries: Vec<(usize, FileSummary)> = summaries.into_iter().collect();
        summaries.sort_unstable_by_key(|(index, _)| *index);
        for (_, file) in summaries {
            self.summary.records += file.records;
            self.summary.rows += file.rows;
            self.summary.rejects += file.rejects;
            self.summary.duplicates += file.duplicates;
            self.summary.files.push(file);
        }
        self.names.into_summary(&mut self.summary);
        Ok(self.summary)
    }

    /// Next offset of the import log that is not in the batch or the table.
    fn position(&self) -> i64 {
        self.batch.next_offset(self.slot).unwrap_or_default()
    }

    fn skip(&self, examined: Examined, summaries: &mut HashMap<usize, FileSummary>) {
        // The second reading does not take place.
        self.read.fetch_add(examined.content.size_bytes, Ordering::Relaxed);
        let summary = FileSummary::new(examined.path, FileStatus::AlreadyImported);
        summaries.insert(examined.index, summary);
    }

    async fn examine(&self, index: usize, path: &Path) -> Result<Content, ImportError> {
        self.report(index, path);
        let (owned, read, max_record) =
            (path.to_owned(), Arc::clone(&self.read), self.options.max_record.len());
        let examined = tokio::task::spawn_blocking(move || file::examine(&owned, max_record, &read)).await;
        let examined = examined.unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
        examined.map_err(|source| ImportError::Read { path: path.to_owned(), source })
    }

    /// Claims ranges for new files and loads them.
    async fn group(
        &mut self,
        files: Vec<Examined>,
        summaries: &mut HashMap<usize, FileSummary>,
    ) -> Result<(), ImportError> {
        if files.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Wanted> = files
            .iter()
            .map(|file| Wanted {
                hash: file.key.clone(),
                // Only the name: the folder may tell things that do not belong into a table.
                file_name: file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                format: self.options.format.to_string(),
                size_bytes: file.content.size_bytes,
                first_item: file.first_item,
                items: file.content.items,
            })
            .collect();
        self.ledger.claim(&wanted, self.batch.tools().world.wall_us()).await?;
        for file in files {
            let Some(claim) = self.ledger.claim_of(&file.key).cloned() else { return Err(ImportError::Busy) };
            let index = file.index;
            summaries.insert(index, self.load(file, &claim).await?);
        }
        self.note_only_rejects().await
    }

    /// The note may be there before the rejects are: until then the content counts as begun.
    async fn note_only_rejects(&mut self) -> Result<(), ImportError> {
        let claims = std::mem::take(&mut self.only_rejects);
        self.ledger.note_only_rejects(&claims, self.batch.tools().world.wall_us()).await
    }

    /// Takes the records of one file that the table does not have yet.
    async fn load(&mut self, file: Examined, claim: &Claim) -> Result<FileSummary, ImportError> {
        if claim.start > self.position() || claim.end < self.position() {
            // Another import has moved the log meanwhile.
            return Err(ImportError::Busy);
        }
        let mut summary = FileSummary::new(file.path.clone(), file.status);
        let first = claim.item_at(self.position());
        let (sender, mut portions) = mpsc::channel(4);
        let reading = tokio::task::spawn_blocking({
            let size_bytes = file.content.size_bytes;
            let (path, read, max_record) =
                (file.path.clone(), Arc::clone(&self.read), self.options.max_record.len());
            move || portion::read(&path, size_bytes, max_record, &read, first, &sender)
        });
        let mut offset = self.position();
        while let Some(portion) = portions.recv().await {
            let Portion { bytes, items } = portion;
            for item in items {
                if offset >= claim.end {
                    return Err(ImportError::Changed { path: file.path });
                }
                let outcome = self.take(&bytes, item, offset, claim.imported_at_us).await?;
                summary.records += 1;
                summary.rows += u64::from(outcome.rows);
                self.rows += u64::from(outcome.rows);
                summary.duplicates += u64::from(outcome.duplicates);
                if let Some(reject) = outcome.rejected {
                    summary.rejects += 1;
                    *self.summary.reasons.entry(reject.reason.as_str()).or_default() += 1;
                }
                offset += 1;
                self.flush_if_due().await?;
            }
            self.report(file.index, &file.path);
        }
        let hash = reading.await.unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
        let hash = hash.map_err(|source| ImportError::Read { path: file.path.clone(), source })?;
        if offset != claim.end || hash != file.content.file_hash {
            return Err(ImportError::Changed { path: file.path });
        }
        if first == 0 && summary.rejects > 0 && summary.rejects == summary.records {
            self.only_rejects.push(claim.clone());
        }
        self.summary_so_far(&summary);
        Ok(summary)
    }

    fn summary_so_far(&self, file: &FileSummary) {
        tracing::info!(
            file = %file.path.display(), records = file.records, rows = file.rows, rejects = file.rejects,
            duplicates = file.duplicates, "file read"
        );
    }

    async fn take(
        &mut self,
        bytes: &[u8],
        item: Owned,
        offset: i64,
        appended_at_us: i64,
    ) -> Result<Outcome, ImportError> {
        let record = match item {
            Owned::Record(range) => bytes.get(range).unwrap_or_default(),
            Owned::Reject(reject) => {
                return Ok(self.batch.push_reject(self.slot, offset, appended_at_us, reject));
            }
        };
        match formats::decode(self.options.format, record) {
            Ok(mut event) => {
                event.strip(&self.batch.tools().identities, &self.batch.tools().labeller);
                self.load_dates(&event, appended_at_us).await?;
                self.names.count(&event, &self.batch.tools().catalogue.get());
                let message = Message { offset, appended_at_us, payload: record };
                self.batch.push_event(self.slot, &message, &event).map_err(ImportError::Identity)
            }
            Err(reject) => Ok(self.batch.push_reject(self.slot, offset, appended_at_us, reject)),
        }
    }

    /// Makes sure that the ids of the event's dates are known.
    async fn load_dates(&mut self, event: &Event<'_>, appended_at_us: i64) -> Result<(), ImportError> {
        // Absurd times give no rows, and their dates must not fill the memory.
        let latest = appended_at_us.saturating_add(DAY_US);
        let plausible = |at_us: &i64| (0..=latest).contains(at_us);
        let instants = || {
            let attempts = event.attempts.iter().filter_map(|attempt| attempt.started_at_us);
            attempts.chain([event.started_at_us]).filter(plausible)
        };
        let Some(dates) = self.batch.dates_mut(self.slot) else { return Err(ImportError::Busy) };
        if instants().all(|at_us| dates.is_loaded(at_us)) {
            return Ok(());
        }
        // Only here, between two events: a date of this event that is forgotten after it was loaded would begin
        // anew without an id, and let its duplicates in.
        if dates.size_bytes() > self.options.max_ids.len() {
            // Ids of rows that are not committed would be forgotten for good.
            self.flush(FlushReason::Bytes).await?;
            if let Some(dates) = self.batch.dates_mut(self.slot) {
                dates.clear();
            }
        }
        for at_us in instants() {
            let Some(dates) = self.batch.dates_mut(self.slot) else { return Err(ImportError::Busy) };
            dates.load(self.sink.attempts(), at_us).await.map_err(ImportError::Dates)?;
        }
        Ok(())
    }

    async fn flush_if_due(&mut self) -> Result<(), ImportError> {
        if self.batch.len() >= self.options.flush_rows {
            self.flush(FlushReason::Rows).await
        } else if self.batch.pending_bytes() >= self.options.flush_bytes.len() {
            self.flush(FlushReason::Bytes).await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self, reason: FlushReason) -> Result<(), ImportError> {
        match self.sink.flush(&mut self.batch, reason).await {
            Ok(flushed) => {
                self.summary.count(flushed.prices);
                Ok(())
            }
            Err(FlushError::Fenced { .. }) => Err(ImportError::Busy),
            Err(error) => Err(ImportError::Flush(error)),
        }
    }

    fn report(&self, file_index: usize, file: &Path) {
        (self.progress)(Progress {
            file,
            file_index,
            files: self.file_count,
            bytes: self.read.load(Ordering::Relaxed),
            total_bytes: self.total_bytes,
            records: u64::try_from(self.position()).unwrap_or_default(),
            rows: self.rows,
        });
    }
}
