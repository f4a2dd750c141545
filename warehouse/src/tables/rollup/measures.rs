//! The measures of a family, listed once: as data, and as a struct of those that add up.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array};

/// A column of counts.
pub(in crate::tables) fn counts(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// A column of money, from 10⁻⁹ USD.
pub(in crate::tables) fn money(values: impl Iterator<Item = i128>) -> Option<ArrayRef> {
    let values = Decimal128Array::from_iter_values(values);
    Some(Arc::new(values.with_precision_and_scale(38, 9).ok()?))
}

/// In the order of the columns: runs of sums, each followed by what stands before the next, and last the money that rows of
/// before do not know. The fields of the struct are named like their columns.
macro_rules! measures {
    (
        $(#[$doc:meta])* $name:ident, a row when $($row:ident)or+;
        $(
            sums $($sum:ident)+;
            $(money $($money:ident)+;)?
            $(hll $($hll:ident)+;)?
            $(ddsketch $($ddsketch:ident)+;)?
        )+
        $(added money $($added:ident)+;)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name {
            $(
                $(pub $sum: i64,)+
                $($(pub $money: i128,)+)?
            )+
            $($(pub $added: i128,)+)?
        }

        /// In the order of their columns.
        const MEASURES: &[$crate::tables::rollup::Measure] = {
            use $crate::tables::rollup::{Measure, Value};
            &[$(
                $(Measure::new(stringify!($sum), Value::Sum),)+
                $($(Measure::new(stringify!($money), Value::Money),)+)?
                $($(Measure::new(stringify!($hll), Value::Hll),)+)?
                $($(Measure::new(stringify!($ddsketch), Value::DdSketch),)+)?
            )+
            $($(Measure::added(stringify!($added), Value::Money),)+)?
            ]
        };

        const ROW_WHEN: &[&str] = &[$(stringify!($row)),+];

        impl $crate::tables::rollup::Sums for $name {
            const MEASURES: &'static [$crate::tables::rollup::Measure] = MEASURES;

            // Saturating: a log that claims absurd numbers must not stop the fold of all others.
            #[inline]
            fn add(&mut self, other: &Self) {
                $(
                    $(self.$sum = self.$sum.saturating_add(other.$sum);)+
                    $($(self.$money = self.$money.saturating_add(other.$money);)+)?
                )+
                $($(self.$added = self.$added.saturating_add(other.$added);)+)?
            }

            #[inline]
            fn is_row(&self) -> bool {
                $(self.$row > 0)||+
            }

            fn column(rows: &[Self], name: &str) -> Option<arrow::array::ArrayRef> {
                match name {
                    $(
                        $(stringify!($sum) => {
                            Some($crate::tables::rollup::counts(rows.iter().map(|row| row.$sum)))
                        })+
                        $($(stringify!($money) => {
                            $crate::tables::rollup::money(rows.iter().map(|row| row.$money))
                        })+)?
                    )+
                    $($(stringify!($added) => {
                        $crate::tables::rollup::money(rows.iter().map(|row| row.$added))
                    })+)?
                    _ => None,
                }
            }
        }
    };
}
pub(in crate::tables) use measures;
