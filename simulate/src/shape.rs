//! How much traffic there is at a minute, and which models it goes to.

use crate::calibration as cal;
use crate::chance::cumulate;
use crate::population::Population;
use crate::shares::Authors;

/// Days after the calibrated year for which shares wander; later days repeat the last one.
pub(crate) const DAYS_AFTER: i64 = 400;

pub(crate) struct Shape {
    /// Days since the epoch of the first day of the calibrated year.
    first_day: i64,
    /// Requests of each day.
    volume: Vec<f64>,
    /// Cumulative shares of requests by model, for each day.
    mix: Vec<Box<[f32]>>,
}

impl Shape {
    /// A year that ends with `end_day` (days since the epoch) and holds about `attempts` attempts.
    pub(crate) fn new(seed: u64, end_day: i64, attempts: u64, population: &Population) -> Self {
        let first_day = end_day - cal::DAYS_PER_YEAR + 1;
        let authors = Authors::new(population);
        let mut days = Vec::new();
        let mut mix = Vec::new();
        for day in 0..cal::DAYS_PER_YEAR + DAYS_AFTER {
            let shares = authors.requests(seed, day, population);
            days.push(Day::new(first_day, day, &shares, &authors));
            mix.push(cumulate(shares));
        }
        let year = days.get(..cal::DAYS_PER_YEAR as usize).unwrap_or(&[]);
        let scale = scale(year, attempts as f64);
        let least = least_requests(attempts as f64);
        Self { first_day, volume: days.iter().map(|day| day.requests(scale, least)).collect(), mix }
    }

    /// Days since the first day of the calibrated year.
    pub(crate) fn day(&self, unix_minute: i64) -> i64 {
        unix_minute.div_euclid(1440) - self.first_day
    }

    pub(crate) fn first_day(&self) -> i64 {
        self.first_day
    }

    /// Expected requests that start in a minute.
    pub(crate) fn requests(&self, unix_minute: i64) -> f64 {
        let of_day = self.at(&self.volume, self.day(unix_minute)).copied().unwrap_or(0.0);
        let minute = unix_minute.rem_euclid(1440);
        let (hour, part) = ((minute / 60) as usize, (minute % 60) as f64 / 60.0);
        let (now, next) = (cal::HOUR[hour % 24], cal::HOUR[(hour + 1) % 24]);
        of_day / 1440.0 * (now + (next - now) * part)
    }

    pub(crate) fn mix(&self, unix_minute: i64) -> &[f32] {
        self.at(&self.mix, self.day(unix_minute)).map_or(&[], |shares| shares)
    }

    fn at<'a, T>(&self, days: &'a [T], day: i64) -> Option<&'a T> {
        days.get(day.clamp(0, days.len() as i64 - 1) as usize)
    }
}

/// One day before it is known how many attempts the year shall hold.
struct Day {
    /// Requests in units that a scale turns into a number.
    relative: f64,
    weekday: f64,
    attempts_per_request: f64,
}

impl Day {
    fn new(first_day: i64, day: i64, shares: &[f64], authors: &Authors) -> Self {
        let last = cal::DAYS_PER_YEAR - 1;
        // From the middle of the first week to the middle of the last one.
        let within = cal::GROWTH_OVER_YEAR.powf(day.min(last) as f64 / (last - 6) as f64);
        let after = cal::GROWTH_PER_DAY_AFTER.powf((day - last).max(0) as f64);
        // 1970-01-01 was a Thursday.
        let weekday = cal::WEEKDAY[(first_day + day + 3).rem_euclid(7) as usize];
        let models = || shares.iter().zip(&authors.models);
        let requests: f64 = shares.iter().sum();
        let tokens: f64 = models().map(|(share, model)| share * model.k_tokens * model.served).sum();
        let calls: f64 = models().map(|(share, model)| share * model.calls).sum();
        Self {
            // The curve is one of tokens.
            relative: within * after * weekday * requests / tokens,
            weekday,
            attempts_per_request: (1.0 - cal::GATEWAY_ERROR) * calls / requests,
        }
    }

    fn requests(&self, scale: f64, least: f64) -> f64 {
        (self.relative * scale).max(least * self.weekday)
    }
}

/// What a small year keeps at its beginning, where the growth would leave too little to draw.
fn least_requests(attempts: f64) -> f64 {
    (attempts / cal::DAYS_PER_YEAR as f64 / 3.0).min(cal::LEAST_REQUESTS_A_DAY)
}

/// The scale at which the days hold the attempts wanted: found by halving, because of the floor.
fn scale(year: &[Day], attempts: f64) -> f64 {
    let least = least_requests(attempts);
    let held = |scale: f64| -> f64 {
        year.iter().map(|day| day.requests(scale, least) * day.attempts_per_request).sum()
    };
    let (mut low, mut high) = (0.0, attempts / held(1.0).max(1e-9) + 1.0);
    while held(high) < attempts {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if held(middle) < attempts { low = middle } else { high = middle }
    }
    high
}
