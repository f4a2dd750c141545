use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type};

use super::*;
use crate::Kind;
use crate::tables::{context_speed, health, intake_daily, reach, routing_hourly, usage, users};

/// As it is written in the table's folder, word by word.
const HOURS_OF_USAGE: &str = include_str!("usage_hourly.sql");

fn rollup(table: TableId) -> Rollup {
    table.rollup().unwrap()
}

#[test]
fn every_table_is_a_log_or_a_level_of_one_family() {
    let families = [
        &usage::FAMILY,
        &health::FAMILY,
        &reach::APPS,
        &reach::COUNTRIES,
        &context_speed::FAMILY,
        &users::BY_WEEK,
        &users::OF_MODELS,
        &routing_hourly::FAMILY,
        &intake_daily::FAMILY,
    ];
    let levels: Vec<TableId> =
        families.iter().flat_map(|family| family.levels).map(|level| level.table).collect();
    for table in TableId::ALL {
        let times = levels.iter().filter(|level| **level == table).count();
        assert_eq!(times, usize::from(table.kind() != Kind::Log), "{}", table.name());
        assert_eq!(table.rollup().is_some(), table.kind() != Kind::Log, "{}", table.name());
    }
    let logs = ["attempts", "rejects", "label_cells", "imports"];
    assert_eq!(TableId::of(Kind::Log).map(TableId::name).collect::<Vec<_>>(), logs);
    assert_eq!(TableId::of(Kind::Recomputed).collect::<Vec<_>>(), [TableId::RoutingHourly]);
    assert_eq!(levels.len(), TableId::ALL.len() - 4);
}

#[test]
fn keys_and_measures_are_columns_once_each() {
    for rollup in TableId::ALL.into_iter().filter_map(TableId::rollup) {
        let schema = rollup.schema();
        let names: BTreeSet<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names.len(), schema.fields().len(), "{}", rollup.level.table.name());
        let order = rollup.order();
        assert_eq!(schema.fields().len(), order.len() + rollup.family.measures.len());
        for (at, field) in schema.fields().iter().enumerate() {
            let is_key = order.get(at) == Some(&field.name().as_str());
            assert_eq!(rollup.family.measure(field.name()).is_none(), is_key, "{field}");
        }
        assert_eq!(rollup.level.table.stats_columns(), rollup.level.time.as_slice());
    }
}

#[test]
fn schemas_have_the_types_that_are_stored() {
    let lines = |table: TableId, columns: &[usize]| {
        let schema = table.schema();
        let line = |at: &usize| {
            let field = schema.field(*at);
            let null = if field.is_nullable() { "?" } else { "" };
            format!("{}{null} {}", field.name(), field.data_type())
        };
        columns.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(TableId::UsageHourly, &[0, 1, 2, 5, 6, 9, 10, 11, 16, 34, 35]),
        [
            "date Date32",
            "hour Timestamp(µs, \"UTC\")",
            "model_id? Utf8",
            "provider_id? Utf8",
            "requests Int64",
            "requests_with_user Int64",
            "users? Binary",
            "input_tokens Int64",
            "cost_usd Decimal128(38, 9)",
            "context_over_10m Int64",
            "unserved_cost_usd? Decimal128(38, 9)",
        ]
    );
    assert_eq!(
        lines(TableId::HealthDaily, &[0, 1, 6, 7, 38, 39, 43]),
        [
            "date Date32",
            "model_id? Utf8",
            "region? Utf8",
            "attempts Int64",
            "output_tokens Int64",
            "ttft_ms? Binary",
            "overhead_us? Binary",
        ]
    );
    assert_eq!(
        lines(TableId::IntakeDaily, &[0, 1, 2]),
        ["date Date32", "source Utf8", "rows Int64"],
        "a source is always known"
    );
    let columns = TableId::ALL.map(|table| table.schema().fields().len());
    assert_eq!(columns[4..], [36, 35, 45, 45, 44, 13, 13, 9, 6, 5, 5, 12, 5]);
}

