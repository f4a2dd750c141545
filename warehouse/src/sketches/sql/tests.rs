use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch,
};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::groups::{Groups, Input};
use crate::sketches::ddsketch::{self, DdSketch};
use crate::sketches::hll::{self, Hll};

const GROUPS: i64 = 1_000;
const ROWS: i64 = 20_000;

/// (group, value or null, whether the filter lets it through) of one row.
fn row(row: i64) -> (i64, Option<i64>, bool) {
    (row * 7 % GROUPS, (row % 11 != 0).then_some(row * row % 5_003), row % 3 != 0)
}

async fn context() -> SessionContext {
    let ctx =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4).with_batch_size(512));
    super::register(&ctx);
    let batch = |rows: std::ops::Range<i64>| {
        let rows: Vec<_> = rows.map(row).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("g", Arc::new(rows.iter().map(|r| Some(r.0)).collect::<Int64Array>())),
            ("k", Arc::new(rows.iter().map(|r| r.1).collect::<Int64Array>())),
            ("v", Arc::new(rows.iter().map(|r| r.1.map(|v| v as f64 / 8.0)).collect::<Float64Array>())),
            ("keep", Arc::new(rows.iter().map(|r| Some(r.2)).collect::<BooleanArray>())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    };
    let partitions: Vec<Vec<RecordBatch>> =
        (0..4).map(|part| vec![batch(part * ROWS / 4..(part + 1) * ROWS / 4)]).collect();
    let table = MemTable::try_new(partitions[0][0].schema(), partitions).unwrap();
    ctx.register_table("t", Arc::new(table)).unwrap();
    ctx
}

async fn query(ctx: &SessionContext, sql: &str) -> RecordBatch {
    let frame = ctx.sql(sql).await.unwrap();
    let schema = Arc::clone(frame.schema().inner());
    let batches = frame.collect().await.unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn binary<'a>(batch: &'a RecordBatch, column: &str) -> Vec<Option<&'a [u8]>> {
    batch.column_by_name(column).unwrap().as_binary::<i32>().iter().collect()
}

/// What each group should hold, through the plain sketches.
fn expected(keep: impl Fn(&(i64, Option<i64>, bool)) -> bool) -> BTreeMap<i64, (DdSketch, Hll)> {
    let mut groups: BTreeMap<i64, (DdSketch, Hll)> = BTreeMap::new();
    for row in (0..ROWS).map(row) {
        let (values, keys) = groups.entry(row.0).or_default();
        if let (Some(value), true) = (row.1, keep(&row)) {
            values.add(value as f64 / 8.0);
            keys.add(value);
        }
    }
    groups
}

#[tokio::test]
async fn grouped_sketches_equal_plain_ones_with_nulls_and_filter() {
    let ctx = context().await;
    let found = query(
        &ctx,
        "SELECT g, ddsketch(v) AS d, hll(k) AS h, ddsketch(v) FILTER (WHERE keep) AS df,
                hll(k) FILTER (WHERE keep) AS hf
         FROM t GROUP BY g ORDER BY g",
    )
    .await;
    let (all, kept) = (expected(|_| true), expected(|row| row.2));
    assert_eq!(found.num_rows(), GROUPS as usize);
    assert!(kept.values().any(|sketches| sketches.0.count() < 15));
    let bytes = |groups: &BTreeMap<i64, (DdSketch, Hll)>, of: fn(&(DdSketch, Hll)) -> Vec<u8>| {
        groups.values().map(of).collect::<Vec<_>>()
    };
    for (column, expected) in [
        ("d", bytes(&all, |s| s.0.to_bytes())),
        ("h", bytes(&all, |s| s.1.to_bytes())),
        ("df", bytes(&kept, |s| s.0.to_bytes())),
        ("hf", bytes(&kept, |s| s.1.to_bytes())),
    ] {
        let expected: Vec<Option<&[u8]>> = expected.iter().map(|bytes| Some(bytes.as_slice())).collect();
        assert_eq!(binary(&found, column), expected, "{column}");
    }
}

#[tokio::test]
async fn merging_partial_sketches_gives_the_sketch_of_everything() {
    let ctx = context().await;
    let found = query(
        &ctx,
        "WITH part AS (SELECT g, k % 5 AS p, ddsketch(v) AS d, hll(k) AS h FROM t GROUP BY g, k % 5)
         SELECT g % 10 AS g, ddsketch_merge(d) AS d, hll_merge(h) AS h FROM part GROUP BY g % 10 ORDER BY 1",
    )
    .await;
    let direct =
        query(&ctx, "SELECT g % 10 AS g, ddsketch(v) AS d, hll(k) AS h FROM t GROUP BY g % 10 ORDER BY 1")
            .await;
    assert_eq!(found.num_rows(), 10);
    assert_eq!(binary(&found, "d"), binary(&direct, "d"));
    assert_eq!(binary(&found, "h"), binary(&direct, "h"));
    let whole = query(
        &ctx,
        "WITH part AS (SELECT ddsketch(v) AS d, hll(k) AS h FROM t GROUP BY g)
         SELECT ddsketch_merge(d) AS d, hll_merge(h) AS h FROM part
         UNION ALL SELECT ddsketch(v), hll(k) FROM t",
    )
    .await;
    assert_eq!(binary(&whole, "d")[0], binary(&whole, "d")[1]);
    assert_eq!(binary(&whole, "h")[0], binary(&whole, "h")[1]);
}

