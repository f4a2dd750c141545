//! The lenient scalars of all JSON formats: a number may come as text, `""` and null mean unknown,
//! negative, infinite and undefined numbers are refused.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::decimal;
use crate::event::Str;
use crate::instant;
use crate::reject::Reason;

/// Why a value cannot be taken. Never holds text of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub reason: Reason,
    pub text: String,
}

impl Problem {
    pub fn wrong_type(expected: &str, found: &str) -> Self {
        Self { reason: Reason::WrongType, text: format!("expected {expected}, found {found}") }
    }

    pub fn invalid(text: impl Into<String>) -> Self {
        Self { reason: Reason::InvalidValue, text: text.into() }
    }

    pub fn too_long() -> Self {
        Self::invalid(format!("longer than {MAX_TEXT_BYTES} bytes"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A JSON value that is no container.
#[derive(Clone, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Signed(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}

/// A type that is read from one scalar.
pub(crate) trait FromScalar<'a>: Sized {
    const EXPECTED: &'static str;

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem>;
}

/// Reads `T` through serde.
pub(crate) struct Lenient<T>(pub T);

impl<T: Default> Default for Lenient<T> {
    fn default() -> Self {
        Self(T::default())
    }
}

impl<'de, T: FromScalar<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalars(PhantomData)).map(Self)
    }
}

/// Reads the next value of a map as `T`.
pub(crate) fn next<'de, T, A>(map: &mut A) -> Result<T, A::Error>
where
    T: FromScalar<'de>,
    A: MapAccess<'de>,
{
    map.next_value::<Lenient<T>>().map(|lenient| lenient.0)
}

struct Scalars<T>(PhantomData<T>);

impl<'de, T: FromScalar<'de>> Visitor<'de> for Scalars<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::from_scalar(Scalar::Null).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::from_scalar(Scalar::Bool(value)).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::from_scalar(Scalar::Signed(value)).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::from_scalar(Scalar::Unsigned(value)).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        T::from_scalar(Scalar::Float(value)).map_err(E::custom)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<T, E> {
        T::from_scalar(Scalar::Text(Cow::Borrowed(value))).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        T::from_scalar(Scalar::Text(Cow::Owned(value.to_owned()))).map_err(E::custom)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<T, E> {
        T::from_scalar(Scalar::Text(Cow::Owned(value))).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(Problem::wrong_type(T::EXPECTED, "an array")))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(Problem::wrong_type(T::EXPECTED, "an object")))
    }
}

/// What is wrong with `value` as a `T`, for the path that names the field.
pub(crate) fn check<'a, T: FromScalar<'a>>(value: &'a Value) -> Result<(), Problem> {
    read::<T>(value).map(drop)
}

/// `value` as a `T`.
pub(crate) fn read<'a, T: FromScalar<'a>>(value: &'a Value) -> Result<T, Problem> {
    let scalar = match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => Scalar::Unsigned(value),
            (_, Some(value), _) => Scalar::Signed(value),
            (_, _, Some(value)) => Scalar::Float(value),
            _ => return Err(Problem::invalid("not a finite number")),
        },
        Value::String(text) => Scalar::Text(Cow::Borrowed(text)),
        Value::Array(_) => return Err(Problem::wrong_type(T::EXPECTED, "an array")),
        Value::Object(_) => return Err(Problem::wrong_type(T::EXPECTED, "an object")),
    };
    T::from_scalar(scalar)
}

/// What is wrong with `value` as an id.
pub(crate) fn check_id(value: &Value) -> Result<(), Problem> {
    if value.is_number() { Ok(()) } else { check::<Id<'_>>(value) }
}

/// `check` of a type that borrows nothing, as a plain function.
pub(crate) fn check_plain<T: for<'x> FromScalar<'x>>(value: &Value) -> Result<(), Problem> {
    check::<T>(value)
}

/// Longest text that may go into a row.
pub(crate) const MAX_TEXT_BYTES: usize = 1024;
/// Largest count: no request has more of anything, and sums of many still fit 64 bits.
const MAX_COUNT: i128 = 1_000_000_000_000;

/// Text that may go into a row; `""` is unknown.
#[derive(Default)]
pub(crate) struct Text<'a>(pub Option<Str<'a>>);

impl<'a> FromScalar<'a> for Text<'a> {
    const EXPECTED: &'static str = "text";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        let text = LongText::from_scalar(scalar)?.0;
        if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
            return Err(Problem::too_long());
        }
        Ok(Self(text))
    }
}

