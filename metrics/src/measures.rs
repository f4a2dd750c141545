//! Measures of a period that several tables have in common, so that they mean the same everywhere.

use bellwether_warehouse::tables::declared::{Column, Type, Unit};

const NO_USERS: &str = "Not counted: dimension `model_provider`, and what `users_reason` says.";

pub(crate) const TOKENS: Column = Column::count(
    "tokens",
    Unit::Tokens,
    "Input and output tokens of served requests, each in its provider's own tokenizer: rows of different tokenizers are \
     not the same thing.",
);

pub(crate) const REQUESTS: Column = Column::count(
    "requests",
    Unit::Requests,
    "Served requests: attempts that ended well, or that the caller cancelled after delivery had begun.",
);

pub(crate) const SPEND_USD: Column = Column::new(
    "spend_usd",
    Type::Money,
    Unit::Usd,
    "What was paid, over all attempts with a price: the logged one, else that of the catalogue's list for the day.",
)
.null_when("No request has a known price and nothing was charged: what was paid is unknown, not nothing.");

pub(crate) const SPEND_REASON: Column = reason("spend_reason", "`unpriced` while `spend_usd` is null.");

pub(crate) const UNSERVED_SPEND_USD: Column = Column::new(
    "unserved_spend_usd",
    Type::Money,
    Unit::Usd,
    "The part of `spend_usd` that was charged for attempts that were not served.",
)
.null_when(
    "Some of it was counted before the two were told apart; `spend_usd` holds nothing of the kind for then.",
);

pub(crate) const UNSERVED_SPEND_REASON: Column =
    reason("unserved_spend_reason", "`no_history` while `unserved_spend_usd` is null.");

pub(crate) const USERS: Column = Column::count(
    "users",
    Unit::Users,
    "Distinct users of the public days of the row, by HyperLogLog: standard error 1.6 %, small numbers are nearly exact. \
     Who uses several rows is counted in each; who uses nothing but what is hidden, in none.",
)
.null_when(NO_USERS);

pub(crate) const USERS_REASON: Column = reason(
    "users_reason",
    "`not_enough`: no request carries the id of a user. `private`: users of hidden rows are not told.",
);

pub(crate) const TOKENS_SHARE: Column =
    Column::ratio("tokens_share", "`tokens` over those of everything, hidden rows included.")
        .null_when("There are no tokens at all.");

pub(crate) const REQUESTS_SHARE: Column =
    Column::ratio("requests_share", "`requests` over those of everything, hidden rows included.")
        .null_when("There are no requests at all.");

pub(crate) const SPEND_SHARE: Column =
    Column::ratio("spend_share", "`spend_usd` over that of everything, hidden rows included.")
        .null_when("`spend_usd` of the row or of everything is unknown, or nothing was paid at all.");

pub(crate) const USERS_SHARE: Column = Column::ratio(
    "users_share",
    "Part of all users that used it. Users use several rows: these do not add up to 1.",
)
.null_when(NO_USERS);

pub(crate) const TOKENS_RANK: Column = Column::count(
    "tokens_rank",
    Unit::Rank,
    "Place by `tokens` among the names of the dimension, without gaps; of equal ones the first by `key` is before.",
)
.null_when("Kinds other than `key`, and names without tokens.");

/// Why a value beside it is null.
pub(crate) const fn reason(name: &'static str, meaning: &'static str) -> Column {
    Column::text(name, meaning).null_when("The value is not withheld.")
}
