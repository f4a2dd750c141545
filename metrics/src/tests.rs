//! What holds for all tables together.

mod invariance;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::tables::declared::Column;
use chrono::{Datelike, Days, NaiveDate};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::{Dialect, DuckDbDialect, PostgreSqlDialect};
use datafusion::sql::sqlparser::parser::Parser;

use crate::testing::{Cell, DIMENSIONS, Dice, Row, World, publish};
use crate::{
    METRICS, Metric, growth_by_month, health_by_day, health_by_window, rankings, routing_by_day,
    share_by_week, usage_by_day, users_by_window,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A table, first and last date of a period, its rows by dimension.
type Periods<'a> = BTreeMap<(&'static str, NaiveDate, NaiveDate), BTreeMap<&'a str, Vec<&'a Row>>>;

fn by_period<'a>(
    periods: &mut Periods<'a>,
    table: &'static str,
    rows: &'a [Row],
    of: impl Fn(&Row) -> (NaiveDate, NaiveDate),
) {
    for row in rows {
        let (first, last) = of(row);
        let dimensions = periods.entry((table, first, last)).or_default();
        dimensions.entry(row.text("dimension")).or_default().push(row);
    }
}

#[tokio::test]
async fn names_and_what_has_none_add_up_to_everything_in_ten_thousand_questions() {
    // What is hidden, unmapped and served by nobody is all there. Pairs add up where nobody asks for users.
    let mut kinds = add_up(20, &DIMENSIONS[..5]).await;
    assert_eq!(kinds, BTreeSet::from(["hidden", "key", "none", "total", "unmapped"].map(str::to_owned)));
    kinds.remove("hidden");
    assert_eq!(add_up(0, &DIMENSIONS).await, kinds);
}

