//! Why a catalogue is none.

use chrono::NaiveDate;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to read the catalogue as TOML")]
    Toml(#[source] Box<toml::de::Error>),
    #[error("line {line} of a list that ships with the binary is no row of it")]
    Line { line: usize },
    #[error(
        "models `{first}` and `{second}` of the catalogue are spelled alike, by the key `{key}`; list one of them, with the \
         other spelling in its `names` if the key differs"
    )]
    SameKey { key: String, first: String, second: String },
    #[error("model `{model_id}` of the catalogue is not `author/slug` with an author of the catalogue")]
    Model { model_id: String },
    #[error(
        "a price of the catalogue is of model `{model_id}` at provider `{provider_id}`, and one of the two is not in its lists; \
         add it there"
    )]
    PriceOfNobody { model_id: String, provider_id: String },
    #[error(
        "the price of `{model_id}` from {from} on in `prices` holds on a day of another one of the same variant and provider; \
         correct `valid_from` and `valid_to`"
    )]
    PriceDays { model_id: String, from: NaiveDate },
    #[error(
        "two of the `tiers` of the price of `{model_id}` from {from} on hold for the same requests, or one of them for all; give \
         each a `service_tier` or an `above_input_tokens` of its own"
    )]
    Tiers { model_id: String, from: NaiveDate },
    #[error(
        "the price of `{model_id}` in `prices` is of {from} to {to} and ends before it begins; correct the two"
    )]
    PriceBackwards { model_id: String, from: NaiveDate, to: NaiveDate },
    #[error(
        "`{meter}` of `{model_id}` in `prices` is above {most} USD per {per}, which nothing costs; amounts are USD, per million \
         tokens or per request"
    )]
    PriceTooHigh { model_id: String, meter: &'static str, most: i128, per: &'static str },
    #[error(
        "its `version` {version} is of another form, and this program reads version {reads}; update bellwether, or write the \
         file in the form of {reads}"
    )]
    Version { version: i64, reads: u32 },
    #[error("two `aliases` of {of} lead to {first} and to {second}; keep one of them")]
    Aliases { of: String, first: String, second: String },
    #[error("the id `{id}` in `{list}` {why}; {remedy}")]
    Id { list: &'static str, id: String, why: String, remedy: &'static str },
    #[error("the `name` of `{id}` in `{list}` {why}; {remedy}")]
    ShownName { list: &'static str, id: String, why: String, remedy: &'static str },
    #[error(
        "one of the `names` of `{id}` in `{list}` is not 1 to {bytes} bytes long; correct it or leave it out"
    )]
    Spelling { list: &'static str, id: String, bytes: usize },
}
