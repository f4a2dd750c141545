//! A model at its providers: the model's page, and what a router needs of its endpoints.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::routing::{RoutingRow, routing};
use super::{Count, Meta, Reason, Shown, Spend, Usd, View, p10, quantile, withheld};
use crate::data::{
    Dataset, Detail, Filter, Group, GroupBy, ModelId, NotEnough, ProviderId, Scope, Span, Speed, State,
    Tally, Totals, Untold, Window,
};
use crate::place::{PageContext, PageError};
use crate::url::query;

/// A model at one provider: live windows of health, speed, and use in the window.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct EndpointRow {
    /// Id of the provider.
    pub provider: String,
    /// Display name of the provider.
    pub name: String,
    /// State by the last 30 minutes.
    pub state: State,
    /// Successes among counted attempts of the last 5 minutes, %.
    pub uptime_last_5m: Shown,
    /// Why it is null.
    pub uptime_last_5m_reason: Option<Reason>,
    /// Uptime of the last 30 minutes, %.
    pub uptime_last_30m: Shown,
    /// Why it is null.
    pub uptime_last_30m_reason: Option<Reason>,
    /// Uptime of the last 24 hours, %.
    pub uptime_last_1d: Shown,
    /// Why it is null.
    pub uptime_last_1d_reason: Option<Reason>,
    /// Uptime of the last 28 days, %.
    pub uptime_28d: Shown,
    /// Why it is null.
    pub uptime_28d_reason: Option<Reason>,
    /// Attempts of the last 30 minutes that count for uptime: successes and faults.
    pub counted_attempts_30m: Option<Tally>,
    /// All attempts of the last 24 hours.
    pub attempts_1d: Option<Tally>,
    /// Rate-limited attempts (429) among all attempts of the last 24 hours, 0 to 1.
    pub rate_limit_rate_1d: Option<f64>,
    /// Requests with an invalid tool call among those that finished with tool calls, last 24 hours, 0 to 1.
    pub tool_error_rate_1d: Option<f64>,
    /// Requests of the last 24 hours that had to call a tool and got prose.
    pub prose_instead_of_call_1d: Option<Tally>,
    /// Time to first token of streamed requests that 10 % stay below, ms; not told.
    pub ttft_ms_p10: Option<f64>,
    /// Median time to first token of streamed requests, ms.
    pub ttft_ms_p50: Shown,
    /// 75th percentile of the time to first token, ms.
    pub ttft_ms_p75: Shown,
    /// 90th percentile of the time to first token, ms.
    pub ttft_ms_p90: Shown,
    /// 99th percentile of the time to first token, ms.
    pub ttft_ms_p99: Shown,
    /// Why these percentiles are null.
    pub ttft_ms_reason: Option<Reason>,
    /// End-to-end time that 10 % stay below, ms; not told.
    pub duration_ms_p10: Option<f64>,
    /// Median end-to-end time, ms.
    pub duration_ms_p50: Shown,
    /// 75th percentile of the end-to-end time, ms.
    pub duration_ms_p75: Shown,
    /// 90th percentile of the end-to-end time, ms.
    pub duration_ms_p90: Shown,
    /// 99th percentile of the end-to-end time, ms.
    pub duration_ms_p99: Shown,
    /// Why these percentiles are null.
    pub duration_ms_reason: Option<Reason>,
    /// Output tokens per second of the whole call that 90 % of requests reach at least.
    pub tokens_per_s_e2e_p10: Option<f64>,
    /// Median of output tokens per second of the whole call.
    pub tokens_per_s_e2e_p50: Shown,
    /// 75th percentile of output tokens per second of the whole call.
    pub tokens_per_s_e2e_p75: Shown,
    /// 90th percentile of output tokens per second of the whole call.
    pub tokens_per_s_e2e_p90: Shown,
    /// 99th percentile of output tokens per second of the whole call.
    pub tokens_per_s_e2e_p99: Shown,
    /// Why these percentiles are null.
    pub tokens_per_s_e2e_reason: Option<Reason>,
    /// Output tokens per second after the first token that 90 % of requests reach at least.
    pub tokens_per_s_decode_p10: Option<f64>,
    /// Median of output tokens per second after the first token.
    pub tokens_per_s_decode_p50: Shown,
    /// 75th percentile of output tokens per second after the first token.
    pub tokens_per_s_decode_p75: Shown,
    /// 90th percentile of output tokens per second after the first token.
    pub tokens_per_s_decode_p90: Shown,
    /// 99th percentile of output tokens per second after the first token.
    pub tokens_per_s_decode_p99: Shown,
    /// Why these percentiles are null.
    pub tokens_per_s_decode_reason: Option<Reason>,
    /// Why the use that follows is null.
    pub usage_reason: Option<Reason>,
    /// Served requests in the window.
    pub requests: Option<Tally>,
    /// Input and output tokens in the window.
    pub tokens: Option<Tally>,
    /// Input tokens in the window.
    pub input_tokens: Option<Tally>,
    /// Output tokens in the window.
    pub output_tokens: Option<Tally>,
    /// Spend in the window, USD; null: no request has a known price.
    pub spend_usd: Option<Spend>,
    /// Share of the model's tokens in the window, 0 to 1.
    pub token_share: Option<f64>,
    /// Cached among input tokens, 0 to 1.
    pub cached_input_share: Option<f64>,
    /// Tokens that no price is known for among all tokens, 0 to 1.
    pub unpriced_share: Option<f64>,
    /// USD per million tokens, input and output together, of priced traffic.
    pub price_usd_per_million: Option<f64>,
    /// Why figures of this row are missing.
    pub withheld: Option<String>,
    /// Id of the model, `author/slug`.
    pub model: String,
    #[serde(skip)]
    pub id: ProviderId,
    /// How exactly amounts are told.
    #[serde(skip)]
    pub detail: Detail,
    /// Counted attempts of the last 24 hours.
    #[serde(skip)]
    pub counted_1d: Option<Tally>,
    #[serde(skip)]
    pub rate_limit_rate_7d: Option<f64>,
    #[serde(skip)]
    pub tool_error_rate_7d: Option<f64>,
}

