//! A rollup as data: its keys, what it measures, and the tables it is kept in.
//!
//! Whatever has to know the columns takes them from here: schemas, statistics, the statement that merges partial rows,
//! the order of rows, the struct of what adds up, drift. By hand stay what one attempt counts for and the SQL that the
//! tests hold that to: those two have to be able to disagree.

mod measures;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::{TableId, timestamp};
pub(super) use measures::{counts, measures, money};

/// Tables that differ in nothing but the length of their buckets and how long they keep them.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub made: Made,
    /// In the order of the columns, by which rows are sorted too.
    pub keys: &'static [Key],
    /// In the order of the columns.
    pub measures: &'static [Measure],
    /// Measures of which one at least is more than nothing in what is a row. None of them: everything is.
    pub row_when: &'static [&'static str],
    /// The finest first.
    pub levels: &'static [Level],
}

/// What rows are made of, and so what has to be done for new ones and what can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Partial rows that add up, of all such families in one pass.
    FromAttempts,
    /// Partial rows that add up, of what the commits to `attempts` say. Nothing can make them again once the log is
    /// cleaned up.
    FromCommits,
    /// Whole rows that do not add up: dates are computed from all their attempts and replaced.
    Recomputed,
}

/// A column that tells rows apart.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub of: KeyType,
    /// Unknown is a value of its own, and sorts last.
    pub is_nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    Text,
    /// 64 bit.
    Number,
}

/// A column whose values merge when rows do.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    pub name: &'static str,
    pub of: Value,
    /// Rows from before it was counted do not know it: null, and so is whatever is merged with one of them.
    pub is_nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// 64 bit.
    Sum,
    /// USD with nine digits after the point.
    Money,
    /// Bytes of a sketch of distinct users; null: of none.
    Hll,
    /// Bytes of a sketch of quantiles; null: of nothing.
    DdSketch,
}

/// One table of a family.
#[derive(Debug)]
pub struct Level {
    pub table: TableId,
    pub grain: Grain,
    /// Start of the bucket; None: the date says it.
    pub time: Option<&'static str>,
    /// Days before today whose rows are kept. None: for ever.
    pub keep_days: Option<u64>,
}

/// Length of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    FiveMinutes,
    Hour,
    Day,
    /// From Monday. Files lie under its date.
    Week,
    /// Files lie under the date of its first day.
    Month,
}

/// One table of a rollup.
#[derive(Clone, Copy, Debug)]
pub struct Rollup {
    pub family: &'static Family,
    pub level: &'static Level,
}

/// What adds up among the measures of a family, whatever it is a sum of.
pub trait Sums: Copy + Default {
    /// In the order of their columns.
    const MEASURES: &'static [Measure];

    fn add(&mut self, other: &Self);

    /// False for a bucket that is no row of the table.
    fn is_row(&self) -> bool;

    /// The column of that name. None: it is none of these sums.
    fn column(rows: &[Self], name: &str) -> Option<ArrayRef>;
}

impl Key {
    /// A name that may be unknown.
    pub const fn text(name: &'static str) -> Self {
        Self { name, of: KeyType::Text, is_nullable: true }
    }

    /// A number that may be unknown, as a user's key.
    pub const fn number(name: &'static str) -> Self {
        Self { name, of: KeyType::Number, is_nullable: true }
    }

    pub const fn never_null(self) -> Self {
        Self { is_nullable: false, ..self }
    }

    pub fn field(&self) -> Field {
        let data_type = match self.of {
            KeyType::Text => DataType::Utf8,
            KeyType::Number => DataType::Int64,
        };
        Field::new(self.name, data_type, self.is_nullable)
    }
}

impl Measure {
    pub const fn new(name: &'static str, of: Value) -> Self {
        Self { name, of, is_nullable: matches!(of, Value::Hll | Value::DdSketch) }
    }

    /// One that tables had no column for when their first rows were written.
    pub const fn added(name: &'static str, of: Value) -> Self {
        Self { name, of, is_nullable: true }
    }

    fn field(&self) -> Field {
        let data_type = match self.of {
            Value::Sum => DataType::Int64,
            Value::Money => DataType::Decimal128(38, 9),
            Value::Hll | Value::DdSketch => DataType::Binary,
        };
        Field::new(self.name, data_type, self.is_nullable)
    }

