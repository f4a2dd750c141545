//! Leaderboards of models, authors and providers: all four measures side by side.

use super::{AUTHORS, GROWTH, LANGUAGES, MODELS, PROVIDER_RANKING, SHARE};
use crate::place::{PageContext, PageError};
use crate::url::{Resolved, Sort, SortKey, State, View};
use askama::Template;

use super::controls;
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::places::bump_figure;
use super::ranked::{self, Sparks};
use super::shell::{Shell, beside};
use crate::data::{
    Change, Dataset, Filter, Group, GroupBy, Metric, Ranking, RankingQuery, RankingRow, Remainder, UserQuery,
    WEEKS,
};
use crate::format::{self, Scale};

#[derive(Template)]
#[template(path = "rankings.html")]
struct Page {
    shell: Shell,
    crumbs: Html,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    filters: Vec<(String, String)>,
    window: Html,
    bump: Option<Figure>,
    facts: Vec<Fact>,
    table: Table,
    downloads: Downloads,
    more: Vec<(String, String)>,
    metric: &'static str,
    notes: Html,
}

/// A figure with its unit and what stands behind it.
pub struct Fact {
    pub term: Html,
    pub value: String,
    pub unit: String,
    pub note: Html,
}

impl Fact {
    pub fn new(term: &str, value: impl Into<String>, unit: &str, note: &str) -> Self {
        Self { term: Html::text(term), value: value.into(), unit: unit.to_owned(), note: Html::text(note) }
    }
}

fn query(ctx: &PageContext, data: &Dataset) -> RankingQuery {
    let Resolved { window, before, .. } = ctx.state.resolve(data);
    let author = ctx.state.author.as_deref().and_then(|author| data.dictionary.find_author(author));
    let filter = author.map_or(Filter::All, Filter::Author);
    RankingQuery {
        by: ctx.page.grouping(ctx.state.variants).unwrap_or(GroupBy::Series),
        metric: ctx.state.metric,
        window,
        before,
        filter,
    }
}

/// The users figures this page prints.
pub fn users(ctx: &PageContext, data: &Dataset) -> Vec<UserQuery> {
    query(ctx, data).users()
}

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let query = query(ctx, data);
    let ranking = data.ranking(query);
    let weekly = data.weekly(query.by, WEEKS, query.filter);
    let sparks = Sparks::of(&weekly, query.metric);
    let resolved = ctx.state.resolve(data);
    let finding = finding(data, &ranking);
    let page = Page {
        shell: Shell::new(ctx, Some(data), &title(&ranking), &finding),
        crumbs: beside(
            &[
                ("Models", MODELS.here().path()),
                ("Authors", AUTHORS.here().path()),
                ("Providers", PROVIDER_RANKING.here().path()),
                ("Market share", SHARE.here().path()),
                ("Growth", GROWTH.here().path()),
                ("Languages", LANGUAGES.here().path()),
            ],
            &ctx.page.path(),
        ),
        deck: deck(ctx, &ranking),
        pickers: controls::pickers(ctx),
        filters: filters(ctx, data),
        window: controls::window_note(data, &resolved),
        bump: (ctx.state.view == View::Both).then(|| bump_figure(ctx, data, &weekly)).flatten(),
        facts: facts(&ranking),
        table: table(ctx, data, &ranking, &sparks),
        downloads: controls::downloads(ctx),
        more: more(ctx, &ranking),
        metric: query.metric.word(),
        notes: notes(data, &ranking),
        finding,
    };
    Ok(page.render()?)
}

fn title(ranking: &Ranking) -> String {
    format!("{} by {}", format::capitalised(ranked::noun(ranking.query.by, 2)), ranking.query.metric.word())
}

fn finding(data: &Dataset, ranking: &Ranking) -> String {
    let rows = ranking.rows.len();
    let noun = ranked::noun(ranking.query.by, rows);
    let Some(first) = ranking.rows.first() else {
        let window = ranking.query.window;
        return format!("No {noun} with served requests, {}", format::span(window.start, window.end));
    };
    let who = ranked::label(data, first.group);
    let lead = match first.share {
        Some(share) => {
            format!(
                "{who} leads {} {noun} with {} of {}",
                format::count(rows as u64),
                format::percent_sign(share, 1),
                ranking.query.metric.word()
            )
        }
        None => match first.value {
            Some(value) => format!(
                "{who} leads {} {noun} with {}",
                format::count(rows as u64),
                ranked::amount(ranking.query.metric, value)
            ),
            None => format!(
                "Of {} {noun} none has a known number of {}",
                format::count(rows as u64),
                ranking.query.metric.word()
            ),
        },
    };
    // The climber among the first twenty, if there is one.
    let climber = ranking
        .rows
        .iter()
        .take(20)
        .filter(|row| row.rank_change().is_some_and(|places| places >= 2))
        .max_by_key(|row| (row.rank_change(), std::cmp::Reverse(row.rank)));
    match climber.and_then(|row| Some((row, row.rank?))) {
        Some((row, rank)) => format!(
            "{lead}; {} passes {} rivals to rank {rank}",
            ranked::label(data, row.group),
            format::in_words(usize::try_from(row.rank_change().unwrap_or(0)).unwrap_or(0)),
        ),
        None => lead,
    }
}

