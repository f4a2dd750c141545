//! Which offsets of which logs a file of `attempts` holds: the tag `streams` of its `add`.
//!
//! Whoever looks for the newest rows of one log finds the files by it, without reading any. The tag bounds: every row
//! lies inside the span of its log, but not every offset of a span has rows. A file without the tag (an old one, one of
//! another tool, one of too many logs) may hold anything and must be read.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};

/// Name of the tag.
pub(crate) const TAG: &str = "streams";
/// Logs that a tag names; more would cost every handle of the table more memory than reading the file costs.
pub const MOST: usize = 64;

/// Offsets of one log in one file, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamSpan {
    /// What no other log has: the name of its application transaction.
    pub stream: String,
    pub first: i64,
    pub last: i64,
}

/// `[[stream, first, last], …]`, each stream once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamSpans(BTreeMap<String, (i64, i64)>);

impl StreamSpans {
    /// Of the value of a tag; None when it cannot be understood, which is as good as no tag.
    pub fn parse(tag: &str) -> Option<Self> {
        let mut spans = Self::default();
        for (stream, first, last) in serde_json::from_str::<Vec<(String, i64, i64)>>(tag).ok()? {
            spans.add(StreamSpan { stream, first, last });
        }
        Some(spans)
    }

    /// The value of the tag; None where there is nothing to tell or too much.
    pub fn print(&self) -> Option<String> {
        if self.0.is_empty() || self.0.len() > MOST {
            return None;
        }
        let spans: Vec<_> = self.0.iter().map(|(stream, (first, last))| (stream, first, last)).collect();
        serde_json::to_string(&spans).ok()
    }

    /// The tag of a file that holds the rows of all files with these tags. None when one of them may hold anything, or
    /// when together they hold too much.
    pub fn merge<'a>(tags: impl IntoIterator<Item = Option<&'a str>>) -> Option<String> {
        let mut merged = Self::default();
        for tag in tags {
            for span in Self::parse(tag?)?.iter() {
                merged.add(span);
            }
            // What has become too much stays too much.
            if merged.0.len() > MOST {
                return None;
            }
        }
        merged.print()
    }

    /// Widens the span of the stream, so that it covers this one too.
    pub fn add(&mut self, span: StreamSpan) {
        let StreamSpan { stream, first, last } = span;
        let known = self.0.entry(stream).or_insert((first, last));
        *known = (known.0.min(first), known.1.max(last));
    }

    /// First and last offset of one stream; None: the file holds nothing of it.
    pub fn of(&self, stream: &str) -> Option<(i64, i64)> {
        self.0.get(stream).copied()
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = StreamSpan> + '_ {
        self.0.iter().map(|(stream, (first, last))| {
            let (stream, first, last) = (stream.clone(), *first, *last);
            StreamSpan { stream, first, last }
        })
    }
}

/// Names of streams by what their rows say: `src_topic` and `src_partition`.
#[derive(Clone, Debug, Default)]
pub struct StreamNames(BTreeMap<String, BTreeMap<i32, String>>);

impl StreamNames {
    pub fn insert(&mut self, topic: &str, partition: i32, stream: String) {
        self.0.entry(topic.to_owned()).or_default().insert(partition, stream);
    }

    fn get(&self, topic: &str, partition: i32) -> Option<&str> {
        self.0.get(topic)?.get(&partition).map(String::as_str)
    }
}

/// Finds the spans of the rows of one file.
#[derive(Debug)]
pub(crate) struct Spans<'a> {
    names: &'a StreamNames,
    found: StreamSpans,
    /// A row is of a log that has no name here.
    is_unknown: bool,
}

impl<'a> Spans<'a> {
    pub(crate) fn new(names: &'a StreamNames) -> Self {
        Self { names, found: StreamSpans::default(), is_unknown: names.0.is_empty() }
    }

    pub(crate) fn add(&mut self, rows: &RecordBatch) {
        if !self.is_unknown {
            self.is_unknown = self.try_add(rows).is_none();
        }
    }

