//! What ranking rows have in common on every page: names, columns, sparklines, sentences about the leader.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::parts::{Cell, Column, Html, Row, Table, cells};
use crate::charts::{bar, sparkline};
use crate::data::{
    Change, Dataset, Group, GroupBy, Metric, NotEnough, Ranking, RankingRow, Remainder, Weekly, plus,
};
use crate::format::{self, NBSP, Scale};

/// Complete weeks of a sparkline.
pub const SPARK_WEEKS: usize = 12;

/// Plain name with its variant: `DeepSeek V3.2 :free`.
pub fn label(data: &Dataset, group: Group) -> String {
    if group.is_unknown() {
        return "unmapped names".to_owned();
    }
    if group.is_hidden() {
        return "hidden names".to_owned();
    }
    match data.variant(group) {
        Some(variant) => format!("{} :{variant}", data.name(group)),
        None => data.name(group).to_owned(),
    }
}

/// Name as a link, variant as a tag behind it.
pub fn name(data: &Dataset, group: Group) -> Html {
    let link = Html::link_or_text(data.href(group).as_deref(), data.name(group));
    match data.variant(group) {
        Some(variant) => Html::markup(format!("{link} <span class=\"tag\">:{}</span>", Html::text(variant))),
        None => link,
    }
}

/// As [`name`], with the author in small letters behind it.
pub fn name_by(data: &Dataset, group: Group) -> Html {
    let name = name(data, group);
    match (group, data.author_of(group)) {
        (Group::Model(_) | Group::Series(_), Some(author)) => {
            let author = data.author_name(author);
            Html::markup(format!("{name} <span class=\"by\">{}</span>", Html::text(author)))
        }
        _ => name,
    }
}

/// Singular and plural of what is ranked.
pub fn noun(by: GroupBy, count: usize) -> &'static str {
    match (by, count) {
        (GroupBy::Model | GroupBy::Series, 1) => "model",
        (GroupBy::Model | GroupBy::Series, _) => "models",
        (GroupBy::Author, 1) => "author",
        (GroupBy::Author, _) => "authors",
        (GroupBy::Provider, 1) => "provider",
        (GroupBy::Provider, _) => "providers",
    }
}

/// `of tokens`, as behind a percentage.
pub fn of_metric(metric: Metric) -> String {
    format!("of {}", metric.word())
}

/// The metric's total in words: `127 T tokens`, `5.49 M USD`.
pub fn amount(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Spend => format!("{}{NBSP}USD", format::usd(value).joined()),
        _ => format!("{}{NBSP}{}", format::compact(value).joined(), metric.word()),
    }
}

/// One scale for a column of this metric.
pub fn scale(metric: Metric, largest: f64) -> Scale {
    if metric == Metric::Spend { Scale::of_usd(largest) } else { Scale::of(largest) }
}

/// Shares of each group in the last complete weeks, oldest first.
#[derive(Debug, Default)]
pub struct Sparks {
    shares: BTreeMap<Group, Vec<Option<f64>>>,
}

impl Sparks {
    pub fn of(weekly: &Weekly, metric: Metric) -> Self {
        // Users have no weekly series: their place is taken by requests.
        let metric = if metric == Metric::Users { Metric::Requests } else { metric };
        let complete: Vec<usize> = (0..weekly.weeks.len())
            .filter(|week| weekly.weeks.get(*week).is_some_and(|week| week.complete))
            .collect();
        let shown = complete.get(complete.len().saturating_sub(SPARK_WEEKS)..).unwrap_or_default();
        let shares = weekly.groups.iter().map(|(group, volumes)| {
            let values = shown.iter().map(|week| {
                let total = weekly.total.get(*week)?.get(metric).filter(|total| *total > 0.0)?;
                Some(volumes.get(*week)?.get(metric)? / total)
            });
            (*group, values.collect())
        });
        Self { shares: shares.collect() }
    }

