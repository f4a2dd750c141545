//! One model: how much it is used, who serves it and how well, what routing adds.

use super::MODELS;
use crate::files;
use crate::place::{self, Address, Found, PageContext, PageError, Place, Section};
use crate::url::Resolved;
use askama::Template;

use super::controls;
use super::model_providers::{providers_table, providers_title};
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::shell::{Shell, crumbs};
use super::speed_charts;
use super::uptime::{attempts, best_pinned, lift, part};
use super::usage_charts;
use crate::data::{
    Dataset, Filter, Group, GroupBy, Metric, ModelId, NotEnough, Ranking, RankingQuery, RankingRow, Scope,
    Span, Speed, Untold, UserQuery,
};
use crate::format;
use crate::views::View as _;
use crate::views::endpoints::{EndpointRow, Endpoints, Model, ModelQuery};
use crate::views::routing::RoutingRow;

pub static MODEL: Place = Place {
    path: "/models/{author}/{slug}",
    api: Some("/api/v1/models/{author}/{slug}"),
    title: "One model",
    section: Section::Rankings,
    find,
    page: Some(place::Page::of::<Page>()),
    file: Some(files::of::<Model>("endpoints, routing and daily usage of a model")),
    ..Place::DEFAULT
};

/// API only: what a router needs to know of a model's endpoints.
pub static ENDPOINTS: Place = Place {
    path: "/api/v1/models/{author}/{slug}/endpoints",
    api: Some("/api/v1/models/{author}/{slug}/endpoints"),
    title: "Endpoints of one model",
    find,
    file: Some(files::of::<Endpoints>("live figures of every endpoint of a model, for routers")),
    ..Place::DEFAULT
};

/// `id` is `author/slug`.
pub fn model_page(id: &str) -> Address {
    Address::new(&MODEL, id.split('/'))
}

pub fn endpoints_of(id: &str) -> Address {
    Address::new(&ENDPOINTS, id.split('/'))
}

/// `:free` and the like are rows of their model's page.
fn find(address: Address, data: &Dataset) -> Found {
    let id = address.id();
    let at = |id: &str| Address::new(address.place(), id.split('/'));
    if let Some(known) = data.spelled_model(&id) {
        return Found::Here(at(&known));
    }
    let base = id.rsplit_once(':').and_then(|(base, variant)| Some((data.spelled_model(base)?, variant)));
    match base {
        Some((base, variant)) => Found::Moved { to: model_page(&base), name: format!("{base}:{variant}") },
        None => Found::Nowhere(id),
    }
}

#[derive(Template)]
#[template(path = "model.html")]
struct Page {
    shell: Shell,
    crumbs: Html,
    kicker: Html,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    window: Html,
    facts: Vec<Fact>,
    volume: Figure,
    share: Figure,
    providers_title: String,
    providers: Table,
    ttft: Figure,
    throughput: Figure,
    routing: Table,
    variants: Table,
    about: Vec<(&'static str, Html)>,
    downloads: Downloads,
}

impl place::Draw for Page {
    type Query = ModelQuery;

    fn draw(ctx: &PageContext, query: &ModelQuery, data: &Dataset) -> Result<String, PageError> {
        render(ctx, query, data, &ctx.page.id())
    }

