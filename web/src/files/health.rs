//! Providers, models and their endpoints: state, uptime, error classes, speed, routing.

use chrono::SecondsFormat;

use super::View;
use super::labels::withheld;
use super::meta::Meta;
use super::rankings::{daily, date, key};
use super::table::{Cell, Table};
use crate::data::{
    Boost, Counts, Dataset, Figure, Filter, Group, GroupBy, HealthBy, ModelId, ModelProvider, NotEnough,
    ProviderId, Quantiles, Scope, Span, Speed, Tally, Totals,
};
use crate::place::{PageContext, PageError, empty_because};

fn found<T>(id: Option<T>, name: &str) -> Result<T, PageError> {
    id.ok_or_else(|| PageError::NotFound(name.to_owned()))
}

fn counted(counts: &Counts) -> Cell {
    Cell::tally(counts.tally(counts.counted()))
}

fn quantiles(figure: Figure<Quantiles>, cells: &mut Vec<Cell>) {
    let of = |get: fn(&Quantiles) -> f64| Cell::number(figure.as_ref().ok().map(get));
    let p10 = Cell::number(figure.ok().and_then(|quantiles| quantiles.p10));
    cells.extend([p10, of(|q| q.p50), of(|q| q.p75), of(|q| q.p90), of(|q| q.p99)]);
}

const ENDPOINT_COLUMNS: [&str; 43] = [
    "provider",
    "name",
    "state",
    "uptime_last_5m",
    "uptime_last_30m",
    "uptime_last_1d",
    "uptime_28d",
    "counted_attempts_30m",
    "attempts_1d",
    "rate_limit_rate_1d",
    "tool_error_rate_1d",
    "prose_instead_of_call_1d",
    "ttft_ms_p10",
    "ttft_ms_p50",
    "ttft_ms_p75",
    "ttft_ms_p90",
    "ttft_ms_p99",
    "duration_ms_p10",
    "duration_ms_p50",
    "duration_ms_p75",
    "duration_ms_p90",
    "duration_ms_p99",
    "tokens_per_s_e2e_p10",
    "tokens_per_s_e2e_p50",
    "tokens_per_s_e2e_p75",
    "tokens_per_s_e2e_p90",
    "tokens_per_s_e2e_p99",
    "tokens_per_s_decode_p10",
    "tokens_per_s_decode_p50",
    "tokens_per_s_decode_p75",
    "tokens_per_s_decode_p90",
    "tokens_per_s_decode_p99",
    "requests",
    "tokens",
    "input_tokens",
    "output_tokens",
    "spend_usd",
    "token_share",
    "cached_input_share",
    "unpriced_share",
    "price_usd_per_million",
    "withheld",
    "model",
];

fn endpoint_cells(dataset: &Dataset, model: ModelId, row: &ModelProvider) -> Vec<Cell> {
    let (detail, totals, day) = (row.detail, row.totals.as_ref(), &row.day);
    let count = |n: u64| Cell::tally(detail.count(n));
    let usage = |of: fn(&Totals) -> u64| totals.map_or(Cell::Null, |totals| count(of(totals)));
    let spend = totals.and_then(Totals::known_cost);
    let group = Group::Provider(row.provider);
    let needs = NotEnough::users(dataset.thresholds.users);
    let mut cells = vec![
        key(dataset, group),
        Cell::Text(dataset.name(group).to_owned()),
        Cell::Text(row.status.state.word().to_owned()),
        Cell::figure(row.uptime_5m),
        Cell::figure(row.status.uptime),
        Cell::figure(row.uptime_24h),
        Cell::figure(row.uptime_28d),
        counted(&row.status.counts),
        Cell::tally(day.counts.tally(day.counts.attempts)),
        Cell::number(day.rate_limit_rate),
        Cell::number(day.tool_error_rate),
        Cell::tally(day.counts.tally(day.prose_instead_of_call)),
    ];
    for figure in [row.ttft, row.duration, row.tokens_e2e, row.tokens_decode] {
        quantiles(figure, &mut cells);
    }
    cells.extend([
        usage(|totals| totals.requests),
        usage(Totals::tokens),
        usage(|totals| totals.input_tokens),
        usage(|totals| totals.output_tokens),
        match spend.filter(|_| !detail.is_exact()) {
            Some(nano) => count(u64::try_from(nano / 1_000_000_000).unwrap_or(u64::MAX)),
            None => Cell::money(spend),
        },
        Cell::number(row.share),
        Cell::number(detail.share(totals.and_then(Totals::cache_hit))),
        Cell::number(detail.share(totals.and_then(Totals::unpriced))),
        Cell::number(detail.rough(totals.and_then(Totals::price_per_million))),
        withheld(&[
            ("usage", totals.is_none().then_some(needs)),
            ("uptime_last_5m", row.uptime_5m.err()),
            ("uptime_last_30m", row.status.uptime.err()),
            ("uptime_last_1d", row.uptime_24h.err()),
            ("uptime_28d", row.uptime_28d.err()),
            ("ttft_ms", row.ttft.err()),
            ("duration_ms", row.duration.err()),
            ("tokens_per_s_e2e", row.tokens_e2e.err()),
            ("tokens_per_s_decode", row.tokens_decode.err()),
        ]),
        key(dataset, Group::Model(model)),
    ]);
    cells
}