/// One day of a model.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ModelDayRow {
    /// UTC day.
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    /// Input and output tokens; null on a day on which the model may not be named beside amounts, as all that follows.
    pub tokens: Option<Count>,
    /// Input tokens.
    pub input_tokens: Option<Count>,
    /// Output tokens.
    pub output_tokens: Option<Count>,
    /// Served requests.
    pub requests: Option<Count>,
    /// Spend, USD; null where no request has a known price.
    pub spend_usd: Option<Usd>,
}

/// What a router needs to route better: providers of a model with live windows, and what routing adds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Endpoints {
    /// Providers, most tokens in the window first.
    pub data: Vec<EndpointRow>,
    /// What routing adds to the model, in each window.
    pub routing: Vec<RoutingRow>,
    /// What describes the rows.
    pub meta: Meta,
}

/// One model: providers first, then its days and its routing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Model {
    /// Providers, most tokens in the window first.
    pub data: Vec<EndpointRow>,
    /// Days of the window, oldest first.
    pub daily: Vec<ModelDayRow>,
    /// What routing adds to the model, in each window.
    pub routing: Vec<RoutingRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// Why the usage of all its days is withheld.
    #[serde(skip)]
    pub hidden: Option<NotEnough>,
}

query! {
    /// Days of usage, and what they are compared with.
    ModelQuery { metric, period + From + To, vs, view }
}

impl View for Endpoints {
    type Row = EndpointRow;
    type Query = ();

    fn of(context: &PageContext, _: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let model = found(context, dataset)?;
        let window = dataset.trailing(7);
        let meta = Meta {
            start_date: Some(window.start),
            end_date: Some(window.end),
            window: Some("speed 30m, usage 7d".to_owned()),
            ..Meta::new(context, dataset, "endpoints")
        };
        let data = rows(dataset, model, window, Span::Minutes30);
        Ok(Self { data, routing: routing(dataset, &[model]), meta })
    }

    fn rows(&self) -> &[EndpointRow] {
        &self.data
    }
}

impl View for Model {
    type Row = EndpointRow;
    type Query = ModelQuery;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let model = found(context, dataset)?;
        let days = query.period.resolve(query.vs, dataset);
        let hidden = dataset.usage_withheld(days.window, GroupBy::Model, Group::Model(model));
        let meta = Meta {
            not_enough_data: hidden.filter(|_| days.outside.is_none()).map(|why| Untold::from(why).into()),
            ..Meta::new(context, dataset, "endpoints").over(query.period, &days, dataset)
        };
        Ok(Self {
            data: rows(dataset, model, days.window, Span::Days7),
            daily: daily(dataset, days.window, model),
            routing: routing(dataset, &[model]),
            meta,
            hidden,
        })
    }

    fn rows(&self) -> &[EndpointRow] {
        &self.data
    }
}

