//! Label epochs: the time within which a user has one key. Days are counted since 1970-01-01.

use crate::transaction::AppId;

/// Four ISO weeks.
const EPOCH_DAYS: i64 = 28;
/// Monday 1970-01-05: the first day of epoch 0.
const FIRST_MONDAY: i64 = 4;

/// The Monday of the ISO week that a day lies in.
pub fn week_of_day(day: i64) -> i64 {
    (day - FIRST_MONDAY).div_euclid(7) * 7 + FIRST_MONDAY
}

/// Number of the epoch that a day lies in.
pub fn epoch_of_day(day: i64) -> i64 {
    (day - FIRST_MONDAY).div_euclid(EPOCH_DAYS)
}

/// The day on which the next epoch begins.
pub fn first_day_after(epoch: i64) -> i64 {
    (epoch + 1) * EPOCH_DAYS + FIRST_MONDAY
}

/// Value: number of the newest epoch whose rows and keys were destroyed, and with it all before. Rows of such an
/// epoch are never added again: whoever commits rows expects the value by which it left out theirs.
pub fn destroyed_app() -> AppId {
    AppId("labels/destroyed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_hold_four_weeks_from_a_monday_on() {
        // 2026-11-25 is day 20,782; its epoch began on Monday 2026-11-23, day 20,780 = 742 × 28 + 4.
        assert_eq!(epoch_of_day(20_782), 742);
        let days = [20_779, 20_780, 20_807, 20_808];
        assert_eq!(days.map(epoch_of_day), [741, 742, 742, 743]);
        assert_eq!(first_day_after(742), 20_808);
        assert_eq!((epoch_of_day(3), epoch_of_day(4)), (-1, 0));
    }
}
