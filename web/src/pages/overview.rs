//! The overview: who leads, the last hour, a year of shares, movers, provider states, how fresh the data are.

use super::start;
use super::{AUTHORS, MODELS, PROVIDER_RANKING, SHARE, UPTIME};
use crate::place::{self, PageContext, PageError, Place, Section, address};
use crate::url::{Format, Resolved, Vs, query};
use askama::Template;

use super::controls;
use super::health_view;
use super::movers::movers;
use super::parts::{Cell, Column, Figure, Html, Picker, Row, Table, cells};
use super::ranked::{self, Sparks};
use super::shares::{Panel, Shares, panels, stack_figure};
use super::shell::Shell;
use crate::charts::{Caption, minute_columns};
use crate::data::{
    Dataset, Filter, Group, GroupBy, HealthBy, Metric, Ranking, RankingQuery, Scope, State, UserQuery, WEEKS,
    Weekly,
};
use crate::format;
use crate::views::providers;

pub static OVERVIEW: Place = Place {
    path: "/",
    title: "Who leads the inference market",
    section: Section::Overview,
    in_sitemap: true,
    page: Some(place::Page::of::<Page>()),
    ..Place::DEFAULT
};

query! {
    /// By what is ranked, over which days.
    OverviewQuery { metric, period }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    shell: Shell,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    window: Html,
    leaders: Vec<Leader>,
    pulse: Option<Pulse>,
    share: Option<Figure>,
    top: Table,
    context: Html,
    panels: Vec<Panel>,
    authors: Table,
    providers: Table,
    movers: Table,
    freshness: Table,
    states: Table,
}

/// One of the leaders at the top.
struct Leader {
    what: &'static str,
    name: Html,
    value: String,
    unit: String,
    why: Html,
}

/// The last hour.
struct Pulse {
    span: Html,
    requests: String,
    tokens: String,
    uptime: String,
    counted: String,
    /// Requests of the busiest minute: the height of the drawing.
    busiest: String,
    svg: Html,
}

fn ranked(query: &OverviewQuery, data: &Dataset, by: GroupBy) -> RankingQuery {
    let Resolved { window, before, .. } = query.resolve(data);
    RankingQuery { by, metric: query.metric, window, before, filter: Filter::All }
}

impl OverviewQuery {
    fn resolve(&self, data: &Dataset) -> Resolved {
        self.period.resolve(Vs::Prev, data)
    }
}

impl place::Draw for Page {
    type Query = OverviewQuery;

    fn draw(ctx: &PageContext, query: &OverviewQuery, data: &Dataset) -> Result<String, PageError> {
        // Before the first request there is nothing to lead: the front page says how to send one.
        if data.is_empty() {
            return start::render(ctx, data);
        }
        let metric = query.metric;
        let [models, authors, providers] = [GroupBy::Series, GroupBy::Author, GroupBy::Provider]
            .map(|by| data.ranking(ranked(query, data, by)));
        let [weekly_models, weekly_authors, weekly_providers] =
            [GroupBy::Series, GroupBy::Author, GroupBy::Provider]
                .map(|by| data.weekly(by, WEEKS, Filter::All));
        let window = models.query.window;
        let finding = ranked::finding(data, &models)
            .unwrap_or_else(|| format!("No served request from {}", format::span(window.start, window.end)));
        let table = |ranking: &Ranking, weekly: &Weekly, place: &'static Place, kind: &str| {
            let sparks = Sparks::of(weekly, metric);
            let href = address(&place.here(), Format::Html, query);
            let mut table = ranked::short_table(data, ranking, &sparks, 10, &href);
            table.title = title_of(data, ranking);
            table.note = Html::text(&note_of(ranking));
            table.label = format!("{} by {}", format::capitalised(kind), metric.word());
            table
        };
        let states = provider_states(data);
        let share = share_figure(query, data, &weekly_authors);
        let (context, panels) = author_panels(data, &weekly_authors, metric);
        let page = Page {
            shell: Shell::new(ctx, Some(data), "Who leads the inference market", &finding),
            deck: deck(data, &models, &weekly_models, metric),
            pickers: controls::pickers(ctx, query),
            window: controls::window_note(data, &query.resolve(data)),
            leaders: vec![
                leader(data, "Model", &models, &weekly_models),
                leader(data, "Author", &authors, &weekly_authors),
                leader(data, "Provider", &providers, &weekly_providers),
                fallback(data),
            ]
            .into_iter()
            .flatten()
            .collect(),
            pulse: pulse(data),
            share,
            top: table(&models, &weekly_models, &MODELS, "models"),
            context,
            panels,
            authors: table(&authors, &weekly_authors, &AUTHORS, "authors"),
            providers: table(&providers, &weekly_providers, &PROVIDER_RANKING, "providers"),
            movers: movers(data, window, &models),
            freshness: freshness(data),
            states,
            finding,
        };
        Ok(page.render()?)
    }

    fn users(_: &PageContext, query: &OverviewQuery, data: &Dataset) -> Vec<UserQuery> {
        let all = [GroupBy::Series, GroupBy::Author, GroupBy::Provider].into_iter();
        all.flat_map(|by| ranked(query, data, by).users()).collect()
    }
}

