//! Users: when each comes and goes, language, country, and the app each one works with.

use crate::apps::Apps;
use crate::calibration as cal;
use crate::chance::{Chance, cumulate, hash, pick, unit};

pub(crate) struct Person {
    /// Days of the calendar that starts with the calibrated year; the end is exclusive.
    joins: i32,
    leaves: i32,
    /// From when until when one that left is back; an empty period for those that never return.
    back: (i32, i32),
    /// Index into [`cal::LANGUAGES`].
    pub language: u8,
    pub country: &'static str,
    pub continent: Continent,
    /// Apps for agentic work and for conversation.
    pub apps: [u16; 2],
}

impl Person {
    fn is_active(&self, day: i32) -> bool {
        (self.joins..self.leaves).contains(&day) || (self.back.0..self.back.1).contains(&day)
    }
}

/// Index into a provider's regions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Continent {
    Americas = 0,
    EuropeAfrica = 1,
    AsiaOceania = 2,
}

pub(crate) struct People {
    seed: u64,
    persons: Vec<Person>,
    /// `u0u1u2…` and where each name ends.
    names: String,
    ends: Vec<u32>,
    /// Multiplier that turns a rank by activity into a person, so that activity is independent of age.
    stride: u64,
}

/// Flattens the top of the ranks: nobody holds more than about 0.4 % of the traffic, so that the shares of
/// languages and countries do not hang on a few users.
const PLATEAU: f64 = 0.03;

impl People {
    /// Users of `days` days from the first day of the calibrated year.
    pub(crate) fn new(seed: u64, days: i64) -> Self {
        let mut chance = Chance::new(&[seed, 0x70e0]);
        let countries: Vec<Box<[f32]>> =
            cal::COUNTRIES.iter().map(|(_, rows)| cumulate(rows.iter().map(|(_, share)| *share))).collect();
        let languages = cumulate(cal::LANGUAGES.iter().map(|(_, share)| *share));
        let apps = Apps::shared();
        let lives = lives(days, &mut chance);

        let stride = coprime(lives.len() as u64);
        let inverse_rank = ranks(lives.len(), stride);
        let mut names = String::new();
        let mut ends = Vec::with_capacity(lives.len());
        let persons = lives
            .into_iter()
            .enumerate()
            .map(|(index, (joins, leaves, back))| {
                names.push('u');
                push_number(&mut names, index as u64);
                ends.push(names.len() as u32);
                // Golden-ratio steps over the ranks share the busiest users out evenly among the languages.
                let rank = inverse_rank.get(index).copied().unwrap_or(0);
                let spread = (unit(hash(&[seed, 11])) + f64::from(rank) * 0.618_033_988_749_894_9).fract();
                let language = pick(&languages, spread);
                let draw = |what: u64| unit(hash(&[seed, what, index as u64]));
                let country = cal::COUNTRIES
                    .get(language)
                    .zip(countries.get(language))
                    .and_then(|((_, rows), table)| rows.get(pick(table, draw(12))))
                    .map_or("US", |(code, _)| *code);
                Person {
                    joins,
                    leaves,
                    back,
                    language: language as u8,
                    country,
                    continent: continent(country),
                    apps: apps.pick(draw(13), draw(14)),
                }
            })
            .collect();
        Self { seed, persons, names, ends, stride }
    }

    /// A user active on a day, drawn by activity.
    pub(crate) fn draw(&self, day: i64, chance: &mut Chance) -> u32 {
        let pool = self.persons.len() as u64;
        let day = day.clamp(0, i64::from(i32::MAX - 1)) as i32;
        let mut index = 0;
        for _ in 0..200 {
            let at = PLATEAU + (1.0 - PLATEAU) * chance.unit();
            // Inverse of the distribution over ranks for an activity of rank^-ZIPF.
            let rank = if cal::USER_ZIPF == 0.6 {
                at * at * at.sqrt()
            } else {
                at.powf(1.0 / (1.0 - cal::USER_ZIPF))
            };
            let rank = (rank * pool as f64) as u64;
            index = (rank * self.stride % pool.max(1)) as usize;
            if self.persons.get(index).is_some_and(|person| person.is_active(day)) {
                break;
            }
        }
        index as u32
    }

    pub(crate) fn get(&self, user: u32) -> Option<&Person> {
        self.persons.get(user as usize)
    }

    pub(crate) fn name(&self, user: u32) -> &str {
        let from =
            (user as usize).checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let to = self.ends.get(user as usize).copied().unwrap_or(from);
        self.names.get(from as usize..to as usize).unwrap_or("u0")
    }

