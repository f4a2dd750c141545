//! The answer sheet: what the events of a period hold, counted from the events.
//!
//! Definitions follow the published methodology and are written down here once more on purpose: nothing is
//! shared with the code under test. An attempt belongs to the UTC day of its own start, a request to the day
//! of its first attempt, weeks are ISO weeks named `2026-W47`.

mod builder;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use builder::TruthBuilder;

use crate::outages::Cause;

/// Counts of a period. Money is in 10⁻⁹ USD; rows are sorted by their keys and hold no zero rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub seed: u64,
    /// `[from_minute, to_minute)`, minutes since the epoch, by the start of the request.
    pub from_minute: i64,
    pub to_minute: i64,
    pub requests: u64,
    /// Requests that the router refused or lost, by error class.
    pub gateway_errors: BTreeMap<String, u64>,
    /// Calls to providers and answers from the router's cache: with `gateway_errors`, the rows to expect.
    pub attempts: u64,
    pub gateway_cache_hits: u64,
    pub with_texts: u64,
    pub endpoints: Vec<EndpointTruth>,
    pub days_by_model: Vec<UsageTruth>,
    pub days_by_author: Vec<UsageTruth>,
    pub weeks_by_model: Vec<UsageTruth>,
    pub weeks_by_author: Vec<UsageTruth>,
    pub routing: Vec<RoutingTruth>,
    pub labels: Vec<LabelTruth>,
    pub outages: Vec<OutageTruth>,
    /// Records that no reader may accept, by kind.
    pub bad_records: BTreeMap<String, u64>,
    /// What was switched on.
    pub regimes: Vec<RegimeTruth>,
}

/// Calls to one endpoint, without answers from the router's cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointTruth {
    pub endpoint_id: String,
    pub model: String,
    pub provider: String,
    pub attempts: u64,
    /// Ended well, or left by the caller after at least one token.
    pub success: u64,
    pub fault: u64,
    pub rate_limited: u64,
    pub client_error: u64,
    /// Left by the caller before the first token.
    pub cancelled: u64,
    /// success / (success + fault) as the generator meant it, averaged over the calls. `success` and `fault`
    /// scatter around it by chance.
    pub expected_uptime: f64,
}

/// Served attempts: ended well (the router's cache included), or left by the caller after delivery began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageTruth {
    /// `2026-11-24` or `2026-W47`.
    pub period: String,
    /// `author/slug[:variant]`, or the author.
    pub name: String,
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub tool_calls: u64,
    pub cost_nano_usd: u64,
    pub unpriced: u64,
}

impl UsageTruth {
    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}

/// Requests whose first attempt reached a provider and was a success or a counted fault; the second group
/// also takes those whose first attempt was a 429, and counts that as a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTruth {
    pub date: NaiveDate,
    pub model: String,
    pub requests: u64,
    pub first_ok: u64,
    pub routed_ok: u64,
    pub requests_with_rate_limits: u64,
    pub routed_ok_with_rate_limits: u64,
}

/// Requests that carry texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelTruth {
    pub week: String,
    /// Language of the prompt, ISO 639-1.
    pub language: String,
    /// Fence label of the completion's code; None without code or without completion.
    pub code: Option<String>,
    pub requests: u64,
    /// Of these, requests that were served.
    pub served: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutageTruth {
    pub endpoint_id: String,
    pub provider: String,
    pub from_minute: i64,
    pub to_minute: i64,
    pub cause: Cause,
    pub severity: f64,
    pub provider_wide: bool,
}

/// A regime, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegimeTruth {
    pub name: String,
    pub from_minute: i64,
    pub to_minute: i64,
    /// Whom it is about: a provider, models set apart by blanks, a user, an app.
    pub subject: String,
    /// The share of calls, requests or records it is meant for, the factor of a price or a time, or minutes that a
    /// clock is ahead.
    pub strength: f64,
    /// How much of it is in the events of the period, by the minute in which a request was made: calls to the
    /// provider that is down, answers of the one that is slow, calls with a price, calls to the launched models or
    /// under the new name, tool calls that cannot be parsed, requests of the user or the app, records that are late,
    /// doubled or skewed. Where traffic stops: the requests that would have come.
    pub affected: u64,
}
