//! What pages say about health: provider states in order, strips, and the cells behind them.

use std::collections::BTreeSet;

use chrono::{DateTime, Timelike, Utc};

use super::parts::Html;
use crate::charts::{Cell, Class, row_strip};
use crate::data::{
    Bar, Counts, Dataset, Detail, Group, HealthBy, NotEnough, ProviderId, Scope, Span, Status, Thresholds,
};
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
        .filter(|provider| provider.is_named())
        .collect();
    let mut out: Vec<(ProviderId, Status, Option<u64>)> = known
        .into_iter()
        .map(|provider| {
            let scope = Scope::provider(provider);
            let counts = now.get(&scope).copied().unwrap_or_default();
            let size = week.get(&scope).or(day.get(&scope)).map_or(0, |counts| counts.attempts);
            let detail = data.detail(scope);
            let status = data.status_of(counts);
            let status = Status { uptime: detail.uptime(status.uptime), ..status };
            // The order tells no size that is not told.
            (provider, status, detail.is_exact().then_some(size))
        })
        .collect();
    let name = |provider: ProviderId| data.key(Group::Provider(provider));
    out.sort_by(|a, b| a.1.state.cmp(&b.1.state).then(b.2.cmp(&a.2)).then_with(|| name(a.0).cmp(&name(b.0))));
    out.into_iter().map(|(provider, status, _)| (provider, status)).collect()
}