#[test]
fn partial_rows_are_merged_by_the_statement_that_was_reviewed() {
    assert_eq!(rollup(TableId::UsageHourly).merge(), HOURS_OF_USAGE);
    let days = HOURS_OF_USAGE.replace("    hour,\n", "").replace(" hour,", "");
    assert_eq!(rollup(TableId::UsageDaily).merge(), days);
    let health = rollup(TableId::Health5m).merge();
    assert!(health.contains("    bucket_at,\n    model_id,\n    author,\n"), "{health}");
    assert!(health.contains("    sum(fault_auth) AS fault_auth,\n"), "{health}");
    assert!(health.contains("    ddsketch_merge(overhead_us) AS overhead_us\nFROM part\n"), "{health}");
    assert!(health.contains("\nHAVING sum(attempts) > 0\n"), "{health}");
    assert_eq!(
        rollup(TableId::IntakeDaily).merge(),
        "SELECT\n    date,\n    source,\n    sum(rows) AS rows,\n    sum(rejects) AS rejects,\n    \
         sum(duplicates) AS duplicates\nFROM part\nGROUP BY date, source\nORDER BY date, source\n"
    );
    assert_eq!(
        rollup(TableId::UsersByWeek).merge(),
        "SELECT\n    date,\n    model_id,\n    author,\n    variant,\n    provider_id,\n    hll_merge(users) AS users\n\
         FROM part\nGROUP BY date, model_id, author, variant, provider_id\nHAVING count(users) > 0\n\
         ORDER BY date, model_id, author, variant, provider_id\n"
    );
    assert_eq!(
        rollup(TableId::RoutingHourly).as_they_stand(),
        "SELECT * FROM part ORDER BY date, hour, model_id, author\n"
    );
}

/// The struct of a family has the declared sums and nothing else, each under its own name.
#[track_caller]
fn adds_up<S: Sums>(family: &Family, ones: S) {
    let names = |measures: &[Measure]| measures.iter().map(|measure| measure.name).collect::<Vec<_>>();
    assert_eq!(names(S::MEASURES), names(family.measures));
    let mut twos = ones;
    twos.add(&ones);
    for measure in family.measures {
        let column = S::column(&[ones, twos], measure.name);
        match (measure.of, column) {
            (Value::Sum, Some(column)) => {
                let values = column.as_primitive::<Int64Type>();
                assert!(values.value(0) > 0 && values.value(1) == 2 * values.value(0), "{}", measure.name);
            }
            (Value::Money, Some(column)) => {
                let values = column.as_primitive::<Decimal128Type>();
                assert!(values.value(0) > 0 && values.value(1) == 2 * values.value(0), "{}", measure.name);
                assert_eq!(column.data_type(), &DataType::Decimal128(38, 9));
            }
            (Value::Hll | Value::DdSketch, None) => {}
            (of, column) => panic!("{}: {of:?} is {column:?}", measure.name),
        }
    }
    for key in family.keys {
        assert!(S::column(&[ones], key.name).is_none(), "{}", key.name);
    }
    assert!(!S::default().is_row());
}