    /// Where a user's habit of the month lies in the cumulative shares of models, in [0, 1).
    pub(crate) fn habit(&self, user: u32, day: i64) -> f64 {
        let phase = i64::from(user % 45);
        unit(hash(&[self.seed ^ u64::from(user), ((day + phase) / 45) as u64]))
    }

    /// Users that joined in these days.
    #[cfg(test)]
    pub(crate) fn joined(&self, days: std::ops::Range<i32>) -> impl Iterator<Item = usize> {
        self.persons
            .iter()
            .enumerate()
            .filter(move |(_, person)| days.contains(&person.joins))
            .map(|(at, _)| at)
    }

    /// Whether a user is there so many days after joining.
    #[cfg(test)]
    pub(crate) fn is_active(&self, at: usize, days: i32) -> bool {
        self.persons.get(at).is_some_and(|person| person.is_active(person.joins + days))
    }

    #[cfg(test)]
    pub(crate) fn returns(&self, at: usize) -> bool {
        self.persons.get(at).is_some_and(|person| person.back.1 > person.back.0)
    }

    #[cfg(test)]
    pub(crate) fn active(&self, day: i32) -> usize {
        self.persons.iter().filter(|person| person.is_active(day)).count()
    }
}

/// When each user joins, leaves and is back: as many at a time as wanted.
fn lives(days: i64, chance: &mut Chance) -> Vec<(i32, i32, (i32, i32))> {
    let mut lives = Vec::new();
    let mut change_per_day = vec![0.0; days.max(0) as usize + 1];
    let mut active = 0.0;
    for day in 0..days {
        active += change_per_day.get(day as usize).copied().unwrap_or(0.0);
        while active < wanted(day) {
            let mut life = || (-cal::USER_LIFE_DAYS * (1.0 - chance.unit()).ln()).min(1e6) as i32 + 1;
            let leaves = (day as i32).saturating_add(life());
            let second = life();
            let away = chance.between(cal::USER_AWAY_DAYS.0, cal::USER_AWAY_DAYS.1) as i32;
            let back = leaves.saturating_add(away);
            let (leaves, back) = if chance.happens(cal::USER_STAYS) {
                (i32::MAX, (0, 0))
            } else if chance.happens(cal::USER_RETURNS) {
                (leaves, (back, back.saturating_add(second)))
            } else {
                (leaves, (0, 0))
            };
            for (day, change) in [(leaves, -1.0), (back.0, 1.0), (back.1, -1.0)] {
                if let Some(slot) = change_per_day.get_mut(day as usize).filter(|_| day > 0) {
                    *slot += change;
                }
            }
            lives.push((if day == 0 { i32::MIN } else { day as i32 }, leaves, back));
            active += 1.0;
        }
    }
    lives
}

fn wanted(day: i64) -> f64 {
    let last = (cal::DAYS_PER_YEAR - 1) as f64;
    let growth = cal::USERS_AT_END / cal::USERS_AT_START;
    let within = cal::USERS_AT_START * growth.powf((day as f64 / last).min(1.0));
    within * cal::GROWTH_PER_DAY_AFTER.powf((day as f64 - last).max(0.0))
}

fn coprime(pool: u64) -> u64 {
    // Not the golden ratio, which already spreads the languages over the ranks: both together would tie a
    // user's language to the day of joining.
    let mut stride = (pool as f64 * 0.414) as u64 | 1;
    while gcd(stride, pool) != 1 {
        stride += 2;
    }
    stride
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The rank of each person.
fn ranks(pool: usize, stride: u64) -> Vec<u32> {
    let mut ranks = vec![0; pool];
    for rank in 0..pool {
        if let Some(slot) = ranks.get_mut((rank as u64 * stride % pool as u64) as usize) {
            *slot = rank as u32;
        }
    }
    ranks
}

fn continent(country: &str) -> Continent {
    match country {
        "US" | "CA" | "MX" | "AR" | "CO" | "BR" | "CL" | "PE" => Continent::Americas,
        "CN" | "TW" | "HK" | "SG" | "JP" | "KR" | "TH" | "VN" | "IN" | "ID" | "PH" | "KZ" | "AU" | "NZ"
        | "PK" | "BD" | "MY" | "LK" | "NP" => Continent::AsiaOceania,
        _ => Continent::EuropeAfrica,
    }
}

/// Decimal digits without the machinery of formatting.
pub(crate) fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}
