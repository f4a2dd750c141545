//! Follows the tables and builds the next dataset, reading only files that are new.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_metrics::{Keyless, Terms, publications};
use bellwether_warehouse::{DataFile, Followed, PinError, Snapshot, TableId, Warehouse};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::dictionary::Dictionary;
use super::gate::{self, Gate, GateMonth};
use super::health::{self, BUCKET_SECS};
use super::live::{self, LastHour};
use super::load::{self, Blocks, LoadError};
use super::quality::{Quality, QualityDay};
use super::read;
use super::standing::Standing;
use super::usage_day::UsageDay;
use super::users::{Store, Users};
use super::whole::Whole;
use super::{Dataset, Names, Profile, labels, routing, usage, window};
use crate::history::{History, Written};

const READ: [TableId; 1] = [TableId::LabelCells];
const USAGE: TableId = TableId::Declared(&bellwether_metrics::usage_by_day::TABLE);
const QUALITY: TableId = TableId::Declared(&bellwether_metrics::quality_by_day::TABLE);
const RANKINGS: TableId = TableId::Declared(&bellwether_metrics::rankings::TABLE);
const ROUTING: TableId = routing::TABLE;
const LIVE: TableId = TableId::Declared(&bellwether_metrics::live_by_minute::TABLE);
/// As the newest publication names them.
const PUBLISHED: [&[TableId]; 2] = [&[gate::TABLE, USAGE, RANKINGS, QUALITY, ROUTING, LIVE], &health::TABLES];

/// Weeks of labels kept with their users.
const LABEL_WEEKS: u64 = 14;
/// Days of quality kept: a week of closed ones and the running one, and a week to today.
const QUALITY_DAYS: u64 = 8;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    #[error("failed to follow the tables")]
    Follow(#[from] PinError),
    #[error("failed to look for a publication")]
    Publication(#[from] bellwether_metrics::Error),
    #[error("failed to load page data")]
    Load(#[from] LoadError),
}

impl RefreshError {
    /// Table at fault, for the metric.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Follow(error) => error.table(),
            Self::Load(LoadError::Read { table, .. } | LoadError::Column { table, .. }) => table,
            Self::Publication(_) => bellwether_metrics::publications::NAME,
            Self::Load(_) => "none",
        }
    }
}

/// What a refresh found.
#[derive(Debug)]
pub enum Refreshed {
    New(Arc<Dataset>),
    /// No table has moved.
    Unchanged,
    /// There is something, but nothing of it is published yet.
    Waiting,
}

/// What a dataset takes from configuration.
#[derive(Clone, Debug)]
pub struct Options {
    pub names: Arc<Names>,
    pub profile: Profile,
    /// Overrides of the profile's thresholds are already in it.
    pub thresholds: super::Thresholds,
    pub simulated: bool,
    /// A history that is still being written.
    pub history: Option<History>,
}

impl Options {
    pub fn new(profile: Profile) -> Self {
        Self {
            names: Arc::default(),
            profile,
            thresholds: profile.thresholds(),
            simulated: false,
            history: None,
        }
    }

    /// What chosen days are ranked under. Who may be named has been decided.
    pub(crate) fn terms(&self, now: DateTime<Utc>) -> Terms {
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Terms {
            catalogue: self.names.catalogue(),
            users: count(self.thresholds.users),
            keyless: Keyless::default(),
            has_raw_names: self.profile != Profile::Public,
            growth_requests: count(self.thresholds.growth_requests),
            counted_attempts: count(self.thresholds.counted_attempts),
            speed_requests: count(self.thresholds.speed_requests),
            watermark: now,
            today: now.date_naive(),
        }
    }
}

/// Table handles and the blocks read so far.
#[derive(Debug)]
pub struct Refresher {
    options: Options,
    tables: Followed,
    published: publications::Followed,
    dictionary: Dictionary,
    shared: Arc<Dictionary>,
    decisions: Blocks<GateMonth>,
    gate: Arc<Gate>,
    usage: Blocks<UsageDay>,
    health: health::Reader,
    routing: Whole<routing::Windows>,
    last_hour: Whole<LastHour>,
    labels: Blocks<labels::LabelWeek>,
    label_views: labels::ByWeek,
    label_memo: Arc<labels::Memo>,
    quality: Blocks<QualityDay>,
    users: Arc<Store>,
    /// Of the last dataset.
    written_from: NaiveDate,
    seen: Option<Seen>,
}

/// What a dataset is of.
#[derive(Debug, PartialEq)]
struct Seen {
    publication: Option<i64>,
    versions: BTreeMap<&'static str, i64>,
}

