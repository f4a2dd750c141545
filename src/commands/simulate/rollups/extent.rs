//! How far back each table goes.

use bellwether_simulate::Size;
use bellwether_warehouse::TableId;
use chrono::{Days, NaiveDate};

/// Of ten times the endpoints: enough of each table for what pages show of it.
const TEN_TIMES_HOURS: u64 = 14;
const TEN_TIMES_FIVE_MINUTES: u64 = 2;

/// The days that are written, `end` included.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub size: Size,
    pub end: NaiveDate,
    pub days: u64,
}

impl Extent {
    pub fn new(size: Size, end: NaiveDate, days: u64) -> Self {
        Self { size, end, days }
    }

    pub fn first(self) -> NaiveDate {
        self.end.checked_sub_days(Days::new(self.days - 1)).unwrap_or(self.end)
    }

    pub fn dates(self) -> impl Iterator<Item = NaiveDate> {
        self.first().iter_days().take_while(move |date| *date <= self.end)
    }

    /// Whether a table has rows of a date.
    pub fn has(self, table: TableId, date: NaiveDate) -> bool {
        let kept = table.rollup().and_then(|rollup| rollup.level.keep_days);
        let days = match (self.size, table) {
            (Size::S10, TableId::Health5m) => Some(TEN_TIMES_FIVE_MINUTES),
            (Size::S10, TableId::UsageHourly | TableId::HealthHourly | TableId::RoutingHourly) => {
                Some(TEN_TIMES_HOURS)
            }
            _ => kept,
        };
        let back = self.end.signed_duration_since(date).num_days();
        days.is_none_or(|days| u64::try_from(back).is_ok_and(|back| back < days))
    }
}

#[cfg(test)]
mod tests {
    use bellwether_simulate::Size;
    use bellwether_warehouse::TableId;

    use super::Extent;

    #[test]
    fn each_table_goes_back_as_far_as_it_is_kept() {
        for (size, table, days) in [
            (Size::S1, TableId::Health5m, 8),
            (Size::S1, TableId::HealthHourly, 100),
            (Size::S1, TableId::UsageHourly, 100),
            (Size::S1, TableId::UsageDaily, 365),
            (Size::S1, TableId::RoutingHourly, 365),
            (Size::S10, TableId::Health5m, 2),
            (Size::S10, TableId::RoutingHourly, 14),
            (Size::S10, TableId::HealthDaily, 365),
        ] {
            let extent = Extent::new(size, "2026-11-25".parse().unwrap(), 365);
            assert_eq!(extent.first().to_string(), "2025-11-26");
            let dates: Vec<_> = extent.dates().filter(|date| extent.has(table, *date)).collect();
            assert_eq!(dates.len(), days, "{size:?} {table:?}");
            assert_eq!(dates.last().unwrap().to_string(), "2026-11-25");
        }
    }
}
