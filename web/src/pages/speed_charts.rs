//! Latency and throughput over time, from daily percentiles.

use chrono::{DateTime, NaiveDate, Utc};

use super::parts::{Cell, Column, Downloads, Figure, Html, Row, Table, cells};
use super::shares::midnight;
use crate::charts::{Band, Caption, Dash, Domain, Line, LineChart, Partial};
use crate::data::{Dataset, Figure as Withheld, NotEnough, Quantiles, Scope, Speed, Tally, Untold};
use crate::format;

/// Days of a speed chart.
const DAYS: u64 = 28;

type Daily = Vec<(NaiveDate, Withheld<Quantiles>)>;

fn by_day(data: &Dataset, scope: Scope, speed: Speed) -> Daily {
    data.speed_daily(scope, DAYS, speed)
}

fn pick(daily: &Daily, value: impl Fn(&Quantiles) -> f64) -> Vec<Option<f64>> {
    daily.iter().map(|(_, quantiles)| quantiles.as_ref().ok().map(&value)).collect()
}

fn newest(daily: &Daily) -> Option<&Quantiles> {
    daily.iter().rev().find_map(|(_, quantiles)| quantiles.as_ref().ok())
}

/// Days without enough requests at the start are cut: an empty left half says nothing.
fn trimmed(daily: Daily) -> Daily {
    let first = daily.iter().position(|(_, quantiles)| quantiles.is_ok()).unwrap_or(0);
    daily.into_iter().skip(first).collect()
}

fn instants(daily: &Daily) -> Vec<DateTime<Utc>> {
    daily.iter().map(|(date, _)| midnight(*date)).collect()
}

fn line(label: String, class: &'static str, dash: Dash, bold: bool, values: Vec<Option<f64>>) -> Line {
    Line { label, class, dash, bold, values }
}

fn missing(data: &Dataset, title: &str, id: &str, note: &str, daily: &Daily) -> Figure {
    // Of days that were counted, the most that any has.
    let whys = || daily.iter().filter_map(|(_, quantiles)| quantiles.as_ref().err().copied());
    let counted = whys().filter_map(|why| match why {
        Untold::NotEnough(why) => Some(why.n),
        Untold::NotYet(_) => None,
    });
    let why = counted
        .max()
        .map(|n| NotEnough { n, needs: data.thresholds.speed_requests, needs_users: None }.into());
    let why: Untold = why.or_else(|| whys().next()).unwrap_or_default();
    Figure {
        id: id.to_owned(),
        title: title.to_owned(),
        note: Html::text(note),
        svg: Html::default(),
        table: Table::default(),
        downloads: Downloads::default(),
        key: false,
        missing: Html::markup(match why {
            Untold::NotEnough(_) => format!("{} in any one day of the last {DAYS}", cells::untold(&why)),
            Untold::NotYet(_) => cells::untold(&why).to_string(),
        }),
    }
}

/// Time to first token: median, bands to p75 and p90, p99 dotted.
pub fn ttft(data: &Dataset, scope: Scope, downloads: Downloads) -> Figure {
    let daily = trimmed(by_day(data, scope, Speed::Ttft));
    let note = "TTFT, ms, per UTC day, streamed requests; bands p50 to p75 and p75 to p90, p99 dotted";
    let Some(last) = newest(&daily) else {
        return missing(data, "Time to first token", "ttft", note, &daily);
    };
    let title = format!("Half of requests get a first token within {} ms", format::decimal(last.p50, 0));
    let desc = format!(
        "Newest day: p50 {} ms, p75 {}, p90 {}, p99 {}.",
        format::decimal(last.p50, 0),
        format::decimal(last.p75, 0),
        format::decimal(last.p90, 0),
        format::decimal(last.p99, 0)
    );
    let label = |name: &str, value: f64| format!("{name} {}", format::decimal(value, 0));
    let lines = [
        line(label("p99", last.p99), "ctx", Dash::Dots, false, pick(&daily, |q| q.p99)),
        line(label("p90", last.p90), "ctx", Dash::Solid, false, pick(&daily, |q| q.p90)),
        line(label("p75", last.p75), "ctx", Dash::Solid, false, pick(&daily, |q| q.p75)),
        line(label("p50", last.p50), "s0", Dash::Solid, true, pick(&daily, |q| q.p50)),
    ];
    let bands = [
        Band { class: "band2", lower: pick(&daily, |q| q.p75), upper: pick(&daily, |q| q.p90) },
        Band { class: "band1", lower: pick(&daily, |q| q.p50), upper: pick(&daily, |q| q.p75) },
    ];
    figure(&daily, "ttft", title, note, "ms", &desc, &lines, &bands, downloads)
}

