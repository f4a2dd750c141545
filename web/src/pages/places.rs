//! The course of ranks: who stood where in the last complete weeks, as a bump chart with its table.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::controls;
use super::parts::{Cell, Column, Figure, Html, Row, Table, cells};
use super::ranked::{self, SPARK_WEEKS};
use super::shares::midnight;
use crate::charts::{Bump, Caption, bump};
use crate::data::{Dataset, Group, Metric, Weekly};
use crate::format;
use crate::place::PageContext;

/// Places of a bump chart.
const PLACES: usize = 9;
/// Rows that stand out; the others are context.
const HIGHLIGHTS: usize = 4;

/// The course of the first nine over twelve weeks; rows that moved most stand out.
pub fn bump_figure(ctx: &PageContext, metric: Metric, data: &Dataset, weekly: &Weekly) -> Option<Figure> {
    let places = Places::of(data, weekly, metric, PLACES)?;
    let first = |ranks: &[Option<usize>]| ranks.iter().flatten().next().copied();
    let moved = |ranks: &[Option<usize>]| {
        let known = ranks.last().copied().flatten().zip(first(ranks));
        known.map_or(0, |(now, then)| now.abs_diff(then))
    };
    // The leader always stands out, then whoever moved most.
    let mut order: Vec<usize> = (0..places.rows.len()).collect();
    order.sort_by_key(|index| {
        let moved = places.rows.get(*index).map_or(0, |(_, ranks)| moved(ranks));
        (*index != 0, std::cmp::Reverse(moved), *index)
    });
    let bright: Vec<usize> = order.into_iter().take(HIGHLIGHTS).collect();
    let classes = ["s0", "s1", "s2", "s3"];
    let rows: Vec<Bump> = places
        .rows
        .iter()
        .enumerate()
        .map(|(index, (group, ranks))| Bump {
            label: ranked::label(data, *group),
            class: bright
                .iter()
                .position(|bright| *bright == index)
                .and_then(|place| classes.get(place))
                .copied()
                .unwrap_or("ctx"),
            ranks: ranks.clone(),
        })
        .collect();
    let climber = places
        .rows
        .iter()
        .filter_map(|(group, ranks)| Some((*group, first(ranks)?, ranks.last().copied().flatten()?)))
        .filter(|(_, then, now)| then > now)
        .max_by_key(|(_, then, now)| then - now);
    let title = match climber {
        Some((group, then, now)) => {
            format!(
                "{} climbed from place {then} to {now} in {} weeks",
                ranked::label(data, group),
                places.weeks.len()
            )
        }
        None => format!("The first {} kept their places over {} weeks", rows.len(), places.weeks.len()),
    };
    let at: Vec<_> = places.weeks.iter().map(|week| midnight(*week)).collect();
    let names: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    let desc = format!("Order of the newest week: {}.", names.join(", "));
    let svg = bump(&Caption { id: "bump-c", title: &title, desc: &desc }, &at, &rows, PLACES);
    let mut columns = vec![Column::new("Week of", "nw stay")];
    columns.extend(names.iter().map(|name| Column::number(name, "")));
    let table_rows = places
        .weeks
        .iter()
        .enumerate()
        .rev()
        .map(|(index, week)| {
            let mut row_cells = vec![Cell::head(cells::date(*week))];
            row_cells.extend(rows.iter().map(|row| {
                let rank = row.ranks.get(index).copied().flatten();
                cells::optional(rank.map(|rank| rank.to_string())).into()
            }));
            Row::new(row_cells)
        })
        .collect();
    let by = if metric == Metric::Users { Metric::Requests } else { metric };
    let last = places.weeks.last().copied().unwrap_or_default();
    Some(Figure {
        id: "bump".to_owned(),
        note: Html::text(&format!(
            "Place by {}, complete ISO weeks to that of {}; the leader and those that moved most stand out",
            by.word(),
            format::date(last)
        )),
        svg: Html::markup(svg),
        table: Table {
            label: "Places by week".to_owned(),
            class: "dense",
            columns,
            rows: table_rows,
            ..Table::default()
        },
        downloads: controls::downloads(ctx),
        key: false,
        missing: Html::default(),
        title,
    })
}

/// Places per complete week, newest last, and the rows that stand in the first `depth` of the newest one.
struct Places {
    weeks: Vec<NaiveDate>,
    rows: Vec<(Group, Vec<Option<usize>>)>,
}

impl Places {
    /// `None` with fewer than three complete weeks: two points are no course.
    fn of(data: &Dataset, weekly: &Weekly, metric: Metric, depth: usize) -> Option<Self> {
        let metric = if metric == Metric::Users { Metric::Requests } else { metric };
        let complete: Vec<usize> = (0..weekly.weeks.len())
            .filter(|week| weekly.weeks.get(*week).is_some_and(|week| week.complete))
            .collect();
        let shown = complete.get(complete.len().saturating_sub(SPARK_WEEKS)..).unwrap_or_default();
        if shown.len() < 3 {
            return None;
        }
        let mut places: BTreeMap<Group, Vec<Option<usize>>> = BTreeMap::new();
        for (column, week) in shown.iter().enumerate() {
            let mut order: Vec<(Group, f64)> = weekly
                .groups
                .iter()
                .filter(|(group, _)| group.is_named())
                .filter_map(|(group, volumes)| Some((*group, volumes.get(*week)?.get(metric)?)))
                .filter(|(_, value)| *value > 0.0)
                .collect();
            order.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| data.by_name(a.0, b.0)));
            for (place, (group, _)) in order.iter().enumerate() {
                let ranks = places.entry(*group).or_insert_with(|| vec![None; shown.len()]);
                if let Some(rank) = ranks.get_mut(column) {
                    *rank = Some(place + 1);
                }
            }
        }
        let newest = |ranks: &[Option<usize>]| ranks.last().copied().flatten();
        let mut rows: Vec<_> =
            places.into_iter().filter(|(_, ranks)| newest(ranks).is_some_and(|rank| rank <= depth)).collect();
        rows.sort_by_key(|(_, ranks)| newest(ranks));
        let weeks = shown.iter().filter_map(|week| weekly.weeks.get(*week)).map(|week| week.monday).collect();
        Some(Self { weeks, rows })
    }
}