/// What a router needs to route better: live windows.
pub(super) fn endpoints(context: &PageContext, dataset: &Dataset, id: &str) -> Result<View, PageError> {
    let model = found(dataset.dictionary.find_model(id), id)?;
    let window = dataset.trailing(7);
    let mut table = Table::new(&ENDPOINT_COLUMNS);
    for row in dataset.model_providers(model, window, Span::Minutes30) {
        table.rows.push(endpoint_cells(dataset, model, &row));
    }
    let meta = Meta {
        start_date: Some(window.start),
        end_date: Some(window.end),
        window: Some("speed 30m, usage 7d".to_owned()),
        ..Meta::new(context, dataset, "endpoints")
    };
    Ok(View { main: table, more: vec![("routing", routing_table(dataset, &[model]))], meta })
}

/// The model page: providers first, then its days and its routing.
pub(super) fn model(context: &PageContext, dataset: &Dataset, id: &str) -> Result<View, PageError> {
    let model = found(dataset.dictionary.find_model(id), id)?;
    let days = context.state.resolve(dataset);
    let hidden = dataset.usage_withheld(days.window, GroupBy::Model, Group::Model(model));
    let mut table = Table::new(&ENDPOINT_COLUMNS);
    for row in dataset.model_providers(model, days.window, Span::Days7) {
        table.rows.push(endpoint_cells(dataset, model, &row));
    }
    let meta = Meta {
        start_date: Some(days.window.start),
        end_date: Some(days.window.end),
        window: Some(context.state.period.word().to_owned()),
        clamped: days.clamped,
        partial: days.partial,
        not_enough_data: hidden.filter(|_| days.outside.is_none()).map(Into::into),
        empty_because: empty_because(dataset, &days),
        ..Meta::new(context, dataset, "endpoints")
    };
    let by_day = daily(dataset, days.window, model);
    let more = vec![("daily", by_day), ("routing", routing_table(dataset, &[model]))];
    Ok(View { main: table, more, meta })
}

