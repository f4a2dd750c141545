//! One provider: its 90 days, its 24 hours, its errors, its models, its speed.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Meta, Reason, Shown, Truth, View, p10, quantile};
use crate::data::{
    Bar, Cell, Counts, Dataset, Group, HealthBy, ModelId, Period, ProviderId, Scope, Span, Speed, State,
    Status, Tally,
};
use crate::place::{PageContext, PageError};
use crate::url::query;

/// One complete day.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct DayRow {
    /// UTC day.
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    /// Successes among counted attempts, %.
    pub uptime: Shown,
    /// Why it is null.
    pub uptime_reason: Option<Reason>,
    /// Attempts that count for uptime: successes and faults.
    pub counted_attempts: Option<Tally>,
    /// All attempts.
    pub attempts: Option<Tally>,
    /// Rate-limited attempts (429), which are outside uptime.
    pub rate_limited: Option<Tally>,
    /// Attempts that failed by the provider's fault.
    pub fault: Option<Tally>,
}

/// One step of a day: five minutes.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct StepRow {
    /// Start of the step, UTC.
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// Successes among counted attempts, %.
    pub uptime: Shown,
    /// Why it is null.
    pub uptime_reason: Option<Reason>,
    /// Attempts that count for uptime: successes and faults.
    pub counted_attempts: Option<Tally>,
    #[serde(skip)]
    pub fault: Option<Tally>,
    /// Whether there was any attempt, which counts that are bands do not tell.
    #[serde(skip)]
    pub is_busy: bool,
}

/// One class of errors in the window of the page.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ErrorRow {
    /// As stored in `error_class`.
    pub error_class: &'static str,
    /// Attempts that failed so.
    pub attempts: Option<Tally>,
    /// Among all attempts, 0 to 1; null of counts that are told by their size.
    pub share_of_attempts: Option<f64>,
    /// Whether it is a fault of the provider; the others are outside uptime.
    pub counts_for_uptime: Truth,
    #[serde(skip)]
    pub label: &'static str,
    /// As exact as the counts of its period, now and in 28 days.
    #[serde(skip)]
    pub n: u64,
    #[serde(skip)]
    pub usual_n: u64,
    /// Share of all attempts in 28 days.
    #[serde(skip)]
    pub usual_share: Option<f64>,
}

/// A model at this provider.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ModelRow {
    /// Id of the model, `author/slug`.
    pub model: String,
    /// State by the last 30 minutes.
    pub state: State,
    /// Uptime of the last 30 minutes, %.
    pub uptime_last_30m: Shown,
    /// Why it is null.
    pub uptime_last_30m_reason: Option<Reason>,
    /// Uptime of the last 7 days, %.
    pub uptime_7d: Shown,
    /// Why it is null.
    pub uptime_7d_reason: Option<Reason>,
    /// Attempts of the last 7 days that count for uptime.
    pub counted_attempts_7d: Option<Tally>,
    #[serde(skip)]
    pub id: ModelId,
    /// Uptime in the window of the page, %.
    #[serde(skip)]
    pub uptime_in_window: Shown,
    #[serde(skip)]
    pub attempts_7d: Option<Tally>,
    /// Of the last 30 days.
    #[serde(skip)]
    pub bars: Vec<Bar>,
}

/// One measure of speed on one day.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SpeedRow {
    /// UTC day.
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    /// `ttft_ms`, `duration_ms`, `tokens_per_s_e2e` (of the whole call) or `tokens_per_s_decode` (after the first token).
    pub measure: &'static str,
    /// Requests behind the quantiles.
    pub n: Option<Tally>,
    /// Of throughput alone: what 90 % of requests reach at least.
    pub p10: Option<f64>,
    /// Median.
    pub p50: Shown,
    /// 75th percentile.
    pub p75: Shown,
    /// 90th percentile.
    pub p90: Shown,
    /// 99th percentile.
    pub p99: Shown,
    /// Why these percentiles are null.
    pub reason: Option<Reason>,
}

/// One provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Provider {
    /// The last 90 days, oldest first.
    pub data: Vec<DayRow>,
    /// Five-minute steps of the last 24 hours.
    pub strip_24h: Vec<StepRow>,
    /// Classes of errors in the window of the page.
    pub errors: Vec<ErrorRow>,
    /// Models with an attempt in 7 days or now, most attempts first.
    pub models: Vec<ModelRow>,
    /// Measures of speed over the last 28 days, one row a day.
    pub speed: Vec<SpeedRow>,
    /// What describes the rows.
    pub meta: Meta,
    #[serde(skip)]
    pub id: ProviderId,
    #[serde(skip)]
    pub status: Status,
    /// Whole hours of the last 24.
    #[serde(skip)]
    pub hours: Vec<StepRow>,
    /// All of the window of the page.
    #[serde(skip)]
    pub now: Period,
    /// The last 28 days.
    #[serde(skip)]
    pub usual: Period,
}

query! {
    /// Over which time errors and models are told.
    ProviderQuery { health, view }
}

