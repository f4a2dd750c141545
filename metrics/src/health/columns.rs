//! Columns that the tables of health share.

use bellwether_warehouse::tables::declared::{Column, Type, Unit};

/// What a row is about.
pub(crate) const KEYS: &[Column] = &[
    Column::text("dimension", "What `key` is a key of: `endpoint`, `model_provider`, `provider` or `model`."),
    Column::text(
        "key",
        "`author/model` for a model over all of its variants, `author/model@provider`, the id of a provider, or the id of \
         an endpoint, followed by `:variant` where that is not the standard one and by `@region` where the log names \
         one: variants and regions stay apart. An endpoint without an id is `author/model:variant@provider`.",
    ),
    Column::text("kind", "Always `key`: rows of health that may not be named are in no row."),
    Column::text("model", "`author/model`, without a variant.").null_when("The dimension is `provider`."),
    Column::text("variant", "`standard`, `free` and so on.").null_when("The dimension is not `endpoint`."),
    Column::text("author", "Who made the model.")
        .null_when("The dimension is `provider`, or the catalogue does not know the model."),
    Column::text("provider", "Id of the provider.").null_when("The dimension is `model`."),
    Column::text("endpoint", "Id of the endpoint, as the router logs it.")
        .null_when("The dimension is not `endpoint`, or the log has no id."),
    Column::text("region", "Where the endpoint runs, as the router logs it.")
        .null_when("The dimension is not `endpoint`, or the log has no region."),
    Column::text("display_name", "For people. Not unique."),
    Column::new(
        "counts_are_bands",
        Type::Flag,
        Unit::None,
        "Whether counts are rounded down to 0, 100, 1,000, 10,000 and so on, and shares cut to tenths of a percentage point, \
         because exact ones would tell usage that has too few users to be shown. So are counts of every endpoint and \
         of every model at a provider wherever users are asked for. States and percentiles are exact.",
    ),
];

pub(crate) const PARTIAL: &[Column] = &[Column::new(
    "is_partial",
    Type::Flag,
    Unit::None,
    "Whether the period was still running, so that no complete one may be joined to it unmarked.",
)];

/// Attempts by outcome, and uptime.
pub(crate) const UPTIME: &[Column] = &[
    Column::count(
        "attempts",
        Unit::Attempts,
        "All attempts: success, fault, rate_limited, client_error, gateway_error, and cancelled before delivery. Answers from \
         the gateway's own cache are none.",
    ),
    Column::count("counted", Unit::Attempts, "success + fault: what uptime is a share of."),
    Column::count(
        "success",
        Unit::Attempts,
        "Attempts that ended ok, or that the caller cancelled after at least one token was delivered.",
    ),
    Column::count(
        "fault",
        Unit::Attempts,
        "Attempts that failed by the provider: the sum of the fault_ columns.",
    ),
    Column::count(
        "rate_limited",
        Unit::Attempts,
        "Attempts that were refused with 429; neither success nor fault.",
    ),
    Column::count(
        "client_error",
        Unit::Attempts,
        "Attempts that were refused for what the caller sent: the sum of the client_ columns; neither success nor fault.",
    ),
    Column::count(
        "cancelled",
        Unit::Attempts,
        "Attempts that the caller cancelled, before or after delivery began; those after are in success too.",
    ),
    Column::count(
        "gateway_error",
        Unit::Attempts,
        "Attempts that failed in the gateway; never a provider's, so rows of models alone have them.",
    ),
    Column::ratio("uptime", "success / counted.").null_when(
        "counted is below the least number for an uptime (100 on a public site): never taken for 100 %.",
    ),
    Column::text("uptime_reason", "Why `uptime` is null: `not_enough`.").null_when("`uptime` is not."),
    Column::ratio("rate_limit_rate", "rate_limited / attempts.")
        .null_when("Counts are bands and attempts are too few for an uptime."),
    Column::text("rate_limit_rate_reason", "Why `rate_limit_rate` is null: `not_enough`.")
        .null_when("`rate_limit_rate` is not."),
];

/// Against the period before.
pub(crate) const BEFORE: &[Column] = &[
    Column::ratio("uptime_before", "Uptime of the equal period just before.").null_when(
        "The history of the warehouse does not reach back to the first day of that period, or it has too few counted \
         attempts.",
    ),
    Column::text("uptime_before_reason", "Why `uptime_before` is null: `no_history` or `not_enough`.")
        .null_when("`uptime_before` is not."),
    Column::new("uptime_delta_points", Type::Real, Unit::Points, "(uptime − uptime_before) × 100.")
        .null_when("One of the two is null."),
    Column::text("uptime_delta_points_reason", "Why `uptime_delta_points` is null: `no_history` or `not_enough`.")
        .null_when("`uptime_delta_points` is not."),
];