/// The dates that decide what is read.
#[derive(Clone, Copy)]
struct Horizon {
    newest: NaiveDate,
    today: NaiveDate,
    /// Days before it may lack rows that are still to be written.
    written_from: NaiveDate,
}

impl Horizon {
    /// Days after today hold only events from a clock that runs ahead: they wait.
    fn counts_on(self, date: NaiveDate) -> bool {
        self.written_from <= date && date <= self.today
    }
}

impl Refresher {
    pub async fn open(warehouse: &Warehouse, options: Options) -> Result<Self, RefreshError> {
        Ok(Self {
            // Of a warehouse that was never published from; until it is, it is empty.
            published: publications::Followed::open(warehouse, &PUBLISHED.concat()).await?,
            users: Arc::default(),
            dictionary: Dictionary::of(options.profile, &options.names),
            gate: Arc::new(if options.thresholds.users == 0 { Gate::open() } else { Gate::default() }),
            decisions: Blocks::default(),
            options,
            tables: Followed::open(warehouse, &READ).await?,
            shared: Arc::default(),
            usage: Blocks::of_many_days(),
            health: health::Reader::default(),
            routing: Whole::default(),
            last_hour: Whole::default(),
            labels: Blocks::default(),
            label_views: labels::ByWeek::new(),
            label_memo: Arc::default(),
            quality: Blocks::of_many_days(),
            written_from: NaiveDate::MIN,
            seen: None,
        })
    }

    /// Reads what is new as of `now`. After an error the next call starts again where this one stopped.
    pub async fn refresh(&mut self, now: DateTime<Utc>) -> Result<Refreshed, RefreshError> {
        self.tables.refresh().await?;
        self.published.refresh().await?;
        if self.is_unpublished() {
            return Ok(Refreshed::Waiting);
        }
        let snapshots = self.tables.snapshots().chain(self.published.snapshots());
        let versions: BTreeMap<&'static str, i64> =
            snapshots.map(|snapshot| (snapshot.table().name(), snapshot.version())).collect();
        let seen = Seen { publication: self.published.newest().map(|newest| newest.number), versions };
        if self.seen.as_ref() == Some(&seen) {
            return Ok(Refreshed::Unchanged);
        }
        let folded = self.published.newest().and_then(|newest| newest.attempts_version).unwrap_or(-1);
        let written = self.options.history.as_ref().and_then(|history| history.at(folded));
        let horizon = self.horizon(now, written);
        self.read(horizon).await?;
        let mut dataset = self.assemble(horizon, seen.versions.clone(), folded, now, written);
        dataset.too_few_users = dataset.count_too_few_users().await?;
        self.seen = Some(seen);
        Ok(Refreshed::New(Arc::new(dataset)))
    }

    /// First day of usage while older ones are still to be published.
    fn computed_from(&self) -> Option<NaiveDate> {
        self.published.newest()?.complete_from.get(USAGE.name()).copied()
    }

    /// Something has arrived, but nothing of it is published yet.
    fn is_unpublished(&self) -> bool {
        self.published.newest().is_none() && self.tables.snapshots().any(|table| !table.files().is_empty())
    }

    fn horizon(&self, now: DateTime<Utc>, written: Option<Written>) -> Horizon {
        let today = now.date_naive();
        let files = |id| self.published.snapshot(id).into_iter().flat_map(Snapshot::files);
        let days = files(USAGE).chain(files(health::DAYS)).flat_map(load::between);
        let dates = days.chain(files(health::STRIP).filter_map(DataFile::date));
        let newest = dates.filter(|date| *date <= today).max().unwrap_or_default();
        let written_from = written.map_or(NaiveDate::MIN, |written| written.from);
        let written_from = self.computed_from().map_or(written_from, |computed| computed.max(written_from));
        Horizon { newest, today, written_from }
    }

