//! Follows the tables and builds the next dataset, reading only files that are new.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_metrics::{Keyless, Terms, publications};
use bellwether_warehouse::{DataFile, Followed, PinError, Snapshot, Standing, TableId, Warehouse};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::dictionary::Dictionary;
use super::gate::{self, Gate, GateMonth};
use super::health::{BUCKET_SECS, Health};
use super::live::{self, LastHour};
use super::load::{self, Blocks, LoadError};
use super::quality::{Quality, QualityDay};
use super::read::{self, BucketDay};
use super::usage_day::UsageDay;
use super::users::{Store, Users};
use super::whole::Whole;
use super::{Dataset, Names, Profile, labels, routing, usage, window};
use crate::config::WebConfig;
use crate::history::{History, Written};

const READ: [TableId; 4] =
    [TableId::LabelCells, TableId::Health5m, TableId::HealthHourly, TableId::HealthDaily];
const USAGE: TableId = TableId::Declared(&bellwether_metrics::usage_by_day::TABLE);
const QUALITY: TableId = TableId::Declared(&bellwether_metrics::quality_by_day::TABLE);
const RANKINGS: TableId = TableId::Declared(&bellwether_metrics::rankings::TABLE);
const ROUTING: TableId = TableId::Declared(&bellwether_metrics::routing_now::TABLE);
const LIVE: TableId = TableId::Declared(&bellwether_metrics::live_by_minute::TABLE);
/// As the newest publication names them.
const PUBLISHED: [TableId; 6] = [gate::TABLE, USAGE, RANKINGS, QUALITY, ROUTING, LIVE];

