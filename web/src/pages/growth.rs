//! Growth: active models and month over month volumes, running month apart.

use std::collections::{BTreeMap, HashSet};

use askama::Template;
use chrono::{Datelike, Days, Months, NaiveDate};

use super::context::{PageContext, PageError};
use super::controls;
use super::parts::{Cell, Column, Downloads, Figure, Html, Row, Table, cells};
use super::shares::midnight;
use super::shell::{Section, Shell};
use crate::charts::{Caption, Columns};
use crate::data::{Change, Dataset, Filter, Group, GroupBy, Totals, Window};
use crate::format;

/// One calendar month of traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Month {
    pub first: NaiveDate,
    /// All its days are in the history and over.
    pub complete: bool,
    pub active: usize,
    pub active_100: usize,
    /// Models that had never served a request before; `None` in the first month of the history.
    pub entries: Option<usize>,
    pub totals: Totals,
}

/// Months of the history, oldest first, at most thirteen.
pub fn months(data: &Dataset) -> Vec<Month> {
    let mut out = Vec::new();
    let mut seen: HashSet<Group> = HashSet::new();
    let Some(mut first) = data.first_date().with_day(1) else { return out };
    let begins = first;
    while first <= data.newest_date() {
        let Some(next) = first.checked_add_months(Months::new(1)) else { break };
        let end = next.checked_sub_days(Days::new(1)).unwrap_or(first);
        let window = Window { start: first.max(data.first_date()), end: end.min(data.newest_date()) };
        let groups = data.totals(window, GroupBy::Model, &Filter::default());
        let known: Vec<_> = groups.iter().filter(|(group, totals)| !group.is_unknown() && totals.requests > 0).collect();
        let entries = known.iter().filter(|(group, _)| !seen.contains(group)).count();
        seen.extend(known.iter().map(|(group, _)| *group));
        let totals = groups.iter().fold(Totals::default(), |mut sum, (_, totals)| {
            sum.add(totals);
            sum
        });
        out.push(Month {
            first,
            complete: first >= data.first_date() && end <= data.last_complete_date(),
            active: known.len(),
            active_100: known.iter().filter(|(_, totals)| totals.requests >= 100).count(),
            entries: (first > begins).then_some(entries),
            totals,
        });
        first = next;
    }
    let skip = out.len().saturating_sub(13);
    out.split_off(skip)
}

/// Change of a month to the month before; both must be complete.
fn change(months: &[Month], index: usize, value: impl Fn(&Totals) -> f64) -> Change {
    let pair = index.checked_sub(1).and_then(|before| months.get(before)).zip(months.get(index));
    match pair {
        Some((before, now)) if before.complete && now.complete && value(&before.totals) > 0.0 => {
            Change::Ratio(value(&now.totals) / value(&before.totals) - 1.0)
        }
        _ => Change::Unknown,
    }
}

/// Geometric mean of the last six changes of tokens; `None` without six of them.
pub fn six_month_mean(months: &[Month]) -> Option<f64> {
    let complete: Vec<f64> =
        months.iter().filter(|month| month.complete).map(|month| month.totals.tokens() as f64).collect();
    let last = *complete.last()?;
    let before = *complete.get(complete.len().checked_sub(7)?)?;
    (before > 0.0 && last > 0.0).then(|| (last / before).powf(1.0 / 6.0) - 1.0)
}

#[derive(Template)]
#[template(path = "growth.html")]
struct Page {
    shell: Shell,
    finding: String,
    deck: Html,
    active: Figure,
    volume: Figure,
    table: Table,
    downloads: Downloads,
}

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let months = months(data);
    let newest = months.iter().rposition(|month| month.complete);
    let finding = finding(&months, newest);
    let deck = match six_month_mean(&months) {
        Some(mean) => format!(
            "Over the last six complete months tokens changed by {}\u{a0}% a month (geometric mean).",
            format::signed(mean * 100.0, 1)
        ),
        None => "The mean growth of six months needs seven complete calendar months.".to_owned(),
    };
    let table = table(&months);
    let page = Page {
        shell: Shell::new(ctx, Some(data), Section::Growth, "Growth", &finding),
        deck: Html::text(&deck),
        active: active(&months, table.clone(), controls::downloads(ctx)),
        volume: volume(&months, table.clone(), controls::downloads(ctx)),
        table,
        downloads: controls::downloads(ctx),
        finding,
    };
    Ok(page.render()?)
}

fn finding(months: &[Month], newest: Option<usize>) -> String {
    let Some((index, month)) = newest.and_then(|index| Some((index, months.get(index)?))) else {
        return "No complete calendar month yet".to_owned();
    };
    let tokens = format::compact(month.totals.tokens() as f64).joined();
    let grew = cells::change_words(&change(months, index, |totals| totals.tokens() as f64))
        .map_or(String::new(), |words| format!(", {words} on the month before"));
    format!(
        "{} models were active in {}; they served {tokens} tokens{grew}",
        format::count(month.active as u64),
        format::month_year(month.first)
    )
}