fn title_of(data: &Dataset, ranking: &Ranking) -> String {
    let plural = format::capitalised(ranked::noun(ranking.query.by, 2));
    let first = ranking.rows.first();
    match (ranking.query.by, ranking.top_share(10), first) {
        (_, _, None) => format!("{plural}: no traffic"),
        (GroupBy::Series | GroupBy::Model, Some(share), _) if ranking.rows.len() > 10 => {
            format!(
                "Top ten models hold {} of {}",
                format::percent_sign(share, 1),
                ranking.query.metric.word()
            )
        }
        (_, _, Some(first)) => {
            let lead = ranking.rows.get(1).and_then(|second| Some((first.share? - second.share?) * 100.0));
            let by = lead.map_or(String::new(), |lead| format!(" by {} pp", format::decimal(lead, 1)));
            format!("{plural}: {}{by}", ranked::label(data, first.group))
        }
    }
}

fn note_of(ranking: &Ranking) -> String {
    let rows = ranking.rows.len();
    let against = match ranking.query.before {
        Some(before) if ranking.total_before.is_some() => {
            format!(", change against {}", format::span(before.start, before.end))
        }
        _ => String::new(),
    };
    format!(
        "{} {} with traffic, {}{against}",
        format::count(rows as u64),
        ranked::noun(ranking.query.by, rows),
        format::span(ranking.query.window.start, ranking.query.window.end)
    )
}

fn deck(data: &Dataset, ranking: &Ranking, weekly: &Weekly, metric: Metric) -> Html {
    let mut out = String::new();
    if let Some(reign) = ranked::reign(data, weekly, metric)
        .filter(|reign| ranking.rows.first().is_some_and(|row| row.group == reign.group))
    {
        let since = cells::date(reign.since);
        let text = if reign.always { "First in every week since" } else { "First since the week of" };
        out.push_str(&format!("{text} {since}. "));
    }
    if let Some(first) = ranking.rows.first()
        && let (Some(share), Some(before)) = (first.share, first.share_before)
    {
        let points = (share - before) * 100.0;
        let word = if points >= 0.0 { "Up" } else { "Down" };
        out.push_str(&format!("{word} {} points on the window before. ", format::decimal(points.abs(), 1)));
    }
    let total = match metric {
        Metric::Users => ranking.total_users.map(|users| users as f64),
        metric => ranking.total.get(metric),
    };
    if let Some(total) = total {
        let change =
            cells::change_words(&ranking.total_change).map_or(String::new(), |words| format!(", {words}"));
        out.push_str(&format!(
            "All {}: <b>{}</b>{change}.",
            ranked::noun(ranking.query.by, 2),
            Html::text(&ranked::amount(metric, total))
        ));
    }
    Html::markup(out)
}

fn leader(data: &Dataset, what: &'static str, ranking: &Ranking, weekly: &Weekly) -> Option<Leader> {
    let metric = ranking.query.metric;
    let first = ranking.rows.first()?;
    let (value, unit) = match first.share {
        Some(share) => (format::percent_sign(share, 1), ranked::of_metric(metric)),
        None => (format::compact(first.value?).joined(), metric.word().to_owned()),
    };
    let mut why = String::new();
    if let Some(second) = ranking.rows.get(1) {
        let ahead = first.share.zip(second.share).map(|(first, second)| (first - second) * 100.0);
        if let Some(ahead) = ahead {
            let other = Html::text(&ranked::label(data, second.group));
            why.push_str(&format!("<b>{} pp ahead</b> of {other}<br>", format::decimal(ahead, 1)));
        }
    }
    if let Some(reign) = ranked::reign(data, weekly, metric).filter(|reign| reign.group == first.group) {
        let since = cells::date(reign.since);
        why.push_str(&if reign.always {
            format!("first every week since {since}")
        } else {
            format!("first since {since}")
        });
        why.push_str("<br>");
    }
    if let (Some(share), Some(before)) = (first.share, first.share_before) {
        why.push_str(&format!("{} pp on the window before", cells::points((share - before) * 100.0, 1)));
    } else if first.share.is_none() {
        why.push_str(&format!("{}\u{a0}% on the window before", cells::change(&first.change)));
    }
    Some(Leader { what, name: ranked::name(data, first.group), value, unit, why: Html::markup(why) })
}

/// What fallback adds over all models, in the place of a fourth leader.
fn fallback(data: &Dataset) -> Option<Leader> {
    let boost = data.routing_of_all(7).boost.ok()?;
    Some(Leader {
        what: "Routing",
        name: Html::link(&UPTIME.here().path(), "With fallback"),
        value: format!("{}\u{a0}%", format::uptime(boost.routed)),
        unit: "end well".to_owned(),
        why: Html::markup(format!(
            "<b>{} pp above</b> first attempts alone<br>of {} requests, 7 d",
            format::decimal(boost.boost, 2),
            format::compact_tally(boost.n)
        )),
    })
}

