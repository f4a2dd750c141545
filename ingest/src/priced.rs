//! Prices of rows whose names were looked up again.

use bellwether_warehouse::tables::attempts::{AttemptRow, Outcome};

use crate::normalise::settle_cost;

/// What a row with other names costs. A zero that was taken for no price under the former ones does not come back: that it
/// was logged is not told.
pub fn again(row: &mut AttemptRow<'_>) {
    if let Some(outcome) = Outcome::parse(row.outcome) {
        settle_cost(row, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_of_a_variant_that_is_free_no_more_is_no_price() {
        let mut row = AttemptRow {
            variant: Some("standard"),
            outcome: "ok",
            input_tokens: Some(5),
            cost_usd: Some(0),
            price_source: Some("logged"),
            ..AttemptRow::default()
        };
        let free = AttemptRow { variant: Some("free"), ..row.clone() };
        again(&mut row);
        assert_eq!((row.cost_usd, row.price_source), (None, None));
        let mut kept = free.clone();
        again(&mut kept);
        assert_eq!(kept, free);
    }
}