/// Tokens per second after the first token, and of the whole call.
pub fn throughput(data: &Dataset, scope: Scope, downloads: Downloads) -> Figure {
    let daily = trimmed(by_day(data, scope, Speed::TokensDecode));
    let note = "Tokens per second, per UTC day: decode counts after the first token (outputs of 20 and more), e2e the whole call; p10 = what 90 % of requests reach at least";
    let Some(last) = newest(&daily) else {
        return missing(data, "Throughput", "throughput", note, &daily);
    };
    let e2e = by_day(data, scope, Speed::TokensE2e);
    let skip = e2e.len().saturating_sub(daily.len());
    let e2e: Daily = e2e.into_iter().skip(skip).collect();
    let title =
        format!("Half of requests decode at {} tokens per second or more", format::decimal(last.p50, 0));
    let desc = format!(
        "Newest day: decode p50 {} tokens per second, p90 {}{}.",
        format::decimal(last.p50, 1),
        format::decimal(last.p90, 1),
        last.p10
            .map(|p10| format!("; 90 % of requests reach {}", format::decimal(p10, 1)))
            .unwrap_or_default()
    );
    let reached = last.p10.map(|p10| format!(" {}", format::decimal(p10, 0))).unwrap_or_default();
    let mut lines = vec![
        line(
            format!("decode p90 {}", format::decimal(last.p90, 0)),
            "ctx",
            Dash::Solid,
            false,
            pick(&daily, |q| q.p90),
        ),
        line(
            format!("decode p50 {}", format::decimal(last.p50, 0)),
            "s0",
            Dash::Solid,
            true,
            pick(&daily, |q| q.p50),
        ),
        line(
            format!("90 % reach{reached}"),
            "s0",
            Dash::Dots,
            false,
            daily.iter().map(|(_, quantiles)| quantiles.as_ref().ok()?.p10).collect(),
        ),
    ];
    if let Some(whole) = newest(&e2e) {
        let label = format!("e2e p50 {}", format::decimal(whole.p50, 0));
        lines.push(line(label, "s2", Dash::Long, false, pick(&e2e, |q| q.p50)));
    }
    figure(&daily, "throughput", title, note, "tokens per second", &desc, &lines, &[], downloads)
}

#[expect(clippy::too_many_arguments, reason = "the two charts of this file differ in exactly these")]
fn figure(
    daily: &Daily,
    id: &str,
    title: String,
    note: &str,
    unit: &str,
    desc: &str,
    lines: &[Line],
    bands: &[Band],
    downloads: Downloads,
) -> Figure {
    let at = instants(daily);
    let caption = Caption { id: &format!("{id}-c"), title: &title, desc };
    let chart = LineChart {
        caption,
        unit,
        at: &at,
        lines,
        bands,
        partial_from: at.len(),
        partial: Partial::Dashes,
        domain: Domain::Zero,
        notes: &[],
    };
    Figure {
        id: id.to_owned(),
        note: Html::text(note),
        svg: Html::markup(chart.render()),
        table: table(daily, unit, id == "throughput"),
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}

fn table(daily: &Daily, unit: &str, with_p10: bool) -> Table {
    let decimals = usize::from(with_p10);
    let mut columns = vec![Column::new("Day", "nw stay")];
    if with_p10 {
        columns.push(Column::number("p10", unit));
    }
    columns.extend(["p50", "p75", "p90", "p99"].map(|name| Column::number(name, unit)));
    columns.push(Column::number("Requests", "n"));
    let rows = daily
        .iter()
        .rev()
        .take(14)
        .map(|(date, quantiles)| {
            let mut row = vec![Cell::head(cells::date(*date))];
            let show = |value: &dyn Fn(&Quantiles) -> f64| {
                cells::figure(&quantiles.as_ref().map(value).map_err(|why| *why), |value| {
                    format::decimal(value, decimals)
                })
                .into()
            };
            if with_p10 {
                let p10 = quantiles.as_ref().ok().and_then(|quantiles| quantiles.p10);
                row.push(match quantiles {
                    Err(why) => cells::untold(why).into(),
                    Ok(_) => cells::optional(p10.map(|value| format::decimal(value, decimals))).into(),
                });
            }
            for value in [
                &(|q: &Quantiles| q.p50) as &dyn Fn(&Quantiles) -> f64,
                &|q: &Quantiles| q.p75,
                &|q: &Quantiles| q.p90,
                &|q: &Quantiles| q.p99,
            ] {
                row.push(show(value));
            }
            let n = match quantiles {
                Ok(quantiles) => Some(quantiles.n),
                Err(Untold::NotEnough(why)) => why.n.map(Tally::Exact),
                Err(Untold::NotYet(_)) => None,
            };
            row.push(cells::tally(n).into());
            Row::new(row)
        })
        .collect();
    Table {
        label: format!("Daily percentiles, {unit}"),
        note: Html::text(&format!("Newest 14 days, {unit}; percentiles within 1 %")),
        class: "dense",
        columns,
        rows,
        ..Table::default()
    }
}
