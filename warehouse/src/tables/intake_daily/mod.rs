//! `intake_daily`: what arrived and what became of it, by UTC date of the commit and source.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, Measure, Value};

pub static FAMILY: Family = Family {
    name: "intake",
    made: Made::FromCommits,
    keys: &[Key::text("source").never_null()],
    measures: &[
        Measure::new("rows", Value::Sum),
        Measure::new("rejects", Value::Sum),
        Measure::new("duplicates", Value::Sum),
    ],
    row_when: &[],
    levels: &[Level { table: TableId::IntakeDaily, grain: Grain::Day, time: None, keep_days: None }],
};
