//! Providers: the directory and the status page.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Count, Meta, Reason, Shown, View, quantile, withheld};
use crate::data::{
    self, Dataset, Filter, Group, GroupBy, HealthBy, Period, ProviderId, Scope, Span, Speed, State, Tally,
    Totals, Untold, Window,
};
use crate::place::{PageContext, PageError};
use crate::url::{Sort, SortKey, query};

/// A provider: its state now, uptime over days, speed and share of the last 7 days.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ProviderRow {
    /// Id of the provider.
    pub provider: String,
    /// Display name.
    pub name: String,
    /// State by the last 30 minutes.
    pub state: State,
    /// Successes among counted attempts of the last 30 minutes, %.
    pub uptime_last_30m: Shown,
    /// Why it is null.
    pub uptime_last_30m_reason: Option<Reason>,
    /// Attempts of the last 30 minutes that count for uptime: successes and faults.
    pub counted_attempts_30m: Option<Tally>,
    /// Uptime of the last 24 hours, %.
    pub uptime_last_1d: Shown,
    /// Why it is null.
    pub uptime_last_1d_reason: Option<Reason>,
    /// Uptime of the last 7 days, %.
    pub uptime_7d: Shown,
    /// Why it is null.
    pub uptime_7d_reason: Option<Reason>,
    /// Uptime of the 7 days before those, %.
    pub uptime_7d_before: Option<f64>,
    /// Uptime of the last 28 days, %.
    pub uptime_28d: Shown,
    /// Why it is null.
    pub uptime_28d_reason: Option<Reason>,
    /// Uptime of the last 90 days, %.
    pub uptime_90d: Shown,
    /// Why it is null.
    pub uptime_90d_reason: Option<Reason>,
    /// Rate-limited attempts (429) among all attempts of the last 7 days, 0 to 1.
    pub rate_limit_rate_7d: Option<f64>,
    /// Median time to first token of streamed requests of the last 7 days, ms.
    pub ttft_ms_p50: Shown,
    /// Why it is null.
    pub ttft_ms_reason: Option<Reason>,
    /// Median of output tokens per second after the first token, last 7 days.
    pub tokens_per_s_decode_p50: Shown,
    /// Why it is null.
    pub tokens_per_s_decode_reason: Option<Reason>,
    /// Why the use that follows is null.
    pub usage_reason: Option<Reason>,
    /// Served requests of the last 7 days.
    pub requests_7d: Option<Count>,
    /// Input and output tokens of the last 7 days.
    pub tokens_7d: Option<Count>,
    /// Share of all tokens of the last 7 days, 0 to 1.
    pub token_share_7d: Option<f64>,
    /// Why figures of this row are missing.
    pub withheld: Option<String>,
    #[serde(skip)]
    pub id: ProviderId,
    /// It had an attempt in 7 days, or served a request.
    #[serde(skip)]
    pub is_active: bool,
    /// All attempts of the last 7 days.
    #[serde(skip)]
    pub attempts_7d: Option<Tally>,
    /// Uptime of the last 7 days against the 7 before, percentage points.
    #[serde(skip)]
    pub uptime_delta: Option<f64>,
    /// Models that it served in the last 7 days.
    #[serde(skip)]
    pub models_7d: Option<usize>,
}

/// Providers with an attempt in 90 days, or a served request in 7, largest share first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Providers {
    /// Providers in the order of the page.
    pub data: Vec<ProviderRow>,
    /// What describes the rows.
    pub meta: Meta,
}

/// The same providers, worst state first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// Providers in the order of the page.
    pub data: Vec<ProviderRow>,
    /// What describes the rows.
    pub meta: Meta,
}

query! {
    /// In which order.
    Sorted { sort }
}

impl View for Providers {
    type Row = ProviderRow;
    type Query = Sorted;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let (mut data, meta) = list(context, dataset);
        order_directory(&mut data, query.sort.unwrap_or(Self::SORT));
        Ok(Self { data, meta })
    }

    fn rows(&self) -> &[ProviderRow] {
        &self.data
    }
}