    pub fn html(&self, group: Group) -> Html {
        Html::markup(self.shares.get(&group).map(|shares| sparkline(shares)).unwrap_or_default())
    }
}

/// The share column where shares exist, else the value itself.
struct Measure {
    metric: Metric,
    scale: Scale,
}

impl Measure {
    fn column(&self) -> Column {
        match self.metric {
            Metric::Users => Column::number("Users", &self.scale.unit_of("±2 %")),
            metric => Column::number("Share", &format!("% {}", of_metric(metric))),
        }
    }

    fn cell(&self, value: Option<f64>, share: Option<f64>) -> Html {
        match (self.metric, share) {
            (Metric::Users, _) => cells::optional(value.map(|value| self.scale.number(value))),
            (_, Some(share)) => Html::text(&format::percent(share, 1)),
            (_, None) => cells::unknown(),
        }
    }

    fn change(&self, share: Option<f64>, before: Option<f64>, change: &Change) -> Html {
        match (self.metric, share, before) {
            (Metric::Users, ..) => cells::change(change),
            (_, Some(now), Some(before)) => cells::points((now - before) * 100.0, 1),
            _ => cells::unknown(),
        }
    }
}

/// A short table: rank, change of rank, name, share, change of share, sparkline; then the others as one row.
pub fn short_table(
    data: &Dataset,
    ranking: &Ranking,
    sparks: &Sparks,
    limit: usize,
    others_href: &str,
) -> Table {
    let metric = ranking.query.metric;
    let largest = ranking.rows.first().and_then(|row| row.value).unwrap_or(0.0);
    let measure = Measure { metric, scale: scale(metric, largest) };
    let mut rows: Vec<Row> = ranking
        .rows
        .iter()
        .take(limit)
        .map(|row| {
            Row::new(vec![
                cells::rank(row.rank).into(),
                cells::rank_change(row.rank_change(), matches!(row.change, Change::New)).into(),
                Cell::head(name(data, row.group)),
                measure.cell(row.value, row.share).into(),
                measure.change(row.share, row.share_before, &row.change).into(),
                sparks.html(row.group).into(),
            ])
        })
        .collect();
    if let Some(rest) = remainder(ranking, limit).filter(|_| metric != Metric::Users) {
        // How many names are hidden is not told.
        let text = match ranking.rest(limit) {
            Some(Remainder { rows: 1, .. }) => "1 other".to_owned(),
            Some(Remainder { rows, .. }) => format!("{} others", format::count(rows as u64)),
            None => "Others".to_owned(),
        };
        rows.push(
            Row::new(vec![
                "".into(),
                "".into(),
                Cell::head(Html::link(others_href, &text)),
                measure.cell(rest.value, rest.share).into(),
                measure.change(rest.share, rest.share_before, &Change::Unknown).into(),
                "".into(),
            ])
            .class("others"),
        );
    }
    let change =
        if metric == Metric::Users { Column::number("Change", "%") } else { Column::number("Change", "pp") };
    Table {
        columns: vec![
            Column::silent("Rank", "rk"),
            Column::new("Change", "ch").unit("rank"),
            Column::new(&format::capitalised(noun(ranking.query.by, 1)), "nm"),
            measure.column().descending(),
            change,
            Column::silent("Last 12 weeks", "g").optional(),
        ],
        rows,
        class: "dense mini",
        empty: "no traffic in this window".to_owned(),
        ..Table::default()
    }
}

/// Everything after the first rows: further rows, hidden and unmapped ones.
pub fn remainder(ranking: &Ranking, limit: usize) -> Option<Remainder> {
    let parts = [ranking.rest(limit), ranking.hidden, ranking.unmapped];
    parts.into_iter().flatten().reduce(|a, b| {
        let mut sum = Remainder { rows: a.rows + b.rows, value: plus(a.value, b.value), ..a };
        sum.totals.add(&b.totals);
        sum.before.add(&b.before);
        sum.share = plus(a.share, b.share);
        sum.share_before = plus(a.share_before, b.share_before);
        sum
    })
}

