//! The loop against the SQL that says the same, over rows that take every turn. What single rows count for is
//! tested by hand in `fold`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{Field, Schema};
use bellwether_warehouse::tables::attempts::{AttemptRow, Builder};
use bellwether_warehouse::tables::rollup::{Family, Value};
use bellwether_warehouse::tables::{health, usage};
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use bellwether_warehouse::{TableId, session};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use crate::dates::{date_value, days_before};
use crate::rollups::{FROM_ATTEMPTS, merged};
use crate::statement::{Rows, Statement};
use crate::testing::at;

const REACH: Statement = Statement { name: "base/reach.sql", sql: include_str!("reach.sql") };
const CONTEXT_SPEED: Statement =
    Statement { name: "base/context_speed.sql", sql: include_str!("context_speed.sql") };
const USERS: Statement = Statement { name: "base/users.sql", sql: include_str!("users.sql") };
const ORACLE: Statement = Statement { name: "base/oracle.sql", sql: include_str!("oracle.sql") };

/// A number of its own for each (row, purpose), spread over all 64 bits.
fn draw(row: i64, purpose: u64) -> u64 {
    let mut z =
        (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93);
    z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z ^ (z >> 32)
}

fn pick<T: Copy>(row: i64, purpose: u64, from: &[T]) -> T {
    from[(draw(row, purpose) % from.len() as u64) as usize]
}

/// Over 130 days before `NOON_US`, so that every table has rows that another no longer keeps.
fn fill(builder: &mut Builder, row: i64) {
    let some = |purpose: u64, upto: u64| {
        (!draw(row, purpose).is_multiple_of(5)).then(|| (draw(row, purpose + 100) % upto) as i64)
    };
    let small = |purpose: u64, upto: u64| some(purpose, upto).map(|value| value as i32);
    let flag = |purpose: u64| pick(row, purpose, &[None, Some(false), Some(true)]);
    let days = pick(row, 1, &[0, 0, 1, 7, 8, 9, 99, 100, 101, 129]);
    let outcome = pick(
        row,
        2,
        &["ok", "ok", "ok", "fault", "rate_limited", "client_error", "cancelled", "gateway_error", "new one"],
    );
    let classes = [
        None,
        Some("auth"),
        Some("payment"),
        Some("not_found"),
        Some("timeout"),
        Some("connection"),
        Some("overloaded"),
        Some("server_error"),
        Some("stream_error"),
        Some("error_finish"),
        Some("bad_request"),
        Some("context_length"),
        Some("content_policy"),
        Some("too_large"),
        Some("geo"),
        Some("unsupported"),
        Some("another"),
    ];
    let model = pick(row, 3, &[None, Some("acme/one"), Some("acme/two"), Some("zeta/one")]);
    builder.push(&AttemptRow {
        started_at: NOON_US - days * DAY_US - (draw(row, 4) % (DAY_US as u64 / 3)) as i64,
        model_id: model,
        author: model.filter(|_| row % 4 > 0).and_then(|model| model.split_once('/')).map(|split| split.0),
        variant: pick(row, 5, &[Some("standard"), Some("free"), None]),
        provider_id: pick(row, 6, &[None, Some("north"), Some("south")]),
        endpoint_id: pick(row, 7, &[None, Some("a"), Some("b")]),
        region: pick(row, 8, &[None, Some("eu")]),
        streamed: flag(9),
        user_key: some(10, 300),
        input_tokens: pick(
            row,
            11,
            &[
                None,
                Some(0),
                Some(1_000),
                Some(1_001),
                Some(10_000),
                Some(100_000),
                Some(1_000_000),
                Some(10_000_000),
                Some(10_000_001),
            ],
        ),
        cached_input_tokens: some(12, 900),
        cache_write_tokens: some(13, 800),
        output_tokens: pick(row, 14, &[None, Some(0), Some(1), Some(19), Some(20), Some(777)]),
        reasoning_tokens: some(15, 50),
        input_images: small(16, 3),
        input_audio: small(17, 2),
        input_video: small(18, 2),
        output_images: small(19, 3),
        tool_calls: small(20, 4),
        tool_call_errors: small(21, 2),
        tools_offered: small(22, 3),
        web_searches: small(23, 3),
        structured_requested: flag(24),
        structured_valid: flag(25),
        cost_usd: some(26, 1_000_000_000).map(i128::from),
        overhead_us: small(27, 90_000),
        ttft_ms: pick(row, 28, &[None, Some(0), Some(250), Some(4_000)]),
        duration_ms: pick(row, 29, &[None, Some(0), Some(251), Some(4_000), Some(60_000)]),
        outcome,
        error_class: pick(row, 30, &classes),
        finish_reason: pick(row, 31, &[None, Some("stop"), Some("tool_calls"), Some("content_filter")]),
        refused: flag(32),
        billed_output_tokens: some(33, 500),
        app_id: pick(row, 35, &[None, Some("kilo"), Some("chat"), Some("mail")]),
        country: pick(row, 36, &[None, Some("DE"), Some("US")]),
        gateway_cache_hit: draw(row, 34).is_multiple_of(10),
        ..attempt("event")
    });
}