/// Text of any length, to look at; `""` is unknown.
#[derive(Default)]
pub(crate) struct LongText<'a>(pub Option<Str<'a>>);

impl<'a> FromScalar<'a> for LongText<'a> {
    const EXPECTED: &'static str = "text";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        match scalar {
            Scalar::Null => Ok(Self(None)),
            Scalar::Text(text) => Ok(Self(Some(text).filter(|text| !text.is_empty()))),
            other => Err(Problem::wrong_type(Self::EXPECTED, other.kind())),
        }
    }
}

/// An id: text or a number. Of a number that no 64 bits hold only its text tells all digits, so it is refused here,
/// and `super::parse` reads its record once more with such numbers as text.
#[derive(Default)]
pub(crate) struct Id<'a>(pub Option<Str<'a>>);

impl<'a> FromScalar<'a> for Id<'a> {
    const EXPECTED: &'static str = "text or a number";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        match scalar {
            Scalar::Signed(number) => Ok(Self(Some(number.to_string().into()))),
            Scalar::Unsigned(number) => Ok(Self(Some(number.to_string().into()))),
            Scalar::Null | Scalar::Text(_) => Text::from_scalar(scalar).map(|text| Self(text.0)),
            other => Err(Problem::wrong_type(Self::EXPECTED, other.kind())),
        }
    }
}

/// A country, ISO 3166 alpha-2, kept in upper case.
#[derive(Default)]
pub(crate) struct Country<'a>(pub Option<Str<'a>>);

impl<'a> FromScalar<'a> for Country<'a> {
    const EXPECTED: &'static str = "text";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        let Some(mut code) = Text::from_scalar(scalar)?.0 else { return Ok(Self(None)) };
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Problem::invalid("not a two-letter country code (ISO 3166 alpha-2)"));
        }
        if code.bytes().any(|b| b.is_ascii_lowercase()) {
            code.to_mut().make_ascii_uppercase();
        }
        Ok(Self(Some(code)))
    }
}

/// A boolean, perhaps as text.
#[derive(Default)]
pub(crate) struct Flag(pub Option<bool>);

impl<'a> FromScalar<'a> for Flag {
    const EXPECTED: &'static str = "a boolean";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        match scalar {
            Scalar::Null => Ok(Self(None)),
            Scalar::Bool(value) => Ok(Self(Some(value))),
            Scalar::Text(text) if text.is_empty() => Ok(Self(None)),
            Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Self(Some(true))),
            Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Self(Some(false))),
            other => Err(Problem::wrong_type(Self::EXPECTED, other.kind())),
        }
    }
}

/// A 64-bit hash that stands for an id: the only number that may be negative.
#[derive(Default)]
pub(crate) struct KeyedHash(pub Option<i64>);

impl<'a> FromScalar<'a> for KeyedHash {
    const EXPECTED: &'static str = "a 64-bit whole number";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        match scalar {
            Scalar::Null => Ok(Self(None)),
            Scalar::Signed(value) => Ok(Self(Some(value))),
            Scalar::Unsigned(value) => {
                let value = i64::try_from(value).map_err(|_| Problem::invalid("larger than 64 bits"))?;
                Ok(Self(Some(value)))
            }
            Scalar::Text(text) if text.is_empty() => Ok(Self(None)),
            Scalar::Text(text) => match text.parse() {
                Ok(value) => Ok(Self(Some(value))),
                Err(_) => Err(Problem::invalid("not a 64-bit whole number")),
            },
            other => Err(Problem::wrong_type(Self::EXPECTED, other.kind())),
        }
    }
}

/// A number, perhaps as text, as `value × 10^scale` rounded half up. The outer error: not even in the wrong way.
pub(super) fn decimal_of(
    scalar: &Scalar<'_>,
    scale: i32,
    expected: &'static str,
) -> Result<Result<Option<i128>, decimal::Error>, Problem> {
    let factor = 10_i128.pow(scale.unsigned_abs());
    Ok(match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Signed(value) if *value < 0 => Err(decimal::Error::Negative),
        Scalar::Signed(value) => Ok(Some(i128::from(*value) * factor)),
        Scalar::Unsigned(value) => Ok(Some(i128::from(*value) * factor)),
        Scalar::Float(value) => decimal::from_f64(*value, scale).map(Some),
        Scalar::Text(text) => decimal::parse(text, scale).map(Some),
        Scalar::Bool(_) => return Err(Problem::wrong_type(expected, scalar.kind())),
    })
}

