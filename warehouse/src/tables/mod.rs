//! Every table of which this crate knows the columns, listed once, and those that others declare.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};

use declared::Declaration;
use rollup::{Family, Made, Rollup};

pub mod attempts;
pub mod context_speed;
pub mod declared;
pub mod health;
pub mod imports;
pub mod intake_daily;
pub mod label_cells;
pub mod reach;
pub mod rejects;
pub mod rollup;
pub mod routing_hourly;
mod rows;
pub mod usage;
pub mod users;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableId {
    Attempts,
    Rejects,
    LabelCells,
    Imports,
    UsageHourly,
    UsageDaily,
    Health5m,
    HealthHourly,
    HealthDaily,
    AppDaily,
    CountryDaily,
    ContextSpeedDaily,
    UsersByWeek,
    UserModelDaily,
    UserModelMonthly,
    RoutingHourly,
    IntakeDaily,
    /// One that another crate declares.
    Declared(&'static Declaration),
}

/// Where the rows of a table come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ingest adds them, as they come.
    Log,
    /// Every fold adds partial rows of the same commits to all of these tables.
    Folded,
    /// A job replaces whole dates.
    Recomputed,
    /// Final values, written by publication.
    Published,
}

impl TableId {
    /// All but those that others declare.
    pub const ALL: [Self; 17] = [
        Self::Attempts,
        Self::Rejects,
        Self::LabelCells,
        Self::Imports,
        Self::UsageHourly,
        Self::UsageDaily,
        Self::Health5m,
        Self::HealthHourly,
        Self::HealthDaily,
        Self::AppDaily,
        Self::CountryDaily,
        Self::ContextSpeedDaily,
        Self::UsersByWeek,
        Self::UserModelDaily,
        Self::UserModelMonthly,
        Self::RoutingHourly,
        Self::IntakeDaily,
    ];

    /// Folder and SQL name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Rejects => "rejects",
            Self::LabelCells => "label_cells",
            Self::Imports => "imports",
            Self::UsageHourly => "usage_hourly",
            Self::UsageDaily => "usage_daily",
            Self::Health5m => "health_5m",
            Self::HealthHourly => "health_hourly",
            Self::HealthDaily => "health_daily",
            Self::AppDaily => "app_daily",
            Self::CountryDaily => "country_daily",
            Self::ContextSpeedDaily => "context_speed_daily",
            Self::UsersByWeek => "users_by_week",
            Self::UserModelDaily => "user_model_daily",
            Self::UserModelMonthly => "user_model_monthly",
            Self::RoutingHourly => "routing_hourly",
            Self::IntakeDaily => "intake_daily",
            Self::Declared(table) => table.name,
        }
    }

    pub fn kind(self) -> Kind {
        match (self, self.family()) {
            (Self::Declared(_), _) => Kind::Published,
            (_, None) => Kind::Log,
            (_, Some(family)) => match family.made {
                Made::FromAttempts | Made::FromCommits => Kind::Folded,
                Made::Recomputed => Kind::Recomputed,
            },
        }
    }

    const fn family(self) -> Option<&'static Family> {
        match self {
            Self::Attempts | Self::Rejects | Self::LabelCells | Self::Imports | Self::Declared(_) => None,
            Self::UsageHourly | Self::UsageDaily => Some(&usage::FAMILY),
            Self::Health5m | Self::HealthHourly | Self::HealthDaily => Some(&health::FAMILY),
            Self::AppDaily => Some(&reach::APPS),
            Self::CountryDaily => Some(&reach::COUNTRIES),
            Self::ContextSpeedDaily => Some(&context_speed::FAMILY),
            Self::UsersByWeek => Some(&users::BY_WEEK),
            Self::UserModelDaily | Self::UserModelMonthly => Some(&users::OF_MODELS),
            Self::RoutingHourly => Some(&routing_hourly::FAMILY),
            Self::IntakeDaily => Some(&intake_daily::FAMILY),
        }
    }

    /// What the table is as a rollup, if it is one.
    pub fn rollup(self) -> Option<Rollup> {
        self.family()?.rollups().find(|rollup| rollup.level.table == self)
    }

    /// The tables of one kind, in the order in which tables are listed everywhere.
    pub fn of(kind: Kind) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |table| table.kind() == kind)
    }

    /// Logical schema, partition column included.
    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Attempts => attempts::schema(),
            Self::Rejects => rejects::schema(),
            Self::LabelCells => label_cells::schema(),
            Self::Imports => imports::schema(),
            Self::Declared(table) => table.schema(),
            _ => self.rollup().map_or_else(|| Arc::new(Schema::empty()), |rollup| rollup.schema()),
        }
    }

    /// Whether rows are made of other tables' rows, and can be made again.
    pub(crate) fn is_rollup(self) -> bool {
        self.kind() != Kind::Log
    }

    /// Columns whose minimum, maximum and null count go into the log, for skipping files. Partition columns
    /// need none, and Delta refuses them here.
    pub fn stats_columns(self) -> &'static [&'static str] {
        match self {
            Self::Attempts => attempts::STATS_COLUMNS,
            Self::Rejects => rejects::STATS_COLUMNS,
            Self::Imports => imports::STATS_COLUMNS,
            Self::Declared(table) => table.stats,
            _ => match self.rollup() {
                Some(rollup) => rollup.level.time.as_slice(),
                None => &[],
            },
        }
    }

    /// Columns whose values hardly ever repeat: stored without a dictionary.
    pub(crate) const fn unique_columns(self) -> &'static [&'static str] {
        match self {
            Self::Attempts => attempts::UNIQUE_COLUMNS,
            Self::Rejects => &["src_offset"],
            _ => &[],
        }
    }

    /// Whether rows have to be physically gone once they were removed: no time travel, no word of their files.
    pub const fn is_forgotten(self) -> bool {
        matches!(self, Self::LabelCells)
    }

    /// The partition column (a date), if any.
    pub const fn partition_column(self) -> Option<&'static str> {
        match self {
            Self::Attempts => Some("event_date"),
            Self::LabelCells => Some("week"),
            Self::Imports => None,
            Self::Declared(table) => table.partition,
            _ => Some("date"),
        }
    }
}

/// Every instant in every table: microseconds, UTC.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}