fn deck(ctx: &PageContext, ranking: &Ranking) -> Html {
    let metric = ranking.query.metric;
    let total = match metric {
        Metric::Users => ranking.total_users.map(|users| users as f64),
        metric => ranking.total.get(metric),
    };
    let mut out = String::new();
    if let Some(total) = total {
        let change = cells::change_words(&ranking.total_change)
            .map_or(String::new(), |words| format!(", {words} on the window before"));
        out.push_str(&format!(
            "All together <b>{}</b>{change}. ",
            Html::text(&ranked::amount(metric, total))
        ));
    }
    let others: Vec<String> = Metric::ALL
        .into_iter()
        .filter(|other| *other != metric)
        .map(|other| Html::link(&ctx.with_metric(other), other.word()).as_str().to_owned())
        .collect();
    out.push_str(&format!("The order differs by {}.", format::list(&others)));
    Html::markup(out)
}

fn filters(ctx: &PageContext, data: &Dataset) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Some(author) = &ctx.state.author {
        let name = data.dictionary.find_author(author).map_or(author.as_str(), |id| data.author_name(id));
        out.push((format!("author {name}"), ctx.href(&State { author: None, ..ctx.state.clone() })));
    }
    if ctx.state.skip > 0 {
        out.push((
            format!("ranks after {}", ctx.state.skip),
            ctx.href(&State { skip: 0, ..ctx.state.clone() }),
        ));
    }
    out
}

fn facts(ranking: &Ranking) -> Vec<Fact> {
    let mut out = Vec::new();
    let rows = ranking.rows.len();
    let noun = ranked::noun(ranking.query.by, 2);
    out.push(Fact::new(
        &format!("Active {noun}"),
        format::count(rows as u64),
        "",
        &format!("with at least 1 request; {} with at least 100", format::count(ranking.active_100 as u64)),
    ));
    if let (Some(five), Some(twenty)) = (ranking.top_share(5), ranking.top_share(20)) {
        let pair = format!("{}, {}", format::percent_sign(five, 1), format::percent_sign(twenty, 1));
        out.push(Fact::new("Top 5, top 20", pair, "", &ranked::of_metric(ranking.query.metric)));
    }
    if let Some(hhi) = ranking.hhi() {
        let mut fact = Fact::new(
            "Concentration",
            format::decimal(hhi, 0),
            "HHI",
            &format!("by {}", ranked::noun(ranking.query.by, 1)),
        );
        fact.term = cells::term("hhi", "Concentration");
        out.push(fact);
    }
    let new = ranking.rows.iter().filter(|row| matches!(row.change, Change::New)).count();
    if ranking.total_before.is_some() {
        out.push(Fact::new(
            "New in this window",
            format::count(new as u64),
            "",
            "no request in the window before",
        ));
    }
    if let Some(unpriced) = ranking.total.unpriced() {
        out.push(Fact::new("Unpriced", format::percent_sign(unpriced, 1), "", "of tokens, not in spend"));
    }
    if let Some(share) = ranking.total.with_user() {
        out.push(Fact::new(
            "Carry a user id",
            format::percent_sign(share, 1),
            "",
            "of requests; users are counted among them",
        ));
    }
    out
}

fn notes(data: &Dataset, ranking: &Ranking) -> Html {
    let mut text = format!(
        "Share is of all {}, Others, the hidden and the unmapped row included. Growth is shown where both windows have at least {} requests. ",
        ranking.query.metric.word(),
        format::count(data.thresholds.growth_requests)
    );
    if data.thresholds.users > 0 {
        text.push_str(&format!(
            "What had fewer than {} users in the 28 days to a day is on that day a part of one hidden row, \
             of which no more than its size is told. ",
            data.thresholds.users
        ));
    }
    text.push_str(
        "Users are distinct within the window (standard error 1.6 %) and do not add up over rows; their total is that \
         of what is named.",
    );
    Html::text(&text)
}

