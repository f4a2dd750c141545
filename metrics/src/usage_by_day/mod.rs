//! What was used, day by day: every additive measure of every key. Other tables of usage are sums of its rows.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::NaiveDate;

use crate::revisions::REVISION;
use crate::{History, Lane, Metric, gate, keyed, measures};

pub const TABLE: Declaration = Declaration {
    name: "usage_by_day",
    grain: "date × dimension × key",
    meaning: "Usage of a day (UTC). Counts and tokens are of served requests: attempts that ended well, or that the caller \
              cancelled after delivery had begun. All measures add up: over days, and over the rows of one dimension to the row of \
              dimension `total`; where `is_rounded`, nearly so.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["date"],
    columns: &[
        keyed::MONTH,
        Column::date("date", "The day, UTC."),
        keyed::DIMENSION,
        keyed::KEY,
        keyed::KIND,
        keyed::MODEL,
        keyed::VARIANT,
        keyed::AUTHOR,
        keyed::PROVIDER,
        keyed::DISPLAY_NAME,
        Column::new("is_partial", Type::Flag, Unit::None, "Whether the day is still running."),
        Column::count(
            "tokens",
            Unit::Tokens,
            "Input and output tokens, each in its provider's own tokenizer: amounts of different models are not the same thing.",
        ),
        Column::new(
            "spend_usd",
            Type::Money,
            Unit::Usd,
            "What was paid, over all attempts with a price: the logged one, else that of the catalogue's list for the day. 0 while \
             `unpriced_requests` equals `requests` means unknown.",
        ),
        requests("requests", "Served requests, gateway cache hits included."),
        requests(
            "gateway_cache_hits",
            "Requests that the gateway answered from its own cache, at no provider.",
        ),
        requests("streamed_requests", "Requests whose answer was streamed."),
        requests("requests_with_user", "Requests that carry the id of a user."),
        tokens("input_tokens", "Prompt tokens, cached ones included."),
        tokens(
            "cached_input_tokens",
            "Prompt tokens that a provider read from its cache; part of `input_tokens`.",
        ),
        tokens(
            "cache_write_tokens",
            "Prompt tokens that a provider wrote to its cache; part of `input_tokens`.",
        ),
        tokens("output_tokens", "Completion tokens, reasoning included."),
        tokens("reasoning_tokens", "Tokens of reasoning; part of `output_tokens`."),
        requests(
            "unpriced_requests",
            "Requests whose price neither the log nor the catalogue knows; their cost is in no sum.",
        ),
        tokens("unpriced_tokens", "Tokens of requests without a known price."),
        items("input_images", "Images in prompts."),
        items("input_audio", "Pieces of audio in prompts."),
        items("input_video", "Videos in prompts."),
        items("output_images", "Images in answers."),
        items("tool_calls", "Calls of tools that models made."),
        items("web_searches", "Searches of the web."),
        requests("requests_image_in", "Requests with at least one image in the prompt."),
        requests("requests_image_out", "Requests with at least one image in the answer."),
        requests("requests_audio_in", "Requests with audio in the prompt."),
        requests("requests_tool_call", "Requests with at least one call of a tool."),
        requests("context_1k", "Requests with at most 1,000 input tokens."),
        requests("context_10k", "Requests with more than 1,000 and at most 10,000 input tokens."),
        requests("context_100k", "Requests with more than 10,000 and at most 100,000 input tokens."),
        requests("context_1m", "Requests with more than 100,000 and at most 1,000,000 input tokens."),
        requests("context_10m", "Requests with more than 1,000,000 and at most 10,000,000 input tokens."),
        requests("context_over_10m", "Requests with more than 10,000,000 input tokens."),
        measures::UNSERVED_SPEND_USD,
        measures::UNSERVED_SPEND_REASON,
        keyed::IS_ROUNDED,
        REVISION,
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Today,
    sql: include_str!("usage_by_day.sql"),
    inputs: &[TableId::UsageDaily, TableId::Declared(&gate::TABLE)],
    touched,
};

const fn requests(name: &'static str, meaning: &'static str) -> Column {
    Column::count(name, Unit::Requests, meaning)
}

const fn tokens(name: &'static str, meaning: &'static str) -> Column {
    Column::count(name, Unit::Tokens, meaning)
}

const fn items(name: &'static str, meaning: &'static str) -> Column {
    Column::count(name, Unit::Items, meaning)
}

fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    date..=date
}
