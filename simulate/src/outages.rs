//! Outages come in runs: a schedule of periods in which endpoints fail or refuse, fixed by the seed.
//!
//! Only providers with invented names have outages; a storm of 429 may hit anyone, because it is not counted
//! against a provider's uptime.

use std::collections::BTreeMap;

use crate::calibration as cal;
use crate::chance::{Chance, hash, hash_name};
use crate::population::Population;

/// A period in which an endpoint fails more than usual: `[from_minute, to_minute)`, minutes since the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// Index into the endpoints.
    pub endpoint: usize,
    pub from_minute: i64,
    pub to_minute: i64,
    pub cause: Cause,
    /// Chance that a call fails because of it, besides the endpoint's usual faults.
    pub severity: f64,
    /// Whether all endpoints of the provider are hit at once.
    pub provider_wide: bool,
}

/// Which errors an outage shows as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Overload,
    Crash,
    Slowness,
    Credentials,
    /// 429 rather than faults.
    Storm,
}

pub(crate) struct Outages {
    first_hour: i64,
    all: Vec<Outage>,
    /// Indexes into `all` by hour.
    by_hour: Vec<Vec<u32>>,
}

/// Blocks of the showcase, and how far one reaches into the next, so that a window of half an hour always
/// lies inside one of them.
const BLOCK_MINUTES: i64 = 240;
const OVERLAP_MINUTES: i64 = 40;
const SHOWCASE_DOWN: [&str; 3] = ["larkspur", "larkspur", "tern"];
const SHOWCASE_DEGRADED: [&str; 2] = ["harbour", "wren-cloud"];

impl Outages {
    /// The schedule of `days` days from `first_day`, of which the calibrated year is the beginning, and what comes
    /// on top of it.
    pub(crate) fn new(
        seed: u64,
        first_day: i64,
        days: i64,
        population: &Population,
        more: Vec<Outage>,
    ) -> Self {
        let mut all = more;
        for (index, endpoint) in population.endpoints.iter().enumerate() {
            let mut chance = Chance::new(&[seed, 0x007a, hash_name(&endpoint.id)]);
            for day in first_day..first_day + days {
                if endpoint.invented && chance.happens(cal::OUTAGE_PER_ENDPOINT_DAY) {
                    all.push(random(&mut chance, day, index, false));
                }
                if chance.happens(cal::STORM_PER_ENDPOINT_DAY) {
                    let severity = chance.between(0.1, 0.7);
                    all.push(Outage {
                        cause: Cause::Storm,
                        severity,
                        ..random(&mut chance, day, index, false)
                    });
                }
            }
        }
        let providers = Providers::new(population);
        for provider in providers.invented(population) {
            let mut chance = Chance::new(&[seed, 0x9707, hash_name(provider)]);
            for day in first_day..first_day + days {
                if chance.happens(cal::OUTAGE_PER_PROVIDER_DAY) {
                    let outage = random(&mut chance, day, 0, true);
                    providers.push(&mut all, provider, &outage);
                }
            }
        }
        showcase(seed, first_day, days, &providers, &mut all);
        all.sort_by_key(|outage| (outage.from_minute, outage.endpoint, outage.to_minute));

        let first_hour = first_day * 24;
        let mut by_hour = vec![Vec::new(); (days * 24).max(0) as usize];
        for (index, outage) in all.iter().enumerate() {
            for hour in outage.from_minute.div_euclid(60)..=(outage.to_minute - 1).div_euclid(60) {
                if let Some(list) = usize::try_from(hour - first_hour).ok().and_then(|at| by_hour.get_mut(at))
                {
                    list.push(index as u32);
                }
            }
        }
        Self { first_hour, all, by_hour }
    }

    /// Outages that hold during a minute.
    pub(crate) fn during(&self, unix_minute: i64) -> impl Iterator<Item = &Outage> {
        usize::try_from(unix_minute.div_euclid(60) - self.first_hour)
            .ok()
            .and_then(|hour| self.by_hour.get(hour))
            .into_iter()
            .flatten()
            .filter_map(|index| self.all.get(*index as usize))
            .filter(move |outage| (outage.from_minute..outage.to_minute).contains(&unix_minute))
    }

    /// Outages that touch `[from, to)`.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = &Outage> {
        self.all.iter().filter(move |outage| outage.from_minute < to && from < outage.to_minute)
    }
}

/// The endpoints of each provider.
struct Providers(BTreeMap<&'static str, Vec<usize>>);

impl Providers {
    fn new(population: &Population) -> Self {
        let mut endpoints: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for (index, endpoint) in population.endpoints.iter().enumerate() {
            endpoints.entry(endpoint.provider).or_default().push(index);
        }
        Self(endpoints)
    }

    /// In the order of their names.
    fn invented(&self, population: &Population) -> Vec<&'static str> {
        let is_invented =
            |first: &usize| population.endpoints.get(*first).is_some_and(|endpoint| endpoint.invented);
        self.0.iter().filter(|(_, of)| of.first().is_some_and(is_invented)).map(|(name, _)| *name).collect()
    }

    /// The same outage at each endpoint of a provider.
    fn push(&self, all: &mut Vec<Outage>, provider: &str, outage: &Outage) {
        let endpoints = self.0.get(provider).into_iter().flatten();
        all.extend(endpoints.map(|endpoint| Outage { endpoint: *endpoint, ..outage.clone() }));
    }
}

fn random(chance: &mut Chance, day: i64, endpoint: usize, provider_wide: bool) -> Outage {
    let (shortest, longest) = cal::OUTAGE_MINUTES;
    // Evenly spread in the logarithm: many short ones, few long ones.
    let length = shortest * (longest / shortest).powf(chance.unit());
    let from_minute = day * 1440 + i64::from(chance.below(1440));
    let cause = match chance.below(10) {
        0..=3 => Cause::Overload,
        4..=6 => Cause::Crash,
        7 | 8 => Cause::Slowness,
        _ => Cause::Credentials,
    };
    let severity = if chance.happens(0.6) { chance.between(0.06, 0.3) } else { chance.between(0.3, 0.95) };
    Outage { endpoint, from_minute, to_minute: from_minute + length as i64, cause, severity, provider_wide }
}

/// Near and after the end of the calibrated year one invented provider is down and two are degraded at any
/// minute, so that whoever looks at a live demo sees both states. Two, because half an hour of a small demo
/// holds a few dozen calls to each, and chance alone lifts one of them over the line now and then.
fn showcase(seed: u64, first_day: i64, days: i64, providers: &Providers, all: &mut Vec<Outage>) {
    let from = (first_day + cal::DAYS_PER_YEAR - 1 - cal::SHOWCASE_DAYS) * 1440;
    let until = (first_day + days) * 1440;
    for (block, from_minute) in (from..until).step_by(BLOCK_MINUTES as usize).enumerate() {
        let mut chance = Chance::new(&[seed, 0x5c0e, hash(&[from_minute as u64])]);
        let down = Outage {
            endpoint: 0,
            from_minute,
            to_minute: from_minute + BLOCK_MINUTES + OVERLAP_MINUTES,
            cause: if chance.happens(0.5) { Cause::Overload } else { Cause::Slowness },
            severity: chance.between(0.42, 0.58),
            provider_wide: true,
        };
        providers.push(all, SHOWCASE_DOWN[block % 3], &down);
        for provider in SHOWCASE_DEGRADED {
            let degraded = Outage {
                to_minute: from_minute + BLOCK_MINUTES,
                severity: chance.between(0.08, 0.10),
                cause: Cause::Crash,
                ..down.clone()
            };
            providers.push(all, provider, &degraded);
        }
    }
}