#[tokio::test]
async fn a_group_without_values_is_null_and_answers_null() {
    let ctx = context().await;
    let found = query(
        &ctx,
        "WITH s AS (
             SELECT 1 AS o, ddsketch(v) FILTER (WHERE v < 0) AS d, hll(k) FILTER (WHERE k < 0) AS h FROM t
             UNION ALL SELECT 2, ddsketch(v), hll(k) FROM t WHERE false
             UNION ALL (SELECT 3, ddsketch(v) FILTER (WHERE v < 0), hll(NULL) FROM t GROUP BY g LIMIT 1))
         SELECT d, h, ddsketch_count(d) AS n, ddsketch_quantile(d, 0.5) AS q, hll_estimate(h) AS e FROM s",
    )
    .await;
    assert_eq!(found.num_rows(), 3);
    for column in found.columns() {
        assert_eq!(column.null_count(), 3);
    }
}

#[tokio::test]
async fn questions_in_sql_are_answered() {
    let ctx = context().await;
    let found = query(
        &ctx,
        "SELECT ddsketch_count(ddsketch(column1)) AS n, ddsketch_quantile(ddsketch(column1), 0) AS low,
                ddsketch_quantile(ddsketch(column1), 0.5) AS mid, hll_estimate(hll(column1)) AS e
         FROM (VALUES (10), (200), (200), (3000), (NULL))",
    )
    .await;
    assert_eq!(found.column(0).as_primitive::<Int64Type>().value(0), 4);
    assert_eq!(found.column(1).as_primitive::<Float64Type>().value(0), 10.0);
    assert!((found.column(2).as_primitive::<Float64Type>().value(0) - 200.0).abs() <= 2.0);
    assert_eq!(found.column(3).as_primitive::<Int64Type>().value(0), 3);
}