    fn merged(&self) -> String {
        let name = self.name;
        match self.of {
            Value::Sum | Value::Money if self.is_nullable => {
                format!("CASE WHEN count({name}) = count(*) THEN sum({name}) END AS {name}")
            }
            Value::Sum | Value::Money => format!("sum({name}) AS {name}"),
            Value::Hll => format!("hll_merge({name}) AS {name}"),
            Value::DdSketch => format!("ddsketch_merge({name}) AS {name}"),
        }
    }
}

impl Grain {
    /// None: more than a day.
    pub const fn minutes(self) -> Option<i64> {
        match self {
            Self::FiveMinutes => Some(5),
            Self::Hour => Some(60),
            Self::Day => Some(1_440),
            Self::Week | Self::Month => None,
        }
    }

    /// The date under which rows of a day lie.
    pub fn date(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::FiveMinutes | Self::Hour | Self::Day => day,
            Self::Week => day.week(Weekday::Mon).checked_first_day().unwrap_or(day),
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// The last day whose rows lie under a date.
    pub fn last_day(self, date: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::FiveMinutes | Self::Hour | Self::Day => return date,
            Self::Week => date.checked_add_days(Days::new(7)),
            Self::Month => date.checked_add_months(Months::new(1)),
        };
        next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX)
    }

    /// Whether all rows that are under a date are of that day.
    pub const fn is_of_one_day(self) -> bool {
        self.minutes().is_some()
    }
}

impl Level {
    /// First date that is kept on the day `today`.
    pub fn first_kept(&self, today: NaiveDate) -> NaiveDate {
        let first = |days| today.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN);
        self.keep_days.map_or(NaiveDate::MIN, first)
    }
}

impl Family {
    pub fn rollups(&'static self) -> impl Iterator<Item = Rollup> {
        self.levels.iter().map(move |level| Rollup { family: self, level })
    }

    /// None: the column is a key, or none at all.
    pub fn measure(&self, name: &str) -> Option<&'static Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// Names of the measures of one kind, in the order of their columns.
    pub fn measured(&self, of: Value) -> impl Iterator<Item = &'static str> {
        self.measures.iter().filter(move |measure| measure.of == of).map(|measure| measure.name)
    }
}

impl Rollup {
    pub fn schema(&self) -> SchemaRef {
        let mut fields = vec![Field::new("date", DataType::Date32, false)];
        fields.extend(self.level.time.map(|name| Field::new(name, timestamp(), false)));
        fields.extend(self.family.keys.iter().map(Key::field));
        fields.extend(self.family.measures.iter().map(Measure::field));
        Arc::new(Schema::new(fields))
    }

    /// All that tells rows apart, in the order by which they are sorted.
    pub fn order(&self) -> Vec<&'static str> {
        let keys = self.family.keys.iter().map(|key| key.name);
        ["date"].into_iter().chain(self.level.time).chain(keys).collect()
    }

    /// The statement that makes one row a key of the partial rows in the table `part`, sorted by key.
    pub fn merge(&self) -> String {
        let order = self.order();
        let keys = order.iter().map(ToString::to_string);
        let columns: Vec<String> = keys.chain(self.family.measures.iter().map(Measure::merged)).collect();
        let (columns, order) = (columns.join(",\n    "), order.join(", "));
        let is_more = |name: &&str| match self.family.measure(name).map(|measure| measure.of) {
            Some(Value::Hll | Value::DdSketch) => format!("count({name}) > 0"),
            _ => format!("sum({name}) > 0"),
        };
        let is_row: Vec<String> = self.family.row_when.iter().map(is_more).collect();
        let having = match is_row.is_empty() {
            true => String::new(),
            false => format!("HAVING {}\n", is_row.join(" OR ")),
        };
        format!("SELECT\n    {columns}\nFROM part\nGROUP BY {order}\n{having}ORDER BY {order}\n")
    }

    /// The statement that gives rows of the table `part` that are whole already, sorted by key.
    pub fn as_they_stand(&self) -> String {
        format!("SELECT * FROM part ORDER BY {}\n", self.order().join(", "))
    }
}