fn pulse(data: &Dataset) -> Option<Pulse> {
    let minutes = &data.last_hour.minutes;
    let (first, last) = (minutes.first()?, minutes.last()?);
    let requests = format::count(data.last_hour.requests());
    let values: Vec<Option<f64>> = minutes.iter().map(|minute| Some(minute.requests as f64)).collect();
    let busiest = minutes.iter().map(|minute| minute.requests).max().unwrap_or(0);
    let desc =
        format!("{requests} requests in 60 minutes, at most {} in one minute.", format::count(busiest));
    let caption = Caption { id: "hour", title: "Served requests per minute, last 60 minutes", desc: &desc };
    let needs = data.thresholds.counted_attempts;
    let (uptime, counted) = match data.last_hour.uptime() {
        Some((uptime, counted)) if counted >= needs => (
            format!("{}\u{a0}%", format::uptime(uptime)),
            format!("of {} counted attempts", format::count(counted)),
        ),
        Some((_, counted)) => ("–".to_owned(), format!("not enough data (n = {counted}, needs {needs})")),
        None => ("–".to_owned(), format!("not enough data (n = 0, needs {needs})")),
    };
    Some(Pulse {
        span: Html::markup(format!("{} to {} UTC", cells::clock(first.at), cells::clock(last.at))),
        requests,
        tokens: format::compact(data.last_hour.tokens() as f64).joined(),
        uptime,
        counted,
        busiest: format::count(busiest),
        svg: Html::markup(minute_columns(&caption, &values)),
    })
}

fn share_figure(query: &OverviewQuery, data: &Dataset, weekly: &Weekly) -> Option<Figure> {
    let shares = Shares::of(data, weekly, query.metric, 0)?;
    let files = controls::files_of(&SHARE, query);
    Some(stack_figure(&shares, "author", query.metric, files, 4))
}

fn author_panels(data: &Dataset, weekly: &Weekly, metric: Metric) -> (Html, Vec<Panel>) {
    match Shares::of(data, weekly, metric, 0) {
        Some(shares) => panels(data, &shares, "/rankings/share?skip=9"),
        None => (Html::default(), Vec::new()),
    }
}

fn freshness(data: &Dataset) -> Table {
    let row = |what: &str, newest: Html, unit: &str| {
        Row::new(vec![Cell::head(Html::text(what)), newest.into(), unit.into()])
    };
    Table {
        title: "How far these data reach".to_owned(),
        note: Html::text("Everything on this page comes from one set of table versions"),
        label: "Data freshness".to_owned(),
        class: "dense",
        columns: vec![
            Column::new("Data", ""),
            Column::new("Newest", "nw").unit("UTC"),
            Column::new("Step", "").optional(),
        ],
        rows: vec![
            row("Newest event", data.newest_event_at.map_or_else(cells::unknown, cells::instant), "event"),
            row("Last 60 minutes", cells::instant(data.as_of), "1 min"),
            row("Health, states", cells::instant(data.buckets_end), "5 min"),
            row("Rankings, shares", cells::date(data.last_complete_date()), "day"),
            row(history_begins(data), cells::date(data.first_date()), "day"),
        ],
        ..Table::default()
    }
}

fn history_begins(data: &Dataset) -> &'static str {
    if data.is_filling() { "History written so far begins" } else { "History begins" }
}

/// Worst first; operational ones by traffic, only the first few.
fn provider_states(data: &Dataset) -> Table {
    let statuses = providers::known(data);
    let bars = data.bars_by(HealthBy::Provider, Scope::ALL, 30);
    let count = |state: State| statuses.iter().filter(|one| one.status.state == state).count();
    let (down, degraded, fine, none) =
        (count(State::Down), count(State::Degraded), count(State::Operational), count(State::NoData));
    let mut table = Table {
        title: health_view::states_sentence(down, degraded, fine, statuses.len()),
        note: Html::markup(format!(
            "30 min to {} UTC; bars: 30 days{}",
            cells::clock(data.buckets_end),
            if none > 0 {
                format!("; {} without enough data", format::in_words(none))
            } else {
                String::new()
            }
        )),
        label: "Provider states".to_owned(),
        class: "dense health half",
        columns: vec![
            Column::new("Provider", ""),
            Column::new("State", ""),
            Column::number("Uptime", "30 min, %"),
            Column::new("30 days", "hist"),
        ],
        empty: "no provider has served an attempt yet".to_owned(),
        ..Table::default()
    };
    for providers::Known { id: provider, status, .. } in statuses.iter().take(10) {
        let bars =
            bars.get(&Scope::provider(*provider)).map(|bars| health_view::row_bars(bars)).unwrap_or_default();
        table.rows.push(Row::new(vec![
            Cell::head(Html::link_or_text(
                data.href(Group::Provider(*provider)).as_deref(),
                data.provider_name(*provider),
            )),
            cells::state(status.state).into(),
            cells::figure(&status.uptime, format::uptime).into(),
            bars.into(),
        ]));
    }
    table
}