#[tokio::test]
async fn a_summary_is_the_number_and_of_enough_values_what_each_rank_is_answered() {
    let ctx = context().await;
    let sql = "SELECT ddsketch_summary(s, least, make_array(0.1, 0.5, 0.99)) AS summary, ddsketch_count(s) AS n, least,
                      ddsketch_quantile(s, 0.1) AS p10, ddsketch_quantile(s, 0.5) AS p50, ddsketch_quantile(s, 0.99) AS p99
               FROM (SELECT s, ddsketch_count(s) + further AS least
                     FROM (SELECT g, ddsketch(v) FILTER (WHERE g % 10 > 0) AS s FROM t GROUP BY g)
                     CROSS JOIN (VALUES (-1), (0), (1)) AS others (further))";
    let found = query(&ctx, sql).await;
    let summaries = found.column(0).as_list::<i32>();
    let integer = |column: usize, row: usize| {
        let column = found.column(column).as_primitive::<Int64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    assert_eq!(found.num_rows(), 3_000);
    let (mut told, mut too_few) = (0, 0);
    for row in 0..found.num_rows() {
        let count = integer(1, row).unwrap_or(0);
        let summary = summaries.value(row);
        let (number, values) = summary.as_primitive::<Float64Type>().values().split_first().unwrap();
        assert_eq!(*number, count as f64);
        let is_enough = count > 0 && count >= integer(2, row).unwrap();
        if is_enough {
            let single = |at: usize| found.column(at).as_primitive::<Float64Type>().value(row);
            assert_eq!(values, [3, 4, 5].map(single));
        } else {
            assert_eq!(values, [0.0; 0]);
        }
        told += i32::from(is_enough);
        too_few += i32::from(count > 0 && !is_enough);
    }
    assert!(told > 0 && too_few > 0, "{told} and {too_few}");
}

#[tokio::test]
async fn bytes_that_are_no_sketch_are_an_error() {
    let ctx = context().await;
    for sql in [
        "SELECT ddsketch_merge(x'ff00')",
        "SELECT hll_merge(x'ff00')",
        "SELECT ddsketch_quantile(x'', 0.5)",
        "SELECT ddsketch_summary(x'ff00', 1, make_array(0.5))",
        "SELECT ddsketch_count(x'ff00')",
        "SELECT hll_estimate(x'0103')",
    ] {
        let error = ctx.sql(sql).await.unwrap().collect().await.unwrap_err().to_string().to_lowercase();
        assert!(error.contains("sketch"), "{sql}: {error}");
    }
}

#[test]
fn groups_emitted_in_pieces_keep_their_sketches() {
    fn check<L: crate::sketches::many::Ledger>(values: ArrayRef, single: impl Fn(i64) -> Vec<u8>) {
        let mut groups = Groups::<L>::new(Input::Values);
        groups.update_batch(&[Arc::clone(&values)], &[0, 1, 2, 3], None, 5).unwrap();
        let first = groups.evaluate(EmitTo::First(2)).unwrap();
        // What were groups 2, 3 and the empty 4 are now 0, 1 and 2.
        groups.update_batch(&[values], &[3, 3, 3, 3], None, 4).unwrap();
        let rest = groups.state(EmitTo::All).unwrap();
        let (first, rest) = (first.as_binary::<i32>(), rest[0].as_binary::<i32>());
        assert_eq!((first.len(), rest.len()), (2, 4));
        assert_eq!(
            [first.value(0), first.value(1), rest.value(0), rest.value(1)],
            [0, 1, 2, 3].map(&single).each_ref().map(Vec::as_slice)
        );
        assert!(rest.is_null(2) && rest.is_valid(3));
    }
    let keys = [5_i64, 60, 700, 8_000];
    check::<ddsketch::Ledger>(Arc::new(Float64Array::from_iter_values(keys.map(|key| key as f64))), |at| {
        let mut sketch = DdSketch::default();
        sketch.add(keys[at as usize] as f64);
        sketch.to_bytes()
    });
    check::<hll::FewOrMany>(Arc::new(Int64Array::from_iter_values(keys)), |at| {
        let mut sketch = Hll::default();
        sketch.add(keys[at as usize]);
        sketch.to_bytes()
    });
}

#[test]
fn rows_become_states_of_their_own() {
    let groups = Groups::<hll::FewOrMany>::new(Input::Values);
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let filter = BooleanArray::from(vec![Some(true), Some(true), None]);
    let state = groups.convert_to_state(&[keys], Some(&filter)).unwrap();
    let mut one = Hll::default();
    one.add(1);
    let expected = BinaryArray::from_iter([Some(one.to_bytes()), None, None]);
    assert_eq!(state[0].as_binary::<i32>(), &expected);
}

#[tokio::test]
async fn windows_of_days_hold_the_users_of_their_days() {
    let ctx = context().await;
    // In one phase, and in two, which hand their states on.
    for partitions in [1, 4] {
        let mut state = ctx.state();
        *state.config_mut() = ctx.copied_config().with_target_partitions(partitions);
        let ctx = SessionContext::new_with_state(state);
        let found = query(
            &ctx,
            "WITH days AS (
                 SELECT k % 2 AS name, CAST(CAST(g % 50 AS int) AS date) AS date, hll(k) AS users FROM t GROUP BY 1, 2
             ), windows AS (
                 SELECT name, hll_windows(
                     users, date, make_array(CAST(20 AS date), CAST(49 AS date), CAST(90 AS date)), make_array(1, 7), 2
                 ) AS windows FROM days GROUP BY name
             ), found AS (SELECT name, unnest(windows) AS found FROM windows)
             SELECT name, CAST(found['end_date'] AS bigint) AS end_day, found['window_days'] AS days, found['step'] AS step,
                    found['users'] AS users
             FROM found ORDER BY 1, 2, 3, 4",
        )
        .await;
        let column = |at: usize| found.column(at).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        let columns: Vec<_> = (0..5).map(column).collect();
        let found: Vec<_> =
            (0..found.num_rows()).map(|row| [0, 1, 2, 3, 4].map(|at| columns[at][row])).collect();
        let mut expected = Vec::new();
        for name in [Some(0), Some(1), None] {
            for end in [20, 49] {
                for days in [1, 7] {
                    for step in [0, 1] {
                        let last = end - step * days;
                        let mut all = Hll::default();
                        for (g, k, _) in (0..ROWS).map(row) {
                            if let (true, Some(k)) = ((last - days + 1..=last).contains(&(g % 50)), k)
                                && Some(k % 2) == name
                            {
                                all.add(k);
                            }
                        }
                        if all != Hll::default() {
                            let users = all.estimate().round() as i64;
                            expected.push([name, Some(end), Some(days), Some(step), Some(users)]);
                        }
                    }
                }
            }
        }
        assert_eq!(expected.len(), 16);
        assert_eq!(found, expected, "{partitions} partitions");
    }
    for sql in [
        "SELECT hll_windows(hll(k)) FROM t",
        "SELECT hll_windows(x'0103', DATE '2026-01-01', make_array(DATE '2026-01-01'), make_array(1), 1)",
    ] {
        let frame = ctx.sql(sql).await;
        let failed = match frame {
            Ok(frame) => frame.collect().await.is_err(),
            Err(_) => true,
        };
        assert!(failed, "{sql}");
    }
}