/// The model that the address names.
fn found(context: &PageContext, dataset: &Dataset) -> Result<ModelId, PageError> {
    let id = context.page.id();
    dataset.dictionary.find_model(&id).ok_or(PageError::NotFound(id))
}

/// Providers of a model, most tokens in the window first; `speed`: over which span speed is told.
fn rows(dataset: &Dataset, model: ModelId, window: Window, speed: Span) -> Vec<EndpointRow> {
    let usage = dataset.totals(window, GroupBy::Provider, Filter::Model(model));
    let all: u64 = usage.iter().fold(0, |sum, (_, totals)| sum.saturating_add(totals.tokens()));
    let mut providers = dataset.providers_of(model);
    for (group, _) in &usage {
        if let Group::Provider(id) = group
            && id.is_named()
            && !providers.contains(id)
        {
            providers.push(*id);
        }
    }
    let mut rows: Vec<(u64, EndpointRow)> = providers
        .into_iter()
        .map(|provider| {
            let group = Group::Provider(provider);
            let own = usage.iter().find(|(known, _)| *known == group).map(|(_, totals)| *totals);
            // Where nobody is hidden no traffic is no traffic.
            let own = own.or_else(|| dataset.tells_all().then(Totals::default));
            let row = health(dataset, model, provider, speed);
            (own.map_or(0, |totals| totals.tokens()), with_usage(dataset, row, own, all))
        })
        .collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.provider.cmp(&b.1.provider)));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// All of a row but its usage.
fn health(dataset: &Dataset, model: ModelId, provider: ProviderId, speed: Span) -> EndpointRow {
    let (scope, group) = (Scope::pair(model, provider), Group::Provider(provider));
    let uptime = |span| Shown(dataset.health(scope, span).uptime(&dataset.thresholds));
    let status = dataset.status(scope);
    let (day, week) = (dataset.period(scope, Span::Hours24), dataset.period(scope, Span::Days7));
    let speed = |measure| dataset.speed(scope, speed, measure);
    let (ttft, duration) = (speed(Speed::Ttft), speed(Speed::Duration));
    let (e2e, decode) = (speed(Speed::TokensE2e), speed(Speed::TokensDecode));
    EndpointRow {
        provider: dataset.key(group),
        name: dataset.name(group).to_owned(),
        state: status.state,
        uptime_last_5m: uptime(Span::Minutes5),
        uptime_last_30m: Shown(status.uptime),
        uptime_last_1d: Shown(day.counts.uptime(&dataset.thresholds)),
        uptime_28d: uptime(Span::Days28),
        counted_attempts_30m: status.counts.tally(status.counts.counted()),
        attempts_1d: day.counts.tally(day.counts.attempts),
        rate_limit_rate_1d: day.rate_limit_rate,
        tool_error_rate_1d: day.tool_error_rate,
        prose_instead_of_call_1d: day.counts.tally(day.prose_instead_of_call),
        ttft_ms_p10: p10(ttft),
        ttft_ms_p50: quantile(ttft, |q| q.p50),
        ttft_ms_p75: quantile(ttft, |q| q.p75),
        ttft_ms_p90: quantile(ttft, |q| q.p90),
        ttft_ms_p99: quantile(ttft, |q| q.p99),
        duration_ms_p10: p10(duration),
        duration_ms_p50: quantile(duration, |q| q.p50),
        duration_ms_p75: quantile(duration, |q| q.p75),
        duration_ms_p90: quantile(duration, |q| q.p90),
        duration_ms_p99: quantile(duration, |q| q.p99),
        tokens_per_s_e2e_p10: p10(e2e),
        tokens_per_s_e2e_p50: quantile(e2e, |q| q.p50),
        tokens_per_s_e2e_p75: quantile(e2e, |q| q.p75),
        tokens_per_s_e2e_p90: quantile(e2e, |q| q.p90),
        tokens_per_s_e2e_p99: quantile(e2e, |q| q.p99),
        tokens_per_s_decode_p10: p10(decode),
        tokens_per_s_decode_p50: quantile(decode, |q| q.p50),
        tokens_per_s_decode_p75: quantile(decode, |q| q.p75),
        tokens_per_s_decode_p90: quantile(decode, |q| q.p90),
        tokens_per_s_decode_p99: quantile(decode, |q| q.p99),
        model: dataset.key(Group::Model(model)),
        id: provider,
        detail: dataset.detail(scope),
        counted_1d: day.counts.tally(day.counts.counted()),
        rate_limit_rate_7d: week.rate_limit_rate,
        tool_error_rate_7d: week.tool_error_rate,
        ..EndpointRow::default()
    }
}

