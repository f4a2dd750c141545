//! Shares of the largest groups over whole weeks, then Others: as a stack, as small multiples, as a table.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::parts::{Cell, Column, Downloads, Figure, Html, Row, Table, cells};
use super::ranked;
use crate::charts::{Band100, Caption, Multiple, Stacked, multiples};
use crate::data::{Dataset, Group, Metric, NAMED, Weekly};
use crate::format;
use crate::views::share::{additive, is_known, named, unknown_weeks};

/// One small multiple.
pub struct Panel {
    pub name: Html,
    pub from_to: String,
    pub svg: Html,
}

/// Midnight of a date, for charts.
pub fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

/// Shares of the largest groups over whole weeks, then Others: what a share chart and its table show.
pub struct Shares {
    pub at: Vec<DateTime<Utc>>,
    /// Index of the first incomplete week at the end.
    pub partial_from: usize,
    pub names: Vec<(Option<Group>, String)>,
    pub series: Vec<Vec<f64>>,
}

pub const CLASSES: [&str; 10] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];

impl Shares {
    /// Groups after the first `skip`, at most nine of them, in the order of the newest complete week.
    pub fn of(data: &Dataset, weekly: &Weekly, metric: Metric, skip: usize) -> Option<Self> {
        let metric = additive(metric);
        let from = unknown_weeks(weekly);
        let totals: Vec<f64> =
            weekly.total.iter().skip(from).map(|total| total.get(metric).unwrap_or(0.0)).collect();
        let weeks = weekly.weeks.get(from..)?;
        let partial_from = weeks.iter().rposition(|week| week.complete).map_or(0, |last| last + 1);
        if partial_from < 2 {
            return None;
        }
        let known = named(data, weekly, metric).into_iter().filter(|(_, volumes)| is_known(volumes, metric));
        let chosen: Vec<_> = known.skip(skip).take(NAMED).collect();
        let share = |value: f64, total: f64| if total > 0.0 { value / total } else { 0.0 };
        let mut series: Vec<Vec<f64>> = chosen
            .iter()
            .map(|(_, volumes)| {
                let values = volumes.iter().skip(from).zip(&totals);
                values.map(|(volume, total)| share(volume.get(metric).unwrap_or(0.0), *total)).collect()
            })
            .collect();
        let mut names: Vec<(Option<Group>, String)> =
            chosen.iter().map(|(group, _)| (Some(*group), ranked::label(data, *group))).collect();
        let newest = partial_from - 1;
        let mut order: Vec<usize> = (0..series.len()).collect();
        let at =
            |index: usize| series.get(index).and_then(|shares| shares.get(newest)).copied().unwrap_or(0.0);
        order.sort_by(|a, b| at(*b).total_cmp(&at(*a)));
        series = order.iter().filter_map(|index| series.get(*index).cloned()).collect();
        names = order.iter().filter_map(|index| names.get(*index).cloned()).collect();
        let rest: Vec<f64> = (0..totals.len())
            .map(|week| {
                let known: f64 = series.iter().filter_map(|shares| shares.get(week)).sum();
                if totals.get(week).is_some_and(|total| *total > 0.0) { (1.0 - known).max(0.0) } else { 0.0 }
            })
            .collect();
        if rest.iter().any(|share| *share > 1e-9) {
            series.push(rest);
            names.push((None, "Others".to_owned()));
        }
        let at = weeks.iter().map(|week| midnight(week.monday)).collect();
        Some(Self { at, partial_from, names, series })
    }