#[test]
fn the_structs_have_exactly_the_declared_sums() {
    let usage = usage::Usage {
        requests: 1,
        gateway_cache_hits: 2,
        streamed_requests: 3,
        requests_with_user: 4,
        input_tokens: 5,
        cached_input_tokens: 6,
        cache_write_tokens: 7,
        output_tokens: 8,
        reasoning_tokens: 9,
        cost_usd: 10,
        unpriced_requests: 11,
        unpriced_tokens: 12,
        input_images: 13,
        input_audio: 14,
        input_video: 15,
        output_images: 16,
        tool_calls: 17,
        web_searches: 18,
        requests_image_in: 19,
        requests_image_out: 20,
        requests_audio_in: 21,
        requests_tool_call: 22,
        context_1k: 23,
        context_10k: 24,
        context_100k: 25,
        context_1m: 26,
        context_10m: 27,
        context_over_10m: 28,
        unserved_cost_usd: 29,
    };
    adds_up(&usage::FAMILY, usage);
    let of = |requests, cost_usd| usage::Usage { requests, cost_usd, ..usage }.is_row();
    assert_eq!([of(1, 0), of(0, 1), of(0, 0)], [true, true, false]);
    let routing = routing_hourly::Routing {
        all_requests: 1,
        attempts: 2,
        requests: 3,
        routed_ok: 4,
        first_ok: 5,
        requests_with_rate_limits: 6,
        routed_ok_with_rate_limits: 7,
        first_ok_with_rate_limits: 8,
    };
    adds_up(&routing_hourly::FAMILY, routing);
    let reach = reach::Reach {
        requests: 1,
        requests_with_user: 2,
        input_tokens: 3,
        output_tokens: 4,
        cost_usd: 5,
        unpriced_requests: 6,
        unpriced_tokens: 7,
    };
    adds_up(&context_speed::FAMILY, context_speed::ContextSpeed { attempts: 1 });
    adds_up(&users::OF_MODELS, users::UserModel { requests: 1 });
    adds_up(&reach::APPS, reach);
    adds_up(&reach::COUNTRIES, reach);
    let sums = health::FAMILY.measured(Value::Sum).count();
    assert_eq!(size_of::<health::Health>(), 8 * sums);
    for name in health::FAMILY.measured(Value::Sum) {
        let one = health::Health::column(&[health::Health::default()], name);
        assert_eq!(one.unwrap().as_primitive::<Int64Type>().values(), &[0], "{name}");
    }
}

#[test]
fn a_sum_that_would_overflow_ends_at_the_edge() {
    let mut sum = usage::Usage { requests: i64::MAX - 1, cost_usd: i128::MAX, ..Default::default() };
    sum.add(&usage::Usage { requests: 5, cost_usd: 5, ..Default::default() });
    assert_eq!((sum.requests, sum.cost_usd), (i64::MAX, i128::MAX));
}

#[test]
fn rows_are_kept_from_as_many_days_back_as_declared() {
    let today = "2026-11-25".parse().unwrap();
    let first = |table: TableId| rollup(table).level.first_kept(today);
    assert_eq!(first(TableId::Health5m).to_string(), "2026-11-17");
    assert_eq!(first(TableId::HealthHourly).to_string(), "2026-08-17");
    assert_eq!(first(TableId::UsageHourly).to_string(), "2026-08-17");
    assert_eq!(first(TableId::UsageDaily), NaiveDate::MIN);
}

#[test]
fn rows_of_weeks_and_months_lie_under_their_first_day() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    // A Sunday and the Monday after it, across a year.
    for (date, week, month) in [
        ("2026-01-04", "2025-12-29", "2026-01-01"),
        ("2026-01-05", "2026-01-05", "2026-01-01"),
        ("2026-03-31", "2026-03-30", "2026-03-01"),
    ] {
        assert_eq!(Grain::Week.date(day(date)), day(week));
        assert_eq!(Grain::Month.date(day(date)), day(month));
        assert_eq!(Grain::Hour.date(day(date)), day(date));
    }
    let last = |grain: Grain, date| grain.last_day(day(date)).to_string();
    assert_eq!(last(Grain::Week, "2025-12-29"), "2026-01-04");
    assert_eq!(last(Grain::Month, "2028-02-01"), "2028-02-29");
    assert_eq!(last(Grain::Day, "2026-01-04"), "2026-01-04");
    let long = TableId::ALL.into_iter().filter_map(TableId::rollup);
    let long = long.filter(|rollup| !rollup.level.grain.is_of_one_day());
    let tables: Vec<_> = long.map(|rollup| rollup.level.table).collect();
    assert_eq!(tables, [TableId::UsersByWeek, TableId::UserModelMonthly]);
}

#[test]
fn a_number_can_be_a_key() {
    let field = Key::number("user_key").field();
    assert_eq!((field.data_type(), field.is_nullable()), (&DataType::Int64, true));
}