/// `all`: tokens of the model at all of its providers.
fn with_usage(dataset: &Dataset, row: EndpointRow, own: Option<Totals>, all: u64) -> EndpointRow {
    let detail = row.detail;
    let count = |of: fn(&Totals) -> u64| own.as_ref().map(|totals| detail.count(of(totals)));
    let spend = own.as_ref().and_then(Totals::known_cost);
    let hidden = own.is_none().then(|| Untold::from(NotEnough::users(dataset.thresholds.users)));
    let why = withheld(&[
        ("usage", hidden),
        ("uptime_last_5m", row.uptime_last_5m.0.err()),
        ("uptime_last_30m", row.uptime_last_30m.0.err()),
        ("uptime_last_1d", row.uptime_last_1d.0.err()),
        ("uptime_28d", row.uptime_28d.0.err()),
        ("ttft_ms", row.ttft_ms_p50.0.err()),
        ("duration_ms", row.duration_ms_p50.0.err()),
        ("tokens_per_s_e2e", row.tokens_per_s_e2e_p50.0.err()),
        ("tokens_per_s_decode", row.tokens_per_s_decode_p50.0.err()),
    ]);
    EndpointRow {
        requests: count(|totals| totals.requests),
        tokens: count(Totals::tokens),
        input_tokens: count(|totals| totals.input_tokens),
        output_tokens: count(|totals| totals.output_tokens),
        spend_usd: spend.map(|nano| match detail.is_exact() {
            true => Spend::Exact(Usd(nano)),
            false => Spend::Band(detail.count(u64::try_from(nano / 1_000_000_000).unwrap_or(u64::MAX))),
        }),
        token_share: detail.share(own.filter(|_| all > 0).map(|own| own.tokens() as f64 / all as f64)),
        cached_input_share: detail.share(own.as_ref().and_then(Totals::cache_hit)),
        unpriced_share: detail.share(own.as_ref().and_then(Totals::unpriced)),
        price_usd_per_million: detail.rough(own.as_ref().and_then(Totals::price_per_million)),
        usage_reason: hidden.map(Reason::from),
        uptime_last_5m_reason: row.uptime_last_5m.reason(),
        uptime_last_30m_reason: row.uptime_last_30m.reason(),
        uptime_last_1d_reason: row.uptime_last_1d.reason(),
        uptime_28d_reason: row.uptime_28d.reason(),
        ttft_ms_reason: row.ttft_ms_p50.reason(),
        duration_ms_reason: row.duration_ms_p50.reason(),
        tokens_per_s_e2e_reason: row.tokens_per_s_e2e_p50.reason(),
        tokens_per_s_decode_reason: row.tokens_per_s_decode_p50.reason(),
        withheld: why,
        ..row
    }
}

/// Daily usage of one model, oldest first; nothing of days on which it may not be named.
fn daily(dataset: &Dataset, window: Window, model: ModelId) -> Vec<ModelDayRow> {
    let days = dataset.daily(window, Filter::Model(model)).into_iter();
    days.filter(|(date, _)| dataset.covers(*date))
        .map(|(date, totals)| {
            let told = dataset.tells(Group::Model(model), date).then_some(totals);
            ModelDayRow {
                date,
                tokens: told.map(|totals| Count(totals.tokens())),
                input_tokens: told.map(|totals| Count(totals.input_tokens)),
                output_tokens: told.map(|totals| Count(totals.output_tokens)),
                requests: told.map(|totals| Count(totals.requests)),
                spend_usd: told.and_then(|totals| totals.known_cost()).map(Usd),
            }
        })
        .collect()
}
