//! Where rows of dates lie.

use std::collections::BTreeSet;

use bellwether_metrics::{History, Lane, METRICS, Metric};
use bellwether_warehouse::DataFile;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::NaiveDate;

use super::super::newest::crowd;
use super::super::place::{group_of, is_closed, pieces, runs, span_of};

#[test]
fn neighbours_are_computed_together_within_a_month_newest_first() {
    let dates =
        |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<NaiveDate>>();
    let days = dates(&["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-03"]);
    let texts: Vec<String> = runs(&days).iter().map(|(from, to)| format!("{from} {to}")).collect();
    assert_eq!(texts, ["2026-11-03 2026-11-03", "2026-11-01 2026-11-01", "2026-10-30 2026-10-31"]);
    assert!(runs(&BTreeSet::new()).is_empty());
}

#[test]
fn a_table_lies_by_month_by_date_or_as_a_whole() {
    const fn declared(
        name: &'static str,
        partition: Option<&'static str>,
        stats: &'static [&'static str],
    ) -> Declaration {
        const COLUMNS: &[Column] = &[
            Column::date("month", ""),
            Column::date("date", ""),
            Column::date("end_date", ""),
            Column::new("hour", Type::Instant, Unit::None, ""),
        ];
        Declaration {
            name,
            grain: "",
            meaning: "",
            audience: Audience::Everyone,
            partition,
            stats,
            columns: COLUMNS,
        }
    }
    static BY_MONTH: Declaration = declared("a", Some("month"), &["end_date", "hour"]);
    static OF_MONTHS: Declaration = declared("b", Some("month"), &[]);
    static BY_DATE: Declaration = declared("c", Some("date"), &["hour"]);
    static NOW: Declaration = declared("d", None, &[]);
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let (date, month, today) = (day("2026-10-20"), day("2026-10-01"), day("2026-11-25"));
    let file = |partition: Option<&str>| DataFile {
        path: String::new(),
        size_bytes: 1,
        rows: 1,
        partition: partition.map(|value| ("p".to_owned(), Some(value.to_owned()))).into_iter().collect(),
        stats: Some(
            r#"{"numRecords":1,"minValues":{"end_date":"2026-10-03"},"maxValues":{"end_date":"2026-10-09"}}"#
                .into(),
        ),
        streams: None,
    };
    let everything = (NaiveDate::MIN, NaiveDate::MAX);
    for (table, column, group, span) in [
        (&BY_MONTH, Some("end_date"), Some(month), (day("2026-10-03"), day("2026-10-09"))),
        (&OF_MONTHS, Some("month"), Some(month), (month, day("2026-10-31"))),
        (&BY_DATE, Some("date"), Some(date), (date, date)),
        (&NOW, None, None, everything),
    ] {
        let metric = Metric {
            table,
            history: History::Whole,
            lane: Lane::Slow,
            sql: "",
            inputs: &[],
            touched: |date| date..=date,
        };
        assert_eq!((metric.date_column(), group_of(&metric, date)), (column, group));
        let value = group.map(|group| group.to_string());
        assert_eq!(span_of(&metric, &file(value.as_deref())), span, "{}", table.name);
        assert!(is_closed(&metric, group, today));
        assert_eq!(is_closed(&metric, group_of(&metric, today), today), group.is_none());
    }
}

#[test]
fn days_of_few_rows_are_computed_together_and_months_by_themselves() {
    let days: BTreeSet<NaiveDate> =
        ["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-04"].map(|day| day.parse().unwrap()).into();
    let metric = |name: &str| METRICS.iter().find(|metric| metric.table.name == name).unwrap();
    let dates = |name: &str, rows: &[i64]| -> Vec<Vec<String>> {
        let rows = days.iter().copied().zip(rows.iter().copied()).collect();
        let pieces = pieces(metric(name), days.clone(), &rows);
        pieces.iter().map(|piece| piece.values().flatten().map(ToString::to_string).collect()).collect()
    };
    let (hourly, daily) = ("health_by_hour", "health_by_day");
    // Nothing is known of the last day.
    assert_eq!(
        dates(hourly, &[30_000, 30_001, 29_999]),
        vec![vec!["2026-11-01", "2026-11-02", "2026-11-04"], vec!["2026-10-31"]]
    );
    assert_eq!(dates(hourly, &[1, 1, 70_000, 1]).len(), 3);
    assert_eq!(dates(hourly, &[]).len(), 1);
    assert_eq!(dates(daily, &[]), vec![vec!["2026-11-01", "2026-11-02", "2026-11-04"], vec!["2026-10-31"]]);
}

#[test]
fn files_of_one_size_are_merged_when_there_are_many() {
    let file = |rows: i64| DataFile {
        path: String::new(),
        size_bytes: 1,
        rows,
        partition: Vec::new(),
        stats: None,
        streams: None,
    };
    let files = |sizes: &[(i64, usize)]| -> Vec<_> {
        sizes.iter().flat_map(|(rows, count)| std::iter::repeat_with(|| file(*rows)).take(*count)).collect()
    };
    assert!(crowd(&[]).is_empty());
    assert!(crowd(&files(&[(1, 63), (64, 63), (5_000, 9)])).is_empty());
    assert_eq!(crowd(&files(&[(1, 64), (65, 3)])).len(), 64);
    assert!(crowd(&files(&[(1, 2), (65, 64)])).iter().all(|file| file.rows == 65));
}
