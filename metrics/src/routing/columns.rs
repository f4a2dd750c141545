//! Columns that the tables of routing share.

use bellwether_warehouse::tables::declared::{Column, Type, Unit};

pub(crate) const KEYS: &[Column] = &[
    Column::text(
        "dimension",
        "`model`, or `total`: everything, of which models that may not be named are a part. Never add rows of both.",
    ),
    Column::text(
        "key",
        "`author/model`, over all variants: the model of a request's first attempt. `total` for everything.",
    ),
    Column::text("kind", "`key`, or `total`. Models that may not be named have no row."),
    Column::text("model", "The same as `key`.").null_when(TOTAL),
    Column::text("author", "Who made the model.")
        .null_when("The catalogue does not know the model, and in the row of the total."),
    Column::text("display_name", "For people. Not unique."),
    Column::new(
        "counts_are_bands",
        Type::Flag,
        Unit::None,
        "Whether counts are rounded down to 0, 100, 1,000, 10,000 and so on, and shares cut to tenths of a percentage point, \
         because exact ones would tell usage that has too few users to be shown.",
    ),
];

/// What fallback added, by the same requests with and without it.
pub(crate) const FIGURES: &[Column] = &[
    Column::count("all_requests", Unit::Requests, "Requests that the gateway passed on, however they ended."),
    Column::count("attempts", Unit::Attempts, "Attempts of all_requests."),
    Column::ratio("attempts_per_request", "attempts / all_requests: 1 without any fallback.")
        .null_when("Counts are bands and requests are too few."),
    Column::text("attempts_per_request_reason", "Why `attempts_per_request` is null: `not_enough`.")
        .null_when("`attempts_per_request` is not."),
    Column::count("requests", Unit::Requests, "Requests whose first attempt was a success or a fault of the provider: what the shares below are of."),
    Column::count("routed_ok", Unit::Requests, "Those of them that ended ok, after fallback where there was one."),
    Column::count("first_ok", Unit::Requests, "Those of them whose first attempt ended ok."),
    Column::ratio("routed", "routed_ok / requests.").null_when(FEW),
    Column::text("routed_reason", "Why `routed` is null: `not_enough`.").null_when("`routed` is not."),
    Column::ratio("without_routing", "first_ok / requests: the same requests without fallback.").null_when(FEW),
    Column::text("without_routing_reason", "Why `without_routing` is null: `not_enough`.")
        .null_when("`without_routing` is not."),
    Column::new("boost_points", Type::Real, Unit::Points, "(routed − without_routing) × 100: what routing added.")
        .null_when(FEW),
    Column::text("boost_points_reason", "Why `boost_points` is null: `not_enough`.")
        .null_when("`boost_points` is not."),
    Column::count("requests_with_rate_limits", Unit::Requests, "Requests whose first attempt was a success, a fault of the provider, or refused with 429: what the shares below are of."),
    Column::count("routed_ok_with_rate_limits", Unit::Requests, "Those of them that ended ok, after fallback where there was one."),
    Column::count("first_ok_with_rate_limits", Unit::Requests, "Those of them whose first attempt ended ok."),
    Column::ratio("routed_with_rate_limits", "routed_ok_with_rate_limits / requests_with_rate_limits. Rate limits count as failures of a first attempt.").null_when(FEW),
    Column::text("routed_with_rate_limits_reason", "Why `routed_with_rate_limits` is null: `not_enough`.").null_when("`routed_with_rate_limits` is not."),
    Column::ratio("without_routing_with_rate_limits", "first_ok_with_rate_limits / requests_with_rate_limits: the same requests without fallback.").null_when(FEW),
    Column::text("without_routing_with_rate_limits_reason", "Why `without_routing_with_rate_limits` is null: `not_enough`.")
        .null_when("`without_routing_with_rate_limits` is not."),
    Column::new("boost_with_rate_limits_points", Type::Real, Unit::Points, "(routed_with_rate_limits − without_routing_with_rate_limits) × 100: what routing added.")
        .null_when(FEW),
    Column::text("boost_with_rate_limits_points_reason", "Why `boost_with_rate_limits_points` is null: `not_enough`.")
        .null_when("`boost_with_rate_limits_points` is not."),
];

/// Against who always calls one provider.
pub(crate) const BEST: &[Column] = &[
    Column::text(
        "best_provider",
        "Id of the provider with the highest uptime for the model, over all attempts there; of equals the one with more counted \
         attempts, then by id. All models together have none.",
    )
    .null_when(NO_BEST),
    Column::text("best_provider_name", "For people.").null_when(NO_BEST),
    Column::ratio("best_provider_uptime", "Its uptime: who pins it gets this. In tenths of a percentage point where users are asked for.")
        .null_when(NO_BEST),
    Column::count("best_provider_counted", Unit::Attempts, "Counted attempts behind it; a band wherever users are asked for.")
        .null_when(NO_BEST),
    Column::text("best_provider_reason", "Why there is none: `not_enough`.").null_when("There is one, and in the row of the total."),
    Column::new("boost_over_best_points", Type::Real, Unit::Points, "(routed − best_provider_uptime) × 100.")
        .null_when("One of the two is null."),
    Column::text("boost_over_best_points_reason", "Why `boost_over_best_points` is null: `not_enough`.")
        .null_when("`boost_over_best_points` is not, and in the row of the total."),
];

const FEW: &str = "Fewer requests than an uptime needs counted attempts (100 on a public site).";

const NO_BEST: &str = "No provider has the counted attempts that an uptime needs (100 on a public site), and in the row of the total.";

const TOTAL: &str = "In the row of the total.";