/// All providers: state, uptime, speed, share.
pub(super) fn providers(context: &PageContext, dataset: &Dataset) -> View {
    let mut table = Table::new(&[
        "provider",
        "name",
        "state",
        "uptime_last_30m",
        "counted_attempts_30m",
        "uptime_last_1d",
        "uptime_7d",
        "uptime_7d_before",
        "uptime_28d",
        "uptime_90d",
        "rate_limit_rate_7d",
        "ttft_ms_p50",
        "tokens_per_s_decode_p50",
        "requests_7d",
        "tokens_7d",
        "token_share_7d",
        "withheld",
    ]);
    let week = dataset.trailing(7);
    let usage = dataset.totals(week, GroupBy::Provider, Filter::All);
    let all = dataset.total(week, Filter::All).tokens();
    let by = |span| dataset.health_by(HealthBy::Provider, Scope::ALL, span);
    let (day, days_90) = (by(Span::Hours24), by(Span::Days90));
    let mut ids: Vec<ProviderId> = dataset.dictionary.providers().collect();
    ids.sort_by(|a, b| dataset.dictionary.provider(*a).cmp(dataset.dictionary.provider(*b)));
    for id in ids {
        let scope = Scope::provider(id);
        let group = Group::Provider(id);
        let totals = usage.iter().find(|(known, _)| *known == group).map(|(_, totals)| *totals);
        if !days_90.contains_key(&scope) && !day.contains_key(&scope) && totals.is_none() {
            continue;
        }
        let hidden = dataset.usage_withheld(week, GroupBy::Provider, group);
        let told = |of: fn(&Totals) -> u64| match (hidden, &totals) {
            (Some(_), _) => Cell::Null,
            (None, totals) => Cell::Count(totals.as_ref().map_or(0, of)),
        };
        let share = totals.filter(|_| all > 0).map(|totals| totals.tokens() as f64 / all as f64);
        let uptime = |span| dataset.health(scope, span).uptime(&dataset.thresholds);
        let (status, period) = (dataset.status(scope), dataset.period(scope, Span::Days7));
        let speed = |speed| dataset.speed(scope, Span::Days7, speed);
        let (ttft, decode) = (speed(Speed::Ttft), speed(Speed::TokensDecode));
        table.rows.push(vec![
            key(dataset, group),
            Cell::Text(dataset.name(group).to_owned()),
            Cell::Text(status.state.word().to_owned()),
            Cell::figure(status.uptime),
            counted(&status.counts),
            Cell::figure(uptime(Span::Hours24)),
            Cell::figure(uptime(Span::Days7)),
            Cell::number(period.uptime_before),
            Cell::figure(uptime(Span::Days28)),
            Cell::figure(uptime(Span::Days90)),
            Cell::number(period.rate_limit_rate),
            Cell::number(ttft.ok().map(|q| q.p50)),
            Cell::number(decode.ok().map(|q| q.p50)),
            told(|totals| totals.requests),
            told(Totals::tokens),
            Cell::number(share.or_else(|| (all > 0 && hidden.is_none()).then_some(0.0))),
            withheld(&[
                ("usage", hidden),
                ("uptime_last_30m", status.uptime.err()),
                ("uptime_7d", uptime(Span::Days7).err()),
                ("ttft_ms", ttft.err()),
                ("tokens_per_s_decode", decode.err()),
            ]),
        ]);
    }
    let meta = Meta {
        start_date: Some(week.start),
        end_date: Some(week.end),
        window: Some("state 30m, speed and usage 7d".to_owned()),
        ..Meta::new(context, dataset, "uptime")
    };
    View { main: table, more: Vec::new(), meta }
}

