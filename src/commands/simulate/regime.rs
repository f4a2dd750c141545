//! Regimes as they are given on the command line, and records that are written later than their request.

use std::collections::BTreeMap;
use std::str::FromStr;

use bellwether_simulate::{Regime, RegimeKind};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// `NAME` or `NAME@day..day`, the last day exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    kind: RegimeKind,
    days: Option<(NaiveDate, NaiveDate)>,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, days)) = text.split_once('@') else {
            return Ok(Self { kind: text.parse()?, days: None });
        };
        let kind = name.parse()?;
        let wrong =
            || format!("`{days}` is no period; write NAME@2026-11-03..2026-11-05, the last day excluded");
        let (from, to) = days.split_once("..").ok_or_else(wrong)?;
        let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| wrong());
        let (from, to) = (day(from)?, day(to)?);
        if from >= to {
            return Err(wrong());
        }
        Ok(Self { kind, days: Some((from, to)) })
    }
}

impl Given {
    /// The regime over its days, or over everything that is written.
    pub fn over(&self, from_minute: i64, to_minute: i64) -> Regime {
        let minute = |day: NaiveDate| -> i64 {
            let midnight: DateTime<Utc> = day.and_time(NaiveTime::MIN).and_utc();
            midnight.timestamp().div_euclid(60)
        };
        let (from_minute, to_minute) =
            self.days.map_or((from_minute, to_minute), |(from, to)| (minute(from), minute(to)));
        Regime { kind: self.kind, from_minute, to_minute }
    }

    /// Whether it is about when and how often records are written, which a warehouse target does not do.
    pub fn is_of_records(&self) -> bool {
        matches!(self.kind, RegimeKind::Late | RegimeKind::Duplicates)
    }

    pub fn name(&self) -> &'static str {
        self.kind.name()
    }
}

/// A request id and the line to write.
pub type Record = (String, Vec<u8>);

/// Records by the minute in which they are due.
#[derive(Debug, Default)]
pub struct Later(BTreeMap<i64, Vec<Record>>);

impl Later {
    pub fn put(&mut self, minute: i64, record: Record) {
        self.0.entry(minute).or_default().push(record);
    }

    /// Takes what is due by a minute, in the order of the minutes.
    pub fn due(&mut self, minute: i64) -> Vec<Record> {
        let later = self.0.split_off(&minute.saturating_add(1));
        std::mem::replace(&mut self.0, later).into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regime_holds_over_its_days_or_over_all_that_is_written() {
        let given: Given = "outage@2026-11-03..2026-11-05".parse().unwrap();
        // 2026-11-03 is day 20,760 since the epoch.
        let over_days = Regime { kind: RegimeKind::Outage, from_minute: 29_894_400, to_minute: 29_897_280 };
        assert_eq!(given.over(1, 2), over_days);
        let given: Given = "late".parse().unwrap();
        assert_eq!(given.over(1, 2), Regime { kind: RegimeKind::Late, from_minute: 1, to_minute: 2 });
        assert!(given.is_of_records());
    }

    #[test]
    fn a_wrong_regime_says_what_there_is() {
        let error = |text: &str| text.parse::<Given>().unwrap_err();
        assert!(error("outrage").starts_with("no regime `outrage`; there are outage, slow, price-cut,"));
        for days in ["outage@2026-11-03", "outage@2026-11-05..2026-11-03", "outage@3..4"] {
            assert!(error(days).contains("NAME@2026-11-03..2026-11-05"), "{days}");
        }
    }

    #[test]
    fn records_come_when_they_are_due() {
        let record = |id: &str| (id.to_owned(), id.as_bytes().to_vec());
        let mut later = Later::default();
        later.put(7, record("c"));
        later.put(5, record("a"));
        later.put(5, record("b"));
        assert_eq!(later.due(4), []);
        assert_eq!(later.due(6), [record("a"), record("b")]);
        assert_eq!(later.due(i64::MAX), [record("c")]);
    }
}