/// Days of daily health kept: 90 and the 90 before.
const HEALTH_DAYS: u64 = 190;
/// Days whose speed sketches are kept.
const SPEED_DAYS: u64 = 36;
/// Weeks of labels kept with their users.
const LABEL_WEEKS: u64 = 14;
/// Days of quality kept: a week of closed ones and the running one, and a week to today.
const QUALITY_DAYS: u64 = 8;
/// Tries to see all folded tables at one value within one refresh.
const TRIES: usize = 3;
const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;

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
    /// The folded tables do not stand at one version of `attempts` right now, or nothing is published yet; the last dataset
    /// stays.
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

    pub(crate) fn of(config: &WebConfig, names: Names) -> Self {
        Self {
            names: Arc::new(names),
            profile: config.profile,
            thresholds: config.thresholds(),
            simulated: config.simulated,
            history: config.history.clone(),
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
    health_days: Blocks<super::health::HealthBlock>,
    buckets: Blocks<BucketDay>,
    hours: Blocks<BucketDay>,
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
    now: i64,
    /// Days before it may lack rows that are still to be written.
    written_from: NaiveDate,
}

impl Horizon {
    /// Files of days after today hold only events from a clock that runs ahead: they wait.
    fn keeps(self, date: NaiveDate, days: u64) -> bool {
        self.counts_on(date)
            && self.newest.checked_sub_days(Days::new(days)).is_none_or(|first| date >= first)
    }

    fn counts_on(self, date: NaiveDate) -> bool {
        self.written_from <= date && date <= self.today
    }
}

impl Refresher {
    pub async fn open(warehouse: &Warehouse, options: Options) -> Result<Self, RefreshError> {
        Ok(Self {
            // Of a warehouse that was never published from; until it is, it is empty.
            published: publications::Followed::open(warehouse, &PUBLISHED).await?,
            users: Arc::default(),
            dictionary: Dictionary::of(options.profile, &options.names),
            gate: Arc::new(if options.thresholds.users == 0 { Gate::open() } else { Gate::default() }),
            decisions: Blocks::default(),
            options,
            tables: Followed::open(warehouse, &READ).await?,
            shared: Arc::default(),
            usage: Blocks::of_many_days(),
            health_days: Blocks::default(),
            buckets: Blocks::default(),
            hours: Blocks::default(),
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
        let mut folded = None;
        for _ in 0..TRIES {
            self.tables.refresh().await?;
            if let Standing::Even(at) = self.tables.standing() {
                folded = Some(at.unwrap_or(-1));
                break;
            }
        }
        let Some(folded) = folded else { return Ok(Refreshed::Waiting) };
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
        // What is published may be of an earlier version than the rest.
        let published = self.published.newest().and_then(|newest| newest.attempts_version);
        let folded = published.map_or(folded, |published| published.min(folded));
        let written = self.options.history.as_ref().and_then(|history| history.at(folded));
        let horizon = self.horizon(now, written);
        self.read(horizon).await?;
        let mut dataset = self.assemble(horizon, seen.versions.clone(), folded, now, written);
        dataset.too_few_users = dataset.count_too_few_users().await?;
        self.seen = Some(seen);
        Ok(Refreshed::New(Arc::new(dataset)))
    }

    fn snapshot(&self, id: TableId) -> Option<&Snapshot> {
        self.tables.snapshot(id)
    }

    /// First day of usage while older ones are still to be published.
    fn computed_from(&self) -> Option<NaiveDate> {
        self.published.newest()?.complete_from.get(USAGE.name()).copied()
    }

    /// Something was rolled up, but nothing of it is published yet.
    fn is_unpublished(&self) -> bool {
        self.published.newest().is_none() && self.tables.folded().any(|table| !table.files().is_empty())
    }

    /// Folded tables that stand behind the furthest one; else the one that says what is published, while it says nothing.
    pub fn behind(&self) -> Vec<&'static str> {
        match self.tables.standing() {
            Standing::Even(_) if self.is_unpublished() => vec![publications::NAME],
            Standing::Even(_) => Vec::new(),
            Standing::Uneven { behind } => behind.into_iter().map(TableId::name).collect(),
        }
    }

    fn horizon(&self, now: DateTime<Utc>, written: Option<Written>) -> Horizon {
        let today = now.date_naive();
        let rollups = [TableId::Health5m, TableId::HealthDaily].into_iter();
        let rolled_up = rollups.filter_map(|id| self.snapshot(id)).flat_map(Snapshot::files);
        let used = self.published.snapshot(USAGE).into_iter().flat_map(Snapshot::files);
        let dates = rolled_up.filter_map(DataFile::date).chain(used.flat_map(load::between));
        let newest = dates.filter(|date| *date <= today).max().unwrap_or_default();
        let written_from = written.map_or(NaiveDate::MIN, |written| written.from);
        let written_from = self.computed_from().map_or(written_from, |computed| computed.max(written_from));
        Horizon { newest, today, now: now.timestamp_micros(), written_from }
    }

    async fn read(&mut self, horizon: Horizon) -> Result<(), LoadError> {
        self.learn(horizon).await?;
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
        if let Some(table) = self.published.snapshot(ROUTING) {
            let needs = self.options.thresholds.counted_attempts;
            routing::read(&mut self.routing, table, dictionary, needs).await?;
        }
        if let Some(table) = self.published.snapshot(LIVE) {
            live::read(&mut self.last_hour, table).await?;
        }
        if let Some(days) = snapshot(TableId::HealthDaily) {
            let keep = |date| horizon.keeps(date, HEALTH_DAYS);
            let sketches_from = newest.checked_sub_days(Days::new(SPEED_DAYS)).unwrap_or(newest);
            read::health_days(&mut self.health_days, days, dictionary, keep, sketches_from).await?;
        }
        let from = start_of(newest) - DAY_US;
        for (id, blocks) in [(TableId::Health5m, &mut self.buckets), (TableId::HealthHourly, &mut self.hours)]
        {
            if let Some(table) = snapshot(id) {
                read::health_buckets(blocks, table, dictionary, |date| horizon.keeps(date, 1), from).await?;
            }
        }
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

    /// Takes the authors that rows name, before any row is counted.
    async fn learn(&mut self, horizon: Horizon) -> Result<(), LoadError> {
        let Self { tables, dictionary, .. } = self;
        if let Some(table) = tables.snapshot(TableId::HealthDaily) {
            let keep = |date| horizon.keeps(date, HEALTH_DAYS);
            read::authors(&self.health_days, table, dictionary, keep).await?;
        }
        for (id, blocks) in [(TableId::Health5m, &self.buckets), (TableId::HealthHourly, &self.hours)] {
            if let Some(table) = tables.snapshot(id) {
                read::authors(blocks, table, dictionary, |date| horizon.keeps(date, 1)).await?;
            }
        }
        Ok(())
    }

    /// End of the newest complete bucket: the start of the newest bucket that has begun.
    fn buckets_end(&self, now: i64, as_of: i64) -> i64 {
        let days = self.buckets.by_date();
        let newest =
            days.values().filter_map(|day| day.buckets.range(..=now).next_back().map(|(at, _)| *at)).max();
        let width = BUCKET_SECS * 1_000_000;
        newest.unwrap_or_else(|| as_of.div_euclid(width) * width)
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
        let buckets_end =
            self.buckets_end(horizon.now, watermark.map_or(end_of_data, |at| at.timestamp_micros()));
        self.buckets.update(|_, day| day.pruned(buckets_end - DAY_US, buckets_end - 40 * MINUTE_US));
        self.hours.update(|_, day| day.pruned(buckets_end - DAY_US - 3_600_000_000, i64::MIN));
        let instant = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let merged = |blocks: &Blocks<BucketDay>| {
            let days = blocks.by_date();
            days.values().flat_map(|day| day.buckets.iter().map(|(at, block)| (*at, block.clone()))).collect()
        };
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
            folded,
            names: self.options.names.clone(),
            thresholds: self.options.thresholds,
            profile: self.options.profile,
            simulated: self.options.simulated,
            history,
            is_filling: history.is_some() || self.computed_from().is_some(),
            dictionary: self.shared.clone(),
            quality: Quality::default(),
            too_few_users: None,
            last_hour: self.last_hour.get(),
            first_date,
            newest_date: horizon.newest,
            usage,
            health: Health {
                buckets: merged(&self.buckets),
                hours: merged(&self.hours),
                days: self.health_days.by_date(),
            },
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
