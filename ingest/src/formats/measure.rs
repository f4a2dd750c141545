//! Numbers of a request with a bound: beyond it they are unknown and counted, and the request stays. So are
//! diagnostic numbers that are none; wrong tokens and costs refuse their record.

use std::marker::PhantomData;

use serde::de::MapAccess;

use super::decimal;
use super::scalar::{FromScalar, Problem, Scalar, decimal_of, next, problem_of, require_whole};
use crate::event::Flaws;

/// Seven days: no call lasts longer.
pub(crate) const MAX_MILLIS: i32 = 7 * 86_400_000;

/// What a number counts, in which unit, and how much of it a request may have.
pub(crate) trait Kind {
    type Value: TryFrom<i128>;
    const EXPECTED: &'static str = "a number";
    /// Values are kept times ten to the power of this, rounded half up.
    const SCALE: i32 = 0;
    const MAX: i128;
    const IS_WHOLE: bool = false;
    /// Tells how a call went, not what it used.
    const IS_DIAGNOSTIC: bool = true;
}

/// Tokens: at most 10⁹.
pub(crate) enum Tokens {}

impl Kind for Tokens {
    type Value = i64;
    const EXPECTED: &'static str = "a whole number";
    const MAX: i128 = 1_000_000_000;
    const IS_WHOLE: bool = true;
    const IS_DIAGNOSTIC: bool = false;
}

/// 10⁶ USD, in 10⁻⁹ USD: no call costs more.
pub(crate) const MAX_COST: i128 = 1_000_000_000_000_000;

/// US dollars in 10⁻⁹ USD.
pub(crate) enum Cost {}

impl Kind for Cost {
    type Value = i128;
    const SCALE: i32 = 9;
    const MAX: i128 = MAX_COST;
    const IS_DIAGNOSTIC: bool = false;
}

pub(crate) enum Millis {}

impl Kind for Millis {
    type Value = i32;
    const MAX: i128 = MAX_MILLIS as i128;
}

pub(crate) enum Micros {}

impl Kind for Micros {
    type Value = i32;
    const MAX: i128 = i32::MAX as i128;
}

/// Milliseconds, kept as µs.
pub(crate) enum MillisAsMicros {}

impl Kind for MillisAsMicros {
    type Value = i32;
    const SCALE: i32 = 3;
    const MAX: i128 = i32::MAX as i128;
}

/// Parts, tools, calls.
pub(crate) enum Items {}

impl Kind for Items {
    type Value = i32;
    const EXPECTED: &'static str = "a whole number";
    const MAX: i128 = i32::MAX as i128;
    const IS_WHOLE: bool = true;
}

/// A number of one kind. None: unknown, or left so for a flaw.
pub(crate) struct Measure<K: Kind> {
    value: Option<K::Value>,
    flaws: Flaws,
    kind: PhantomData<K>,
}

impl<K: Kind> Measure<K> {
    fn new(value: Option<K::Value>, flaws: Flaws) -> Self {
        Self { value, flaws, kind: PhantomData }
    }
}

impl<'a, K: Kind> FromScalar<'a> for Measure<K> {
    const EXPECTED: &'static str = K::EXPECTED;

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        let absurd = || Self::new(None, Flaws { absurd: 1, ..Flaws::default() });
        let diagnostic = || Self::new(None, Flaws { diagnostics: 1, ..Flaws::default() });
        let value = match decimal_of(&scalar, K::SCALE, K::EXPECTED)? {
            Ok(Some(value)) if value > K::MAX => return Ok(absurd()),
            Err(decimal::Error::TooLarge) => return Ok(absurd()),
            Ok(value) => value,
            Err(_) if K::IS_DIAGNOSTIC => return Ok(diagnostic()),
            Err(error) => return Err(problem_of(error, &scalar)),
        };
        if K::IS_WHOLE
            && let Err(problem) = require_whole(&scalar)
        {
            return if K::IS_DIAGNOSTIC { Ok(diagnostic()) } else { Err(problem) };
        }
        match value.map(K::Value::try_from).transpose() {
            Ok(value) => Ok(Self::new(value, Flaws::default())),
            Err(_) => Ok(absurd()),
        }
    }
}

/// Reads the next value of a map; its flaw is counted.
pub(crate) fn take<'de, K, A>(map: &mut A, flaws: &mut Flaws) -> Result<Option<K::Value>, A::Error>
where
    K: Kind,
    A: MapAccess<'de>,
{
    let measure = next::<Measure<K>, A>(map)?;
    flaws.add(measure.flaws);
    Ok(measure.value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::formats::scalar::read;

    fn of<K: Kind>(value: &Value) -> Result<(Option<K::Value>, u32, u32), String> {
        match read::<Measure<K>>(value) {
            Ok(measure) => Ok((measure.value, measure.flaws.absurd, measure.flaws.diagnostics)),
            Err(problem) => Err(problem.text),
        }
    }

    #[test]
    fn numbers_up_to_the_bound_are_kept_and_those_beyond_are_absurd() {
        let absurd = Ok((None, 1, 0));
        assert_eq!(of::<Tokens>(&json!(1_000_000_000)), Ok((Some(1_000_000_000), 0, 0)));
        for more in [json!(1_000_000_001), json!("1e30"), json!(1e300), json!(u64::MAX), json!("1e999999999")]
        {
            assert_eq!(of::<Tokens>(&more), absurd, "{more}");
        }
        assert_eq!(of::<Cost>(&json!("1000000")), Ok((Some(1_000_000_000_000_000), 0, 0)));
        assert_eq!(of::<Cost>(&json!("1000000.000000001")).unwrap().1, 1);
        assert_eq!(of::<Millis>(&json!(604_800_000.4)), Ok((Some(604_800_000), 0, 0)));
        assert_eq!(of::<Millis>(&json!(604_800_000.5)), Ok((None, 1, 0)));
        assert_eq!(of::<MillisAsMicros>(&json!("2147483.647")), Ok((Some(2_147_483_647), 0, 0)));
        assert_eq!(of::<MillisAsMicros>(&json!(2_147_483.648)), Ok((None, 1, 0)));
        assert_eq!(of::<Items>(&json!(2_147_483_648_i64)), Ok((None, 1, 0)));
    }

    #[test]
    fn diagnostic_numbers_that_are_none_are_unknown_and_others_are_refused() {
        for none in [json!(-1), json!(-0.5), json!("-3"), json!("NaN"), json!("-inf"), json!("fast")] {
            assert_eq!(of::<Millis>(&none), Ok((None, 0, 1)), "{none}");
            assert_eq!(of::<Micros>(&none), Ok((None, 0, 1)), "{none}");
            assert_eq!(of::<Items>(&none), Ok((None, 0, 1)), "{none}");
            assert!(of::<Tokens>(&none).is_err() && of::<Cost>(&none).is_err(), "{none}");
        }
        assert_eq!(of::<Items>(&json!(1.5)), Ok((None, 0, 1)));
        assert_eq!(of::<Tokens>(&json!(1.5)), Err("1.5 is not a whole number".to_owned()));
        assert_eq!(of::<Millis>(&json!([])), Err("expected a number, found an array".to_owned()));
        assert_eq!(of::<Millis>(&json!("")), Ok((None, 0, 0)));
        assert_eq!(of::<Millis>(&Value::Null), Ok((None, 0, 0)));
    }
}
