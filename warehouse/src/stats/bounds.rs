//! What a file's statistics say of single columns, for whoever picks or orders files without reading them.
//!
//! What it does not do: skip files in a scan, which goes by whole predicates and has its own form of the same.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::Json;
use crate::data_file::DataFile;

/// Lowest and highest values of the columns of one file. No value lies outside of them, but none need be equal to
/// them: long texts are cut.
#[derive(Debug, Default)]
pub struct Bounds {
    least: Map<String, Value>,
    most: Map<String, Value>,
}

/// Both ends included. None: nothing is known of that end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between<T> {
    pub least: Option<T>,
    pub most: Option<T>,
}

impl DataFile {
    /// A file without statistics, or with such that cannot be read, bounds nothing.
    pub fn bounds(&self) -> Bounds {
        let read = self.stats.as_deref().and_then(|text| serde_json::from_str::<Json>(text).ok());
        let Json { min_values, max_values, .. } = read.unwrap_or_default();
        Bounds { least: min_values, most: max_values }
    }
}

impl Bounds {
    pub fn number(&self, column: &str) -> Between<i64> {
        self.of(column, Value::as_i64)
    }

    /// A highest text that was cut ends in the last character there is if we wrote it; other writers may only have
    /// cut it, so then the values go on from it.
    pub fn text(&self, column: &str) -> Between<&str> {
        self.of(column, Value::as_str)
    }

    pub fn instant(&self, column: &str) -> Between<DateTime<Utc>> {
        self.of(column, |value| Some(DateTime::parse_from_rfc3339(value.as_str()?).ok()?.to_utc()))
    }

    pub fn date(&self, column: &str) -> Between<NaiveDate> {
        self.of(column, |value| value.as_str()?.parse().ok())
    }

    fn of<'a, T>(&'a self, column: &str, read: impl Fn(&'a Value) -> Option<T>) -> Between<T> {
        let end = |values: &'a Map<String, Value>| values.get(column).and_then(&read);
        Between { least: end(&self.least), most: end(&self.most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(stats: Option<&str>) -> DataFile {
        let (path, stats) = ("a.parquet".to_owned(), stats.map(str::to_owned));
        DataFile { path, size_bytes: 1, rows: 1, partition: Vec::new(), stats, streams: None }
    }

    fn unknown<T>() -> Between<T> {
        Between { least: None, most: None }
    }

    #[test]
    fn each_end_of_a_column_is_told_by_its_type() {
        let stats = r#"{"numRecords":3,
            "minValues":{"at":"2026-11-25T12:00:00.000001Z","n":-4,"name":"ab","half":1,"day":"2026-11-25"},
            "maxValues":{"at":"2026-11-25T14:30:00+01:00","n":9,"name":"b"},"nullCount":{"n":0}}"#;
        let bounds = file(Some(stats)).bounds();
        assert_eq!(bounds.number("n"), Between { least: Some(-4), most: Some(9) });
        assert_eq!(bounds.number("half"), Between { least: Some(1), most: None });
        assert_eq!(bounds.text("name"), Between { least: Some("ab"), most: Some("b") });
        let micros = |text: &str| text.parse::<DateTime<Utc>>().ok();
        let between =
            Between { least: micros("2026-11-25T12:00:00.000001Z"), most: micros("2026-11-25T13:30:00Z") };
        assert_eq!(bounds.instant("at"), between);
        assert_eq!(bounds.date("day"), Between { least: "2026-11-25".parse().ok(), most: None });
    }

    #[test]
    fn what_is_not_there_or_of_another_type_is_unknown() {
        let bounds =
            file(Some(r#"{"numRecords":1,"minValues":{"n":"x","at":7},"maxValues":{"n":1.5}}"#)).bounds();
        assert_eq!(bounds.number("n"), unknown());
        assert_eq!(bounds.instant("at"), unknown());
        assert_eq!(bounds.text("missing"), unknown());
        for stats in [None, Some(""), Some("{}"), Some(r#"{"numRecords":1}"#), Some("[]")] {
            let file = file(stats);
            assert_eq!(
                (file.bounds().number("n"), file.bounds().text("n")),
                (unknown(), unknown()),
                "{stats:?}"
            );
        }
    }
}
