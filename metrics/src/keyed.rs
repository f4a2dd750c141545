//! Columns by which rows of every table of usage are found: what the amounts of a row belong to.

use bellwether_warehouse::tables::declared::{Column, Type, Unit};

/// Partitions of tables whose rows have a date.
pub(crate) const MONTH: Column = Column::date("month", "First day of the month that the row lies in.");

pub(crate) const DIMENSION: Column = Column::text(
    "dimension",
    "What the row is one of: `total`, `author`, `model` (its variants together), `variant`, `provider` or `model_provider` \
     (a model at one provider, whose amounts are whole percents of a day's wherever users are asked for: \
     `is_rounded` in `usage_by_day`). Rows of one dimension add up to the row of `total`, so never add rows of two dimensions.",
);

pub(crate) const KEY: Column = Column::text(
    "key",
    "Name of the row within its dimension: `author`, `author/model`, `author/model:free`, `provider`, \
     `author/model@provider`; for rows of another kind than `key` the kind. Spelled alike in every table.",
);

pub(crate) const KIND: Column = Column::text(
    "kind",
    "`key`: a name. `hidden`: all that may not be named, in one row; it is what some day of some model had too few users \
     for, the same amount in every dimension, and in dimensions of providers also what they alone may not be named \
     for. `unmapped`: names that the catalogue does not know, where there is nothing to group them by. `none`: answered without \
     a provider, from the cache of the gateway. `total`: everything.",
);

pub(crate) const MODEL: Column = Column::text("model", "`author/model`, to join and filter by.")
    .null_when("Dimensions other than `model`, `variant` and `model_provider`, and kinds other than `key`.");

pub(crate) const VARIANT: Column =
    Column::text("variant", "`standard`, or what stands behind the colon of the key.")
        .null_when("Dimensions other than `variant`, and kinds other than `key`.");

pub(crate) const AUTHOR: Column = Column::text("author", "Who made the model.").null_when(
    "Dimensions `total` and `provider`, kinds other than `key`, and models that the catalogue does not know.",
);

pub(crate) const PROVIDER: Column = Column::text("provider", "Who served it.")
    .null_when("Dimensions other than `provider` and `model_provider`, and kinds other than `key`.");

pub(crate) const DISPLAY_NAME: Column =
    Column::text("display_name", "The name to show, from the catalogue; the key where it has none.");

pub(crate) const IS_ROUNDED: Column = Column::new(
    "is_rounded",
    Type::Flag,
    Unit::None,
    "Whether amounts are told in whole percents: of a model at one provider, wherever users are asked for. Requests, input and \
     output tokens, media, calls and spend are percents of what the model or the provider has that day, of the less; amounts \
     that are part of another one are percents of that.",
);

const NEVER: &str = "It was never public.";

pub(crate) const FIRST_DATE: Column =
    Column::date("first_date", "First day with usage under its name, of the whole history.").null_when(NEVER);

pub(crate) const LAST_DATE: Column =
    Column::date("last_date", "Last day with usage under its name.").null_when(NEVER);
