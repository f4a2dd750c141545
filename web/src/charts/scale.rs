//! Nice ticks for values and for time, and the linear map from data to drawing.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Timelike, Utc};

use crate::format;

/// Linear map; a span of zero maps everything to the start.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    from: (f64, f64),
    to: (f64, f64),
}

impl Linear {
    pub fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    pub fn at(&self, value: f64) -> f64 {
        let span = self.from.1 - self.from.0;
        if span == 0.0 || !value.is_finite() {
            return self.to.0;
        }
        self.to.0 + (value - self.from.0) / span * (self.to.1 - self.to.0)
    }
}

/// Three to six round values that cover `lo..=hi`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    pub values: Vec<f64>,
    /// Decimals that tell neighbours apart.
    pub decimals: usize,
}

impl Ticks {
    pub fn cover(lo: f64, hi: f64) -> Self {
        let (lo, hi) = (if lo.is_finite() { lo } else { 0.0 }, if hi.is_finite() { hi } else { 0.0 });
        let (lo, hi) = if hi > lo { (lo, hi) } else { (lo, lo + lo.abs().max(1.0)) };
        let raw = (hi - lo) / 4.0;
        let magnitude = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|part| part * magnitude)
            .find(|step| *step >= raw * (1.0 - 1e-9))
            .unwrap_or(10.0 * magnitude);
        let first = (lo / step + 1e-9).floor();
        let last = (hi / step - 1e-9).ceil();
        let values =
            (0..=((last - first) as usize).min(12)).map(|index| (first + index as f64) * step).collect();
        let decimals = (0..6).find(|places| has_at_most(step, *places)).unwrap_or(6);
        Self { values, decimals }
    }

    pub fn first(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    pub fn last(&self) -> f64 {
        self.values.last().copied().unwrap_or(1.0)
    }

    pub fn label(&self, value: f64) -> String {
        format::decimal(value, self.decimals)
    }
}

fn has_at_most(step: f64, places: usize) -> bool {
    let scaled = step * 10f64.powi(i32::try_from(places).unwrap_or(6));
    (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-12)
}

/// Calendar ticks: months, days or hours by the span, at most `most` of them.
pub fn time_ticks(start: DateTime<Utc>, end: DateTime<Utc>, most: usize) -> Vec<(DateTime<Utc>, String)> {
    let most = most.max(1);
    let span = end - start;
    if span <= TimeDelta::zero() {
        return vec![(start, format::day_month(start.date_naive()))];
    }
    if span > TimeDelta::days(100) {
        fit(&[1, 2, 3, 6, 12, 24], most, |step| months(start, end, step))
    } else if span > TimeDelta::days(3) {
        fit(&[1, 2, 3, 7, 14, 28, 56], most, |step| days(start, end, step))
    } else if span > TimeDelta::hours(2) {
        fit(&[1, 2, 3, 6, 12, 24], most, |step| minutes(start, end, step * 60))
    } else {
        fit(&[5, 10, 15, 30, 60], most, |step| minutes(start, end, step))
    }
}

type Labelled = Vec<(DateTime<Utc>, String)>;

fn fit(steps: &[u32], most: usize, ticks: impl Fn(u32) -> Labelled) -> Labelled {
    let mut last = Vec::new();
    for step in steps {
        last = ticks(*step);
        if last.len() <= most {
            break;
        }
    }
    last.truncate(most);
    last
}

fn midnight(date: NaiveDate) -> Option<DateTime<Utc>> {
    date.and_hms_opt(0, 0, 0).map(|time| time.and_utc())
}

fn months(start: DateTime<Utc>, end: DateTime<Utc>, step: u32) -> Labelled {
    let mut out = Vec::new();
    let Some(mut month) = start.date_naive().with_day(1) else { return out };
    while month.month0() % step.min(12) != 0 || midnight(month).is_some_and(|at| at < start) {
        let Some(next) = month.checked_add_months(Months::new(1)) else { return out };
        month = next;
    }
    while let Some(at) = midnight(month).filter(|at| *at <= end) {
        out.push((at, format::month_short(month)));
        let Some(next) = month.checked_add_months(Months::new(step)) else { break };
        month = next;
    }
    out
}

fn days(start: DateTime<Utc>, end: DateTime<Utc>, step: u32) -> Labelled {
    let mut out = Vec::new();
    let mut date = start.date_naive();
    if start.num_seconds_from_midnight() > 0 {
        date = date.succ_opt().unwrap_or(date);
    }
    while let Some(at) = midnight(date).filter(|at| *at <= end) {
        out.push((at, format::day_month(date)));
        let Some(next) = date.checked_add_days(Days::new(u64::from(step))) else { break };
        date = next;
    }
    out
}

fn minutes(start: DateTime<Utc>, end: DateTime<Utc>, step: u32) -> Labelled {
    let step = i64::from(step) * 60;
    let first = (start.timestamp() + step - 1).div_euclid(step) * step;
    (0..)
        .map(|index| first + index * step)
        .take_while(|second| *second <= end.timestamp())
        .filter_map(|second| DateTime::from_timestamp(second, 0))
        .map(|at| (at, format::clock(at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(Ticks::cover(0.0, 19.1), Ticks { values: vec![0.0, 5.0, 10.0, 15.0, 20.0], decimals: 0 });
        assert_eq!(Ticks::cover(0.0, 0.0).values, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(Ticks::cover(0.0, 4_800.0).values, [0.0, 2_000.0, 4_000.0, 6_000.0]);
        assert_eq!(Ticks::cover(97.0, 100.0).values, [97.0, 98.0, 99.0, 100.0]);
        assert_eq!(Ticks::cover(0.0, 0.6).label(0.4), "0.4");
    }

    #[test]
    fn a_year_is_ticked_by_month_and_a_day_by_hour() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let year = time_ticks(at("2025-11-24T00:00:00Z"), at("2026-11-23T00:00:00Z"), 6);
        let labels: Vec<_> = year.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["Jan 2026", "Mar", "May", "Jul", "Sep", "Nov"]);
        let day = time_ticks(at("2026-11-24T00:40:00Z"), at("2026-11-25T00:40:00Z"), 8);
        let labels: Vec<_> = day.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]);
    }

    proptest! {
        #[test]
        fn three_to_six_ticks_cover_the_data(lo in -1e9f64..1e9, span in 1e-6f64..1e9) {
            let hi = lo + span;
            prop_assume!(hi > lo && span / lo.abs().max(1.0) > 1e-6);
            let ticks = Ticks::cover(lo, hi);
            prop_assert!((3..=6).contains(&ticks.values.len()), "{ticks:?}");
            let slack = span * 1e-6;
            prop_assert!(ticks.first() <= lo + slack && ticks.last() >= hi - slack, "{ticks:?}");
        }

        #[test]
        fn time_ticks_lie_inside_and_are_few(start in 1_500_000_000i64..1_900_000_000, span in 60i64..80_000_000, most in 2usize..9) {
            let (from, to) = (DateTime::from_timestamp(start, 0).unwrap(), DateTime::from_timestamp(start + span, 0).unwrap());
            let ticks = time_ticks(from, to, most);
            prop_assert!(ticks.len() <= most);
            prop_assert!(ticks.iter().all(|(at, _)| from <= *at && *at <= to));
        }
    }
}
