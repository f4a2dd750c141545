//! `app_daily` and `country_daily`: whom a model reaches. Served requests, tokens, spend and users (HLL bytes) by app or
//! country, model and variant.
//!
//! The variant is in the key because what may be named is decided by model variant and day.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, measures};

/// Requests of no known app are a row of their own, so that all rows come to what usage has.
pub static APPS: Family = Family {
    name: "apps",
    made: Made::FromAttempts,
    keys: &[Key::text("app_id"), Key::text("model_id"), Key::text("author"), Key::text("variant")],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[Level { table: TableId::AppDaily, grain: Grain::Day, time: None, keep_days: None }],
};

pub static COUNTRIES: Family = Family {
    name: "countries",
    made: Made::FromAttempts,
    keys: &[Key::text("country"), Key::text("model_id"), Key::text("author"), Key::text("variant")],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[Level { table: TableId::CountryDaily, grain: Grain::Day, time: None, keep_days: None }],
};

measures! {
    /// Of served requests, but `cost_usd`, which is of all attempts.
    Reach, a row when requests or cost_usd;
    sums
        requests
        requests_with_user;
    hll users;
    sums
        input_tokens
        output_tokens;
    money cost_usd;
    sums
        unpriced_requests
        unpriced_tokens;
}