/// Failed attempts by class.
pub(crate) const MIX: &[Column] = &[
    Column::count("fault_auth", Unit::Attempts, "Faults: the provider refused the gateway's own key (401)."),
    Column::count("fault_payment", Unit::Attempts, "Faults: the provider wants to be paid (402)."),
    Column::count("fault_not_found", Unit::Attempts, "Faults: the provider does not have the model (404)."),
    Column::count("fault_timeout", Unit::Attempts, "Faults: no answer in time (408, 504)."),
    Column::count("fault_connection", Unit::Attempts, "Faults: no connection, or it broke before an answer."),
    Column::count(
        "fault_overloaded",
        Unit::Attempts,
        "Faults: the provider said that it has too much to do (503, 529).",
    ),
    Column::count("fault_server_error", Unit::Attempts, "Faults: another error of the provider (5xx)."),
    Column::count("fault_stream_error", Unit::Attempts, "Faults: a stream that broke."),
    Column::count("fault_error_finish", Unit::Attempts, "Faults: an answer that finished with an error."),
    Column::count(
        "client_bad_request",
        Unit::Attempts,
        "Refusals of what the caller sent: a malformed request (400, 422).",
    ),
    Column::count(
        "client_context_length",
        Unit::Attempts,
        "Refusals of what the caller sent: more input than the model takes.",
    ),
    Column::count(
        "client_content_policy",
        Unit::Attempts,
        "Refusals of what the caller sent: input against the provider's rules.",
    ),
    Column::count(
        "client_too_large",
        Unit::Attempts,
        "Refusals of what the caller sent: a body that is too large (413).",
    ),
    Column::count(
        "client_geo",
        Unit::Attempts,
        "Refusals of what the caller sent: a country that is not served (403).",
    ),
    Column::count(
        "client_unsupported",
        Unit::Attempts,
        "Refusals of what the caller sent: something that the endpoint cannot do.",
    ),
];

/// Whether answers were usable, and what was cancelled.
pub(crate) const FIGURES: &[Column] = &[
    Column::count("tool_finishes", Unit::Attempts, "Answers that finished with tool calls."),
    Column::count("tool_error_requests", Unit::Attempts, "Those of them with at least one call that was not valid."),
    Column::ratio("tool_error_rate", "tool_error_requests / tool_finishes.").null_when(
        "There are no tool_finishes, or, where counts are bands, too few for an uptime.",
    ),
    Column::text("tool_error_rate_reason", "Why `tool_error_rate` is null: `not_enough`.")
        .null_when("`tool_error_rate` is not."),
    Column::count(
        "prose_instead_of_call",
        Unit::Attempts,
        "Answers that finished without a call although tools were offered. Often rightly so: compare, do not blame.",
    ),
    Column::count("structured_requested", Unit::Attempts, "Attempts that asked for output by a schema."),
    Column::count("structured_invalid", Unit::Attempts, "Those of them whose output did not follow it."),
    Column::ratio("structured_invalid_rate", "structured_invalid / structured_requested.").null_when(
        "There are no structured_requested, or, where counts are bands, too few for an uptime.",
    ),
    Column::text("structured_invalid_rate_reason", "Why `structured_invalid_rate` is null: `not_enough`.")
        .null_when("`structured_invalid_rate` is not."),
    Column::count("refused", Unit::Attempts, "Answers in which the model refused."),
    Column::ratio("refusal_rate", "refused / (success + client_error): of what the provider answered itself.").null_when(
        "The provider answered nothing, or, where counts are bands, too little for an uptime.",
    ),
    Column::text("refusal_rate_reason", "Why `refusal_rate` is null: `not_enough`.")
        .null_when("`refusal_rate` is not."),
    Column::count("content_filtered", Unit::Attempts, "Answers that a content filter ended."),
    Column::ratio("content_filter_rate", "content_filtered / (success + client_error).").null_when(
        "The provider answered nothing, or, where counts are bands, too little for an uptime.",
    ),
    Column::text("content_filter_rate_reason", "Why `content_filter_rate` is null: `not_enough`.")
        .null_when("`content_filter_rate` is not."),
    Column::ratio("cancel_rate", "cancelled / attempts.").null_when(
        "Counts are bands and attempts are too few for an uptime.",
    ),
    Column::text("cancel_rate_reason", "Why `cancel_rate` is null: `not_enough`.")
        .null_when("`cancel_rate` is not."),
    Column::count(
        "billed_output_tokens_cancelled",
        Unit::Tokens,
        "Output tokens that were billed for cancelled attempts: who keeps charging after the caller has left.",
    )
    .null_when("Counts are bands."),
    Column::text(
        "billed_output_tokens_cancelled_reason",
        "Why `billed_output_tokens_cancelled` is null: `private`.",
    )
    .null_when("`billed_output_tokens_cancelled` is not."),
];

