//! What pages say about health: provider states in order, strips, and the cells behind them.

use std::collections::BTreeSet;

use super::parts::Html;
use crate::charts::{Cell, Class, row_strip};
use crate::data::{Bar, Dataset, HealthBy, ProviderId, Scope, Span, State, Status};
use crate::format;

/// Every provider seen in 7 days: worst state first, then by attempts; "no data" last.
pub fn provider_statuses(data: &Dataset) -> Vec<(ProviderId, Status)> {
    let now = data.health_by(HealthBy::Provider, Scope::ALL, Span::Minutes30);
    let week = data.health_by(HealthBy::Provider, Scope::ALL, Span::Days7);
    let day = data.health_by(HealthBy::Provider, Scope::ALL, Span::Hours24);
    let known: BTreeSet<ProviderId> = now
        .keys()
        .chain(week.keys())
        .chain(day.keys())
        .filter_map(|scope| scope.provider)
        .filter(|provider| !provider.is_unknown())
        .collect();
    let mut out: Vec<(ProviderId, Status, u64)> = known
        .into_iter()
        .map(|provider| {
            let scope = Scope::provider(provider);
            let counts = now.get(&scope).copied().unwrap_or_default();
            let size = week.get(&scope).or(day.get(&scope)).map_or(0, |counts| counts.attempts);
            (provider, data.status_of(counts), size)
        })
        .collect();
    out.sort_by(|a, b| a.1.state.cmp(&b.1.state).then(b.2.cmp(&a.2)).then(a.0.cmp(&b.0)));
    out.into_iter().map(|(provider, status, _)| (provider, status)).collect()
}

/// `One provider is down and two are degraded; 92 operational`.
pub fn states_sentence(down: usize, degraded: usize, operational: usize) -> String {
    let fine = format!("{} operational", format::count(operational as u64));
    let providers = |n: usize| if n == 1 { "provider" } else { "providers" };
    let is = |n: usize| if n == 1 { "is" } else { "are" };
    match (down, degraded) {
        (0, 0) if operational == 0 => "No provider has enough traffic for a state".to_owned(),
        (0, 0) if operational == 1 => "The one provider with enough traffic is operational".to_owned(),
        (0, 0) => {
            format!("All {} providers with enough traffic are operational", format::in_words(operational))
        }
        (0, n) => format!(
            "{} {} {} degraded, {fine}",
            format::capitalised(&format::in_words(n)),
            providers(n),
            is(n)
        ),
        (n, 0) => {
            format!("{} {} {} down, {fine}", format::capitalised(&format::in_words(n)), providers(n), is(n))
        }
        (n, m) => format!(
            "{} {} {} down and {} {} degraded, {fine}",
            format::capitalised(&format::in_words(n)),
            providers(n),
            is(n),
            format::in_words(m),
            is(m)
        ),
    }
}

/// A strip inside a row.
pub fn row_bars(bars: &[Bar]) -> Html {
    let classes: Vec<Class> = bars.iter().map(|bar| Class::of(bar.uptime.ok())).collect();
    Html::markup(row_strip(&classes))
}

/// Cells of a 90-day strip; the first cell and each first of a month carry a mark.
pub fn day_cells(bars: &[Bar]) -> Vec<Cell> {
    use chrono::Datelike;
    bars.iter()
        .enumerate()
        .map(|(index, bar)| {
            let what = match bar.uptime {
                Ok(uptime) => {
                    format!(
                        "{} % of {} attempts",
                        format::uptime(uptime),
                        format::count(bar.counts.counted())
                    )
                }
                Err(why) => format!("not enough data, {} of {} counted attempts", why.n, why.needs),
            };
            let mark = match (index, bar.date.day()) {
                (0, day) if day < 26 => Some(format::day_month(bar.date)),
                (_, 1) => Some(format::month_short(bar.date)),
                _ => None,
            };
            Cell {
                class: Class::of(bar.uptime.ok()),
                tip: format!("{}: {what}", format::date(bar.date)),
                mark,
                name: format::day_month(bar.date),
            }
        })
        .collect()
}

/// Cells of a day in five minutes; every third hour carries a mark.
pub fn bucket_cells(cells: &[crate::data::Cell]) -> Vec<Cell> {
    use chrono::Timelike;
    cells
        .iter()
        .map(|cell| Cell {
            class: Class::of(cell.uptime.ok()),
            tip: String::new(),
            mark: (cell.at.minute() == 0 && cell.at.hour() % 3 == 0).then(|| format::clock(cell.at)),
            name: format::clock(cell.at),
        })
        .collect()
}

/// Days (or buckets) per class, in words: `79 at 99 % or more, two degraded, one down, two without data`.
pub fn classes_sentence(classes: &[Class], unit: &str) -> String {
    let count = |wanted: &[Class]| classes.iter().filter(|class| wanted.contains(class)).count();
    let mut parts =
        vec![format!("{} {unit} at 95 % or more", count(&[Class::Full, Class::High, Class::Fair]))];
    for (class, word) in
        [(Class::Degraded, "degraded"), (Class::Down, "down"), (Class::NoData, "without enough data")]
    {
        let n = count(&[class]);
        if n > 0 {
            parts.push(format!("{} {word}", format::in_words(n)));
        }
    }
    parts.join(", ")
}

/// `Two degraded days and one down day in 90`.
pub fn strip_title(bars: &[Bar]) -> String {
    let known = bars.iter().filter(|bar| bar.uptime.is_ok()).count();
    let count = |wanted: Class| bars.iter().filter(|bar| Class::of(bar.uptime.ok()) == wanted).count();
    let days = |n: usize| if n == 1 { "day" } else { "days" };
    let (degraded, down) = (count(Class::Degraded), count(Class::Down));
    let text = match (degraded, down) {
        _ if known == 0 => return "No day has enough attempts".to_owned(),
        (0, 0) => format!("no day below 95 % in {known}"),
        (n, 0) => format!("{} degraded {} in {known}", format::in_words(n), days(n)),
        (0, n) => format!("{} down {} in {known}", format::in_words(n), days(n)),
        (n, m) => format!(
            "{} degraded {} and {} down {} in {known}",
            format::in_words(n),
            days(n),
            format::in_words(m),
            days(m)
        ),
    };
    let _ = State::Down;
    format::capitalised(&text)
}