fn context(rows: i64) -> SessionContext {
    let mut builder = Builder::default();
    let mut batches = Vec::new();
    for row in 0..rows {
        fill(&mut builder, row);
        if builder.len() == 1_000 {
            batches.push(builder.finish());
        }
    }
    batches.push(builder.finish());
    let ctx = session::without_files(2);
    let table = MemTable::try_new(TableId::Attempts.schema(), vec![batches]).unwrap();
    ctx.register_table("attempts", Arc::new(table)).unwrap();
    ctx
}

/// The same rows under other dates: those of a column.
fn dated(rows: &Rows, by: &str) -> Rows {
    let names = rows.schema.fields().iter().map(|field| match field.name().as_str() {
        "date" => "day",
        name if name == by => "date",
        name => name,
    });
    let fields = names
        .zip(rows.schema.fields())
        .map(|(name, field)| Field::new(name, field.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batches = rows.batches.iter();
    let batches =
        batches.map(|batch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap());
    Rows { batches: batches.collect(), schema }
}

/// The oracle's columns of one family, under the names that tables have. `bucket`: what health calls `bucket_at`.
fn health_of(base: &Rows, bucket: &str) -> Rows {
    let rename = |name: &str| match name {
        "health_output_tokens" => "output_tokens".to_owned(),
        "output_tokens" => "usage_output_tokens".to_owned(),
        name if name == bucket => "bucket_at".to_owned(),
        "bucket_at" => "finest".to_owned(),
        name => name.to_owned(),
    };
    let fields = base.schema.fields().iter();
    let schema = Arc::new(Schema::new(
        fields
            .map(|field| Field::new(rename(field.name()), field.data_type().clone(), true))
            .collect::<Vec<_>>(),
    ));
    let batches = base.batches.iter();
    let batches = batches
        .map(|batch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap())
        .collect();
    Rows { schema, batches }
}

async fn since(ctx: &SessionContext, rows: &Rows, days: u64) -> Rows {
    const SINCE: Statement = Statement { name: "since", sql: "SELECT * FROM part WHERE date >= $1" };
    let table = MemTable::try_new(Arc::clone(&rows.schema), vec![rows.batches.clone()]).unwrap();
    ctx.deregister_table("part").unwrap();
    ctx.register_table("part", Arc::new(table)).unwrap();
    SINCE.run(ctx, vec![date_value(days_before(at("2026-11-25T12:00:00Z"), days))]).await.unwrap()
}

#[tokio::test]
async fn every_table_equals_what_the_sql_makes_of_the_same_attempts() {
    let now = at("2026-11-25T12:00:00Z");
    let ctx = context(20_000);
    let wanted: Vec<TableId> =
        FROM_ATTEMPTS.into_iter().flat_map(|family| family.levels).map(|level| level.table).collect();
    let derived = super::derive(&ctx, &wanted, now).await.unwrap().collect(&wanted).await.unwrap();

    let base = ORACLE.run(&ctx, vec![date_value(days_before(now, 8))]).await.unwrap();
    let merge = async |table: TableId, rows: &Rows| {
        merged(table.rollup().unwrap()).run_over(&ctx, rows).await.unwrap()
    };
    let usage_hourly = merge(TableId::UsageHourly, &base).await;
    let usage_daily = merge(TableId::UsageDaily, &usage_hourly).await;
    let fine = since(&ctx, &health_of(&base, "bucket_at"), 8).await;
    let health_5m = merge(TableId::Health5m, &fine).await;
    let health_hourly = merge(TableId::HealthHourly, &health_of(&base, "hour")).await;
    let health_daily = merge(TableId::HealthDaily, &health_hourly).await;
    let health_hourly = since(&ctx, &health_hourly, 100).await;
    let usage_hourly = since(&ctx, &usage_hourly, 100).await;

    let reach = REACH.run(&ctx, Vec::new()).await.unwrap();
    let app_daily = merge(TableId::AppDaily, &reach).await;
    let country_daily = merge(TableId::CountryDaily, &reach).await;

    let context_speed = CONTEXT_SPEED.run(&ctx, Vec::new()).await.unwrap();
    let context_speed = merge(TableId::ContextSpeedDaily, &since(&ctx, &context_speed, 42).await).await;
    let users = USERS.run(&ctx, Vec::new()).await.unwrap();
    let users_by_week = merge(TableId::UsersByWeek, &dated(&users, "week")).await;
    let user_model_daily = merge(TableId::UserModelDaily, &since(&ctx, &users, 40).await).await;
    let user_model_monthly = merge(TableId::UserModelMonthly, &dated(&users, "month")).await;

    let expected = [
        usage_hourly,
        usage_daily,
        health_5m,
        health_hourly,
        health_daily,
        app_daily,
        country_daily,
        context_speed,
        users_by_week,
        user_model_daily,
        user_model_monthly,
    ];
    assert_eq!(derived.iter().map(|derived| derived.0).collect::<Vec<_>>(), wanted);
    for ((table, derived), expected) in derived.into_iter().zip(expected) {
        let name = table.name();
        assert!(derived.batches.len() > 1, "{name}: a batch a date");
        let derived = concat_batches(&derived.schema, &derived.batches).unwrap();
        let expected = concat_batches(&expected.schema, &expected.batches).unwrap();
        assert!(expected.num_rows() > 50, "{name}");
        assert_eq!(derived.num_rows(), expected.num_rows(), "{name}");
        for field in derived.schema().fields() {
            let expected = expected.column_by_name(field.name()).unwrap();
            let expected = cast(expected, field.data_type()).unwrap();
            assert_eq!(derived.column_by_name(field.name()), Some(&expected), "{} of {name}", field.name());
        }
    }
}

/// What `base` takes for granted.
#[test]
fn the_names_of_usage_are_the_first_of_those_of_health_and_speeds_are_as_many_as_declared() {
    let names = |family: &Family| family.keys.iter().map(|key| key.name).collect::<Vec<_>>();
    assert!(names(&health::FAMILY).starts_with(&names(&usage::FAMILY)));
    assert_eq!(health::FAMILY.measured(Value::DdSketch).count(), super::measure::SPEEDS);
}

#[tokio::test]
async fn only_what_is_wanted_is_derived_and_nothing_from_no_attempts() {
    let now = at("2026-11-25T12:00:00Z");
    let wanted = [TableId::HealthDaily];
    let mut deriving = super::derive(&context(500), &wanted, now).await.unwrap();
    let mut dates = 0;
    while let Some(derived) = deriving.next().await.unwrap() {
        assert_eq!(derived.table, wanted[0]);
        dates += 1;
    }
    assert!(dates > 1);
    assert!(deriving.next().await.unwrap().is_none());
    let wanted = [TableId::UsageHourly, TableId::HealthDaily, TableId::IntakeDaily];
    let derived = super::derive(&context(0), &wanted, now).await.unwrap().collect(&wanted).await.unwrap();
    let rows: Vec<_> = derived.iter().map(|(table, rows)| (*table, rows.count())).collect();
    assert_eq!(rows, [(TableId::UsageHourly, 0), (TableId::HealthDaily, 0)], "intake is made of commits");
}