    fn users(ctx: &PageContext, query: &ModelQuery, data: &Dataset) -> Vec<UserQuery> {
        let Some(model) = data.dictionary.find_model(&ctx.page.id()) else { return Vec::new() };
        queries(query, data, model).iter().flat_map(RankingQuery::users).collect()
    }
}

fn queries(query: &ModelQuery, data: &Dataset, model: ModelId) -> [RankingQuery; 2] {
    let Resolved { window, before, .. } = query.period.resolve(query.vs, data);
    let metric = query.metric;
    [
        RankingQuery { by: GroupBy::Model, metric, window, before, filter: Filter::All },
        RankingQuery { by: GroupBy::Series, metric, window, before, filter: Filter::Model(model) },
    ]
}

fn render(ctx: &PageContext, query: &ModelQuery, data: &Dataset, id: &str) -> Result<String, PageError> {
    let model = data.dictionary.find_model(id).ok_or_else(|| PageError::NotFound(id.to_owned()))?;
    let group = Group::Model(model);
    let [all, own] = queries(query, data, model).map(|ranked| data.ranking(ranked));
    let name = data.model_name(model).to_owned();
    let weekly = data.weekly(GroupBy::Model, crate::data::WEEKS, Filter::All);
    let files = || controls::downloads(ctx);
    let row = all.find(group);
    let finding = finding(data, &name, &all, row);
    let view = Model::of(ctx, query, data)?;
    let [volume, share] = match &view.hidden {
        Some(why) => usage_charts::withheld(&Html::text(&ranked::withheld(why))),
        None => [
            usage_charts::volume(group, &weekly, query.metric, files()),
            usage_charts::share(data, group, &weekly, query.metric, files()),
        ],
    };
    let providers = &view.data;
    let author = Group::Author(data.dictionary.author_of(model));
    let by = if author.is_named() { data.name(author) } else { "unmapped" };
    let scope = Scope::model(model);
    let page = Page {
        shell: Shell::new(ctx, Some(data), &name, &finding),
        crumbs: crumbs(&[("Models", Some(MODELS.here().path())), (by, data.href(author)), (&name, None)]),
        kicker: Html::markup(format!(
            "{} · <code>{}</code>",
            Html::link_or_text(data.href(author).as_deref(), by),
            Html::text(id)
        )),
        deck: deck(providers, own.rows.len(), view.hidden),
        pickers: controls::pickers(ctx, query),
        window: controls::window_note(data, &query.period.resolve(query.vs, data)),
        facts: facts(data, model, row, &all, &view.routing),
        volume,
        share,
        providers_title: providers_title(providers),
        providers: providers_table(query.period, data, model, providers),
        ttft: speed_charts::ttft(data, scope, files()),
        throughput: speed_charts::throughput(data, scope, files()),
        routing: routing(&view.routing, &name),
        variants: variants(data, &own),
        about: about(data, model, id, row),
        downloads: files(),
        finding,
    };
    Ok(page.render()?)
}

fn finding(data: &Dataset, name: &str, all: &Ranking, row: Option<&RankingRow>) -> String {
    let metric = all.query.metric;
    let Some(row) = row else { return ranked::nothing(data, name) };
    match (row.share, row.rank) {
        (Some(share), Some(1)) => {
            format!("{name} is used most: {} of {}", format::percent_sign(share, 1), metric.word())
        }
        (Some(share), Some(_)) => format!(
            "{name}{}, with {} of {}",
            ranked::place(row, all, " is number"),
            format::percent_sign(share, 1),
            metric.word()
        ),
        (_, Some(_)) => format!("{name}{} by {}", ranked::place(row, all, " is number"), metric.word()),
        (_, None) => format!("{name} has no known number of {}", metric.word()),
    }
}

fn deck(providers: &[EndpointRow], variants: usize, hidden: Option<NotEnough>) -> Html {
    let mut out = hidden.map_or(String::new(), |why| format!("{} ", ranked::withheld(&why)));
    if variants > 1 {
        out.push_str("All its variants together; rankings have them as rows of their own. ");
    }
    let n = providers.len();
    if n > 0 {
        out.push_str(&format!(
            "{} {} it. ",
            format::capitalised(&format::in_words(n)),
            if n == 1 { "provider serves" } else { "providers serve" }
        ));
    }
    if let Some(first) = providers.first().filter(|first| n > 1 && first.token_share.is_some()) {
        out.push_str(&format!(
            "{} carries {} of its tokens. ",
            Html::text(&first.name),
            format::percent_sign(first.token_share.unwrap_or(0.0), usize::from(first.detail.is_exact()))
        ));
    }
    let fastest = providers
        .iter()
        .filter_map(|one| Some((one, one.ttft_ms_p50.0.ok()?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((one, ttft)) = fastest.filter(|_| n > 1) {
        out.push_str(&format!(
            "{} is fastest to the first token: <b>{} ms</b> at the median. ",
            Html::text(&one.name),
            format::decimal(ttft, 0)
        ));
    }
    let cheapest = providers
        .iter()
        .filter_map(|one| Some((one, one.price_usd_per_million?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((one, price)) = cheapest.filter(|_| n > 1) {
        out.push_str(&format!(
            "{} has the lowest effective price, <b>{} USD per 1M tokens</b>.",
            Html::text(&one.name),
            format::price(price)
        ));
    }
    Html::markup(out)
}

fn facts(
    data: &Dataset,
    model: ModelId,
    row: Option<&RankingRow>,
    all: &Ranking,
    routing: &[RoutingRow],
) -> Vec<Fact> {
    let mut out = Vec::new();
    if let Some(row) = row {
        let rank = |metric: Metric| match row.rank.filter(|_| metric == all.query.metric) {
            Some(rank) => format!("rank {rank} of {}, variants folded", all.rows.len()),
            None => String::new(),
        };
        let change = |metric: Metric| {
            if metric != all.query.metric {
                return String::new();
            }
            cells::change_words(&row.change).map_or(String::new(), |words| format!(", {words}"))
        };
        let mut add = |term: &str, scaled: format::Scaled, metric: Metric, extra: String| {
            let note = format!("{}{}{extra}", rank(metric), change(metric));
            let note = note.trim_start_matches(", ").to_owned();
            out.push(Fact::new(term, scaled.value, scaled.unit, &note));
        };
        let totals = &row.totals;
        add("Tokens", format::compact(totals.tokens() as f64), Metric::Tokens, String::new());
        add("Requests", format::compact(totals.requests as f64), Metric::Requests, String::new());
        let mut spend = format::usd(totals.spend());
        let unit = if spend.unit.is_empty() { "USD".to_owned() } else { format!("{} USD", spend.unit) };
        spend.unit = "";
        let unpriced = totals.unpriced().filter(|share| *share > 0.0).map_or(String::new(), |share| {
            format!(", no price for {} of tokens", format::percent_sign(share, 1))
        });
        let note = format!("{}{}{unpriced}", rank(Metric::Spend), change(Metric::Spend));
        let mut fact = Fact::new("Spend", spend.value, &unit, note.trim_start_matches(", "));
        if totals.known_cost().is_none() {
            fact = Fact::new("Spend", "–", "", "no request has a price");
        }
        out.push(fact);
        out.push(match row.users {
            Some(users) => {
                let scaled = format::compact(users as f64);
                Fact::new("Users", scaled.value, scaled.unit, "distinct in the window, ±2 %")
            }
            None => Fact::new("Users", "–", "", "no user ids, or too few users"),
        });
    }
    let week = routing.iter().find(|row| row.days == 7).cloned().unwrap_or_default();
    out.push(match week.routed.0 {
        Ok(routed) => Fact::new(
            "Routed uptime, 7 d",
            format!("{}\u{a0}%", format::uptime(routed)),
            "",
            &format!("of {} requests", format::compact_tally(week.requests.unwrap_or_default())),
        ),
        Err(why) => Fact::new("Routed uptime, 7 d", "–", "", &cells::why(&why)),
    });
    out.push(match data.speed(Scope::model(model), Span::Days7, Speed::Ttft) {
        Ok(ttft) => Fact::new("TTFT p50, 7 d", format::decimal(ttft.p50, 0), "ms", "all providers, streamed"),
        Err(why) => Fact::new("TTFT p50, 7 d", "–", "", &cells::why(&why)),
    });
    out
}

fn routing(windows: &[RoutingRow], name: &str) -> Table {
    let mut title = match windows.iter().find_map(|row| row.routed.0.err()) {
        Some(why @ Untold::NotYet(_)) => format!("What routing adds to {name} is {}", cells::why(&why)),
        _ => format!("Too few requests to tell what routing adds to {name}"),
    };
    let mut rows = Vec::new();
    for window in windows {
        if let (7, Ok(boost)) = (window.days, window.boost_pp.0) {
            let points = format::decimal(boost.abs(), 2);
            title = if points == "0.00" {
                format!("Fallback changes nothing for {name} over 7 days")
            } else if boost > 0.0 {
                format!("Fallback lifts {name} by {points} points over 7 days")
            } else {
                format!("Fallback costs {name} {points} points over 7 days")
            };
        }
        for (limits, row) in [(false, window), (true, &window.with_rate_limits())] {
            let head = if limits { "with rate limits".to_owned() } else { format!("{}\u{a0}d", row.days) };
            rows.push(
                Row::new(vec![
                    Cell::head(Html::text(&head)),
                    part(row.routed).into(),
                    part(row.without_routing).into(),
                    lift(row).into(),
                    if limits { "".into() } else { best_pinned(row).into() },
                    if limits { "".into() } else { attempts(row).into() },
                    cells::optional(row.requests.map(format::tally)).into(),
                ])
                .class(if limits { "sub" } else { "" }),
            );
        }
    }
    Table {
        title,
        note: Html::markup(
            "Requests whose first attempt was a success or a counted fault; the second line of each window also counts a first answer of 429, as a failure",
        ),
        label: "Routed and pinned".to_owned(),
        columns: vec![
            Column::new("Window", "nw"),
            Column::number("Routed", "%").defined("routed", "Routed"),
            Column::number("Without routing", "%"),
            Column::number("Boost", "pp").defined("boost", "Boost"),
            Column::number("Best pinned", "%").defined("pinned", "Best pinned").optional(),
            Column::number("Attempts", "per request").optional(),
            Column::number("Requests", "n").optional(),
        ],
        rows,
        ..Table::default()
    }
}

fn variants(data: &Dataset, own: &Ranking) -> Table {
    let rows = own
        .rows
        .iter()
        .map(|row| {
            let variant = data.variant(row.group).unwrap_or("standard");
            Row::new(vec![
                Cell::head(Html::text(variant)),
                format::compact(row.totals.tokens() as f64).joined().into(),
                cells::optional(row.share.map(|share| format::percent(share, 1))).into(),
                format::count(row.totals.requests).into(),
                cells::change(&row.change).into(),
            ])
        })
        .collect();
    Table {
        title: if own.rows.len() > 1 { "Its variants".to_owned() } else { "One variant".to_owned() },
        note: Html::text("Variants such as :free are rows of their own in rankings"),
        label: "Variants".to_owned(),
        class: "dense",
        columns: vec![
            Column::new("Variant", ""),
            Column::number("Tokens", ""),
            Column::number("Share", "% of the model"),
            Column::number("Requests", "").optional(),
            Column::number("Change", "%"),
        ],
        rows,
        empty: "No traffic in this window.".to_owned(),
    }
}

fn about(data: &Dataset, model: ModelId, id: &str, row: Option<&RankingRow>) -> Vec<(&'static str, Html)> {
    let mut out = vec![("Id", Html::markup(format!("<code>{}</code>", Html::text(id))))];
    let author = Group::Author(data.dictionary.author_of(model));
    if !author.is_unknown() {
        out.push(("Author", Html::link_or_text(data.href(author).as_deref(), data.name(author))));
    }
    let history = crate::data::Window { start: data.first_date(), end: data.newest_date() };
    let days = data.daily(history, Filter::Model(model));
    if let Some((first, _)) = days.iter().find(|(_, totals)| totals.requests > 0) {
        let text = if data.is_filling() {
            format!("{} or earlier: older weeks are not written yet", cells::date(*first))
        } else if *first == data.first_date() {
            format!("{}, the first day of the history", cells::date(*first))
        } else {
            cells::date(*first).as_str().to_owned()
        };
        // Of days on which it may not be named nothing is told, not even that they were.
        let term = if data.thresholds.users > 0 { "First day shown" } else { "First request seen" };
        out.push((term, Html::markup(text)));
    }
    if let Some(row) = row {
        let totals = &row.totals;
        let share = |part: u64| {
            (totals.requests > 0).then(|| format::percent_sign(part as f64 / totals.requests as f64, 1))
        };
        if let Some(hit) = totals.cache_hit() {
            out.push(("Cache hit", Html::text(&format!("{} of input tokens", format::percent_sign(hit, 1)))));
        }
        if let (true, Some(streamed)) = (totals.requests > 0, share(totals.streamed_requests)) {
            out.push(("Streamed", Html::text(&format!("{streamed} of requests"))));
        }
        if let Some(tools) = share(totals.requests_tool_call) {
            out.push(("With tool calls", Html::text(&format!("{tools} of requests"))));
        }
        if totals.requests > 0 {
            let input = totals.input_tokens as f64 / totals.requests as f64;
            let output = totals.output_tokens as f64 / totals.requests as f64;
            out.push((
                "Tokens per request",
                Html::text(&format!(
                    "{} in, {} out (mean)",
                    format::compact(input).joined(),
                    format::compact(output).joined()
                )),
            ));
        }
    }
    let endpoints = endpoints_of(id).path();
    out.push(("For routers", Html::link(&endpoints, "endpoint statistics, JSON")));
    out
}