    fn class(&self, index: usize) -> &'static str {
        match self.names.get(index) {
            Some((None, _)) => "s9",
            _ => CLASSES.get(index).copied().unwrap_or("s9"),
        }
    }

    fn newest(&self, index: usize) -> f64 {
        self.value(index, self.partial_from.saturating_sub(1))
    }

    fn value(&self, index: usize, week: usize) -> f64 {
        self.series.get(index).and_then(|shares| shares.get(week)).copied().unwrap_or(0.0)
    }

    pub fn bands(&self) -> Vec<Band100> {
        self.series
            .iter()
            .enumerate()
            .map(|(index, shares)| Band100 {
                label: format!(
                    "{} {}",
                    self.names.get(index).map_or("", |(_, name)| name.as_str()),
                    format::percent_sign(self.newest(index), 1)
                ),
                class: self.class(index),
                shares: shares.clone(),
            })
            .collect()
    }

    /// Who gained and who lost over the whole span, in one sentence.
    pub fn title(&self) -> String {
        let named: Vec<usize> = (0..self.names.len())
            .filter(|index| self.names.get(*index).is_some_and(|(group, _)| group.is_some()))
            .collect();
        let change = |index: usize| self.newest(index) - self.value(index, 0);
        let fell = named.iter().copied().min_by(|a, b| change(*a).total_cmp(&change(*b)));
        let rose = named.iter().copied().max_by(|a, b| change(*a).total_cmp(&change(*b)));
        let name = |index: usize| self.names.get(index).map_or("", |(_, name)| name.as_str());
        // What began inside the span rose from nothing, not from a rounded `0.0 %`.
        let share = |value: f64| {
            if value > 0.0 { format::percent_sign(value, 1) } else { format!("0{}%", format::NBSP) }
        };
        let from_to =
            |index: usize| format!("from {} to {}", share(self.value(index, 0)), share(self.newest(index)));
        let span = match self.partial_from {
            weeks if weeks >= 50 => "In a year".to_owned(),
            weeks => format!("In {} weeks", weeks),
        };
        match (rose, fell) {
            (Some(rose), Some(fell)) if rose != fell && change(rose) > 0.005 && change(fell) < -0.005 => {
                format!("{span} {} fell {}; {} rose {}", name(fell), from_to(fell), name(rose), from_to(rose))
            }
            (Some(rose), _) if change(rose) > 0.005 => {
                format!("{span} {} rose {}", name(rose), from_to(rose))
            }
            _ => format!("{span} the order hardly changed"),
        }
    }

    pub fn note(&self, what: &str, metric: Metric) -> Html {
        let last = self.at.get(self.partial_from.saturating_sub(1)).copied().unwrap_or_default();
        let first = self.at.first().copied().unwrap_or_default();
        let partial = if self.partial_from < self.at.len() { "; the running week is dashed" } else { "" };
        let metric = additive(metric);
        Html::text(&format!(
            "Share of {} by {what}, %, ISO weeks from {} to the week of {}{partial}",
            metric.word(),
            format::date(first.date_naive()),
            format::date(last.date_naive())
        ))
    }

    /// Who holds how much together: the fewest series that make up three quarters, at most four.
    pub fn leaders_title(&self) -> String {
        let mut names = Vec::new();
        let mut sum = 0.0;
        for (index, (group, name)) in self.names.iter().enumerate().take(4) {
            if group.is_none() || sum >= 0.75 {
                break;
            }
            names.push(name.clone());
            sum += self.newest(index);
        }
        match names.as_slice() {
            [] => "Shares by week".to_owned(),
            [one] => format!("{one} holds {}", format::percent_sign(sum, 1)),
            _ => format!("{} hold {}", format::list(&names), format::percent_sign(sum, 1)),
        }
    }

    /// First and newest share of each series, and the difference.
    pub fn summary(&self, data: &Dataset) -> Table {
        let date =
            |week: usize| format::day_month(self.at.get(week).copied().unwrap_or_default().date_naive());
        let newest = self.partial_from.saturating_sub(1);
        let rows = self
            .names
            .iter()
            .enumerate()
            .map(|(index, (group, name))| {
                let (then, now) = (self.value(index, 0), self.newest(index));
                let swatch = format!(
                    "<svg class=\"swatch\" viewBox=\"0 0 22 9\" aria-hidden=\"true\"><rect class=\"{}\" width=\"22\" height=\"9\"/></svg>",
                    self.class(index)
                );
                let link = group.map_or_else(|| Html::text(name), |group| ranked::name(data, group));
                Row::new(vec![
                    Cell::head(Html::markup(format!("{swatch}{link}"))),
                    format::percent(then, 1).into(),
                    format::percent(now, 1).into(),
                    cells::points((now - then) * 100.0, 1).into(),
                ])
            })
            .collect();
        Table {
            title: "From the first week to the newest".to_owned(),
            note: Html::text("Share, %, and change in percentage points (pp)"),
            label: "Change of shares".to_owned(),
            class: "dense",
            columns: vec![
                Column::new("Name", "nm"),
                Column::number("Then", &format!("week of {}", date(0))),
                Column::number("Now", &format!("week of {}", date(newest))),
                Column::number("Change", "pp"),
            ],
            rows,
            ..Table::default()
        }
    }

    /// Every `step`th week as a row; the newest complete week is always there.
    pub fn table(&self, step: usize) -> Table {
        let mut columns = vec![Column::new("Week of", "nw stay")];
        columns.extend(self.names.iter().map(|(_, name)| Column::number(name, "")));
        let newest = self.partial_from.saturating_sub(1);
        let rows = (0..self.partial_from)
            .rev()
            .filter(|week| (newest - week).is_multiple_of(step.max(1)))
            .map(|week| {
                let date = self.at.get(week).copied().unwrap_or_default().date_naive();
                let mut cells = vec![Cell::head(cells::date(date))];
                cells.extend(
                    (0..self.series.len()).map(|index| format::percent(self.value(index, week), 1).into()),
                );
                Row::new(cells)
            })
            .collect();
        Table {
            label: "Share by week".to_owned(),
            note: Html::text(&if step > 1 {
                format!("Share, %. Every {step}th complete week, newest first; all weeks are in the download")
            } else {
                "Share, %. Complete weeks, newest first".to_owned()
            }),
            class: "dense",
            columns,
            rows,
            ..Table::default()
        }
    }
}

