//! Attempts at places: what tables of health, speed, routing and the last hour are made of.

use std::ops::Range;

use bellwether_warehouse::sketches::ddsketch::DdSketch;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use super::SECRET;
use super::whole::{RAW, RULED, split};
use crate::testing::Dice;

/// Where attempts of models are that a rule of the catalogue names, which has no entry of them. fixme: tables of health, speed and
/// routing tell such names whoever used them, as `models` and `endpoints` do not; so these attempts have a provider to themselves.
pub(super) const RULED_AT: &str = "east";
/// In the catalogue, and never public: its health is told, its counts as bands.
pub(super) const QUIET: (&str, &str, &str) = ("quiet/one", "quiet", "still");
/// Attempts of it on a day. No sum of up to 45 days lies in another band than the least one of so many days.
const QUIET_ATTEMPTS: Range<usize> = 200..223;
/// Minutes of the day at which buckets begin. The watermark is noon.
const BUCKETS: [i64; 5] = [0, 600, 700, 715, 1_435];

/// In this order: ok, faults, refused for their rate, finished with a tool call.
type Counts = [i64; 4];

/// Attempts of one bucket at one place.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    date: NaiveDate,
    minute: i64,
    model: Option<&'static str>,
    author: Option<&'static str>,
    variant: &'static str,
    provider: &'static str,
    endpoint: String,
    region: Option<&'static str>,
    counts: Counts,
    ttft_ms: Vec<f64>,
}

fn counts(dice: &mut Dice) -> Counts {
    let mut below = |bound| i64::try_from(dice.below(bound)).unwrap();
    [1 + below(300), below(20), below(10), below(50)]
}

fn samples(dice: &mut Dice) -> Vec<f64> {
    let n = if dice.one_in(2) { 0 } else { 150 };
    (0..n).map(|_| 50.0 + dice.below(5_000) as f64).collect()
}

/// Attempts of up to 20 days, and a few of a name that is never public on each day.
pub(super) fn random(first: NaiveDate, last: NaiveDate, dice: &mut Dice) -> Vec<Tried> {
    let days = u64::try_from((last - first).num_days() + 1).unwrap();
    let mut tried = Vec::new();
    for _ in 0..dice.below(60) {
        let (model, author) = dice.of(&[
            (Some("acme/one"), Some("acme")),
            (Some("beta/late"), None),
            (Some("solo/one"), Some("solo")),
            (Some("acme/other-zq"), Some("acme")),
            (Some("zq-raw"), None),
        ]);
        let provider = match model {
            Some("acme/other-zq") => dice.of(&[RULED_AT, "host:zq"]),
            _ => dice.of(&["north", "south", "host:zq"]),
        };
        let mut row = Tried {
            // Tables of now have something to tell.
            date: last - Days::new(if dice.one_in(2) { 0 } else { dice.below(days.min(20)) }),
            minute: dice.of(&BUCKETS),
            model,
            author,
            variant: dice.of(&["standard", "standard", "free"]),
            provider,
            endpoint: format!("e{}", dice.below(3)),
            region: dice.of(&[None, None, Some("eu")]),
            counts: counts(dice),
            ttft_ms: samples(dice),
        };
        if !row.is_named() {
            row.endpoint = format!("{SECRET}-{}", row.endpoint);
        }
        tried.push(row);
    }
    for day in 0..days {
        let mut row = Tried {
            date: first + Days::new(day),
            minute: 600,
            model: Some(QUIET.0),
            author: Some(QUIET.1),
            variant: "standard",
            provider: QUIET.2,
            endpoint: "q1".to_owned(),
            region: None,
            counts: [0; 4],
            ttft_ms: Vec::new(),
        };
        row.tried_quietly(dice);
        tried.push(row);
    }
    tried
}