/// `One provider is down and two are degraded; 92 of 101 are operational`.
pub fn states_sentence(down: usize, degraded: usize, operational: usize, all: usize) -> String {
    let fine = format!(
        "{} of {} {} operational",
        format::in_words_beside(operational, all),
        format::in_words(all),
        if operational == 1 { "is" } else { "are" }
    );
    let providers = |n: usize| if n == 1 { "provider" } else { "providers" };
    let is = |n: usize| if n == 1 { "is" } else { "are" };
    match (down, degraded) {
        (0, 0) if operational == 0 => "No provider has enough traffic for a state".to_owned(),
        (0, 0) if operational == 1 => "The one provider with enough traffic is operational".to_owned(),
        (0, 0) => {
            format!("All {} providers with enough traffic are operational", format::in_words(operational))
        }
        (0, n) => format!(
            "{} {} {} degraded; {fine}",
            format::capitalised(&format::in_words(n)),
            providers(n),
            is(n)
        ),
        (n, 0) => {
            format!("{} {} {} down; {fine}", format::capitalised(&format::in_words(n)), providers(n), is(n))
        }
        (n, m) => format!(
            "{} {} {} down and {} {} degraded; {fine}",
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
pub fn day_cells(bars: &[Bar], detail: Detail) -> Vec<Cell> {
    use chrono::Datelike;
    bars.iter()
        .enumerate()
        .map(|(index, bar)| {
            let what = match detail.uptime(bar.uptime) {
                Ok(uptime) => {
                    format!(
                        "{} % of {} attempts",
                        format::uptime(uptime),
                        format::tally(detail.count(bar.counts.counted()))
                    )
                }
                Err(NotEnough { n: Some(n), needs, .. }) => {
                    format!("not enough data, {n} of {needs} counted attempts")
                }
                Err(why) => format!("not enough data, needs {} counted attempts", why.needs),
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
                mark_at: 0.0,
                name: format::day_month(bar.date),
            }
        })
        .collect()
}

/// A day of uptime in equal steps.
pub struct DayStrip {
    pub minutes: usize,
    /// Start and counts of each step, oldest first.
    pub steps: Vec<(DateTime<Utc>, Counts)>,
}

/// The finest of 5, 15, 30 and 60 minutes at which at least half of the steps with traffic have enough of it.
/// A strip of five-minute cells that are all hollow would hide what an hour can tell.
pub fn day_strip(cells: &[crate::data::Cell], thresholds: &Thresholds) -> DayStrip {
    let grouped = |buckets: usize| -> Vec<(DateTime<Utc>, Counts)> {
        let sum = |chunk: &[crate::data::Cell]| {
            let mut counts = Counts::default();
            for cell in chunk {
                counts.add(&cell.counts);
            }
            Some((chunk.first()?.at, counts))
        };
        cells.chunks(buckets).filter_map(sum).collect()
    };
    let is_enough = |steps: &[(DateTime<Utc>, Counts)]| {
        let busy = steps.iter().filter(|(_, counts)| counts.attempts > 0).count();
        let known = steps.iter().filter(|(_, counts)| counts.uptime(thresholds).is_ok()).count();
        known * 2 >= busy
    };
    [1, 3, 6]
        .into_iter()
        .map(|buckets| DayStrip { minutes: buckets * 5, steps: grouped(buckets) })
        .find(|strip| is_enough(&strip.steps))
        .unwrap_or_else(|| DayStrip { minutes: 60, steps: grouped(12) })
}

impl DayStrip {
    /// Cells of the drawing; every third hour carries a mark, where it falls inside its cell: a cell begins at
    /// any minute, and `15:10` would read as a random time.
    pub fn cells(&self, thresholds: &Thresholds) -> Vec<Cell> {
        self.steps
            .iter()
            .map(|(at, counts)| {
                let into = (at.hour() % 3 * 60 + at.minute()) as usize;
                let wait = (3 * 60 - into) % (3 * 60);
                let mark = (wait < self.minutes)
                    .then(|| format::clock(*at + chrono::TimeDelta::minutes(wait as i64)));
                Cell {
                    class: Class::of(counts.uptime(thresholds).ok()),
                    tip: String::new(),
                    mark,
                    mark_at: wait as f64 / self.minutes as f64,
                    name: format::clock(*at),
                }
            })
            .collect()
    }

    pub fn unit(&self) -> &'static str {
        match self.minutes {
            5 => "five-minute steps",
            15 => "quarter hours",
            30 => "half hours",
            _ => "hours",
        }
    }
}

/// Days (or buckets) per class, in words: `79 at 99 % or more, two degraded, one down, two without data`.
pub fn classes_sentence(classes: &[Class], unit: &str) -> String {
    let count = |wanted: &[Class]| classes.iter().filter(|class| wanted.contains(class)).count();
    if count(&[Class::NoData]) == classes.len() {
        return format!("none of {} {unit} has enough attempts", classes.len());
    }
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

/// What a reader wants of a strip first: `75 of 93 quarter hours below 95 %, 67 of them down`.
pub fn below_sentence(classes: &[Class], unit: &str) -> String {
    let count = |wanted: Class| classes.iter().filter(|class| **class == wanted).count();
    let (degraded, down, none) = (count(Class::Degraded), count(Class::Down), count(Class::NoData));
    if degraded + down == 0 {
        return format::capitalised(&classes_sentence(classes, unit));
    }
    let known = classes.len() - none;
    let of_them = match (degraded, down) {
        (_, 0) => String::new(),
        (0, _) => ", all down".to_owned(),
        _ => format!(", {} of them down", format::in_words_beside(down, degraded + down)),
    };
    format!("{} of {known} {unit} below 95 %{of_them}", degraded + down)
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
    format::capitalised(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Profile;

    fn cell(index: i64, ok: u64) -> crate::data::Cell {
        let at = DateTime::from_timestamp(1_795_000_000 - 1_795_000_000 % 3_600 + index * 300, 0).unwrap();
        let counts = Counts { attempts: ok, ok, ..Counts::default() };
        crate::data::Cell { at, counts, uptime: counts.uptime(&Profile::Public.thresholds()) }
    }

    #[test]
    fn a_strip_becomes_coarser_until_its_steps_can_be_judged() {
        let thresholds = Profile::Public.thresholds();
        let minutes = |ok: u64| {
            let cells: Vec<_> = (0..288).map(|index| cell(index, ok)).collect();
            let strip = day_strip(&cells, &thresholds);
            (strip.minutes, strip.steps.len())
        };
        assert_eq!(minutes(100), (5, 288));
        // Three buckets of 40 hold 120 attempts, two would hold 80.
        assert_eq!(minutes(40), (15, 96));
        assert_eq!(minutes(20), (30, 48));
        assert_eq!(minutes(1), (60, 24));
        // Nothing at all: there is no reason to be coarse.
        assert_eq!(minutes(0), (5, 288));
    }

    #[test]
    fn a_day_is_marked_at_whole_hours_wherever_its_cells_begin() {
        let thresholds = Profile::Public.thresholds();
        // Two buckets past the hour: quarter hours begin at :10, :25, :40 and :55.
        let buckets: Vec<_> = (2..290).map(|index| cell(index, 40)).collect();
        let cells = day_strip(&buckets, &thresholds).cells(&thresholds);
        let marks: Vec<_> =
            cells.iter().filter_map(|cell| Some((cell.mark.as_deref()?, cell.mark_at))).collect();
        assert_eq!(marks.len(), 8);
        for (mark, at) in marks {
            assert!(mark.ends_with(":00"), "{mark}");
            // :55 to :10, so the hour is a third into its cell.
            assert!((at - 1.0 / 3.0).abs() < 1e-9, "{mark} at {at}");
        }
    }

    #[test]
    fn a_strip_with_trouble_says_how_much_of_it_first() {
        let strip = |degraded: usize, down: usize| {
            let rest = vec![Class::Full; 90 - degraded - down];
            let bad = [vec![Class::Degraded; degraded], vec![Class::Down; down], vec![Class::NoData; 6]];
            below_sentence(&[rest, bad.concat()].concat(), "quarter hours")
        };
        assert_eq!(strip(8, 67), "75 of 90 quarter hours below 95 %, 67 of them down");
        assert_eq!(strip(2, 1), "3 of 90 quarter hours below 95 %, one of them down");
        assert_eq!(strip(0, 4), "4 of 90 quarter hours below 95 %, all down");
        assert_eq!(strip(0, 0), "90 quarter hours at 95 % or more, six without enough data");
    }

    #[test]
    fn states_are_told_in_words() {
        assert_eq!(
            states_sentence(1, 2, 92, 101),
            "One provider is down and two are degraded; 92 of 101 are operational"
        );
        assert_eq!(
            states_sentence(2, 2, 11, 21),
            "Two providers are down and two are degraded; 11 of 21 are operational"
        );
        assert_eq!(states_sentence(0, 1, 4, 6), "One provider is degraded; four of six are operational");
        assert_eq!(states_sentence(0, 0, 12, 13), "All twelve providers with enough traffic are operational");
        assert_eq!(states_sentence(0, 0, 0, 2), "No provider has enough traffic for a state");
    }
}
