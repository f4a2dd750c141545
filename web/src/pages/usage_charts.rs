//! Weekly volume and share of one model, author or provider.

use super::parts::{Cell, Column, Downloads, Figure, Html, Row, Table, cells};
use super::ranked;
use super::shares::midnight;
use crate::charts::{Caption, Dash, Domain, Line, LineChart, Partial};
use crate::data::{Dataset, Group, Metric, Volume, Weekly};
use crate::format;
use crate::views::share::{additive, is_known};

struct Weeks {
    at: Vec<chrono::DateTime<chrono::Utc>>,
    from: usize,
    partial_from: usize,
}

impl Weeks {
    /// A first week that began before the history is left out; the running one stays and is marked.
    fn of(weekly: &Weekly) -> Self {
        let from =
            usize::from(weekly.weeks.first().is_some_and(|week| !week.complete) && weekly.weeks.len() > 1);
        let weeks = weekly.weeks.get(from..).unwrap_or_default();
        Self {
            at: weeks.iter().map(|week| midnight(week.monday)).collect(),
            from,
            partial_from: weeks.iter().rposition(|week| week.complete).map_or(0, |last| last + 1),
        }
    }

    fn newest(&self) -> Option<usize> {
        self.partial_from.checked_sub(1)
    }

    fn values(&self, volumes: &[Volume], metric: Metric) -> Vec<f64> {
        self.known(volumes, metric).into_iter().map(|value| value.unwrap_or(0.0)).collect()
    }

    /// A week of which nothing has a price has no spend, not one of nought.
    fn known(&self, volumes: &[Volume], metric: Metric) -> Vec<Option<f64>> {
        volumes.iter().skip(self.from).map(|volume| volume.get(metric)).collect()
    }
}

fn find(weekly: &Weekly, group: Group) -> Option<&Vec<Volume>> {
    weekly.groups.iter().find(|(known, _)| *known == group).map(|(_, volumes)| volumes)
}

fn without(id: &str, title: &str, note: &str) -> Figure {
    Figure {
        id: id.to_owned(),
        title: title.to_owned(),
        note: Html::text(note),
        svg: Html::default(),
        table: Table::default(),
        downloads: Downloads::default(),
        key: false,
        missing: Html::text("No complete ISO week with traffic yet."),
    }
}

fn unpriced() -> Html {
    Html::text("No request of it has a price.")
}

/// In place of volume and share when too few users made them.
pub fn withheld(why: &Html) -> [Figure; 2] {
    [("weeks", "Volume by week"), ("weekly-share", "Share by week")]
        .map(|(id, title)| Figure { missing: why.clone(), ..without(id, title, "Not shown") })
}

