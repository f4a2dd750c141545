//! Which share of a day's requests goes to each model: shares of tokens by author, divided among the author's models.

use crate::calibration as cal;
use crate::chance::{hash, hash_name, interpolate, unit};
use crate::population::{Model, Population};

/// The authors with a curve of their own, all others as one, and what is the same every day for a model.
pub(crate) struct Authors {
    groups: Vec<Group>,
    pub models: Vec<Constants>,
}

struct Group {
    curve: &'static [f64; 5],
    salt: u64,
    /// Day of the oldest launch; authors of the last group come and go.
    debut: Option<i64>,
    models: Vec<usize>,
}

pub(crate) struct Constants {
    pub k_tokens: f64,
    /// Share of requests served in the end: shares of tokens count only those.
    pub served: f64,
    /// Calls to providers per request outside outages: one, and fallbacks after a fault or a 429.
    pub calls: f64,
}

impl Authors {
    pub(crate) fn new(population: &Population) -> Self {
        let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            population
                .models
                .iter()
                .enumerate()
                .filter(|(_, model)| wanted(model.author))
                .map(|(at, _)| at)
                .collect()
        };
        let mut groups: Vec<Group> = Vec::new();
        for (author, curve) in &cal::AUTHORS {
            let models = of(&|name| name == *author);
            let launch = |at: &usize| population.models.get(*at).map(|model| model.row.launch);
            let debut = models.iter().filter_map(launch).min();
            groups.push(Group { curve, salt: hash_name(author), debut, models });
        }
        let others = of(&|name| cal::AUTHORS.iter().all(|(author, _)| *author != name));
        let salt = hash_name("others");
        groups.push(Group { curve: &cal::OTHER_AUTHORS, salt, debut: None, models: others });
        let models = population.models.iter().map(|model| Constants::new(model, population)).collect();
        Self { groups, models }
    }

    /// Shares of tokens by author, divided among the author's models of the day, then turned into requests.
    pub(crate) fn requests(&self, seed: u64, day: i64, population: &Population) -> Vec<f64> {
        let before_end = day - (cal::DAYS_PER_YEAR - 1);
        let weights: Vec<f64> =
            population.models.iter().map(|model| weight(seed, before_end, model)).collect();
        let mut shares = vec![0.0; weights.len()];
        for group in &self.groups {
            let sum: f64 = group.models.iter().filter_map(|at| weights.get(*at)).sum();
            if sum <= 0.0 {
                continue;
            }
            let wander = (cal::AUTHOR_DAY_SIGMA * wave(seed, group.salt, day)).exp();
            let share = author_share(group.curve, before_end) * wander * debut(before_end, group.debut);
            for at in &group.models {
                if let (Some(slot), Some(weight), Some(model)) =
                    (shares.get_mut(*at), weights.get(*at), self.models.get(*at))
                {
                    *slot = share * weight / sum / model.k_tokens / model.served;
                }
            }
        }
        shares
    }
}

impl Constants {
    pub(crate) fn new(model: &Model, population: &Population) -> Self {
        let endpoints = population.endpoints.get(model.endpoints.clone()).unwrap_or(&[]);
        // The chance that a call fails and may be followed by another, and how many calls there may be.
        let failing: f64 = endpoints.iter().map(|e| e.weight * (e.fault + e.rate_limit)).sum();
        let most = endpoints.len().min(cal::MAX_ATTEMPTS);
        let lost = (1..most).fold(failing, |lost, _| failing * (1.0 - cal::FALLBACK + cal::FALLBACK * lost));
        Self {
            k_tokens: model.row.k_tokens,
            served: 1.0 - lost,
            calls: (0..most).map(|again| (failing * cal::FALLBACK).powi(again as i32)).sum(),
        }
    }
}

fn author_share(curve: &[f64; 5], before_end: i64) -> f64 {
    let weeks = -(before_end as f64) / 7.0;
    let mut points: Vec<(f64, f64)> = cal::AUTHOR_WEEKS.iter().copied().zip(curve.iter().copied()).collect();
    points.reverse();
    interpolate(&points, weeks)
}

/// An author's first model takes two weeks to find its users.
fn debut(before_end: i64, launch: Option<i64>) -> f64 {
    launch.map_or(1.0, |launch| ((before_end - launch + 1) as f64 / 14.0).clamp(0.0, 1.0))
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
