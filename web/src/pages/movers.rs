//! Trending: the volume of a window minus the mean of the three equal windows before it.

use std::collections::BTreeMap;

use super::parts::{Cell, Column, Html, Row, Table, cells};
use super::ranked;
use crate::data::{Change, Dataset, Filter, Group, GroupBy, Metric, Ranking, Totals, Window};
use crate::format;

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
    let sums = |window| data.totals(window, GroupBy::Series, &Filter::default());
    let mut base: BTreeMap<Group, (f64, u64)> = BTreeMap::new();
    for (group, totals) in [one, two, three].into_iter().flat_map(sums) {
        let entry = base.entry(group).or_default();
        entry.0 += totals.tokens() as f64 / 3.0;
        entry.1 += totals.requests;
    }
    let now: BTreeMap<Group, Totals> = sums(window).into_iter().collect();
    let excess = |group: Group| {
        let before = base.get(&group).copied().unwrap_or_default();
        let now = now.get(&group).map_or(0.0, |totals| totals.tokens() as f64);
        (now - before.0, before.0)
    };
    // A row that lost all its traffic falls most. What was hidden in the window before tells nothing of itself.
    let gone = ranking.gone.iter().filter(|_| ranking.query.before == Some(one));
    let shown = ranking.rows.iter().filter(|row| !row.hidden_before).map(|row| row.group);
    let mut all: Vec<(Group, f64, f64)> = shown
        .chain(gone.map(|(group, _)| *group))
        .map(|group| {
            let (excess, base) = excess(group);
            (group, excess, base)
        })
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| data.by_name(a.0, b.0)));
    let up: Vec<_> = all.iter().filter(|row| row.1 > 0.0).take(5).copied().collect();
    let mut down: Vec<_> = all.iter().rev().filter(|row| row.1 < 0.0).take(3).copied().collect();
    down.reverse();
    let most = up.first().map(|row| format!("{} adds most", ranked::label(data, row.0)));
    let least = down.last().map(|row| format!("{} loses most", ranked::label(data, row.0)));
    let leaders: Vec<String> = most.into_iter().chain(least).collect();
    if !leaders.is_empty() {
        table.title = format!("Movers: {}", leaders.join(", "));
    }
    let scale = ranked::scale(Metric::Tokens, all.iter().map(|row| row.1.abs()).fold(0.0, f64::max));
    if let Some(column) = table.columns.get_mut(1) {
        column.unit = scale.unit_of("tokens");
    }
    table.rows = up
        .iter()
        .chain(&down)
        .map(|(group, excess, base)| {
            let row = ranking.find(*group);
            let signed = format::signed(excess / scale.divisor, scale.decimals);
            let of_base = if *base > 0.0 {
                cells::moved(*excess, &format::signed(excess / base * 100.0, 1))
            } else {
                Html::markup("<span class=\"chg\">new</span>")
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