/// Percentiles, each within 1 % of the exact value at rank floor(q × (n − 1)).
pub(crate) const SPEEDS: &[Column] = &[
    Column::count(
        "ttft_ms_samples",
        Unit::Attempts,
        "Attempts behind the percentiles of ttft_ms: time from the call to the first token, of streamed attempts that counted as success.",
    ),
    Column::new("ttft_ms_p50", Type::Real, Unit::Milliseconds, "Median of time to first token.")
        .null_when(FEW_SAMPLES),
    Column::new(
        "ttft_ms_p75",
        Type::Real,
        Unit::Milliseconds,
        "Time to first token that 75 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "ttft_ms_p90",
        Type::Real,
        Unit::Milliseconds,
        "Time to first token that 90 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "ttft_ms_p99",
        Type::Real,
        Unit::Milliseconds,
        "Time to first token that 99 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::text("ttft_ms_reason", "Why the percentiles of ttft_ms are null: `not_enough`.")
        .null_when("They are not."),
    Column::count(
        "duration_ms_samples",
        Unit::Attempts,
        "Attempts behind the percentiles of duration_ms: time from the call to the end of the answer, of attempts that ended ok.",
    ),
    Column::new("duration_ms_p50", Type::Real, Unit::Milliseconds, "Median of duration.")
        .null_when(FEW_SAMPLES),
    Column::new(
        "duration_ms_p75",
        Type::Real,
        Unit::Milliseconds,
        "Duration that 75 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "duration_ms_p90",
        Type::Real,
        Unit::Milliseconds,
        "Duration that 90 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "duration_ms_p99",
        Type::Real,
        Unit::Milliseconds,
        "Duration that 99 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::text("duration_ms_reason", "Why the percentiles of duration_ms are null: `not_enough`.")
        .null_when("They are not."),
    Column::count(
        "tokens_per_s_e2e_samples",
        Unit::Attempts,
        "Attempts behind the percentiles of tokens_per_s_e2e: output tokens / whole duration, waiting for the first token included, of attempts that ended ok.",
    ),
    Column::new(
        "tokens_per_s_e2e_p10",
        Type::Real,
        Unit::TokensPerSecond,
        "End-to-end throughput that 90 % of attempts reach at least (p10).",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_e2e_p50",
        Type::Real,
        Unit::TokensPerSecond,
        "Median of end-to-end throughput.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_e2e_p75",
        Type::Real,
        Unit::TokensPerSecond,
        "End-to-end throughput that 75 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_e2e_p90",
        Type::Real,
        Unit::TokensPerSecond,
        "End-to-end throughput that 90 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_e2e_p99",
        Type::Real,
        Unit::TokensPerSecond,
        "End-to-end throughput that 99 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::text(
        "tokens_per_s_e2e_reason",
        "Why the percentiles of tokens_per_s_e2e are null: `not_enough`.",
    )
    .null_when("They are not."),
    Column::count(
        "tokens_per_s_decode_samples",
        Unit::Attempts,
        "Attempts behind the percentiles of tokens_per_s_decode: (output tokens − 1) / time after the first token, of streamed attempts that ended ok with at least 20 output tokens.",
    ),
    Column::new(
        "tokens_per_s_decode_p10",
        Type::Real,
        Unit::TokensPerSecond,
        "Throughput after the first token that 90 % of attempts reach at least (p10).",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_decode_p50",
        Type::Real,
        Unit::TokensPerSecond,
        "Median of throughput after the first token.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_decode_p75",
        Type::Real,
        Unit::TokensPerSecond,
        "Throughput after the first token that 75 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_decode_p90",
        Type::Real,
        Unit::TokensPerSecond,
        "Throughput after the first token that 90 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "tokens_per_s_decode_p99",
        Type::Real,
        Unit::TokensPerSecond,
        "Throughput after the first token that 99 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::text(
        "tokens_per_s_decode_reason",
        "Why the percentiles of tokens_per_s_decode are null: `not_enough`.",
    )
    .null_when("They are not."),
    Column::count(
        "overhead_us_samples",
        Unit::Attempts,
        "Attempts behind the percentiles of overhead_us: time that the router itself added, of all attempts.",
    ),
    Column::new("overhead_us_p50", Type::Real, Unit::Microseconds, "Median of what the router itself added.")
        .null_when(FEW_SAMPLES),
    Column::new(
        "overhead_us_p95",
        Type::Real,
        Unit::Microseconds,
        "What the router itself added that 95 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::new(
        "overhead_us_p99",
        Type::Real,
        Unit::Microseconds,
        "What the router itself added that 99 % of attempts do not exceed.",
    )
    .null_when(FEW_SAMPLES),
    Column::text("overhead_us_reason", "Why the percentiles of overhead_us are null: `not_enough`.")
        .null_when("They are not."),
];

const FEW_SAMPLES: &str = "Fewer samples than a percentile needs (100 on a public site).";