impl View for Status {
    type Row = ProviderRow;
    type Query = Sorted;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let (mut data, meta) = list(context, dataset);
        order_status(&mut data, query.sort.unwrap_or(Self::SORT));
        Ok(Self { data, meta })
    }

    fn rows(&self) -> &[ProviderRow] {
        &self.data
    }
}

impl Providers {
    /// Order where the address asks for none.
    pub const SORT: Sort = Sort { key: SortKey::Share, descending: true };
}

impl Status {
    /// Order where the address asks for none: worst state first.
    pub const SORT: Sort = Sort { key: SortKey::State, descending: false };
}

/// One provider as lists of states tell it.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub id: ProviderId,
    pub status: data::Status,
    pub is_active: bool,
    totals: Option<Totals>,
    /// As it is told, so that the order tells no more.
    size: u64,
}

/// The providers that every list has: worst state first, then by attempts; "no data" last.
pub fn known(dataset: &Dataset) -> Vec<Known> {
    let usage = dataset.totals(dataset.trailing(7), GroupBy::Provider, Filter::All);
    let by = |span| dataset.health_by(HealthBy::Provider, Scope::ALL, span);
    let (now, day, week, quarter) =
        (by(Span::Minutes30), by(Span::Hours24), by(Span::Days7), by(Span::Days90));
    let mut out: Vec<Known> = dataset
        .dictionary
        .providers()
        .filter_map(|id| {
            let (scope, group) = (Scope::provider(id), Group::Provider(id));
            let totals = usage.iter().find(|(known, _)| *known == group).map(|(_, totals)| *totals);
            let is_live = now.contains_key(&scope) || day.contains_key(&scope);
            let is_active = is_live || week.contains_key(&scope) || totals.is_some();
            let size = week.get(&scope).or(day.get(&scope)).map_or(0, |counts| counts.attempts);
            let is_known = is_active || quarter.contains_key(&scope);
            is_known.then(|| Known { id, status: dataset.status(scope), is_active, totals, size })
        })
        .collect();
    out.sort_by_cached_key(|one| {
        (one.status.state, Reverse(one.size), dataset.dictionary.provider(one.id).to_owned())
    });
    out
}

/// Worst state first.
fn list(context: &PageContext, dataset: &Dataset) -> (Vec<ProviderRow>, Meta) {
    let week = dataset.trailing(7);
    let all = dataset.total(week, Filter::All).tokens();
    let data = known(dataset).iter().map(|one| row(dataset, one, all)).collect();
    let meta = Meta {
        start_date: Some(week.start),
        end_date: Some(week.end),
        window: Some("state 30m, speed and usage 7d".to_owned()),
        ..Meta::new(context, dataset, "uptime")
    };
    (data, meta)
}

