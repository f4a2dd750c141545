//! What a member of a row may be: each kind of value with its form in files and its schema.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::data::{Change, Figure, State, Tally, Untold};

/// A count in 64 bits: decimal text in JSON, where numbers are often read as doubles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

/// 10⁻⁹ USD, written as decimal USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub u128);

/// Money, or only its size in whole USD where no more may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    Exact(Usd),
    Band(Tally),
}

/// A count or an amount of money, as the measure asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Count(Count),
    Usd(Usd),
}

/// The words `true` and `false`, as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth(pub bool);

/// A figure, or why it is not shown: null in files, which have the reason beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown(pub Figure<f64>);

impl Default for Shown {
    fn default() -> Self {
        Self(Err(Untold::default()))
    }
}

impl Shown {
    pub fn reason(&self) -> Option<Reason> {
        self.0.err().map(Reason::from)
    }
}

/// Why a figure is not shown, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NotEnough,
    Private,
    NoHistory,
    NotYet,
}

impl Reason {
    const ALL: [Self; 4] = [Self::NotEnough, Self::Private, Self::NoHistory, Self::NotYet];

    const fn word(self) -> &'static str {
        match self {
            Self::NotEnough => "not_enough",
            Self::Private => "private",
            Self::NoHistory => "no_history",
            Self::NotYet => "not_yet",
        }
    }
}

impl From<Untold> for Reason {
    fn from(why: Untold) -> Self {
        match why {
            // It asks for users alone.
            Untold::NotEnough(why) if why.needs == 0 => Self::Private,
            Untold::NotEnough(_) => Self::NotEnough,
            Untold::NotYet(_) => Self::NotYet,
        }
    }
}

/// Whether a row has a change, or why not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Growth {
    Known,
    New,
    NotEnough,
    HiddenBefore,
    NotYet,
    #[default]
    Unknown,
}

impl Growth {
    const ALL: [Self; 6] =
        [Self::Known, Self::New, Self::NotEnough, Self::HiddenBefore, Self::NotYet, Self::Unknown];

    const fn word(self) -> &'static str {
        match self {
            Self::Known => "ok",
            Self::New => "new",
            Self::NotEnough => "not_enough_data",
            Self::HiddenBefore => "hidden_before",
            Self::NotYet => "not_yet",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Change> for Growth {
    fn from(change: Change) -> Self {
        match change {
            Change::Ratio(_) => Self::Known,
            Change::New => Self::New,
            Change::NotEnough(_) => Self::NotEnough,
            Change::NotYet => Self::NotYet,
            Change::Unknown => Self::Unknown,
        }
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&decimal(self.0))
    }
}

impl Serialize for Spend {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exact(usd) => usd.serialize(serializer),
            Self::Band(tally) => tally.serialize(serializer),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => count.serialize(serializer),
            Self::Usd(usd) => usd.serialize(serializer),
        }
    }
}

impl Serialize for Truth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0 { "true" } else { "false" })
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Serialize for Growth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.ok().serialize(serializer)
    }
}

/// `1000+` and `<100` where only the size may be told.
impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exact(count) => serializer.collect_str(count),
            Self::Band(Some(least)) => serializer.collect_str(&format_args!("{least}+")),
            Self::Band(None) => serializer.serialize_str("<100"),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Decimal USD without superfluous zeros.
fn decimal(nano: u128) -> String {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
}

fn text(description: &str, pattern: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    schema.pattern(Some(pattern)).into()
}

fn words(description: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let schema = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    schema.enum_values(Some(words)).into()
}

macro_rules! schema {
    ($($type:ident as $name:literal: $schema:expr;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )+};
}

