//! A market of published size in numbers instead of requests: what rollups of it would hold.
//!
//! The same population, shares, growth and outages as the traffic, at the published number of requests, which nobody
//! could write out one by one. As there, what a period holds depends on the seed and the period alone.
//!
//! Apps, countries and labels are left out, and so are regions but one an endpoint.

mod counting;
mod names;
mod place;
mod spread;
mod tally;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use chrono::NaiveDate;

use crate::calibration as cal;
use crate::calls::Load;
use crate::chance::{Chance, hash};
use crate::outages::Outages;
use crate::population::Population;
use crate::shape::{DAYS_AFTER, Shape};
use names::Names;
use place::Figures;
pub use place::Place;
use spread::Spread;
pub use tally::Tally;

/// Rankings: 25.19 billion requests in thirty days.
const REQUESTS_IN_30_DAYS: f64 = 25.19e9;
/// Rankings: so many people use the router; each of them uses several models.
const PEOPLE: u64 = 5_000_000;
/// Distinct users of `n` requests: a power of them, so that 10,000 requests have 900.
const USERS: (f64, f64) = (0.9, 0.75);
/// Users from whom those of a day are drawn, over those of a busy day.
const USERS_IN_ALL: f64 = 4.0;
/// Demo: how far the spread of durations and of tokens a second over the whole call goes.
const DURATION_SIGMA: f64 = 0.85;
const E2E_SIGMA: f64 = 0.65;

/// How large the market is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The published one: some 1,100 endpoints of some 600 variants.
    S1,
    /// Ten times the requests, models, providers and endpoints.
    S10,
}

impl Size {
    fn parts(self) -> usize {
        match self {
            Self::S1 => 1,
            Self::S10 => 10,
        }
    }
}

/// A number of attempts that has a measure, and how it spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    Ttft,
    Duration,
    E2e,
    Decode,
    Overhead,
}

pub struct Market {
    seed: u64,
    size: Size,
    parts: Vec<Part>,
    places: Vec<Place>,
    /// Beside `places`.
    figures: Vec<Figures>,
    spreads: [Spread; 5],
}

/// The population of the roster once, with luck of its own.
struct Part {
    population: Population,
    shape: Shape,
    outages: Outages,
}

impl Market {
    /// The year that ends with `end`.
    pub fn new(size: Size, seed: u64, end: NaiveDate) -> Self {
        let end_day = i64::from(end.to_epoch_days());
        // Each part is smaller than the one before, so that the long tail gets longer.
        let weight = |part: usize| 1.0 / (part + 1) as f64;
        let all: f64 = (0..size.parts()).map(weight).sum();
        let requests = |part: usize| REQUESTS_IN_30_DAYS * size.parts() as f64 * weight(part) / all;
        let parts =
            (0..size.parts()).map(|part| Part::new(hash(&[seed, part as u64]), end_day, requests(part)));
        let mut market = Self {
            seed,
            size,
            parts: parts.collect(),
            places: Vec::new(),
            figures: Vec::new(),
            spreads: [
                Spread::piecewise(&cal::TTFT_SPREAD),
                Spread::log_normal(DURATION_SIGMA),
                Spread::log_normal(E2E_SIGMA),
                Spread::log_normal(cal::THROUGHPUT_SIGMA),
                Spread::log_normal(cal::OVERHEAD_SIGMA),
            ],
        };
        market.find_places(end_day);
        market
    }

    fn find_places(&mut self, end_day: i64) {
        let mut names = Names::default();
        let mut all: Vec<(Place, Figures)> = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            all.extend(place::places(self.seed, at, &part.population, &mut names));
        }
        // As tables are sorted: by the bytes of the names, unknown ones last.
        all.sort_by(|(a, _), (b, _)| {
            let key = |place: &Place| (place.model_id.clone(), place.variant.clone());
            key(a).cmp(&key(b)).then_with(|| match (&a.provider_id, &b.provider_id) {
                (Some(a), Some(b)) => a.cmp(b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            })
        });
        for (place, mut figures) in all {
            let day = |back: i64| self.expected(&figures, (end_day - back) * 1_440, 1_440);
            let busiest = (0..cal::DAYS_PER_YEAR).step_by(14).map(day).fold(0.0, f64::max);
            figures.users = (USERS_IN_ALL * users_of(busiest)).ceil() as u64;
            self.places.push(place);
            self.figures.push(figures);
        }
    }