fn row(dataset: &Dataset, one: &Known, all: u64) -> ProviderRow {
    let window = dataset.trailing(7);
    let (scope, group) = (Scope::provider(one.id), Group::Provider(one.id));
    let hidden = dataset.usage_withheld(window, GroupBy::Provider, group).map(Untold::from);
    let totals = one.totals.or_else(|| hidden.is_none().then(Totals::default));
    let health = |span| Shown(dataset.health(scope, span).uptime(&dataset.thresholds));
    let [day, month, quarter] = [Span::Hours24, Span::Days28, Span::Days90].map(health);
    let week: Period = dataset.period(scope, Span::Days7);
    let uptime_7d = week.counts.uptime(&dataset.thresholds);
    let speed = |speed| dataset.speed(scope, Span::Days7, speed);
    let (ttft, decode) = (speed(Speed::Ttft), speed(Speed::TokensDecode));
    let data::Status { state, uptime, counts } = one.status;
    ProviderRow {
        provider: dataset.key(group),
        name: dataset.name(group).to_owned(),
        state,
        uptime_last_30m: Shown(uptime),
        uptime_last_30m_reason: uptime.err().map(Reason::from),
        counted_attempts_30m: counts.tally(counts.counted()),
        uptime_last_1d: day,
        uptime_last_1d_reason: day.reason(),
        uptime_7d: Shown(uptime_7d),
        uptime_7d_reason: uptime_7d.err().map(Reason::from),
        uptime_7d_before: week.uptime_before,
        uptime_28d: month,
        uptime_28d_reason: month.reason(),
        uptime_90d: quarter,
        uptime_90d_reason: quarter.reason(),
        rate_limit_rate_7d: week.rate_limit_rate,
        ttft_ms_p50: quantile(ttft, |q| q.p50),
        ttft_ms_reason: ttft.err().map(Reason::from),
        tokens_per_s_decode_p50: quantile(decode, |q| q.p50),
        tokens_per_s_decode_reason: decode.err().map(Reason::from),
        usage_reason: hidden.map(Reason::from),
        requests_7d: totals.map(|totals| Count(totals.requests)),
        tokens_7d: totals.map(|totals| Count(totals.tokens())),
        token_share_7d: totals.filter(|_| all > 0).map(|totals| totals.tokens() as f64 / all as f64),
        withheld: withheld(&[
            ("usage", hidden),
            ("uptime_last_30m", uptime.err()),
            ("uptime_7d", uptime_7d.err()),
            ("ttft_ms", ttft.err()),
            ("tokens_per_s_decode", decode.err()),
        ]),
        id: one.id,
        is_active: one.is_active,
        attempts_7d: week.counts.tally(week.counts.attempts),
        uptime_delta: week.uptime_delta,
        models_7d: match one.totals {
            Some(_) => Some(models(dataset, window, one.id)),
            None => totals.map(|_| 0),
        },
    }
}

fn models(dataset: &Dataset, window: Window, provider: ProviderId) -> usize {
    let models = dataset.totals(window, GroupBy::Model, Filter::Provider(provider));
    models.iter().filter(|(group, _)| group.is_named()).count()
}

/// Rows that come worst state first.
fn order_directory(rows: &mut [ProviderRow], Sort { key, descending }: Sort) {
    match key {
        SortKey::Name => by_name(rows, descending),
        SortKey::State => {
            rows.sort_by_key(|row| row.state);
            if descending {
                rows.reverse();
            }
        }
        SortKey::Uptime => by_number(rows, descending, |row| row.uptime_28d.0.ok()),
        SortKey::Ttft => by_number(rows, descending, |row| row.ttft_ms_p50.0.ok()),
        SortKey::Throughput => by_number(rows, descending, |row| row.tokens_per_s_decode_p50.0.ok()),
        _ => by_number(rows, descending, tokens),
    }
}

fn order_status(rows: &mut [ProviderRow], Sort { key, descending }: Sort) {
    match key {
        SortKey::Name => by_name(rows, descending),
        SortKey::Uptime => by_number(rows, descending, |row| row.uptime_7d.0.ok()),
        SortKey::Tokens | SortKey::Share => by_number(rows, descending, tokens),
        _ if descending => rows.reverse(),
        _ => {}
    }
}

fn tokens(row: &ProviderRow) -> Option<f64> {
    row.tokens_7d.map(|tokens| tokens.0 as f64)
}

fn by_name(rows: &mut [ProviderRow], descending: bool) {
    rows.sort_by_key(|row| row.name.to_lowercase());
    if descending {
        rows.reverse();
    }
}

/// Missing figures come last in either direction.
pub(super) fn by_number<T>(rows: &mut [T], descending: bool, value: impl Fn(&T) -> Option<f64>) {
    rows.sort_by(|a, b| match (value(a), value(b)) {
        (Some(a), Some(b)) if descending => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}
