//! Tables whose columns are data: names, types, units and meanings stand in one list, from which schema, documents and
//! descriptions follow. The lists are in the crate that computes the rows.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::timestamp;

/// One table. Two of one name are one table.
#[derive(Debug)]
pub struct Declaration {
    /// Folder and SQL name.
    pub name: &'static str,
    /// What one row is, in words.
    pub grain: &'static str,
    pub meaning: &'static str,
    pub audience: Audience,
    /// A date column, if rows lie apart by it.
    pub partition: Option<&'static str>,
    /// Columns whose minimum and maximum go into the log.
    pub stats: &'static [&'static str],
    pub columns: &'static [Column],
}

/// Who may read a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Holds public rows only.
    Everyone,
    /// Names what is not public.
    Operators,
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    pub of: Type,
    pub unit: Unit,
    /// What the value is, and how it is made where that is not plain.
    pub meaning: &'static str,
    /// When the value is null; None: never.
    pub null: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Flag,
    /// 64 bit.
    Integer,
    Real,
    /// Decimal with nine digits after the point.
    Money,
    Date,
    /// Microseconds, UTC.
    Instant,
}

/// One unit per measure everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Names, dates, flags.
    None,
    Tokens,
    Requests,
    Attempts,
    Users,
    Items,
    Usd,
    UsdPerMillionTokens,
    /// 0 to 1.
    Ratio,
    /// Difference of two ratios in hundredths.
    Points,
    Milliseconds,
    Microseconds,
    TokensPerSecond,
    /// 1 is the first.
    Rank,
    Rows,
    Days,
    /// Of a table's log.
    Version,
}

impl Column {
    /// A column that is never null.
    pub const fn new(name: &'static str, of: Type, unit: Unit, meaning: &'static str) -> Self {
        Self { name, of, unit, meaning, null: None }
    }

    pub const fn text(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Type::Text, Unit::None, meaning)
    }

    pub const fn date(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Type::Date, Unit::None, meaning)
    }

    /// A whole number of something.
    pub const fn count(name: &'static str, unit: Unit, meaning: &'static str) -> Self {
        Self::new(name, Type::Integer, unit, meaning)
    }

    pub const fn ratio(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Type::Real, Unit::Ratio, meaning)
    }

    /// The same, null in some rows.
    pub const fn null_when(self, when: &'static str) -> Self {
        Self { null: Some(when), ..self }
    }
}

impl Type {
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Flag => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Money => DataType::Decimal128(38, 9),
            Self::Date => DataType::Date32,
            Self::Instant => timestamp(),
        }
    }

    /// Word of SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "boolean",
            Self::Integer => "bigint",
            Self::Real => "double",
            Self::Money => "decimal(38,9)",
            Self::Date => "date",
            Self::Instant => "timestamp",
        }
    }
}

impl Unit {
    /// As readers write it; empty for what has none.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Attempts => "attempts",
            Self::Users => "users",
            Self::Items => "items",
            Self::Usd => "USD",
            Self::UsdPerMillionTokens => "USD per million tokens",
            Self::Ratio => "0–1",
            Self::Points => "percentage points",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::TokensPerSecond => "tokens/s",
            Self::Rank => "rank",
            Self::Rows => "rows",
            Self::Days => "days",
            Self::Version => "version",
        }
    }
}

impl Declaration {
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(column.name, column.of.data_type(), column.null.is_some());
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl PartialEq for Declaration {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Declaration {}

impl Hash for Declaration {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl PartialOrd for Declaration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Declaration {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}
