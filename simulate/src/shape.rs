//! How much traffic there is at a minute, and which models it goes to.

use crate::calibration as cal;
use crate::chance::{cumulate, hash, hash_name, interpolate, unit};
use crate::population::{Model, Population};

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
        let days = cal::DAYS_PER_YEAR + DAYS_AFTER;
        let mut volume = Vec::new();
        let mut mix = Vec::new();
        let mut attempts_at_unit_scale = 0.0;
        for day in 0..days {
            let requests = relative_volume(first_day, day);
            let shares = request_shares(seed, day, population);
            if day < cal::DAYS_PER_YEAR {
                attempts_at_unit_scale += requests * attempts_per_request(&shares, population);
            }
            volume.push(requests);
            mix.push(cumulate(shares));
        }
        let scale = attempts as f64 / attempts_at_unit_scale;
        volume.iter_mut().for_each(|requests| *requests *= scale);
        Self { first_day, volume, mix }
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

fn relative_volume(first_day: i64, day: i64) -> f64 {
    let last = cal::DAYS_PER_YEAR - 1;
    // From the middle of the first week to the middle of the last one.
    let within = cal::GROWTH_OVER_YEAR.powf(day.min(last) as f64 / (last - 6) as f64);
    let after = cal::GROWTH_PER_DAY_AFTER.powf((day - last).max(0) as f64);
    // 1970-01-01 was a Thursday.
    let weekday = cal::WEEKDAY[(first_day + day + 3).rem_euclid(7) as usize];
    within * after * weekday
}

/// Shares of tokens by author, divided among the author's models of the day, then turned into requests.
fn request_shares(seed: u64, day: i64, population: &Population) -> Vec<f64> {
    let before_end = day - (cal::DAYS_PER_YEAR - 1);
    let weights: Vec<f64> = population.models.iter().map(|model| weight(seed, before_end, model)).collect();
    let mut shares = vec![0.0; weights.len()];
    for (author, curve) in &cal::AUTHORS {
        let of_author = |model: &Model| model.author == *author;
        let sum: f64 =
            weights.iter().zip(&population.models).filter(|(_, m)| of_author(m)).map(|(w, _)| w).sum();
        if sum <= 0.0 {
            continue;
        }
        let wander = (cal::AUTHOR_DAY_SIGMA * wave(seed, hash_name(author), day)).exp();
        let share = author_share(curve, before_end) * wander * debut(before_end, author, population);
        for ((slot, weight), model) in shares.iter_mut().zip(&weights).zip(&population.models) {
            if of_author(model) {
                *slot = share * weight / sum / model.row.k_tokens / served(model, population);
            }
        }
    }
    shares
}

pub(crate) fn author_share(curve: &[f64; 5], before_end: i64) -> f64 {
    let weeks = -(before_end as f64) / 7.0;
    let mut points: Vec<(f64, f64)> = cal::AUTHOR_WEEKS.iter().copied().zip(curve.iter().copied()).collect();
    points.reverse();
    interpolate(&points, weeks)
}

/// An author's first model takes two weeks to find its users.
fn debut(before_end: i64, author: &str, population: &Population) -> f64 {
    let oldest =
        population.models.iter().filter(|model| model.author == author).map(|model| model.row.launch).min();
    oldest.map_or(0.0, |launch| ((before_end - launch + 1) as f64 / 14.0).clamp(0.0, 1.0))
}

/// Weight of a model among its author's on a day.
fn weight(seed: u64, before_end: i64, model: &Model) -> f64 {
    let row = model.row;
    let age = before_end - row.launch;
    if age < 0 {
        return 0.0;
    }
    let fade = match row.retire {
        // Callers move away during the last three weeks.
        Some(retire) => ((retire - before_end) as f64 / 21.0).clamp(0.0, 1.0),
        None => 1.0,
    };
    let from = row.launch.max(1 - cal::DAYS_PER_YEAR);
    let part = ((before_end - from) as f64 / (-from).max(1) as f64).clamp(0.0, 1.0);
    let (start, end) = row.weight;
    let trend = start * (end / start).powf(part);
    // A launch ramps up in twelve days and overshoots for a few weeks.
    let ramp = ((age + 1) as f64 / 12.0).min(1.0);
    let news = if row.launch > -cal::DAYS_PER_YEAR { 1.0 + 0.8 * (-(age as f64) / 12.0).exp() } else { 1.0 };
    let noise = (cal::MODEL_DAY_SIGMA * jitter(seed, hash_name(row.name), before_end)).exp();
    trend * fade * ramp * news * noise
}

/// Near-normal noise, independent from day to day.
fn jitter(seed: u64, salt: u64, day: i64) -> f64 {
    let four: f64 = (0..4).map(|part| unit(hash(&[seed, salt, day as u64, part]))).sum();
    (four - 2.0) * 3f64.sqrt()
}

/// The same with knots ten days apart and straight lines between.
fn wave(seed: u64, salt: u64, day: i64) -> f64 {
    let knot = day.div_euclid(10);
    let part = day.rem_euclid(10) as f64 / 10.0;
    let (a, b) = (jitter(seed, salt ^ 0x77, knot), jitter(seed, salt ^ 0x77, knot + 1));
    a + (b - a) * part
}

/// Calls to providers per request outside outages: one, and fallbacks after a fault or a 429.
fn attempts_per_request(shares: &[f64], population: &Population) -> f64 {
    let all: f64 = shares.iter().sum();
    let calls: f64 = shares
        .iter()
        .zip(&population.models)
        .map(|(share, model)| {
            let (failing, calls) = fallbacks(model, population);
            share * (0..calls).map(|again| (failing * cal::FALLBACK).powi(again as i32)).sum::<f64>()
        })
        .sum();
    (1.0 - cal::GATEWAY_ERROR) * calls / all
}

/// Share of a model's requests that are served in the end: shares of tokens count only those.
fn served(model: &Model, population: &Population) -> f64 {
    let (failing, calls) = fallbacks(model, population);
    let lost = (1..calls).fold(failing, |lost, _| failing * (1.0 - cal::FALLBACK + cal::FALLBACK * lost));
    1.0 - lost
}

/// The chance that a call for a model fails and may be followed by another, and how many calls there may be.
fn fallbacks(model: &Model, population: &Population) -> (f64, usize) {
    let endpoints = population.endpoints.get(model.endpoints.clone()).unwrap_or(&[]);
    let failing = endpoints.iter().map(|e| e.weight * (e.fault + e.rate_limit)).sum();
    (failing, endpoints.len().min(cal::MAX_ATTEMPTS))
}