    /// Every `nth` place only.
    #[must_use]
    pub fn thinned(mut self, nth: NonZeroUsize) -> Self {
        let nth = nth.get();
        let mut at = 0..;
        self.places.retain(|_| at.next().is_some_and(|at: usize| at.is_multiple_of(nth)));
        let mut at = 0..;
        self.figures.retain(|_| at.next().is_some_and(|at: usize| at.is_multiple_of(nth)));
        self
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Sorted as the rows of a rollup are.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Requests that a period is expected to send to a place first.
    fn expected(&self, figures: &Figures, minute: i64, minutes: i64) -> f64 {
        let Some(part) = self.parts.get(figures.part) else { return 0.0 };
        let mix = part.shape.mix(minute);
        let upto = |at: usize| mix.get(at).copied().map_or(0.0, f64::from);
        let share = upto(figures.model) - figures.model.checked_sub(1).map_or(0.0, upto);
        part.shape.requests(minute + minutes / 2) * minutes as f64 * share * figures.share
    }

    /// What a period, which lies within an hour, comes to at each place, in their order.
    pub fn count(&self, minute: i64, minutes: i64) -> Vec<Tally> {
        let load =
            |part: &Part| Load::new(&part.population.endpoints, part.outages.during(minute + minutes / 2));
        let loads: Vec<Load> = self.parts.iter().map(load).collect();
        let of_place = |figures: &Figures| {
            let expected = self.expected(figures, minute, minutes);
            if expected <= 0.0 {
                return Tally::default();
            }
            let endpoint = figures.endpoint.and_then(|at| {
                let part = self.parts.get(figures.part)?;
                Some(loads.get(figures.part)?.rates(at, part.population.endpoints.get(at)?))
            });
            let rates = endpoint.unwrap_or(crate::calls::Rates { rate_limit: 0.0, fault: 0.0, cause: None });
            let mut chance = Chance::new(&[self.seed, 0x7a11, figures.salt, minute as u64, minutes as u64]);
            counting::count(figures, expected, &rates, &mut chance)
        };
        self.figures.iter().map(of_place).collect()
    }

    /// Keys of the distinct users behind `requests` that a place served in a period with users known. Those of an hour
    /// are among those of its day, about; those of a day are in part those of the days around it.
    pub fn users(&self, place: usize, minute: i64, minutes: i64, requests: i64) -> impl Iterator<Item = i64> {
        let figures = self.figures.get(place);
        let (users, salt, own) = figures.map_or((1, 0, 0), |f| (f.users.max(1), f.users_salt, f.salt));
        let n = (users_of(requests as f64).ceil() as u64).min(users);
        let day = minute.div_euclid(1_440);
        let of_day = figures.map_or(0.0, |figures| users_of(self.expected(figures, day * 1_440, 1_440)));
        // The day's users are a stretch of the place's, which moves on by a fortieth a day.
        let from_day = own % users + day.unsigned_abs() * (users / 40).max(1);
        let room = (of_day - n as f64).max(0.0);
        let from = match minutes {
            1_440 => from_day,
            _ => from_day + (room * (minute.rem_euclid(1_440) as f64 / 1_440.0)) as u64,
        };
        let people = PEOPLE * self.parts.len() as u64;
        let seed = self.seed;
        (from..from + n).map(move |at| {
            let person = hash(&[seed, salt, at % users]) % people;
            hash(&[seed, 0x05e5, person]) as i64
        })
    }

    /// `n` measures of a place in a period as (value, how many), ascending.
    pub fn measure(&self, place: usize, speed: Speed, minute: i64, n: i64, mut each: impl FnMut(f64, u64)) {
        let at = speed as usize;
        let (Some(figures), Some(spread)) = (self.figures.get(place), self.spreads.get(at)) else { return };
        let mut chance = Chance::new(&[self.seed, 0x59ee, figures.salt, minute as u64, at as u64]);
        let median = figures.speeds[at] * (0.06 * counting::normal(&mut chance)).exp();
        let whole = matches!(speed, Speed::Ttft | Speed::Duration | Speed::Overhead);
        spread.measurements(n.max(0) as u64, chance.unit(), |ratio, times| {
            let value = median * ratio;
            each(if whole { value.round().max(1.0) } else { value }, times);
        });
    }
}

fn users_of(requests: f64) -> f64 {
    if requests < 1.0 { requests.max(0.0) } else { USERS.0 * requests.powf(USERS.1) }
}

impl Part {
    fn new(seed: u64, end_day: i64, requests: f64) -> Self {
        let population = Population::new(seed);
        // The shape is told attempts; how many that is follows from a first look.
        let in_30_days = |shape: &Shape| -> f64 {
            let minutes = (0..30 * 24).map(|hour| (end_day + 1) * 1_440 - 60 * hour - 30);
            minutes.map(|minute| 60.0 * shape.requests(minute)).sum()
        };
        let look = Shape::new(seed, end_day, 100_000_000_000, &population);
        let attempts = 100e9 * requests / in_30_days(&look);
        let shape = Shape::new(seed, end_day, attempts as u64, &population);
        let days = cal::DAYS_PER_YEAR + DAYS_AFTER;
        let outages = Outages::new(seed, shape.first_day(), days, &population, Vec::new());
        Self { population, shape, outages }
    }
}