schema! {
    Count as "Count": text("A count as decimal text, which keeps all of its 64 bits.", "^[0-9]+$");
    Usd as "Usd": text("USD as decimal text, exact to 9 decimals.", r"^[0-9]+(\.[0-9]+)?$");
    Tally as "CountOrBand": text(
        "A count as decimal text; `1000+` (at least so many, a power of ten) or `<100` where only its size may be told.",
        r"^([0-9]+\+?|<100)$"
    );
    Spend as "UsdOrBand": OneOfBuilder::new()
        .description(Some("Money; only its size in whole USD where no more may be told."))
        .item(Usd::schema())
        .item(Tally::schema())
        .into();
    Amount as "Amount": OneOfBuilder::new()
        .description(Some("USD where the measure is spend, else a count."))
        .item(Count::schema())
        .item(Usd::schema())
        .into();
    Truth as "Truth": words("A truth value as text.", ["true", "false"]);
    Shown as "Figure": ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
        .description(Some("A number with up to nine significant digits; null where it is not told, for the reason in the member of its name, or its measure's, with `_reason`."))
        .into();
    Reason as "Reason": words("Why a figure is null. `not_enough`: there is too little of what it is made of, see `withheld`. `private`: too few users for it to be told. `no_history`: the history begins later. `not_yet`: nothing was counted yet, because its table, window or day is still to be published.", Reason::ALL.map(Reason::word));
    Growth as "GrowthState": words("`ok`, or why there is no growth. `new`: there was no request before. `not_enough_data`: one of the two windows has too few requests. `hidden_before`: on a day of the window before it could not be named. `not_yet`: the window before is still to be published. `unknown`: nothing is known of it.", Growth::ALL.map(Growth::word));
    State as "State": words("State by the 30 minutes before the newest complete five: from 95 % of counted attempts, from 80 %, below, or too few attempts.", State::ALL.map(State::word));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{NotEnough, NotYet};

    #[test]
    fn money_is_exact_decimal_text() {
        assert_eq!(decimal(0), "0");
        assert_eq!(decimal(1_500_000), "0.0015");
        assert_eq!(decimal(5_490_000_000_000_000), "5490000");
        assert_eq!(decimal(18_446_744_073_709_551_615), "18446744073.709551615");
        assert_eq!(decimal(19_999_999_980_000_000_000), "19999999980");
    }

    #[test]
    fn values_have_one_form_each() {
        let of = |value: &dyn erased::Value| value.json();
        assert_eq!(of(&Count(u64::MAX)), r#""18446744073709551615""#);
        assert_eq!(of(&Spend::Exact(Usd(25_000_000))), r#""0.025""#);
        assert_eq!(of(&Spend::Band(Tally::Band(Some(1_000)))), r#""1000+""#);
        assert_eq!(of(&Amount::Usd(Usd(7))), r#""0.000000007""#);
        assert_eq!(of(&Tally::Band(None)), r#""<100""#);
        assert_eq!(of(&Truth(false)), r#""false""#);
        assert_eq!(of(&Shown(Ok(0.125))), "0.125");
        assert_eq!(of(&Shown(Err(NotEnough::counts(3, 100).into()))), "null");
        assert_eq!(of(&State::NoData), r#""no_data""#);
        assert_eq!(of(&Growth::from(Change::NotYet)), r#""not_yet""#);
    }

    #[test]
    fn a_reason_is_one_word() {
        let word = |why: Untold| Shown(Err(why)).reason().map(Reason::word);
        assert_eq!(word(NotEnough::counts(3, 100).into()), Some("not_enough"));
        assert_eq!(word(NotEnough::labelled(30, 50).into()), Some("not_enough"));
        assert_eq!(word(NotEnough::users(20).into()), Some("private"));
        assert_eq!(word(NotYet::default().into()), Some("not_yet"));
        assert_eq!(Shown(Ok(1.0)).reason(), None);
    }

    mod erased {
        pub trait Value {
            fn json(&self) -> String;
        }

        impl<T: serde::Serialize> Value for T {
            fn json(&self) -> String {
                serde_json::to_string(self).unwrap()
            }
        }
    }
}