/// Asks five thousand questions; kinds of rows that were met.
async fn add_up(users: u32, dimensions: &[&'static str]) -> BTreeSet<String> {
    let mut world = World::new(77, day("2026-08-12"), 90, day("2026-11-10"));
    world.terms.users = users;
    world.terms.has_raw_names = true;
    let ctx = world.session().await;
    let days = publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    let (from, to) = (day("2026-10-01"), world.last);
    publish(&ctx, &users_by_window::METRIC, from, to).await;
    let ranked = publish(&ctx, &rankings::METRIC, from, to).await;
    let weeks = publish(&ctx, &share_by_week::METRIC, day("2026-08-10"), to).await;
    let months = publish(&ctx, &growth_by_month::METRIC, day("2026-08-01"), to).await;
    let mut periods = Periods::new();
    by_period(&mut periods, "usage_by_day", &days, |row| (row.date("date"), row.date("date")));
    by_period(&mut periods, "rankings", &ranked, |row| {
        let days = u64::try_from(row.whole("window_days").unwrap()).unwrap();
        (row.date("end_date") - Days::new(days - 1), row.date("end_date"))
    });
    by_period(&mut periods, "share_by_week", &weeks, |row| {
        (row.date("week_start"), row.date("week_start") + Days::new(6))
    });
    by_period(&mut periods, "growth_by_month", &months, |row| {
        let first = row.date("month");
        (first, (first + Days::new(31)).with_day(1).unwrap() - Days::new(1))
    });
    let all: Vec<_> = periods.keys().copied().collect();
    let tables: BTreeSet<_> = all.iter().map(|period| period.0).collect();
    assert_eq!(tables.len(), 4);
    let counts: Vec<&str> =
        world.cells[0].counts.keys().map(String::as_str).chain(["tokens", "spend_usd"]).collect();
    let (mut dice, mut kinds) = (Dice(4), BTreeSet::new());
    for _ in 0..5_000 {
        let table = dice.of(&["usage_by_day", "rankings", "share_by_week", "growth_by_month"]);
        let of_table: Vec<_> = all.iter().filter(|period| period.0 == table).copied().collect();
        let period @ (_, first, last) = dice.of(&of_table);
        let measures =
            if table == "usage_by_day" { counts.as_slice() } else { &["tokens", "requests", "spend_usd"] };
        let (measure, dimension) = (dice.of(measures), dice.of(dimensions));
        let rows = &periods[&period][dimension];
        // Unknown spend is no part of the sum: nothing was charged.
        let found: i128 = rows.iter().map(|row| row.whole(measure).unwrap_or(0)).sum();
        let of_cells = |cell: &Cell| {
            if measure == "spend_usd" { cell.cost } else { i128::from(cell.count(measure)) }
        };
        let cells = world.cells.iter().filter(|cell| (first..=last).contains(&cell.date));
        let expected: i128 = cells.map(of_cells).sum();
        assert_eq!(found, expected, "{measure} by {dimension} in {table}, {first} to {last}");
        kinds.extend(rows.iter().map(|row| row.text("kind").to_owned()));
    }
    kinds
}

#[test]
fn nothing_published_is_made_of_rows_of_single_users() {
    use bellwether_warehouse::TableId;
    let of_users = TableId::ALL.into_iter().filter_map(TableId::rollup);
    let of_users = of_users.filter(|rollup| rollup.family.keys.iter().any(|key| key.name == "user_key"));
    let tables: Vec<TableId> = of_users.map(|rollup| rollup.level.table).collect();
    assert_eq!(tables, [TableId::UserModelDaily, TableId::UserModelMonthly]);
    for table in tables {
        for metric in METRICS {
            assert!(
                !metric.inputs.contains(&table) && !metric.sql.contains(table.name()),
                "{}",
                metric.table.name
            );
        }
        assert!(crate::views::VIEWS.iter().all(|(_, sql, _)| !sql.contains(table.name())));
    }
}

/// Words that PostgreSQL or DuckDB take for their own in the place of a column.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "deferrable",
    "desc",
    "describe",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lambda",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "pivot",
    "placing",
    "primary",
    "qualify",
    "references",
    "returning",
    "select",
    "show",
    "some",
    "summarize",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "unpivot",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

#[tokio::test]
async fn no_name_needs_quotes_in_any_engine() {
    let ctx = SessionContext::new();
    for metric in METRICS {
        let table = metric.table;
        ctx.register_batch(table.name, arrow::array::RecordBatch::new_empty(table.schema())).unwrap();
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        for name in columns.iter().chain([&table.name]) {
            assert!(!RESERVED.contains(name), "{name} is a reserved word");
            assert!(name.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_')), "{name}");
        }
        let unique: BTreeSet<_> = columns.iter().collect();
        assert_eq!(unique.len(), columns.len(), "{}", table.name);
        // As columns, as aliases, as a table's alias.
        let aliases: Vec<String> = columns.iter().map(|name| format!("1 AS {name}")).collect();
        let list = columns.join(", ");
        let statements = [
            format!("SELECT {list} FROM {} GROUP BY {list} ORDER BY {list}", table.name),
            format!("SELECT {}", aliases.join(", ")),
        ];
        for statement in &statements {
            for dialect in [&PostgreSqlDialect {} as &dyn Dialect, &DuckDbDialect {}] {
                Parser::parse_sql(dialect, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
            let found = ctx.sql(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            let names: Vec<_> = found.schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, columns);
        }
    }
}

#[test]
fn every_column_that_can_be_withheld_is_told_why() {
    for metric in [
        usage_by_day::METRIC,
        users_by_window::METRIC,
        rankings::METRIC,
        share_by_week::METRIC,
        growth_by_month::METRIC,
    ] {
        let table = metric.table;
        for column in table.columns {
            assert!(column.meaning.ends_with('.'), "{} of {}", column.name, table.name);
            if let Some(value) = column.name.strip_suffix("_reason") {
                // One reason for all percentiles of a measure.
                let is_meant = |name: &str| {
                    let rest = name.strip_prefix(value);
                    rest.is_some_and(|rest| matches!(rest, "" | "_usd") || rest.starts_with("_p"))
                };
                let mut withheld = table.columns.iter().filter(|column| is_meant(column.name)).peekable();
                assert!(withheld.peek().is_some(), "{} of {}", column.name, table.name);
                // A state has a word of its own for none.
                let may_be_none = |column: &Column| column.null.is_some() || column.name == "state";
                assert!(withheld.all(may_be_none), "{} of {}", column.name, table.name);
            }
        }
        let partition = table.partition.and_then(|name| table.column(name));
        assert!(partition.is_some_and(|column| column.null.is_none()), "{}", table.name);
    }
}

#[test]
fn a_table_begins_as_far_back_as_its_history_says_and_keeps_what_it_may_hold() {
    // The newest closed day is a Tuesday.
    let today = day("2026-11-25");
    let of =
        |metric: &Metric, date: &str| (metric.begins_by(day(date), today), metric.keeps(day(date), today));
    assert_eq!(of(&usage_by_day::METRIC, "2025-01-01"), (true, true));
    assert_eq!(of(&rankings::METRIC, "2026-10-20"), (false, true));
    assert_eq!(of(&rankings::METRIC, "2026-10-21"), (true, true));
    // Half a year of bars.
    for shown in [health_by_day::METRIC, routing_by_day::METRIC] {
        assert_eq!(of(&shown, "2026-05-18"), (false, true));
        assert_eq!(of(&shown, "2026-05-19"), (true, true));
    }
    // Sundays and the newest closed day; a Sunday of before stays where it stands.
    assert_eq!(of(&health_by_window::METRIC, "2026-11-24"), (true, true));
    assert_eq!(of(&health_by_window::METRIC, "2026-11-23"), (false, false));
    assert_eq!(of(&health_by_window::METRIC, "2026-11-22"), (true, true));
    assert_eq!(of(&health_by_window::METRIC, "2026-10-18"), (false, true));
}

#[tokio::test]
async fn a_day_closes_two_hours_after_its_end_and_before_the_first_one_does_windows_end_with_today() {
    let today = day("2026-11-25");
    for (first, watermark, expected) in [
        // Nothing has closed: one end date.
        ("2026-11-25", "2026-11-25T12:00:00Z", "2026-11-25 2026-11-25 true"),
        ("2026-11-24", "2026-11-25T01:59:59Z", "2026-11-25 2026-11-25 true"),
        ("2026-11-24", "2026-11-25T02:00:00Z", "2026-11-24 2026-11-24 false"),
        ("2026-11-23", "2026-11-25T01:59:59Z", "2026-11-23 2026-11-23 false"),
        ("2026-11-23", "2026-11-25T02:00:00Z", "2026-11-23 2026-11-24 false"),
        // A clock that runs ahead.
        ("2026-11-26", "2026-11-25T12:00:00Z", "null null null"),
    ] {
        let mut world = World::new(1, day(first), 1, today);
        world.terms.watermark = watermark.parse().unwrap();
        let ctx = world.session().await;
        let sql = "SELECT CAST(min(end_date) AS date) AS a, CAST(max(end_date) AS date) AS b, bool_or(is_partial) AS c FROM periods \
                   WHERE window_days = 1";
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        let cells = batches[0].columns().iter().map(|column| match column.is_null(0) {
            true => "null".to_owned(),
            false => arrow::util::display::array_value_to_string(column, 0).unwrap(),
        });
        assert_eq!(cells.collect::<Vec<_>>().join(" "), expected, "{first} {watermark}");
    }
}