/// Volume per week; the running week stands apart as a stem.
pub fn volume(group: Group, weekly: &Weekly, metric: Metric, downloads: Downloads) -> Figure {
    let metric = additive(metric);
    let weeks = Weeks::of(weekly);
    let note = format!(
        "{} a week, ISO weeks; the running week is hollow and not joined",
        format::capitalised(metric.word())
    );
    let (Some(volumes), Some(newest)) = (find(weekly, group), weeks.newest()) else {
        return without("weeks", "Volume by week", &note);
    };
    if !is_known(volumes, metric) {
        return Figure { missing: unpriced(), ..without("weeks", "Volume by week", &note) };
    }
    let values = weeks.values(volumes, metric);
    // Weeks before the first request are no zeroes to be drawn.
    let first = values.iter().position(|value| *value > 0.0).unwrap_or(0);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let scale = ranked::scale(metric, largest);
    let known = weeks.known(volumes, metric);
    let line: Vec<Option<f64>> = known
        .iter()
        .enumerate()
        .map(|(index, value)| value.filter(|_| index >= first).map(|value| value / scale.divisor))
        .collect();
    let now = values.get(newest).copied().unwrap_or(0.0);
    let past =
        newest.checked_sub(12).filter(|past| *past >= first).and_then(|past| values.get(past)).copied();
    let compared = past.filter(|past| *past > 0.0).map(|past| now / past);
    let title = match compared {
        Some(ratio) if ratio >= 2.0 => {
            format!(
                "{} in the newest week, {} times as much as 12 weeks before",
                ranked::amount(metric, now),
                format::decimal(ratio, 1)
            )
        }
        Some(ratio) if ratio <= 0.5 => {
            format!(
                "{} in the newest week, {} of what it was 12 weeks before",
                ranked::amount(metric, now),
                format::percent_sign(ratio, 0)
            )
        }
        Some(ratio) => format!(
            "{} in the newest week, {} {}\u{a0}% on 12 weeks before",
            ranked::amount(metric, now),
            if ratio < 1.0 { "down" } else { "up" },
            format::decimal((ratio - 1.0).abs() * 100.0, 0)
        ),
        None => format!("{} in the newest complete week", ranked::amount(metric, now)),
    };
    let unit = scale.unit_of(metric.unit());
    let short = |value: f64| match scale.unit {
        "" => scale.number(value),
        unit => format!("{}\u{a0}{unit}", scale.number(value)),
    };
    let complete = |index: usize| index < weeks.partial_from;
    let part = |wanted: bool| -> Vec<Option<f64>> {
        line.iter().enumerate().map(|(index, value)| value.filter(|_| complete(index) == wanted)).collect()
    };
    let running = values.get(weeks.partial_from).filter(|_| weeks.partial_from >= first);
    let mut lines =
        vec![Line { label: short(now), class: "s0", dash: Dash::Solid, bold: true, values: part(true) }];
    lines.extend(running.map(|value| Line {
        label: format!("{} so far", short(*value)),
        class: "s0",
        dash: Dash::Solid,
        bold: false,
        values: part(false),
    }));
    let caption = Caption { id: "weeks-c", title: &title, desc: &note };
    let chart = LineChart {
        caption,
        unit: &unit,
        at: &weeks.at,
        lines: &lines,
        bands: &[],
        partial_from: weeks.partial_from,
        partial: Partial::Stem,
        domain: Domain::Zero,
        notes: &[],
    };
    let svg = chart.render();
    let rows = (first..weeks.partial_from)
        .rev()
        .take(13)
        .map(|week| {
            let date = weeks.at.get(week).copied().unwrap_or_default().date_naive();
            Row::new(vec![
                Cell::head(cells::date(date)),
                cells::optional(known.get(week).copied().flatten().map(|value| scale.number(value))).into(),
            ])
        })
        .collect();
    let table = Table {
        label: "Volume by week".to_owned(),
        note: Html::text("Newest 13 complete weeks; all weeks are in the download"),
        class: "dense",
        columns: vec![
            Column::new("Week of", "nw"),
            Column::number(&format::capitalised(metric.word()), &unit),
        ],
        rows,
        ..Table::default()
    };
    Figure {
        id: "weeks".to_owned(),
        note: Html::text(&note),
        svg: Html::markup(svg),
        table,
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}

/// Share of everything per week, with the nearest rivals as context.
pub fn share(data: &Dataset, group: Group, weekly: &Weekly, metric: Metric, downloads: Downloads) -> Figure {
    let metric = additive(metric);
    let weeks = Weeks::of(weekly);
    let note = format!(
        "Share of all {}, %, ISO weeks; nearest rivals in grey; the running week is dashed",
        metric.word()
    );
    let (Some(own), Some(newest)) = (find(weekly, group), weeks.newest()) else {
        return without("weekly-share", "Share by week", &note);
    };
    if !is_known(own, metric) {
        return Figure { missing: unpriced(), ..without("weekly-share", "Share by week", &note) };
    }
    let totals = weeks.values(&weekly.total, metric);
    let shares = |volumes: &[Volume]| -> Vec<Option<f64>> {
        let values = weeks.known(volumes, metric);
        values
            .iter()
            .zip(&totals)
            .map(|(value, total)| value.filter(|_| *total > 0.0).map(|value| value / total * 100.0))
            .collect()
    };
    let at_newest = |volumes: &[Volume]| {
        volumes.get(newest + weeks.from).and_then(|volume| volume.get(metric)).unwrap_or(0.0)
    };
    let mut ranked: Vec<_> = weekly
        .groups
        .iter()
        .filter(|(group, volumes)| group.is_named() && is_known(volumes, metric))
        .collect();
    ranked.sort_by(|a, b| at_newest(&b.1).total_cmp(&at_newest(&a.1)).then_with(|| data.by_name(a.0, b.0)));
    let place = ranked.iter().position(|(known, _)| *known == group).unwrap_or(0);
    let from = place.saturating_sub(2);
    let rivals = ranked.iter().skip(from).take(5).filter(|(known, _)| *known != group).take(3);
    let label = |group: Group, values: &[Option<f64>]| {
        let now = values.get(newest).copied().flatten().unwrap_or(0.0);
        format!("{} {}", ranked::label(data, group), format::decimal(now, 1))
    };
    let mut lines: Vec<Line> = rivals
        .map(|(rival, volumes)| {
            let values = shares(volumes);
            Line { label: label(*rival, &values), class: "ctx", dash: Dash::Solid, bold: false, values }
        })
        .collect();
    let values = shares(own);
    let now = values.get(newest).copied().flatten().unwrap_or(0.0);
    let best = values
        .iter()
        .take(weeks.partial_from)
        .enumerate()
        .filter_map(|(index, value)| Some((index, (*value)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let title = match best {
        Some((index, most)) if index < newest => {
            let date = weeks.at.get(index).copied().unwrap_or_default().date_naive();
            format!(
                "{}\u{a0}% of all {}; its peak was {}\u{a0}% in the week of {}",
                format::decimal(now, 1),
                metric.word(),
                format::decimal(most, 1),
                format::day_month(date)
            )
        }
        _ => format!("{}\u{a0}% of all {}, its highest share so far", format::decimal(now, 1), metric.word()),
    };
    lines.push(Line {
        label: label(group, &values),
        class: "s0",
        dash: Dash::Solid,
        bold: true,
        values: values.clone(),
    });
    let unit = format!("% of {}", metric.word());
    let caption = Caption { id: "weekly-share-c", title: &title, desc: &note };
    let chart = LineChart {
        caption,
        unit: &unit,
        at: &weeks.at,
        lines: &lines,
        bands: &[],
        partial_from: weeks.partial_from,
        partial: Partial::Dashes,
        domain: Domain::Zero,
        notes: &[],
    };
    let svg = chart.render();
    let rows = (0..weeks.partial_from)
        .rev()
        .take(13)
        .map(|week| {
            let date = weeks.at.get(week).copied().unwrap_or_default().date_naive();
            let share = values.get(week).copied().flatten().map(|share| format::decimal(share, 2));
            Row::new(vec![Cell::head(cells::date(date)), cells::optional(share).into()])
        })
        .collect();
    Figure {
        id: "weekly-share".to_owned(),
        note: Html::text(&note),
        svg: Html::markup(svg),
        table: Table {
            label: "Share by week".to_owned(),
            note: Html::text("Newest 13 complete weeks; all weeks are in the download"),
            class: "dense",
            columns: vec![Column::new("Week of", "nw"), Column::number("Share", &unit)],
            rows,
            ..Table::default()
        },
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}
