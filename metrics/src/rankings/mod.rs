//! Leaderboards of every closed day: what was used in the window that ends with it, by whom, and against the window before.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::measures::reason;
use crate::revisions::REVISION;
use crate::windows::{self, Windows};
use crate::{History, Lane, Metric, gate, keyed, measures, usage_by_day, users_by_window};

/// More end dates at once, and the sorts of a run go through temporary files.
pub(crate) const WINDOWS: Windows = Windows { days_at_once: 7, back: 4, is_apart: false };

const BEFORE_IS_NULL: &str = "The history does not hold the whole window before, or nothing of it may be shown; \
                              `requests_change_reason` says which.";
const NO_RANK: &str = "Kinds other than `key`, and names without any.";
const NO_RANK_BEFORE: &str = "Kinds other than `key`, and names without any in the window before.";

pub const TABLE: Declaration = Declaration {
    name: "rankings",
    grain: "end_date × window_days × dimension × key",
    meaning: "Usage of a window of whole days (UTC) and its place among others. A day closes two hours after its end. Windows of \
              1, 7 and 28 days end with every closed day, those of 30, 90 and 364 days with Sundays and the newest closed day. A window is the sum of its days in \
              `usage_by_day`: days on which a name was hidden are in the row `hidden` and not under the name. The window before is the \
              equal number of days just before it. Rows that had traffic only then are not listed.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["end_date", "window_days"],
    columns: &[
        keyed::MONTH,
        Column::date("end_date", "Last day of the window, UTC."),
        Column::count("window_days", Unit::Days, "Days of the window: 1, 7, 28, 30, 90 or 364."),
        Column::new(
            "is_partial",
            Type::Flag,
            Unit::None,
            "Whether the last day is still running, which it is only while no day of the history has closed.",
        ),
        keyed::DIMENSION,
        keyed::KEY,
        keyed::KIND,
        keyed::MODEL,
        keyed::VARIANT,
        keyed::AUTHOR,
        keyed::PROVIDER,
        keyed::DISPLAY_NAME,
        measures::TOKENS,
        measures::REQUESTS,
        measures::SPEND_USD,
        measures::SPEND_REASON,
        measures::UNSERVED_SPEND_USD,
        measures::UNSERVED_SPEND_REASON,
        measures::USERS,
        measures::USERS_REASON,
        measures::TOKENS_SHARE,
        measures::REQUESTS_SHARE,
        measures::SPEND_SHARE,
        measures::USERS_SHARE,
        measures::TOKENS_RANK,
        rank("requests_rank", "Place by `requests`.").null_when(NO_RANK),
        rank("spend_rank", "Place by `spend_usd`.").null_when("Kinds other than `key`, and names without known spend."),
        rank("users_rank", "Place by `users`.").null_when("Kinds other than `key`, and names without users."),
        Column::count("tokens_before", Unit::Tokens, "`tokens` of the window before.").null_when(BEFORE_IS_NULL),
        Column::count("requests_before", Unit::Requests, "`requests` of the window before.").null_when(BEFORE_IS_NULL),
        Column::new("spend_usd_before", Type::Money, Unit::Usd, "`spend_usd` of the window before.")
            .null_when("As `requests_before`, and where no price was known then."),
        Column::count("users_before", Unit::Users, "`users` of the window before.")
            .null_when("As `requests_before`, and where nobody was counted then."),
        share("tokens_share_before", "`tokens_share` of the window before.")
            .null_when("`tokens_before` is null, or there were no tokens at all."),
        share("requests_share_before", "`requests_share` of the window before.")
            .null_when("`requests_before` is null, or there were no requests at all."),
        share("spend_share_before", "`spend_share` of the window before.")
            .null_when("`spend_usd_before` is null, or nothing was paid at all."),
        rank("tokens_rank_before", "Place by `tokens` in the window before, among those of then.").null_when(NO_RANK_BEFORE),
        rank("requests_rank_before", "Place by `requests` in the window before.").null_when(NO_RANK_BEFORE),
        rank("spend_rank_before", "Place by `spend_usd` in the window before.").null_when(NO_RANK_BEFORE),
        rank("users_rank_before", "Place by `users` in the window before.").null_when(NO_RANK_BEFORE),
        change("tokens_change", "`tokens` over `tokens_before`, minus 1: 0.25 is a quarter more."),
        reason("tokens_change_reason", WHY_NO_CHANGE),
        change("requests_change", "`requests` over `requests_before`, minus 1."),
        reason("requests_change_reason", WHY_NO_CHANGE),
        change("spend_change", "`spend_usd` over `spend_usd_before`, minus 1."),
        reason("spend_change_reason", "As of `tokens_change`, and `unpriced`: one of the two is unknown."),
        change("users_change", "`users` over `users_before`, minus 1."),
        reason("users_change_reason", "As of `tokens_change`, `not_enough` also where nobody was counted, and `private`: of what is hidden users are not told. Null in dimension `model_provider`, where users are not counted."),
        Column::new(
            "tokens_excess",
            Type::Real,
            Unit::Tokens,
            "`tokens` minus the mean of the three equal windows before. Rows that lost are negative here; lists of what is \
             trending hold the positive ones.",
        )
        .null_when("See `tokens_excess_reason`."),
        reason("tokens_excess_reason", "`no_history`: the history does not hold all three windows. `hidden_before`: on a day of them all traffic of the name was hidden."),
        Column::new(
            "effective_price",
            Type::Real,
            Unit::UsdPerMillionTokens,
            "What was paid for served requests, which is `spend_usd` without its unserved part, over the tokens of those \
             with a price, logged or of the list, input and output together. Of `model_provider` it is made of exact amounts, also where these are not told.",
        )
        .null_when("No token has a price."),
        reason("effective_price_reason", "`unpriced` while `effective_price` is null."),
        Column::new(
            "price_spread",
            Type::Real,
            Unit::Ratio,
            "Of a model: its highest over its lowest `effective_price` at a provider, in the window. Providers count that may be \
             named, served at least 1,000,000 tokens with a price, and were paid for them. At least 1.",
        )
        .null_when("Dimensions other than `model`, kinds other than `key`, and fewer than two such providers."),
        reason("price_spread_reason", "`not_enough`: a model with fewer than two such providers."),
        share("cache_hit_rate", "Input tokens that a provider read from its cache over all input tokens.")
            .null_when("There are no input tokens."),
        share("requests_with_user_share", "Requests that carry the id of a user over all.").null_when("There are no requests."),
        share("unpriced_requests_share", "Requests whose price neither the log nor the catalogue knows over all; they are in no spend.")
            .null_when("There are no requests."),
        REVISION,
    ],
};

const WHY_NO_CHANGE: &str = "Why the change is null. `no_history`: the history does not hold the whole window before. \
                             `hidden_before`: on a day of the window before all traffic of the name was hidden. `new`: it had no request then. \
                             `below_guard`: one of the two windows has too few requests, or what it had rounds to nothing. `not_enough`: it had none of this then.";

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: include_str!("rankings.sql"),
    inputs: &[
        TableId::UsageDaily,
        TableId::Declared(&gate::TABLE),
        TableId::Declared(&usage_by_day::TABLE),
        TableId::Declared(&users_by_window::TABLE),
    ],
    touched: windows::touched,
};

const fn share(name: &'static str, meaning: &'static str) -> Column {
    Column::ratio(name, meaning)
}

const fn rank(name: &'static str, meaning: &'static str) -> Column {
    Column::count(name, Unit::Rank, meaning)
}

/// Not bounded by 1.
const fn change(name: &'static str, meaning: &'static str) -> Column {
    Column::ratio(name, meaning).null_when("See the reason beside it.")
}
