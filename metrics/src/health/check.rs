//! What a row of health must say of attempts, by plain loops.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::testing::{Attempt, COUNTS, MEASURES, Place};

/// Attempts of a key in a period, added up one by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub counts: [i64; COUNTS.len()],
    pub speeds: [Vec<f64>; MEASURES.len()],
}

impl Tally {
    pub fn add(&mut self, attempt: &Attempt) {
        for (sum, n) in self.counts.iter_mut().zip(attempt.counts) {
            *sum += n;
        }
        for (values, value) in self.speeds.iter_mut().zip(attempt.speeds) {
            values.extend(value);
        }
    }

    pub fn get(&self, column: &str) -> i64 {
        self.counts[COUNTS.iter().position(|name| *name == column).unwrap()]
    }

    pub fn success(&self) -> i64 {
        self.get("ok") + self.get("cancelled_delivered")
    }

    pub fn counted(&self) -> i64 {
        self.success() + self.get("fault")
    }

    pub fn uptime(&self, least: i64) -> Option<f64> {
        (self.counted() >= least).then(|| self.success() as f64 / self.counted() as f64)
    }
}

/// dimension and key of everything that an attempt is part of, on a site that shows catalogued names alone.
pub(crate) fn keys_of(place: Place) -> Vec<(&'static str, String)> {
    let Some(model) = place.model.filter(|model| *model != "raw-three") else { return Vec::new() };
    let mut keys = vec![("model", model.to_owned())];
    let Some(provider) = place.provider.filter(|provider| !provider.starts_with("host:")) else {
        return keys;
    };
    keys.push(("provider", provider.to_owned()));
    keys.push(("model_provider", format!("{model}@{provider}")));
    let key = match (place.endpoint, place.variant, place.region) {
        (Some("n1"), _, Some("eu")) => "n1@eu",
        (Some("n1"), _, Some("us")) => "n1@us",
        (Some("n1f"), _, _) => "n1f:free",
        (Some("s1"), _, _) => "s1",
        (None, _, _) => "beta/two@south",
        other => panic!("no key was thought of for {other:?}"),
    };
    keys.push(("endpoint", key.to_owned()));
    keys
}

/// Tallies of everything, of attempts of a period.
pub(crate) fn tallies(
    attempts: &[Attempt],
    is_in: impl Fn(i64) -> bool,
) -> BTreeMap<(&'static str, String), Tally> {
    let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
    for attempt in attempts.iter().filter(|attempt| is_in(attempt.at)) {
        for key in keys_of(attempt.place) {
            tallies.entry(key).or_default().add(attempt);
        }
    }
    tallies
}

/// Compares one row with what it must say.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub row: &'a Map<String, Value>,
    pub now: &'a Tally,
    /// None: the history does not reach that far.
    pub before: Option<&'a Tally>,
    pub least: i64,
}

impl Check<'_> {
    pub fn integer(&self, column: &str, expected: i64) {
        assert_eq!(self.row.get(column), Some(&json!(expected)), "{column} of {:?}", self.row);
    }

    fn real(&self, column: &str, expected: Option<f64>, reason: Option<&str>) {
        let found = self.row.get(column).and_then(Value::as_f64);
        let is_equal = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(is_equal, "{column} is {found:?}, not {expected:?}, in {:?}", self.row);
        let told = self.row.get(&format!("{column}_reason")).and_then(Value::as_str);
        assert_eq!(told, reason, "{column} in {:?}", self.row);
    }

    /// Counts, uptime and rates, exact ones.
    pub fn counts(&self) {
        for (column, n) in COUNTS.iter().zip(self.now.counts) {
            if *column != "cancelled_delivered" && self.row.contains_key(*column) {
                self.integer(column, n);
            }
        }
        for column in ["attempts", "fault", "fault_timeout", "client_geo"] {
            assert!(self.row.contains_key(column), "{column} in {:?}", self.row);
        }
        self.integer("success", self.now.success());
        self.integer("counted", self.now.counted());
        let uptime = self.now.uptime(self.least);
        self.real("uptime", uptime, uptime.is_none().then_some("not_enough"));
        self.rate("rate_limit_rate", "rate_limited", self.now.get("attempts"));
    }

    fn rate(&self, column: &str, part: &str, whole: i64) {
        let rate = (whole > 0).then(|| self.now.get(part) as f64 / whole as f64);
        self.real(column, rate, rate.is_none().then_some("not_enough"));
    }

    pub fn answers(&self) {
        let answered = self.now.success() + self.now.get("client_error");
        self.rate("tool_error_rate", "tool_error_requests", self.now.get("tool_finishes"));
        self.rate("structured_invalid_rate", "structured_invalid", self.now.get("structured_requested"));
        self.rate("refusal_rate", "refused", answered);
        self.rate("content_filter_rate", "content_filtered", answered);
        self.rate("cancel_rate", "cancelled", self.now.get("attempts"));
        let billed = "billed_output_tokens_cancelled";
        self.integer(billed, self.now.get(billed));
    }

    pub fn change(&self) {
        let (uptime, before) =
            (self.now.uptime(self.least), self.before.and_then(|before| before.uptime(self.least)));
        let missing = if self.before.is_none() { "no_history" } else { "not_enough" };
        self.real("uptime_before", before, before.is_none().then_some(missing));
        let delta = uptime.zip(before).map(|(uptime, before)| (uptime - before) * 100.0);
        let reason = if before.is_none() { missing } else { "not_enough" };
        self.real("uptime_delta_points", delta, delta.is_none().then_some(reason));
    }

    /// Each percentile within 1 % of the sample at rank floor(q × (n − 1)).
    pub fn speeds(&self) {
        for (measure, values) in MEASURES.iter().zip(&self.now.speeds) {
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            self.integer(&format!("{measure}_samples"), values.len() as i64);
            let percents: &[u64] = match *measure {
                "ttft_ms" | "duration_ms" => &[50, 75, 90, 99],
                "overhead_us" => &[50, 95, 99],
                _ => &[10, 50, 75, 90, 99],
            };
            let is_enough = values.len() as i64 >= self.least;
            for percent in percents {
                let found = self.row.get(&format!("{measure}_p{percent}")).and_then(Value::as_f64);
                assert_eq!(found.is_some(), is_enough, "{measure}_p{percent} in {:?}", self.row);
                if let Some(found) = found {
                    let exact = values[(*percent as usize * (values.len() - 1)) / 100];
                    let is_near = (found - exact).abs() <= exact * 0.01 + 1e-9;
                    assert!(is_near, "{measure}_p{percent} is {found}, not {exact}, in {:?}", self.row);
                }
            }
            let reason = self.row.get(&format!("{measure}_reason")).and_then(Value::as_str);
            assert_eq!(reason, (!is_enough).then_some("not_enough"), "{measure} in {:?}", self.row);
        }
    }
}