fn head(ctx: &PageContext, key: SortKey, name: &str, unit: String, class: &'static str) -> Column {
    let href = controls::sorted(ctx, key);
    let default = match ctx.state.metric {
        Metric::Tokens => SortKey::Tokens,
        Metric::Requests => SortKey::Requests,
        Metric::Spend => SortKey::Spend,
        Metric::Users => SortKey::Users,
    };
    let sort = ctx.state.sort.unwrap_or(Sort { key: default, descending: true });
    let sorted = (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" });
    Column { head: Html::link(&href, name), unit, class, sorted }
}

fn table(ctx: &PageContext, data: &Dataset, ranking: &Ranking, sparks: &Sparks) -> Table {
    let largest = |value: fn(&RankingRow) -> f64| ranking.rows.iter().map(value).fold(0.0, f64::max);
    let tokens = Scale::of(largest(|row| row.totals.tokens() as f64));
    let requests = Scale::of(largest(|row| row.totals.requests as f64));
    let spend = Scale::of_usd(largest(|row| row.totals.spend()));
    let users = Scale::of(largest(|row| row.users.unwrap_or(0) as f64));
    let top = largest(|row| row.value.unwrap_or(0.0));
    let scales = Scales { tokens, requests, spend, users };
    let metric = ranking.query.metric;
    let mut order: Vec<&RankingRow> = ranking.rows.iter().collect();
    sort(data, &mut order, ctx.state.sort);
    let skip = ctx.state.skip as usize;
    let limit = ctx.state.rows().unwrap_or(usize::MAX);
    let mut rows: Vec<Row> = order
        .iter()
        .skip(skip)
        .take(limit)
        .map(|row| {
            let value = scales.of(metric, &row.totals, row.users);
            let more = vec![
                ("Growth, %".to_owned(), cells::change(&row.change)),
                ("Tokens".to_owned(), Html::text(&format::compact(row.totals.tokens() as f64).joined())),
                ("Requests".to_owned(), Html::text(&format::count(row.totals.requests))),
                (
                    "Spend, USD".to_owned(),
                    cells::optional(row.totals.get(Metric::Spend).map(|spend| format::usd(spend).joined())),
                ),
                ("Users".to_owned(), cells::optional(row.users.map(format::count))),
            ];
            Row {
                cells: vec![
                    cells::rank(row.rank).into(),
                    cells::rank_change(row.rank_change(), matches!(row.change, Change::New)).into(),
                    Cell::head(ranked::name_by(data, row.group)),
                    value.into(),
                    cells::optional(row.share.map(|share| format::percent(share, 1))).into(),
                    ranked::value_bar(row, top).into(),
                    cells::change(&row.change).into(),
                    sparks.html(row.group).into(),
                    scales.of(Metric::Requests, &row.totals, None).into(),
                    scales.of(Metric::Spend, &row.totals, None).into(),
                    scales.of(Metric::Users, &row.totals, row.users).into(),
                ],
                more,
                ..Row::default()
            }
        })
        .collect();
    let special = [(ranking.hidden, "hidden", "Hidden"), (ranking.unmapped, "unmapped", "Unmapped names")];
    for (remainder, anchor, name) in special {
        if let Some(remainder) = remainder {
            rows.push(remainder_row(&scales, metric, &remainder, cells::term(anchor, name)));
        }
    }
    if let Some(rest) = ranking.rest(skip.saturating_add(limit)).filter(|_| ctx.state.sort.is_none()) {
        let from = skip + limit;
        let href = ctx.href(&State { skip: u32::try_from(from).unwrap_or(u32::MAX), ..ctx.state.clone() });
        let text = format!("Others, ranks {} to {}", from + 1, ranking.rows.len());
        rows.push(remainder_row(&scales, metric, &rest, Html::link(&href, &text)));
    }
    let value_name = match metric {
        Metric::Tokens => "Tokens",
        Metric::Requests => "Requests",
        Metric::Spend => "Spend",
        Metric::Users => "Users",
    };
    let value_key = match metric {
        Metric::Tokens => SortKey::Tokens,
        Metric::Requests => SortKey::Requests,
        Metric::Spend => SortKey::Spend,
        Metric::Users => SortKey::Users,
    };
    let unit = |metric: Metric| scales.unit(metric);
    Table {
        label: title(ranking),
        class: "board",
        columns: vec![
            Column::new("#", "rk"),
            Column::new("Change", "ch").unit("rank"),
            head(
                ctx,
                SortKey::Name,
                &format::capitalised(ranked::noun(ranking.query.by, 1)),
                String::new(),
                "nm",
            ),
            head(ctx, value_key, value_name, unit(metric), "num"),
            head(ctx, SortKey::Share, "Share", "%".to_owned(), "num"),
            Column::silent("Share as a bar", "g wb opt"),
            head(ctx, SortKey::Growth, "Growth", "%".to_owned(), "num opt"),
            Column::new("12 weeks", "g opt").unit("share"),
            head(ctx, SortKey::Requests, "Requests", unit(Metric::Requests), "num opt"),
            head(ctx, SortKey::Spend, "Spend", unit(Metric::Spend), "num opt"),
            head(
                ctx,
                SortKey::Users,
                "Users",
                format!(
                    "{}±2 %",
                    if scales.users.unit.is_empty() {
                        String::new()
                    } else {
                        format!("{}, ", scales.users.unit)
                    }
                ),
                "num opt",
            ),
        ],
        rows,
        empty: "No row matches.".to_owned(),
        ..Table::default()
    }
}

struct Scales {
    tokens: Scale,
    requests: Scale,
    spend: Scale,
    users: Scale,
}

impl Scales {
    fn of(&self, metric: Metric, totals: &crate::data::Totals, users: Option<u64>) -> Html {
        match metric {
            Metric::Tokens => Html::text(&self.tokens.number(totals.tokens() as f64)),
            Metric::Requests => Html::text(&self.requests.number(totals.requests as f64)),
            // All of it unpriced: the spend is unknown, not zero.
            metric @ Metric::Spend => {
                cells::optional(totals.get(metric).map(|spend| self.spend.number(spend)))
            }
            Metric::Users => cells::optional(users.map(|users| self.users.number(users as f64))),
        }
    }

    fn unit(&self, metric: Metric) -> String {
        match metric {
            Metric::Tokens => self.tokens.unit.to_owned(),
            Metric::Requests => self.requests.unit.to_owned(),
            Metric::Spend => self.spend.unit_of("USD"),
            Metric::Users => self.users.unit.to_owned(),
        }
    }
}

fn remainder_row(scales: &Scales, metric: Metric, remainder: &Remainder, name: Html) -> Row {
    Row::new(vec![
        "".into(),
        "".into(),
        Cell::head(name),
        scales.of(metric, &remainder.totals, None).into(),
        cells::optional(remainder.share.map(|share| format::percent(share, 1))).into(),
        "".into(),
        "".into(),
        "".into(),
        scales.of(Metric::Requests, &remainder.totals, None).into(),
        scales.of(Metric::Spend, &remainder.totals, None).into(),
        cells::unknown().into(),
    ])
    .class("others")
}

/// Ranks stay those of the measure; only the order of rows changes.
fn sort(data: &Dataset, rows: &mut [&RankingRow], sort: Option<Sort>) {
    let Some(sort) = sort else { return };
    let number = |row: &RankingRow| -> f64 {
        let value = match sort.key {
            SortKey::Tokens => row.totals.get(Metric::Tokens),
            SortKey::Requests => row.totals.get(Metric::Requests),
            SortKey::Spend => row.totals.get(Metric::Spend),
            SortKey::Users => row.users.map(|users| users as f64),
            SortKey::Growth => match row.change {
                Change::Ratio(ratio) => Some(ratio),
                _ => None,
            },
            _ => row.value,
        };
        // Rows without a figure come last in either direction.
        value.unwrap_or(if sort.descending { f64::NEG_INFINITY } else { f64::INFINITY })
    };
    rows.sort_by(|a, b| {
        let order = match sort.key {
            SortKey::Name => {
                let name = |group: Group| ranked::label(data, group).to_lowercase();
                name(a.group).cmp(&name(b.group))
            }
            _ => number(a).total_cmp(&number(b)),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| (a.rank.is_none(), a.rank).cmp(&(b.rank.is_none(), b.rank)))
    });
}

fn more(ctx: &PageContext, ranking: &Ranking) -> Vec<(String, String)> {
    let limit = ctx.state.rows().unwrap_or(usize::MAX);
    let mut out = Vec::new();
    if ranking.rows.len() > limit {
        let all = State { all_rows: true, skip: 0, ..ctx.state.clone() };
        out.push((format!("All {} rows", format::count(ranking.rows.len() as u64)), ctx.href(&all)));
    }
    if ctx.state.all_rows {
        out.push(("First 50 rows".to_owned(), ctx.href(&State { all_rows: false, ..ctx.state.clone() })));
    }
    out
}