/// What belongs to no name is somewhere else, in other parts. What is counted of it in all stays.
pub(super) fn elsewhere(tried: &[Tried], dice: &mut Dice) -> Vec<Tried> {
    let mut made = Vec::new();
    for row in tried {
        if row.is_named() {
            made.push(row.clone());
            continue;
        }
        let parts = 1 + usize::try_from(dice.below(3)).unwrap();
        let mut divided = row.counts.map(|count| split(i128::from(count), parts, dice).into_iter());
        let mut samples = row.ttft_ms.as_slice();
        for part in 1..=parts {
            let (model, author) = match row.model {
                // At a host: the model is told, the host is not.
                _ if row.has_known_model() => (row.model, row.author),
                Some("acme/other-zq") => dice.of(&RULED),
                _ => dice.of(&RAW[..2]),
            };
            let of_part = if part == parts { samples.len() } else { samples.len() / 2 };
            let (own, rest) = samples.split_at(of_part);
            samples = rest;
            made.push(Tried {
                model,
                author,
                provider: match row.provider {
                    RULED_AT => RULED_AT,
                    "host:zq" => "host:zq-other",
                    _ => dice.of(&["north", "south"]),
                },
                endpoint: format!("{SECRET}-{}", dice.below(9)),
                counts: divided.each_mut().map(|parts| i64::try_from(parts.next().unwrap()).unwrap()),
                ttft_ms: own.to_vec(),
                ..row.clone()
            });
        }
    }
    made
}

/// More or less of what belongs to no name, and of names that are not public as much as stays in its band.
pub(super) fn of_other_amounts(tried: &[Tried], dice: &mut Dice) -> Vec<Tried> {
    let mut made = Vec::new();
    for row in tried {
        if row.model == Some(QUIET.0) {
            let mut row = row.clone();
            row.tried_quietly(dice);
            made.push(row);
        } else if row.has_known_model() {
            made.push(row.clone());
        } else {
            // None of it would tell by what is not there that nothing was tried.
            for _ in 0..1 + dice.below(3) {
                let provider = match row.author {
                    Some(_) => dice.of(&[RULED_AT, "host:zq-more"]),
                    None => dice.of(&["north", "south", "host:zq-more", QUIET.2]),
                };
                made.push(Tried { counts: counts(dice), ttft_ms: samples(dice), provider, ..row.clone() });
            }
        }
    }
    made
}

impl Tried {
    /// All alike, so that shares and percentiles are the same however many there are.
    fn tried_quietly(&mut self, dice: &mut Dice) {
        let breadth = QUIET_ATTEMPTS.end - QUIET_ATTEMPTS.start;
        let attempts = QUIET_ATTEMPTS.start + usize::try_from(dice.below(breadth as u64)).unwrap();
        self.counts = [i64::try_from(attempts).unwrap(), 0, 0, 0];
        self.ttft_ms = vec![100.0; attempts];
    }

    fn has_known_model(&self) -> bool {
        !self.model.unwrap_or(SECRET).contains(SECRET)
    }

    fn is_at_a_host(&self) -> bool {
        self.provider.contains(SECRET)
    }

    fn is_named(&self) -> bool {
        self.has_known_model() && !self.is_at_a_host()
    }

    /// A row of any rollup of health or speed, with buckets of so many minutes; each takes the columns that it has.
    pub(super) fn row(&self, minutes: i64) -> Json {
        let [ok, fault, rate_limited, tool_finishes] = self.counts;
        let mut row = json!({
            "date": self.date, "bucket_at": self.at(minutes), "model_id": self.model, "author": self.author,
            "variant": self.variant, "provider_id": self.provider, "endpoint_id": self.endpoint,
            "region": self.region, "context_bucket": 10_000, "attempts": ok + fault + rate_limited, "ok": ok,
            "fault": fault, "fault_timeout": fault, "rate_limited": rate_limited,
            "tool_finishes": tool_finishes,
        });
        if !self.ttft_ms.is_empty() {
            let mut sketch = DdSketch::default();
            self.ttft_ms.iter().for_each(|value| sketch.add(*value));
            let hex: String = sketch.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            row["ttft_ms"] = json!(hex);
        }
        row
    }

    /// Requests of which each was one attempt.
    pub(super) fn routed(&self) -> Json {
        let [ok, fault, rate_limited, _] = self.counts;
        json!({
            "date": self.date, "hour": self.at(60), "model_id": self.model, "author": self.author,
            "all_requests": ok + fault + rate_limited, "attempts": ok + fault + rate_limited,
            "requests": ok + fault, "routed_ok": ok, "first_ok": ok,
            "requests_with_rate_limits": ok + fault + rate_limited, "routed_ok_with_rate_limits": ok,
            "first_ok_with_rate_limits": ok,
        })
    }

    fn at(&self, minutes: i64) -> DateTime<Utc> {
        self.date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(self.minute / minutes * minutes)
    }
}