/// One provider: its 90 days, its error classes now, its models.
pub(super) fn provider(context: &PageContext, dataset: &Dataset, id: &str) -> Result<View, PageError> {
    let provider = found(dataset.dictionary.find_provider(id), id)?;
    let scope = Scope::provider(provider);
    let span = context.state.health;
    let mut days = Table::new(&["date", "uptime", "counted_attempts", "attempts", "rate_limited", "fault"]);
    for bar in dataset.bars(scope, 90) {
        let count = |n: u64| Cell::tally(bar.counts.tally(n));
        days.rows.push(vec![
            date(bar.date),
            Cell::figure(bar.uptime),
            count(bar.counts.counted()),
            count(bar.counts.attempts),
            count(bar.counts.rate_limited),
            count(bar.counts.fault),
        ]);
    }
    let mut strip = Table::new(&["at", "uptime", "counted_attempts"]);
    for cell in dataset.strip(provider) {
        strip.rows.push(vec![
            Cell::Text(cell.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Cell::figure(cell.uptime),
            counted(&cell.counts),
        ]);
    }
    let now = dataset.period(scope, span);
    let mut errors = Table::new(&["error_class", "attempts", "share_of_attempts", "counts_for_uptime"]);
    for class in now.mix() {
        errors.rows.push(vec![
            Cell::Text(class.class.to_owned()),
            Cell::tally(now.counts.tally(class.n)),
            Cell::number(class.share),
            Cell::Text(if class.fault { "true" } else { "false" }.to_owned()),
        ]);
    }
    let mut models = Table::new(&["model", "state", "uptime_last_30m", "uptime_7d", "counted_attempts_7d"]);
    let mut week: Vec<(Scope, Counts)> =
        dataset.health_by(HealthBy::Model, scope, Span::Days7).into_iter().collect();
    // By size as it is told, so that the order tells no more.
    week.sort_by_cached_key(|(of, counts)| {
        (std::cmp::Reverse(counts.attempts), of.model.map(|model| dataset.key(Group::Model(model))))
    });
    for (of, counts) in week {
        let Some(model) = of.model else { continue };
        let status = dataset.status(Scope::pair(model, provider));
        models.rows.push(vec![
            key(dataset, Group::Model(model)),
            Cell::Text(status.state.word().to_owned()),
            Cell::figure(status.uptime),
            Cell::figure(counts.uptime(&dataset.thresholds)),
            counted(&counts),
        ]);
    }
    let mut speed = Table::new(&["date", "measure", "n", "p10", "p50", "p75", "p90", "p99"]);
    for measure in Speed::ALL {
        for (day, figure) in dataset.speed_daily(scope, 28, measure) {
            let mut cells = vec![
                date(day),
                Cell::Text(measure.column().to_owned()),
                figure.as_ref().map_or(Cell::Null, |q| Cell::tally(q.n)),
            ];
            quantiles(figure, &mut cells);
            speed.rows.push(cells);
        }
    }
    let window = dataset.trailing(90);
    let meta = Meta {
        start_date: Some(window.start),
        end_date: Some(window.end),
        grain: Some("day"),
        unit: Some("%"),
        ..Meta::new(context, dataset, "uptime")
    };
    let more = vec![("strip_24h", strip), ("errors", errors), ("models", models), ("speed", speed)];
    Ok(View { main: days, more, meta })
}

/// Routed against pinned, every model.
pub(super) fn routing(context: &PageContext, dataset: &Dataset) -> View {
    let models = dataset.routed_models(28);
    let window = dataset.routing_window(28);
    let meta = Meta {
        start_date: Some(window.start),
        end_date: Some(window.end),
        unit: Some("%"),
        ..Meta::new(context, dataset, "routed")
    };
    View { main: routing_table(dataset, &models), more: Vec::new(), meta }
}

fn routing_table(dataset: &Dataset, models: &[ModelId]) -> Table {
    let mut table = Table::new(&[
        "model",
        "window",
        "requests",
        "routed",
        "without_routing",
        "boost_pp",
        "requests_with_rate_limits",
        "routed_with_rate_limits",
        "without_routing_with_rate_limits",
        "boost_with_rate_limits_pp",
        "best_pinned_provider",
        "best_pinned",
        "attempts_per_request",
        "withheld",
    ]);
    for model in models {
        for (days, window) in [(1, "1d"), (7, "7d"), (28, "28d")] {
            let routing = dataset.routing(*model, days);
            let tally = |tally: Option<Tally>| tally.map_or(Cell::Null, Cell::tally);
            let pair = |figure: Figure<Boost>| {
                let of = |get: fn(&Boost) -> f64| Cell::number(figure.as_ref().ok().map(get));
                [of(|boost| boost.routed), of(|boost| boost.without_routing), of(|boost| boost.boost)]
            };
            let mut cells = vec![
                key(dataset, Group::Model(*model)),
                Cell::Text(window.to_owned()),
                tally(routing.requests),
            ];
            cells.extend(pair(routing.boost));
            cells.push(tally(routing.requests_with_rate_limits));
            cells.extend(pair(routing.boost_with_rate_limits));
            let best = routing.best_pinned;
            cells.extend([
                best.map_or(Cell::Null, |best| key(dataset, Group::Provider(best.provider))),
                Cell::number(best.map(|best| best.uptime)),
                Cell::number(routing.attempts_per_request),
                withheld(&[("routed", routing.boost.err())]),
            ]);
            table.rows.push(cells);
        }
    }
    table
}