impl View for Provider {
    type Row = DayRow;
    type Query = ProviderQuery;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let id = context.page.name(0);
        let provider =
            dataset.dictionary.find_provider(id).ok_or_else(|| PageError::NotFound(id.to_owned()))?;
        let scope = Scope::provider(provider);
        let span = query.health;
        let (now, usual) = (dataset.period(scope, span), dataset.period(scope, Span::Days28));
        let window = dataset.trailing(90);
        let meta = Meta {
            start_date: Some(window.start),
            end_date: Some(window.end),
            grain: Some("day"),
            unit: Some("%"),
            ..Meta::new(context, dataset, "uptime")
        };
        Ok(Self {
            data: dataset.bars(scope, 90).into_iter().map(DayRow::from).collect(),
            strip_24h: dataset.strip(provider).into_iter().map(StepRow::from).collect(),
            errors: errors(&now, &usual),
            models: models(dataset, provider, span),
            speed: Speed::ALL.into_iter().flat_map(|measure| speed(dataset, scope, measure)).collect(),
            meta,
            id: provider,
            status: dataset.status(scope),
            hours: dataset.hours(provider).into_iter().map(StepRow::from).collect(),
            now,
            usual,
        })
    }

    fn rows(&self) -> &[DayRow] {
        &self.data
    }
}

impl From<Bar> for DayRow {
    fn from(bar: Bar) -> Self {
        let tally = |n: u64| bar.counts.tally(n);
        Self {
            date: bar.date,
            uptime: Shown(bar.uptime),
            uptime_reason: bar.uptime.err().map(Reason::from),
            counted_attempts: tally(bar.counts.counted()),
            attempts: tally(bar.counts.attempts),
            rate_limited: tally(bar.counts.rate_limited),
            fault: tally(bar.counts.fault),
        }
    }
}

impl From<Cell> for StepRow {
    fn from(cell: Cell) -> Self {
        Self {
            at: cell.at,
            uptime: Shown(cell.uptime),
            uptime_reason: cell.uptime.err().map(Reason::from),
            counted_attempts: cell.counts.tally(cell.counts.counted()),
            fault: cell.counts.tally(cell.counts.fault),
            is_busy: cell.is_busy,
        }
    }
}

fn errors(now: &Period, usual: &Period) -> Vec<ErrorRow> {
    let classes = now.mix().into_iter().zip(usual.mix());
    let row = |(class, usual): (crate::data::ErrorClass, crate::data::ErrorClass)| ErrorRow {
        error_class: class.class,
        attempts: now.counts.tally(class.n),
        share_of_attempts: class.share,
        counts_for_uptime: Truth(class.fault),
        label: class.label,
        n: class.n,
        usual_n: usual.n,
        usual_share: usual.share,
    };
    classes.map(row).collect()
}

fn models(dataset: &Dataset, provider: ProviderId, span: Span) -> Vec<ModelRow> {
    let scope = Scope::provider(provider);
    let by = |span| dataset.health_by(HealthBy::Model, scope, span);
    let (now, week) = (by(Span::Minutes30), by(Span::Days7));
    let mut bars = dataset.bars_by(HealthBy::Model, scope, 30);
    let known: BTreeSet<Scope> = week.keys().chain(now.keys()).copied().collect();
    let mut rows: Vec<(u64, ModelRow)> = known
        .into_iter()
        .filter_map(|of| {
            let model = of.model?;
            let pair = Scope::pair(model, provider);
            let status = dataset.status(pair);
            let uptime = |counts: Counts| Shown(counts.uptime(&dataset.thresholds));
            let seven = dataset.health(pair, Span::Days7);
            let uptime_7d = uptime(seven);
            // By size as it is told, so that the order tells no more.
            let size = week.get(&of).map_or(0, |counts| counts.attempts);
            let row = ModelRow {
                model: dataset.key(Group::Model(model)),
                state: status.state,
                uptime_last_30m: Shown(status.uptime),
                uptime_last_30m_reason: status.uptime.err().map(Reason::from),
                uptime_7d,
                uptime_7d_reason: uptime_7d.reason(),
                counted_attempts_7d: seven.tally(seven.counted()),
                id: model,
                uptime_in_window: uptime(dataset.health(pair, span)),
                attempts_7d: seven.tally(seven.attempts),
                bars: bars.remove(&of).unwrap_or_default(),
            };
            Some((size, row))
        })
        .collect();
    rows.sort_by(|a, b| Reverse(a.0).cmp(&Reverse(b.0)).then_with(|| a.1.model.cmp(&b.1.model)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn speed(dataset: &Dataset, scope: Scope, measure: Speed) -> Vec<SpeedRow> {
    let days = dataset.speed_daily(scope, 28, measure).into_iter();
    days.map(|(date, figure)| SpeedRow {
        date,
        measure: measure.column(),
        n: figure.ok().map(|quantiles| quantiles.n),
        p10: p10(figure),
        p50: quantile(figure, |q| q.p50),
        p75: quantile(figure, |q| q.p75),
        p90: quantile(figure, |q| q.p90),
        p99: quantile(figure, |q| q.p99),
        reason: figure.err().map(Reason::from),
    })
    .collect()
}
