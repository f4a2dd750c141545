//! Trending: the volume of a window minus the mean of the three equal windows before it.

use std::collections::BTreeMap;

use super::parts::{Cell, Column, Html, Row, Table, cells};
use super::ranked;
use crate::data::{
    Change, Dataset, Figure as Withheld, Filter, Group, GroupBy, Metric, NotEnough, Ranking, Totals, Window,
};
use crate::format;

/// One row: its excess in tokens, and that in percent of the mean before; `None`: nothing before.
#[derive(Clone, Copy)]
struct Mover {
    group: Group,
    excess: f64,
    of_base: Option<Withheld<f64>>,
}

/// Excess over the mean of the three equal windows before.
pub fn movers(data: &Dataset, window: Window, ranking: &Ranking) -> Table {
    let mut table = Table {
        label: "Movers".to_owned(),
        class: "dense",
        note: Html::text(&format!(
            "Tokens in {} minus the mean of the three equal windows before",
            format::span(window.start, window.end)
        )),
        columns: vec![
            Column::new("Model", "nm"),
            Column::number("Excess", "tokens"),
            Column::number("Of base", "%"),
            Column::new("Rank", "").optional(),
        ],
        empty: "The history is shorter than four windows.".to_owned(),
        title: "Movers".to_owned(),
        ..Table::default()
    };
    let (one, two, three) = {
        let one = window.previous();
        let two = one.previous();
        (one, two, two.previous())
    };
    // The running day is no whole day to be compared.
    if three.start < data.first_date() || window.end >= data.newest_date() {
        return table;
    }
    let sums = |window| data.totals(window, GroupBy::Series, Filter::All);
    let mut base: BTreeMap<Group, (f64, u64)> = BTreeMap::new();
    for (group, totals) in [one, two, three].into_iter().flat_map(sums) {
        let entry = base.entry(group).or_default();
        entry.0 += totals.tokens() as f64 / 3.0;
        entry.1 += totals.requests;
    }
    let now: BTreeMap<Group, Totals> = sums(window).into_iter().collect();
    // A rate needs as many requests in the window, and in the windows before on average, as any growth.
    let needs = data.thresholds.growth_requests;
    let mover = |group: Group| {
        let (base, requests) = base.get(&group).copied().unwrap_or_default();
        let (tokens, own) =
            now.get(&group).map_or((0.0, 0), |totals| (totals.tokens() as f64, totals.requests));
        let few = (requests / 3).min(own);
        let excess = tokens - base;
        let rate = match few < needs {
            true => Err(NotEnough::counts(few, needs).into()),
            false => Ok(excess / base * 100.0),
        };
        Mover { group, excess, of_base: if base > 0.0 { Some(rate) } else { None } }
    };
    // A row that lost all its traffic falls most. What was hidden on any day of these windows is not summed up.
    let gone = ranking.gone.iter().filter(|_| ranking.query.before == Some(one));
    let whole = Window { start: three.start, end: window.end };
    let shown = ranking.rows.iter().map(|row| row.group).chain(gone.map(|(group, _)| *group));
    let mut all: Vec<Mover> =
        shown.filter(|group| data.is_told_throughout(*group, whole)).map(mover).collect();
    all.sort_by(|a, b| b.excess.total_cmp(&a.excess).then_with(|| data.by_name(a.group, b.group)));
    let up: Vec<_> = all.iter().filter(|row| row.excess > 0.0).take(5).copied().collect();
    let mut down: Vec<_> = all.iter().rev().filter(|row| row.excess < 0.0).take(3).copied().collect();
    down.reverse();
    let most = up.first().map(|row| format!("{} adds most", ranked::label(data, row.group)));
    let least = down.last().map(|row| format!("{} loses most", ranked::label(data, row.group)));
    let leaders: Vec<String> = most.into_iter().chain(least).collect();
    if !leaders.is_empty() {
        table.title = format!("Movers: {}", leaders.join(", "));
    }
    let scale = ranked::scale(Metric::Tokens, all.iter().map(|row| row.excess.abs()).fold(0.0, f64::max));
    if let Some(column) = table.columns.get_mut(1) {
        column.unit = scale.unit_of("tokens");
    }
    table.rows = up
        .iter()
        .chain(&down)
        .map(|Mover { group, excess, of_base }| {
            let row = ranking.find(*group);
            let signed = format::signed(excess / scale.divisor, scale.decimals);
            let of_base = match of_base {
                Some(Ok(rate)) => cells::moved(*rate, &format::signed(*rate, 1)),
                Some(Err(why)) => cells::untold(why),
                None => Html::markup("<span class=\"chg\">new</span>"),
            };
            let gone = || ranking.gone.iter().find(|(gone, _)| gone == group);
            let rank = match row.map(|row| (row, row.rank)) {
                Some((_, None)) => String::new(),
                Some((row, Some(rank))) => match row.rank_before {
                    Some(before) if before != rank => format!("{before} to {rank}"),
                    Some(_) => rank.to_string(),
                    None if matches!(row.change, Change::New) => format!("new, {rank}"),
                    None => rank.to_string(),
                },
                None => gone().map_or(String::new(), |(_, before)| format!("{before}, gone")),
            };
            Row::new(vec![
                Cell::head(ranked::name(data, *group)),
                cells::moved(*excess, &signed).into(),
                of_base.into(),
                rank.into(),
            ])
        })
        .collect();
    table
}