fn figure(id: &str, title: String, note: &str, svg: String, table: Table, downloads: Downloads) -> Figure {
    Figure {
        id: id.to_owned(),
        note: Html::text(note),
        svg: Html::markup(svg),
        table,
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}

fn axis(months: &[Month]) -> (Vec<chrono::DateTime<chrono::Utc>>, Vec<String>, usize) {
    let at = months.iter().map(|month| midnight(month.first)).collect();
    let names = months.iter().map(|month| format::month_short(month.first)).collect();
    let partial = months.iter().rposition(|month| month.complete).map_or(0, |last| last + 1);
    (at, names, partial)
}

fn active(months: &[Month], table: Table, downloads: Downloads) -> Figure {
    let (at, names, partial_from) = axis(months);
    let outer: Vec<Option<f64>> = months.iter().map(|month| Some(month.active as f64)).collect();
    let inner: Vec<Option<f64>> = months.iter().map(|month| Some(month.active_100 as f64)).collect();
    let newest = partial_from.checked_sub(1).and_then(|index| months.get(index));
    let title = newest.map_or("Active models".to_owned(), |month| {
        format!(
            "{} models with a request in {}, {} with a hundred",
            format::count(month.active as u64),
            format::month_year(month.first),
            format::count(month.active_100 as u64)
        )
    });
    let label = newest.map_or(String::new(), |month| format::count(month.active as u64));
    let chart = Columns {
        caption: Caption { id: "active-c", title: &title, desc: "Calendar months, the running month hollow." },
        unit: "models",
        at: &at,
        names: &names,
        outer: &outer,
        inner: Some(&inner),
        partial_from,
        label,
    };
    let svg = chart.render();
    figure("active", title, "Models per calendar month: at least 1 request (pale), at least 100 (full); running month hollow", svg, table, downloads)
}

fn volume(months: &[Month], table: Table, downloads: Downloads) -> Figure {
    let (at, names, partial_from) = axis(months);
    let largest = months.iter().map(|month| month.totals.tokens() as f64).fold(0.0, f64::max);
    let scale = format::Scale::of(largest);
    let outer: Vec<Option<f64>> =
        months.iter().map(|month| Some(month.totals.tokens() as f64 / scale.divisor)).collect();
    let newest = partial_from.checked_sub(1).and_then(|index| Some((index, months.get(index)?)));
    let title = newest.map_or("Tokens per month".to_owned(), |(index, month)| {
        let words = cells::change_words(&change(months, index, |totals| totals.tokens() as f64));
        format!(
            "{} tokens in {}{}",
            format::compact(month.totals.tokens() as f64).joined(),
            format::month_year(month.first),
            words.map_or(String::new(), |words| format!(", {words}"))
        )
    });
    let unit = scale.unit_of("tokens");
    let chart = Columns {
        caption: Caption { id: "volume-c", title: &title, desc: "Calendar months, the running month hollow." },
        unit: &unit,
        at: &at,
        names: &names,
        outer: &outer,
        inner: None,
        partial_from,
        label: newest.map_or(String::new(), |(_, month)| scale.number(month.totals.tokens() as f64)),
    };
    let svg = chart.render();
    figure("volume", title, "Tokens of served requests per calendar month; running month hollow", svg, table, downloads)
}

fn table(months: &[Month]) -> Table {
    let largest = |value: fn(&Totals) -> f64| months.iter().map(|month| value(&month.totals)).fold(0.0, f64::max);
    let tokens = format::Scale::of(largest(|totals| totals.tokens() as f64));
    let requests = format::Scale::of(largest(|totals| totals.requests as f64));
    let by_month: BTreeMap<usize, &Month> = months.iter().enumerate().collect();
    let rows = by_month
        .iter()
        .rev()
        .map(|(index, month)| {
            let name = Html::markup(format!(
                "<time datetime=\"{}\">{}</time>{}",
                month.first.format("%Y-%m"),
                format::month_year(month.first),
                if month.complete { "" } else { " <span class=\"by\">incomplete</span>" }
            ));
            Row::new(vec![
                Cell::head(name),
                format::count(month.active as u64).into(),
                format::count(month.active_100 as u64).into(),
                cells::optional(month.entries.map(|entries| format::count(entries as u64))).into(),
                tokens.number(month.totals.tokens() as f64).into(),
                cells::change(&change(months, *index, |totals| totals.tokens() as f64)).into(),
                requests.number(month.totals.requests as f64).into(),
                cells::change(&change(months, *index, |totals| totals.requests as f64)).into(),
            ])
            .class(if month.complete { "" } else { "sub" })
        })
        .collect();
    Table {
        label: "Growth by month".to_owned(),
        note: Html::text("Calendar months, UTC, newest first; change against the month before where both are complete"),
        columns: vec![
            Column::new("Month", "nw"),
            Column::number("Active", "≥ 1 request"),
            Column::number("Active", "≥ 100 requests").optional(),
            Column::number("New models", "first request").optional(),
            Column::number("Tokens", tokens.unit),
            Column::number("Change", "% month"),
            Column::number("Requests", requests.unit).optional(),
            Column::number("Change", "% month").optional(),
        ],
        rows,
        empty: "No month yet.".to_owned(),
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str, complete: bool, tokens: u64) -> Month {
        Month {
            first: text.parse().unwrap(),
            complete,
            active: 5,
            active_100: 3,
            entries: Some(1),
            totals: Totals { input_tokens: tokens, requests: 10, ..Totals::default() },
        }
    }

    #[test]
    fn an_incomplete_month_is_never_compared() {
        let months = [month("2026-09-01", true, 100), month("2026-10-01", true, 150), month("2026-11-01", false, 90)];
        let tokens = |totals: &Totals| totals.tokens() as f64;
        assert_eq!(change(&months, 1, tokens), Change::Ratio(0.5));
        assert_eq!(change(&months, 2, tokens), Change::Unknown);
        assert_eq!(change(&months, 0, tokens), Change::Unknown);
    }

    #[test]
    fn six_changes_need_seven_months() {
        let doubling: Vec<Month> =
            (1..=8).map(|n| month(&format!("2026-0{n}-01"), true, 100 << n)).collect();
        assert!((six_month_mean(&doubling).unwrap() - 1.0).abs() < 1e-12, "doubling is +100 %");
        assert_eq!(six_month_mean(&doubling[..6]), None);
    }
}
