//! Leaderboards of models, authors and providers: all four measures side by side.

use super::{AUTHORS, GROWTH, LANGUAGES, MODELS, PROVIDER_RANKING, SHARE};
use crate::place::{PageContext, PageError};
use crate::url::{Query as _, Sort, SortKey, State, View, query};
use askama::Template;

use super::controls;
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::places::bump_figure;
use super::ranked::{self, Sparks};
use super::shell::{Shell, beside};
use crate::data::{Change, Dataset, Metric, Ranking, WEEKS};
use crate::format::{self, Scale};
use crate::views::View as _;
use crate::views::rankings::{RankedQuery, RankingRow, Rankings};

query! {
    /// What is ranked over which days, and which part of it is listed.
    ModelsQuery { metric, period + From + To, vs, variants, author, sort, view, all_rows, skip }
}

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

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, query: &ModelsQuery, data: &Dataset) -> Result<String, PageError> {
    let view = Rankings::of(ctx, &RankedQuery::of(&query.state()), data)?;
    let (ranking, ranked) = (&view.ranking, view.ranking.query);
    let weekly = data.weekly(ranked.by, WEEKS, ranked.filter);
    let sparks = Sparks::of(&weekly, ranked.metric);
    let resolved = query.period.resolve(query.vs, data);
    let finding = finding(data, ranking);
    let page = Page {
        shell: Shell::new(ctx, Some(data), &title(ranking), &finding),
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
        deck: deck(ctx, query, ranking),
        pickers: controls::pickers(ctx, query),
        filters: filters(ctx, query, data),
        window: controls::window_note(data, &resolved),
        bump: (query.view == View::Both).then(|| bump_figure(ctx, query.metric, data, &weekly)).flatten(),
        facts: facts(ranking),
        table: table(ctx, query, data, &view, &sparks),
        downloads: controls::downloads(ctx),
        more: more(ctx, query, ranking),
        metric: ranked.metric.word(),
        notes: notes(data, ranking),
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

fn deck(ctx: &PageContext, query: &ModelsQuery, ranking: &Ranking) -> Html {
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
        .map(|other| {
            Html::link(&ctx.href(&ModelsQuery { metric: other, ..query.clone() }), other.word())
                .as_str()
                .to_owned()
        })
        .collect();
    out.push_str(&format!("The order differs by {}.", format::list(&others)));
    Html::markup(out)
}

fn filters(ctx: &PageContext, query: &ModelsQuery, data: &Dataset) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Some(author) = &query.author {
        let name = data.dictionary.find_author(author).map_or(author.as_str(), |id| data.author_name(id));
        out.push((format!("author {name}"), ctx.href(&ModelsQuery { author: None, ..query.clone() })));
    }
    if query.skip > 0 {
        out.push((
            format!("ranks after {}", query.skip),
            ctx.href(&ModelsQuery { skip: 0, ..query.clone() }),
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

fn head(
    ctx: &PageContext,
    query: &ModelsQuery,
    key: SortKey,
    name: &str,
    unit: String,
    class: &'static str,
) -> Column {
    let href = controls::sorted(ctx, query, key);
    let default = match query.metric {
        Metric::Tokens => SortKey::Tokens,
        Metric::Requests => SortKey::Requests,
        Metric::Spend => SortKey::Spend,
        Metric::Users => SortKey::Users,
    };
    let sort = query.sort.unwrap_or(Sort { key: default, descending: true });
    let sorted = (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" });
    Column { head: Html::link(&href, name), unit, class, sorted }
}

fn table(ctx: &PageContext, query: &ModelsQuery, data: &Dataset, view: &Rankings, sparks: &Sparks) -> Table {
    let ranking = &view.ranking;
    let named = view.named(data, query.sort);
    let scales = Scales::of(&named);
    let top = named.iter().filter_map(|row| row.value).fold(0.0, f64::max);
    let metric = ranking.query.metric;
    let skip = query.skip as usize;
    let limit = limit(query);
    let shown = named.iter().skip(skip).take(limit);
    let mut rows: Vec<Row> = shown.map(|row| named_row(data, metric, &scales, row, top, sparks)).collect();
    let special = [(ranking.hidden, "hidden", "Hidden"), (ranking.unmapped, "unmapped", "Unmapped names")];
    for (remainder, anchor, name) in special {
        if let Some(remainder) = remainder {
            let row = RankingRow::rest(anchor, &remainder);
            rows.push(remainder_row(&scales, metric, &row, cells::term(anchor, name)));
        }
    }
    if let Some(rest) = ranking.rest(skip.saturating_add(limit)).filter(|_| query.sort.is_none()) {
        let from = skip + limit;
        let href = ctx.href(&ModelsQuery { skip: u32::try_from(from).unwrap_or(u32::MAX), ..query.clone() });
        let text = format!("Others, ranks {} to {}", from + 1, ranking.rows.len());
        let row = RankingRow::rest("other", &rest);
        rows.push(remainder_row(&scales, metric, &row, Html::link(&href, &text)));
    }
    Table {
        label: title(ranking),
        class: "board",
        columns: columns(ctx, query, ranking, &scales),
        rows,
        empty: "No row matches.".to_owned(),
        ..Table::default()
    }
}

fn columns(ctx: &PageContext, query: &ModelsQuery, ranking: &Ranking, scales: &Scales) -> Vec<Column> {
    let metric = ranking.query.metric;
    let (value_name, value_key) = match metric {
        Metric::Tokens => ("Tokens", SortKey::Tokens),
        Metric::Requests => ("Requests", SortKey::Requests),
        Metric::Spend => ("Spend", SortKey::Spend),
        Metric::Users => ("Users", SortKey::Users),
    };
    let unit = |metric: Metric| scales.unit(metric);
    let noun = format::capitalised(ranked::noun(ranking.query.by, 1));
    let users = match scales.users.unit {
        "" => "±2 %".to_owned(),
        unit => format!("{unit}, ±2 %"),
    };
    vec![
        Column::new("#", "rk"),
        Column::new("Change", "ch").unit("rank"),
        head(ctx, query, SortKey::Name, &noun, String::new(), "nm"),
        head(ctx, query, value_key, value_name, unit(metric), "num"),
        head(ctx, query, SortKey::Share, "Share", "%".to_owned(), "num"),
        Column::silent("Share as a bar", "g wb opt"),
        head(ctx, query, SortKey::Growth, "Growth", "%".to_owned(), "num opt"),
        Column::new("12 weeks", "g opt").unit("share"),
        head(ctx, query, SortKey::Requests, "Requests", unit(Metric::Requests), "num opt"),
        head(ctx, query, SortKey::Spend, "Spend", unit(Metric::Spend), "num opt"),
        head(ctx, query, SortKey::Users, "Users", users, "num opt"),
    ]
}

/// `top`: the largest value of all rows.
fn named_row(
    data: &Dataset,
    metric: Metric,
    scales: &Scales,
    row: &RankingRow,
    top: f64,
    sparks: &Sparks,
) -> Row {
    let more = vec![
        ("Growth, %".to_owned(), cells::change(&row.change)),
        ("Tokens".to_owned(), Html::text(&format::compact(row.tokens.0 as f64).joined())),
        ("Requests".to_owned(), Html::text(&format::count(row.requests.0))),
        ("Spend, USD".to_owned(), cells::optional(row.spend.map(|spend| format::usd(spend).joined()))),
        ("Users".to_owned(), cells::optional(row.users.map(|users| format::count(users.0)))),
    ];
    Row {
        cells: vec![
            cells::rank(row.rank).into(),
            cells::rank_change(row.rank_change, matches!(row.change, Change::New)).into(),
            Cell::head(row.group.map(|group| ranked::name_by(data, group)).unwrap_or_default()),
            scales.value(metric, row).into(),
            cells::optional(row.share.map(|share| format::percent(share, 1))).into(),
            ranked::value_bar(row.rank, row.value, top).into(),
            cells::change(&row.change).into(),
            row.group.map(|group| sparks.html(group)).unwrap_or_default().into(),
            scales.value(Metric::Requests, row).into(),
            scales.value(Metric::Spend, row).into(),
            scales.value(Metric::Users, row).into(),
        ],
        more,
        ..Row::default()
    }
}

struct Scales {
    tokens: Scale,
    requests: Scale,
    spend: Scale,
    users: Scale,
}

impl Scales {
    fn of(rows: &[RankingRow]) -> Self {
        let largest = |metric: Metric| rows.iter().filter_map(|row| row.measure(metric)).fold(0.0, f64::max);
        Self {
            tokens: Scale::of(largest(Metric::Tokens)),
            requests: Scale::of(largest(Metric::Requests)),
            spend: Scale::of_usd(largest(Metric::Spend)),
            users: Scale::of(largest(Metric::Users)),
        }
    }

    fn value(&self, metric: Metric, row: &RankingRow) -> Html {
        let scale = match metric {
            Metric::Tokens => &self.tokens,
            Metric::Requests => &self.requests,
            Metric::Spend => &self.spend,
            Metric::Users => &self.users,
        };
        // All of it unpriced: the spend is unknown, not zero.
        cells::optional(row.measure(metric).map(|value| scale.number(value)))
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

fn remainder_row(scales: &Scales, metric: Metric, row: &RankingRow, name: Html) -> Row {
    Row::new(vec![
        "".into(),
        "".into(),
        Cell::head(name),
        scales.value(metric, row).into(),
        cells::optional(row.share.map(|share| format::percent(share, 1))).into(),
        "".into(),
        "".into(),
        "".into(),
        scales.value(Metric::Requests, row).into(),
        scales.value(Metric::Spend, row).into(),
        cells::unknown().into(),
    ])
    .class("others")
}

fn more(ctx: &PageContext, query: &ModelsQuery, ranking: &Ranking) -> Vec<(String, String)> {
    let limit = limit(query);
    let mut out = Vec::new();
    if ranking.rows.len() > limit {
        let all = ModelsQuery { all_rows: true, skip: 0, ..query.clone() };
        out.push((format!("All {} rows", format::count(ranking.rows.len() as u64)), ctx.href(&all)));
    }
    if query.all_rows {
        out.push(("First 50 rows".to_owned(), ctx.href(&ModelsQuery { all_rows: false, ..query.clone() })));
    }
    out
}

/// Rows that the table has at most.
fn limit(query: &ModelsQuery) -> usize {
    if query.all_rows { usize::MAX } else { State::ROWS as usize }
}
