//! What becomes of a date of a published table: it closes two hours after its end, is final a day later, and counts how often
//! its rows were replaced since it closed. Each row of `publications` says which dates it replaced and why, so that the log of
//! a date is in them, and a number that a row has and no publication tells of is still to be told.

use std::fmt;
use std::str::FromStr;

use bellwether_warehouse::tables::declared::{Column, Unit};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use datafusion::error::DataFusionError;

use crate::terms::CLOSES_AFTER;

/// Statements do not give it: what is published says how often it was.
pub const REVISION: Column = Column::count(
    "revision",
    Unit::Version,
    "How often the rows of the date were replaced since it closed: 0 at first. `revised` in `publications` says when and why.",
)
.null_when("It has not closed yet, two hours after its end.");

/// After its end a day is watched so long for rows that come late; what comes later still waits for the night.
const FINAL_AFTER: TimeDelta = TimeDelta::hours(26);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Open,
    /// Rows that come late are shown within minutes.
    Closed,
    /// Rows that come late are shown at night.
    Final,
}

impl Stage {
    /// Of rows whose last day this is.
    pub fn of(last_day: NaiveDate, watermark: DateTime<Utc>) -> Self {
        let has_passed = |after: TimeDelta| {
            let end = last_day.checked_add_days(Days::new(1)).and_then(|next| next.and_hms_opt(0, 0, 0));
            end.and_then(|end| end.and_utc().checked_add_signed(after)).is_some_and(|at| at <= watermark)
        };
        match (has_passed(CLOSES_AFTER), has_passed(FINAL_AFTER)) {
            (_, true) => Self::Final,
            (true, false) => Self::Closed,
            (false, false) => Self::Open,
        }
    }
}

/// Why rows of a closed date were replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Rows came after it had closed, or copies of rows were left out at night.
    LateRows,
    /// Thresholds, the profile, or the statements themselves.
    Terms,
    Catalogue,
    /// Raw names of attempts were read again, and are taken for others now.
    Remap,
}

impl Reason {
    const ALL: [Self; 4] = [Self::LateRows, Self::Terms, Self::Catalogue, Self::Remap];

    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LateRows => "late_rows",
            Self::Terms => "terms",
            Self::Catalogue => "catalogue",
            Self::Remap => "remap",
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LateRows => "rows that came late or twice",
            Self::Terms => "other terms of publication",
            Self::Catalogue => "another catalogue",
            Self::Remap => "logged names that were read again",
        }
    }
}

/// Neighbouring dates of a table that got one number for one reason. Both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    pub table: String,
    pub first: NaiveDate,
    pub last: NaiveDate,
    pub revision: i64,
    pub reason: Reason,
}

impl Revised {
    /// Dates in their order; those that follow each other by a day are told at once.
    pub fn join(table: &str, dates: impl IntoIterator<Item = (NaiveDate, i64)>, reason: Reason) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for (date, revision) in dates {
            match joined.last_mut() {
                Some(last) if last.revision == revision && last.last.succ_opt() == Some(date) => {
                    last.last = date
                }
                _ => joined.push(Self { table: table.to_owned(), first: date, last: date, revision, reason }),
            }
        }
        joined
    }
}

impl fmt::Display for Revised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, first, last, revision, reason } = self;
        write!(f, "{table} {first} {last} {revision} {}", reason.word())
    }
}

impl FromStr for Revised {
    type Err = DataFusionError;

    fn from_str(line: &str) -> Result<Self, DataFusionError> {
        let bad = || DataFusionError::Execution(format!("`{line}` in `revised` is no revision"));
        let parts: Vec<&str> = line.split(' ').collect();
        let [table, first, last, revision, reason] = parts.as_slice() else { return Err(bad()) };
        let reason = Reason::ALL.into_iter().find(|known| known.word() == *reason);
        Ok(Self {
            table: (*table).to_owned(),
            first: first.parse().map_err(|_| bad())?,
            last: last.parse().map_err(|_| bad())?,
            revision: revision.parse().map_err(|_| bad())?,
            reason: reason.ok_or_else(bad)?,
        })
    }
}

#[cfg(test)]
mod tests;
