//! What pages say about health: provider states in order, strips, and the cells behind them.

use chrono::{DateTime, Timelike, Utc};

use super::parts::{Html, cells};
use crate::charts::{Cell, Class, row_strip};
use crate::data::{Bar, NotEnough, Untold};
use crate::format;
use crate::views::provider::{DayRow, StepRow};

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

/// A strip inside a row; nothing of what was never tried.
pub fn row_bars(bars: &[Bar]) -> Html {
    if bars.is_empty() {
        return Html::default();
    }
    let classes: Vec<Class> = bars.iter().map(|bar| Class::of(bar.uptime.ok())).collect();
    Html::markup(row_strip(&classes))
}

/// Cells of a 90-day strip; the first cell and each first of a month carry a mark.
pub fn day_cells(days: &[DayRow]) -> Vec<Cell> {
    use chrono::Datelike;
    days.iter()
        .enumerate()
        .map(|(index, bar)| {
            let what = match bar.uptime.0 {
                Ok(uptime) => {
                    format!(
                        "{} % of {} attempts",
                        format::uptime(uptime),
                        format::tally(bar.counted_attempts.unwrap_or_default())
                    )
                }
                Err(Untold::NotEnough(NotEnough { n: Some(n), needs, .. })) => {
                    format!("not enough data, {n} of {needs} counted attempts")
                }
                Err(Untold::NotEnough(why)) => {
                    format!("not enough data, needs {} counted attempts", why.needs)
                }
                Err(why) => cells::why(&why),
            };
            let mark = match (index, bar.date.day()) {
                (0, day) if day < 26 => Some(format::day_month(bar.date)),
                (_, 1) => Some(format::month_short(bar.date)),
                _ => None,
            };
            Cell {
                class: Class::of(bar.uptime.0.ok()),
                tip: format!("{}: {what}", format::date(bar.date)),
                mark,
                name: format::day_month(bar.date),
            }
        })
        .collect()
}

/// A day of uptime in equal steps.
pub struct DayStrip {
    pub minutes: usize,
    /// Oldest first.
    pub steps: Vec<StepRow>,
}

/// Five minutes where at least half of those with traffic have enough of it, else hours. A strip of five-minute cells
/// that are all hollow would hide what an hour can tell.
pub fn day_strip(buckets: &[StepRow], hours: &[StepRow]) -> DayStrip {
    let busy = buckets.iter().filter(|cell| cell.is_busy).count();
    let known = buckets.iter().filter(|cell| cell.uptime.0.is_ok()).count();
    let (minutes, steps) = if known * 2 >= busy { (5, buckets) } else { (60, hours) };
    DayStrip { minutes, steps: steps.to_vec() }
}

impl DayStrip {
    /// End of the newest step.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        Some(self.steps.last()?.at + chrono::TimeDelta::minutes(self.minutes as i64))
    }

    /// Cells of the drawing; every third hour carries a mark.
    pub fn cells(&self) -> Vec<Cell> {
        let cell = |step: &StepRow| {
            let name = format::clock(step.at);
            let is_marked = step.at.hour().is_multiple_of(3) && step.at.minute() == 0;
            Cell {
                class: Class::of(step.uptime.0.ok()),
                tip: String::new(),
                mark: is_marked.then(|| name.clone()),
                name,
            }
        };
        self.steps.iter().map(cell).collect()
    }

    pub fn unit(&self) -> &'static str {
        match self.minutes {
            5 => "five-minute steps",
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
pub fn strip_title(days: &[DayRow]) -> String {
    let known = days.iter().filter(|day| day.uptime.0.is_ok()).count();
    let count = |wanted: Class| days.iter().filter(|day| Class::of(day.uptime.0.ok()) == wanted).count();
    let noun = |n: usize| if n == 1 { "day" } else { "days" };
    let (degraded, down) = (count(Class::Degraded), count(Class::Down));
    let text = match (degraded, down) {
        _ if known == 0 => return "No day has enough attempts".to_owned(),
        (0, 0) => format!("no day below 95 % in {known}"),
        (n, 0) => format!("{} degraded {} in {known}", format::in_words(n), noun(n)),
        (0, n) => format!("{} down {} in {known}", format::in_words(n), noun(n)),
        (n, m) => format!(
            "{} degraded {} and {} down {} in {known}",
            format::in_words(n),
            noun(n),
            format::in_words(m),
            noun(m)
        ),
    };
    format::capitalised(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Counts, Profile};
    use crate::views::Shown;

    fn steps(secs: i64, first: i64, counted: u64, uptime: Option<f64>) -> Vec<StepRow> {
        let thresholds = Profile::Public.thresholds();
        let counts = Counts::of(counted, uptime);
        (first..first + 24 * 3_600 / secs)
            .map(|index| StepRow {
                at: DateTime::from_timestamp(1_795_000_000 - 1_795_000_000 % 3_600 + index * secs, 0)
                    .unwrap(),
                is_busy: counted > 0,
                uptime: Shown(counts.uptime(&thresholds)),
                ..StepRow::default()
            })
            .collect()
    }

    #[test]
    fn a_strip_is_of_hours_where_five_minutes_cannot_be_judged() {
        let minutes = |buckets: &[StepRow]| {
            let strip = day_strip(buckets, &steps(3_600, 0, 480, Some(100.0)));
            (strip.minutes, strip.steps.len())
        };
        assert_eq!(minutes(&steps(300, 0, 100, Some(100.0))), (5, 288));
        assert_eq!(minutes(&steps(300, 0, 40, None)), (60, 24));
        // Nothing at all: there is no reason to be coarse.
        assert_eq!(minutes(&steps(300, 0, 0, None)), (5, 288));
        let half = [&steps(300, 0, 100, Some(100.0))[..2], &steps(300, 2, 40, None)[..2]].concat();
        assert_eq!(minutes(&half), (5, 4));
    }

    #[test]
    fn a_day_is_marked_at_whole_hours_wherever_its_cells_begin() {
        for (secs, first) in [(300, 2), (3_600, 1)] {
            let buckets = steps(secs, first, 100, Some(100.0));
            let strip = DayStrip { minutes: secs as usize / 60, steps: buckets };
            let cells = strip.cells();
            let marks: Vec<_> = cells.iter().filter_map(|cell| cell.mark.as_deref()).collect();
            assert_eq!(marks.len(), 8);
            assert!(marks.iter().all(|mark| mark.ends_with(":00")), "{marks:?}");
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