/// What is said of a number that cannot be taken.
pub(super) fn problem_of(error: decimal::Error, scalar: &Scalar<'_>) -> Problem {
    Problem::invalid(match (error, scalar) {
        (decimal::Error::Negative, Scalar::Signed(value)) => format!("negative number {value}"),
        (decimal::Error::Negative, Scalar::Float(value)) => format!("negative number {value}"),
        (decimal::Error::Negative, _) => "negative number".to_owned(),
        (decimal::Error::NotFinite, _) => "not a finite number".to_owned(),
        (decimal::Error::TooLarge, _) => "number out of range".to_owned(),
        (decimal::Error::NotANumber, _) => "text that is not a number".to_owned(),
    })
}

fn scaled(scalar: &Scalar<'_>, scale: i32, expected: &'static str) -> Result<Option<i128>, Problem> {
    decimal_of(scalar, scale, expected)?.map_err(|error| problem_of(error, scalar))
}

/// A fraction is told; other kinds of values are for the caller to look at.
pub(super) fn require_whole(scalar: &Scalar<'_>) -> Result<(), Problem> {
    match scalar {
        Scalar::Float(value) if value.is_finite() && value.fract() != 0.0 => {
            Err(Problem::invalid(format!("{value} is not a whole number")))
        }
        Scalar::Text(text) if text.contains(['.', 'e', 'E']) => match decimal::parse(text, 3) {
            Ok(thousandths) if thousandths % 1000 != 0 => Err(Problem::invalid("not a whole number")),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn fit<T: TryFrom<i128>>(value: Option<i128>) -> Result<Option<T>, Problem> {
    value.map(T::try_from).transpose().map_err(|_| Problem::invalid("number out of range"))
}

/// A count of items: whole, not negative.
#[derive(Default)]
pub(crate) struct Count<T>(pub Option<T>);

impl<'a, T: TryFrom<i128> + TryFrom<i64>> FromScalar<'a> for Count<T> {
    const EXPECTED: &'static str = "a whole number";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        require_whole(&scalar)?;
        let count = scaled(&scalar, 0, Self::EXPECTED)?;
        if count.is_some_and(|count| count > MAX_COUNT) {
            return Err(Problem::invalid("number out of range"));
        }
        fit(count).map(Self)
    }
}

/// An HTTP status; 0 means that none was sent.
#[derive(Default)]
pub(crate) struct Status(pub Option<i16>);

impl<'a> FromScalar<'a> for Status {
    const EXPECTED: &'static str = "an HTTP status";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        match Count::<i64>::from_scalar(scalar)?.0 {
            None => Ok(Self(None)),
            Some(status @ (0 | 100..=599)) => Ok(Self(i16::try_from(status).ok())),
            Some(status) => Err(Problem::invalid(format!("{status} is no HTTP status (100 to 599)"))),
        }
    }
}

/// The end of the year 9999, so that sums and differences of instants fit 64 bits.
const LATEST_MICROS: i128 = 253_402_300_799_999_999;

/// An instant: RFC 3339 text, or Unix seconds as number or decimal text. µs since the epoch.
#[derive(Default)]
pub(crate) struct Instant(pub Option<i64>);

impl<'a> FromScalar<'a> for Instant {
    const EXPECTED: &'static str = "RFC 3339 text or Unix seconds";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        let unix_micros = match &scalar {
            Scalar::Text(text) if text.get(4..5) == Some("-") => {
                return match instant::parse_rfc3339(text) {
                    Some(micros) => Ok(Self(Some(micros))),
                    None => Err(Problem::invalid("not RFC 3339, such as 2026-11-22T15:04:35.658802Z")),
                };
            }
            Scalar::Text(text)
                if !text.is_empty() && decimal::parse(text, 0) == Err(decimal::Error::NotANumber) =>
            {
                return Err(Problem::invalid("neither RFC 3339 text nor Unix seconds"));
            }
            _ => scaled(&scalar, 6, Self::EXPECTED)?,
        };
        match unix_micros {
            Some(micros) if micros > LATEST_MICROS => Err(Problem {
                reason: Reason::TimeOutOfRange,
                text: "after the year 9999; Unix time is expected in seconds".to_owned(),
            }),
            micros => fit(micros).map(Self),
        }
    }
}