    /// None: a row is of an unknown log, or the rows say nothing of logs.
    fn try_add(&mut self, rows: &RecordBatch) -> Option<()> {
        let topics = rows.column_by_name("src_topic")?.as_string_opt::<i32>()?;
        let partitions = rows.column_by_name("src_partition")?.as_primitive_opt::<Int32Type>()?.values();
        let offsets = rows.column_by_name("src_offset")?.as_primitive_opt::<Int64Type>()?.values();
        let mut start = 0;
        // Rows of one log mostly stand together.
        while start < rows.num_rows() {
            let (topic, partition) = (topics.value(start), *partitions.get(start)?);
            let is_other =
                |row: &usize| topics.value(*row) != topic || partitions.get(*row) != Some(&partition);
            let end = (start..rows.num_rows()).find(is_other).unwrap_or(rows.num_rows());
            let run = offsets.get(start..end)?;
            let (first, last) = (*run.iter().min()?, *run.iter().max()?);
            let stream = self.names.get(topic, partition)?.to_owned();
            self.found.add(StreamSpan { stream, first, last });
            start = end;
        }
        Some(())
    }

    /// The value of the tag.
    pub(crate) fn finish(self) -> Option<String> {
        if self.is_unknown { None } else { self.found.print() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::attempts::AttemptRow;
    use crate::testing::{attempt, batch};

    fn tag(spans: &[(&str, i64, i64)]) -> String {
        serde_json::to_string(spans).unwrap()
    }

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        let text = r#"[["ingest/c/t/0/0",5,9],["spool \"x\"",0,0]]"#;
        let spans = StreamSpans::parse(text).unwrap();
        assert_eq!(spans.of("ingest/c/t/0/0"), Some((5, 9)));
        assert_eq!((spans.of("spool \"x\""), spans.of("ingest/c/t/0/1")), (Some((0, 0)), None));
        assert_eq!(spans.print().as_deref(), Some(text));
        for wrong in ["", "{}", "[[1,2,3]]", "[[\"a\",1]]", "[[\"a\",1,2,3]]", "null"] {
            assert_eq!(StreamSpans::parse(wrong), None, "{wrong}");
        }
        assert_eq!(StreamSpans::parse("[]").unwrap().print(), None);
    }

    #[test]
    fn merged_tags_cover_all_files_or_are_none() {
        let (one, two) = (tag(&[("a", 5, 9), ("b", 1, 2)]), tag(&[("a", 2, 6), ("c", 7, 7)]));
        let merged = StreamSpans::merge([Some(one.as_str()), Some(two.as_str())]);
        assert_eq!(merged, Some(tag(&[("a", 2, 9), ("b", 1, 2), ("c", 7, 7)])));
        assert_eq!(StreamSpans::merge([Some(one.as_str()), None]), None);
        assert_eq!(StreamSpans::merge([Some(one.as_str()), Some("?")]), None);
        assert_eq!(StreamSpans::merge([]), None);
    }

    #[test]
    fn a_tag_names_as_many_streams_as_it_may_and_no_more() {
        let tags: Vec<String> = (0..=MOST).map(|n| tag(&[(&format!("s{n:02}"), 0, 1)])).collect();
        let merged = |count: usize| StreamSpans::merge(tags[..count].iter().map(|tag| Some(tag.as_str())));
        assert_eq!(StreamSpans::parse(&merged(64).unwrap()).unwrap().iter().count(), 64);
        assert_eq!(merged(65), None);
    }

    #[test]
    fn rows_tell_the_spans_of_their_streams() {
        let mut names = StreamNames::default();
        names.insert("t", 0, "ingest/c/t/0/0".to_owned());
        names.insert("t", 1, "ingest/c/t/0/1".to_owned());
        let row = |src_topic, src_partition, src_offset| {
            let row = attempt("e");
            AttemptRow { src_topic, src_partition, src_offset, ..row }
        };
        let of = |batches: &[&[AttemptRow<'_>]]| {
            let mut spans = Spans::new(&names);
            batches.iter().for_each(|rows| spans.add(&batch(rows)));
            spans.finish()
        };
        let known = [row("t", 0, 7), row("t", 0, 3), row("t", 1, 1), row("t", 0, 5)];
        assert_eq!(
            of(&[&known, &[row("t", 0, 9)]]),
            Some(tag(&[("ingest/c/t/0/0", 3, 9), ("ingest/c/t/0/1", 1, 1)]))
        );
        assert_eq!(of(&[&known, &[row("t", 2, 9)]]), None);
        assert_eq!(of(&[&[row("other", 0, 9)], &known]), None);
        let none = StreamNames::default();
        let mut nameless = Spans::new(&none);
        nameless.add(&batch(&known));
        assert_eq!(nameless.finish(), None);
    }
}