/// Σ share² × 10,000 in the first and the newest complete week.
pub fn concentration(weekly: &Weekly, metric: Metric) -> Option<(f64, f64)> {
    let metric = additive(metric);
    let complete: Vec<usize> = (0..weekly.weeks.len())
        .filter(|week| weekly.weeks.get(*week).is_some_and(|week| week.complete))
        .collect();
    let hhi = |week: usize| {
        let total = weekly.total.get(week)?.get(metric).filter(|total| *total > 0.0)?;
        let known = weekly.groups.iter().filter(|(group, _)| group.is_named());
        let shares =
            known.filter_map(|(_, volumes)| volumes.get(week)?.get(metric)).map(|value| value / total);
        Some(shares.map(|share| share * share * 10_000.0).sum::<f64>())
    };
    Some((hhi(*complete.first()?)?, hhi(*complete.last()?)?))
}

/// The 100 % stack with its table.
pub fn stack_figure(
    shares: &Shares,
    what: &str,
    metric: Metric,
    downloads: Downloads,
    step: usize,
) -> Figure {
    let title = shares.title();
    let bands = shares.bands();
    let labels: Vec<String> = bands.iter().map(|band| band.label.clone()).collect();
    let desc = format!("Newest complete week: {}.", labels.join(", "));
    let caption = Caption { id: "share", title: &title, desc: &desc };
    let chart =
        Stacked { caption, at: &shares.at, bands: &bands, partial_from: shares.partial_from, notes: &[] };
    Figure {
        id: "share-figure".to_owned(),
        note: shares.note(what, metric),
        svg: Html::markup(chart.render()),
        table: shares.table(step),
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}

/// Small multiples of the same shares.
pub fn panels(data: &Dataset, shares: &Shares, others: &str) -> (Html, Vec<Panel>) {
    let series: Vec<Multiple> = shares
        .series
        .iter()
        .enumerate()
        .map(|(index, values)| Multiple { class: shares.class(index), shares: values.clone() })
        .collect();
    let (context, drawings) = multiples("multiples", &shares.at, &series, shares.partial_from);
    let panels = drawings
        .into_iter()
        .enumerate()
        .map(|(index, svg)| Panel {
            name: match shares.names.get(index) {
                Some((Some(group), name)) => Html::link_or_text(data.href(*group).as_deref(), name),
                Some((None, name)) => {
                    Html::markup(format!("<a class=\"opens\" href=\"{}\">{name}</a>", Html::text(others)))
                }
                None => Html::default(),
            },
            from_to: format!(
                "{} → {}",
                format::percent(shares.value(index, 0), 1),
                format::percent_sign(shares.newest(index), 1)
            ),
            svg: Html::markup(svg),
        })
        .collect();
    (Html::markup(context), panels)
}
