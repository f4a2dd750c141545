//! Who used what over longer times: `users_by_week` (HLL bytes, by the names of usage), and `user_model_daily` and
//! `user_model_monthly`, whether somebody used a model.
//!
//! Rows of users by model are for the operator's own questions and for what is told of many users together: they are never
//! published.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, Measure, Value, measures};
use super::usage;

/// Of served requests, a seventh of the sketches that days have: what long windows are counted from. A copy of an event
/// changes no sketch, so these rows are as good as days that are rebuilt.
pub static BY_WEEK: Family = Family {
    name: "users",
    made: Made::FromAttempts,
    keys: usage::FAMILY.keys,
    measures: &[Measure::new("users", Value::Hll)],
    row_when: &["users"],
    levels: &[Level { table: TableId::UsersByWeek, grain: Grain::Week, time: None, keep_days: None }],
};

pub static OF_MODELS: Family = Family {
    name: "user_models",
    made: Made::FromAttempts,
    keys: &[Key::number("user_key").never_null(), Key::text("model_id"), Key::text("author")],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[
        // A month and the days by which a late row may come. More: a row a user, model and day.
        Level { table: TableId::UserModelDaily, grain: Grain::Day, time: None, keep_days: Some(40) },
        Level { table: TableId::UserModelMonthly, grain: Grain::Month, time: None, keep_days: None },
    ],
};

measures! {
    /// Of served requests that carry the id of a user.
    UserModel, a row when requests;
    sums
        requests;
}
