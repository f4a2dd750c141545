//! `routing_hourly`: what fallback routing added, by hour and model of the first attempt.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, measures};

pub static FAMILY: Family = Family {
    name: "routing",
    made: Made::Recomputed,
    keys: &[Key::text("model_id"), Key::text("author")],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[Level {
        table: TableId::RoutingHourly,
        grain: Grain::Hour,
        time: Some("hour"),
        keep_days: None,
    }],
};

measures! {
    /// Of requests, by their first attempt.
    Routing, a row when all_requests;
    sums
        all_requests
        attempts
        requests
        routed_ok
        first_ok
        requests_with_rate_limits
        routed_ok_with_rate_limits
        first_ok_with_rate_limits;
}