    async fn read(&mut self, horizon: Horizon) -> Result<(), LoadError> {
        let Self { tables, dictionary, .. } = self;
        let snapshot = |id: TableId| tables.snapshot(id);
        let newest = horizon.newest;
        if let Some(decisions) = self.published.snapshot(gate::TABLE).filter(|_| !self.gate.is_open())
            && read::gate(&mut self.decisions, decisions).await?
        {
            self.gate = Arc::new(Gate::of(&self.decisions.by_date()));
        }
        let gate = &self.gate;
        if let Some(usage) = self.published.snapshot(USAGE) {
            read::usage(&mut self.usage, usage, dictionary, |date| horizon.counts_on(date)).await?;
        }
        let (routing, needs) = (self.published.snapshot(ROUTING), self.options.thresholds.counted_attempts);
        self.routing.follow(routing, async |table| routing::read(table, dictionary, needs).await).await?;
        self.last_hour.follow(self.published.snapshot(LIVE), live::read).await?;
        self.health.read(&self.published, dictionary, newest, |date| horizon.counts_on(date)).await?;
        if let Some(cells) = snapshot(TableId::LabelCells) {
            let running = window::monday(newest);
            let first = running.checked_sub_days(Days::new(7 * LABEL_WEEKS)).unwrap_or(running);
            // The running week is never published, so it is never read.
            let keep = |week| first <= week && week < running && horizon.written_from <= week;
            let changed = read::labels(&mut self.labels, cells, dictionary, gate, keep).await?;
            let moved =
                std::mem::replace(&mut self.written_from, horizon.written_from) != horizon.written_from;
            if changed || moved || self.label_views.len() != self.labels.by_date().len() {
                let weeks = self.labels.by_date();
                self.label_views =
                    weeks.iter().map(|(week, cells)| (*week, Arc::new(cells.view()))).collect();
                self.label_memo = Arc::default();
            }
        }
        // What arrived is dated by arrival, which may be long after the events.
        let first = newest.min(horizon.today).checked_sub_days(Days::new(QUALITY_DAYS)).unwrap_or(newest);
        if let Some(table) = self.published.snapshot(QUALITY) {
            read::quality(&mut self.quality, table, |date| date >= first).await?;
        }
        if self.dictionary.revision() != self.shared.revision() {
            self.shared = Arc::new(self.dictionary.clone());
        }
        Ok(())
    }

    /// End of the newest complete bucket: that of the live windows, if anything was tried in one.
    fn buckets_end(&self, as_of: i64) -> i64 {
        let width = BUCKET_SECS * 1_000_000;
        self.health.buckets_end().unwrap_or_else(|| as_of.div_euclid(width) * width)
    }

    fn assemble(
        &mut self,
        horizon: Horizon,
        versions: BTreeMap<&'static str, i64>,
        folded: i64,
        now: DateTime<Utc>,
        history: Option<Written>,
    ) -> Dataset {
        let mut usage = self.usage.by_date();
        usage.retain(|_, day| !day.is_empty());
        let first_date = usage::history_begins(&usage).unwrap_or(horizon.newest);
        // What lies before is of clocks that are years wrong.
        usage = usage.split_off(&first_date);
        let end_of_data = start_of(horizon.newest);
        let watermark = self.published.newest().map(|newest| newest.watermark);
        let buckets_end = self.buckets_end(watermark.map_or(end_of_data, |at| at.timestamp_micros()));
        let instant = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let users = Users {
            rankings: self.published.snapshot(RANKINGS).cloned(),
            inputs: self.published.inputs(),
            terms: self.options.terms(now),
            days: Arc::new(self.usage.fingerprints()),
            store: self.users.clone(),
        };
        let mut dataset = Dataset {
            as_of: watermark.unwrap_or(instant(buckets_end)),
            newest_event_at: self.published.newest().and_then(|newest| newest.newest_event_at),
            built_at: now,
            buckets_end: instant(buckets_end),
            versions,
            publication: self.published.newest().map(|newest| newest.number),
            published: self.published.newest().map(|newest| newest.versions.clone()).unwrap_or_default(),
            folded,
            names: self.options.names.clone(),
            thresholds: self.options.thresholds,
            profile: self.options.profile,
            simulated: self.options.simulated,
            history,
            standing: Standing::new(self.published.newest(), horizon.written_from),
            dictionary: self.shared.clone(),
            quality: Quality::default(),
            too_few_users: None,
            last_hour: self.last_hour.get(),
            first_date,
            newest_date: horizon.newest,
            open_from: watermark.map_or(horizon.newest, |at| Terms::open_at(at).min(horizon.newest)),
            usage,
            health: self.health.health(),
            routing: self.routing.get(),
            labels: self.label_views.clone(),
            label_memo: self.label_memo.clone(),
            users,
            gate: self.gate.clone(),
        };
        let (days, today) = (self.quality.by_date(), horizon.today);
        dataset.quality = dataset.quality_of(&days, today, self.label_coverage());
        dataset
    }

    /// Of the newest closed week.
    fn label_coverage(&self) -> Option<f64> {
        let week = self.label_views.values().next_back()?;
        let totals = week.totals.values();
        let (known, all) = totals.fold((0.0, 0.0), |(known, all), one| (known + one.known, all + one.all.wt));
        (all > 0.0).then(|| known / all)
    }
}

fn start_of(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}