/// `, number 3 of 40 authors`; nothing of a row without a rank.
pub fn place(row: &RankingRow, all: &Ranking, words: &str) -> String {
    let of = all.rows.len();
    row.rank.map_or(String::new(), |rank| {
        format!("{words} {rank} of {} {}", format::count(of as u64), noun(all.query.by, of.max(2)))
    })
}

/// What is said of a name without any figure in the window.
pub fn nothing(data: &Dataset, name: &str) -> String {
    match data.thresholds.users {
        0 => format!("{name} served no request in this window"),
        users => {
            format!("{name} served no request in this window that may be shown: usage needs {users} users")
        }
    }
}

/// Why no figure of the use of something is shown.
pub fn withheld(why: &NotEnough) -> String {
    format!(
        "Its use is not shown: that needs {} users in 28 days.",
        format::count(why.needs_users.unwrap_or(0))
    )
}

/// A bar as long as the row's part of the largest.
pub fn value_bar(rank: Option<u32>, value: Option<f64>, largest: f64) -> Html {
    let part = if largest > 0.0 { value.unwrap_or(0.0) / largest } else { 0.0 };
    Html::markup(bar(part, if rank == Some(1) { "hot" } else { "" }))
}

/// Since which Monday the first group of the newest complete week has been first without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reign {
    pub group: Group,
    pub since: NaiveDate,
    /// It led in every week there is.
    pub always: bool,
}

pub fn reign(data: &Dataset, weekly: &Weekly, metric: Metric) -> Option<Reign> {
    let mut since: Option<(Group, NaiveDate)> = None;
    let mut always = true;
    for (index, week) in weekly.weeks.iter().enumerate().rev().filter(|(_, week)| week.complete) {
        let value =
            |volumes: &[crate::data::Volume]| volumes.get(index).and_then(|volume| volume.get(metric));
        let leader = weekly
            .groups
            .iter()
            .filter(|(group, _)| group.is_named())
            .filter_map(|(group, volumes)| Some((*group, value(volumes)?)))
            .filter(|(_, value)| *value > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| data.by_name(b.0, a.0)))?;
        match since {
            None => since = Some((leader.0, week.monday)),
            Some((group, _)) if group == leader.0 => since = Some((group, week.monday)),
            Some(_) => {
                always = false;
                break;
            }
        }
    }
    since.map(|(group, since)| Reign { group, since, always })
}

/// The sentence about who leads: `DeepSeek V3.2 carries 13.9 % of all tokens, 3.3 points ahead of Hunyuan A13B`.
pub fn finding(data: &Dataset, ranking: &Ranking) -> Option<String> {
    let metric = ranking.query.metric;
    let first = ranking.rows.first()?;
    let second = ranking.rows.get(1);
    let who = label(data, first.group);
    let Some(share) = first.share else {
        let value = first.value?;
        let rival = second.and_then(|second| Some((second, second.value.filter(|value| *value > 0.0)?)));
        let ahead = rival.map(|(second, other)| {
            let more = (value / other - 1.0) * 100.0;
            format!(", {}{NBSP}% more than {}", format::decimal(more, 0), label(data, second.group))
        });
        return Some(format!("{who} has {}{}", amount(metric, value), ahead.unwrap_or_default()));
    };
    let verb = if metric == Metric::Spend { "earns" } else { "carries" };
    let ahead = second.and_then(|second| {
        let points = (share - second.share?) * 100.0;
        let other = label(data, second.group);
        let text = format::decimal(points, 1);
        Some(if text == "0.0" {
            format!(", level with {other}")
        } else {
            format!(", {text} points ahead of {other}")
        })
    });
    Some(format!(
        "{who} {verb} {} of all {}{}",
        format::percent_sign(share, 1),
        metric.word(),
        ahead.unwrap_or_default()
    ))
}
