//! One period at one place: how many of each there are, drawn around what is expected.

use super::place::Figures;
use super::tally::Tally;
use crate::calibration as cal;
use crate::calls::Rates;
use crate::chance::Chance;
use crate::outages::Cause;
use crate::roster::Kind;

/// Demo: served requests that are streamed, by kind; replies below 20 tokens, which have no decode speed; replies of a
/// caller who left before anything had come.
const STREAMED: (f64, f64) = (0.92, 0.80);
const SHORT_REPLIES: f64 = 0.02;
const LEFT_EARLY: f64 = 0.25;
/// Demo: chats that want structured output, and those of them that fail to get it.
const STRUCTURED: f64 = 0.06;
const STRUCTURED_INVALID: f64 = 0.015;
/// Deviation of the logarithm of one request's tokens; a sum of many wanders less.
const TOKENS_SIGMA: f64 = 1.2;

/// What `expected` first attempts of a period become.
pub(super) fn count(figures: &Figures, expected: f64, rates: &Rates, chance: &mut Chance) -> Tally {
    if figures.endpoint.is_none() {
        return from_cache(figures, expected, chance);
    }
    let mut tally = Tally::default();
    tally.first_attempts = i64::from(chance.poisson(expected));
    tally.attempts = tally.first_attempts + i64::from(chance.poisson(expected * (figures.calls - 1.0)));
    if tally.attempts == 0 {
        return tally;
    }
    outcomes(&mut tally, rates, chance);
    let success = tally.ok + tally.cancelled_delivered;
    if success > 0 {
        usage(&mut tally, figures, success, chance);
        replies(&mut tally, figures, chance);
        bill(&mut tally, figures);
    }
    routing(&mut tally, figures);
    measured(&mut tally, figures, chance);
    tally
}

/// Served by the router's own cache: usage, but no provider's doing.
fn from_cache(figures: &Figures, expected: f64, chance: &mut Chance) -> Tally {
    let hits = i64::from(chance.poisson(expected));
    let mut tally = Tally { gateway_cache_hits: hits, all_requests: hits, ..Tally::default() };
    if hits > 0 {
        usage(&mut tally, figures, hits, chance);
    }
    tally
}

/// How many of `n` it happens to.
fn some(chance: &mut Chance, n: i64, probability: f64) -> i64 {
    i64::from(chance.poisson(n as f64 * probability)).min(n)
}

/// Takes some of `left`: `probability` is of what is left.
fn take(chance: &mut Chance, left: &mut i64, probability: f64) -> i64 {
    let taken = some(chance, *left, probability);
    *left -= taken;
    taken
}

fn outcomes(tally: &mut Tally, rates: &Rates, chance: &mut Chance) {
    let mut left = tally.attempts;
    tally.rate_limited = take(chance, &mut left, rates.rate_limit);
    tally.fault = take(chance, &mut left, 1.0 - rates.uptime());
    tally.client_error = take(chance, &mut left, cal::CLIENT_ERROR);
    tally.cancelled = take(chance, &mut left, cal::CANCELLED);
    tally.cancelled_delivered = tally.cancelled - some(chance, tally.cancelled, LEFT_EARLY);
    tally.ok = left;

    // Of what the ones before have left.
    let mix = match rates.cause {
        Some(Cause::Overload) => [0.55, 0.40, 0.10, 0.20, 0.05, 0.0, 0.0, 0.0],
        Some(Cause::Crash) => [0.05, 0.05, 0.33, 0.13, 0.0, 0.0, 0.0, 0.0],
        Some(Cause::Slowness) => [0.08, 0.82, 0.12, 0.67, 0.0, 0.0, 0.0, 0.0],
        Some(Cause::Credentials) => [0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.68, 1.0],
        Some(Cause::Storm) | None => [0.24, 0.24, 0.17, 0.17, 0.10, 0.03, 0.03, 0.0],
    };
    let mut faults = tally.fault;
    tally.fault_overloaded = take(chance, &mut faults, mix[0]);
    tally.fault_timeout = take(chance, &mut faults, mix[1]);
    tally.fault_connection = take(chance, &mut faults, mix[2]);
    tally.fault_stream_error = take(chance, &mut faults, mix[3]);
    tally.fault_error_finish = take(chance, &mut faults, mix[4]);
    tally.fault_not_found = take(chance, &mut faults, mix[5]);
    tally.fault_auth = take(chance, &mut faults, mix[6]);
    tally.fault_payment = take(chance, &mut faults, mix[7]);
    tally.fault_server_error = faults;

    let mut errors = tally.client_error;
    tally.client_context_length = take(chance, &mut errors, 0.20);
    tally.client_content_policy = take(chance, &mut errors, 0.13);
    tally.client_unsupported = take(chance, &mut errors, 0.14);
    tally.client_too_large = take(chance, &mut errors, 0.08);
    tally.client_geo = take(chance, &mut errors, 0.09);
    tally.client_bad_request = errors;
}

/// Sum of the tokens of `n` requests of this mean.
fn tokens(chance: &mut Chance, n: i64, mean: f64) -> i64 {
    if n == 0 {
        return 0;
    }
    let sigma = TOKENS_SIGMA / (n as f64).sqrt();
    (n as f64 * mean * (sigma * normal(chance) - sigma * sigma / 2.0).exp()) as i64
}

/// Near-normal.
pub(super) fn normal(chance: &mut Chance) -> f64 {
    ((0..4).map(|_| chance.unit()).sum::<f64>() - 2.0) * 3f64.sqrt()
}

/// What `served` requests are in tokens.
fn usage(tally: &mut Tally, figures: &Figures, served: i64, chance: &mut Chance) {
    tally.requests = served;
    let streamed = figures.agentic * STREAMED.0 + (1.0 - figures.agentic) * STREAMED.1;
    if !matches!(figures.kind, Kind::Embeds | Kind::Batch) {
        tally.streamed_requests = some(chance, served, streamed);
    }
    tally.requests_with_user = some(chance, served, cal::USER_KNOWN);
    tally.input_tokens = tokens(chance, served, figures.input);
    tally.cached_input_tokens = (tally.input_tokens as f64 * figures.cached) as i64;
    tally.output_tokens = tokens(chance, served, figures.output);
    if figures.kind == Kind::Reasons {
        tally.reasoning_tokens = tally.output_tokens / 2;
    }
    if figures.kind == Kind::Sees {
        tally.requests_image_in = some(chance, served, 0.08);
        tally.input_images = 2 * tally.requests_image_in;
    }
    let [k1, k10, k100, m1] = figures.context;
    let mut left = served;
    tally.context_1k = take(chance, &mut left, k1);
    tally.context_10k = take(chance, &mut left, of_rest(k10, k1));
    tally.context_100k = take(chance, &mut left, of_rest(k100, k10));
    tally.context_1m = take(chance, &mut left, of_rest(m1, k100));
    tally.context_10m = left;
}

/// The share up to here, of what lies above `below`.
fn of_rest(upto: f64, below: f64) -> f64 {
    if below < 1.0 { ((upto - below) / (1.0 - below)).clamp(0.0, 1.0) } else { 0.0 }
}

/// How replies finished.
fn replies(tally: &mut Tally, figures: &Figures, chance: &mut Chance) {
    if figures.kind == Kind::Embeds {
        return;
    }
    let calls =
        figures.agentic * cal::AGENTIC_TOOL_FINISH + (1.0 - figures.agentic) * cal::CONVERSATION_TOOL_FINISH;
    tally.tool_finishes = some(chance, tally.ok, calls);
    tally.tool_error_requests = some(chance, tally.tool_finishes, figures.tool_error);
    tally.requests_tool_call = tally.tool_finishes;
    tally.tool_calls = tally.tool_finishes + some(chance, tally.tool_finishes, 0.31);
    let others = tally.ok - tally.tool_finishes;
    tally.content_filtered = some(chance, others, 0.003);
    tally.refused = tally.content_filtered;
    let offered = figures.agentic + (1.0 - figures.agentic) * 0.2;
    tally.prose_instead_of_call = some(chance, others - tally.content_filtered, 0.95 * offered);
    tally.structured_requested = some(chance, tally.ok, STRUCTURED * (1.0 - figures.agentic));
    tally.structured_invalid = some(chance, tally.structured_requested, STRUCTURED_INVALID);
}

fn bill(tally: &mut Tally, figures: &Figures) {
    let billed = if figures.bills_cancelled { 1.0 } else { 0.5 };
    tally.billed_output_tokens_cancelled = (tally.cancelled as f64 * figures.output * billed) as i64;
    match figures.price {
        Some(price) => {
            let fresh = i128::from(tally.input_tokens - tally.cached_input_tokens);
            // Who leaves before anything has come pays for the prompt.
            let left_early = (tally.cancelled - tally.cancelled_delivered) as f64 * figures.input;
            tally.unserved_cost_usd = i128::from(left_early as i64) * i128::from(price.input);
            tally.cost_usd = fresh * i128::from(price.input)
                + i128::from(tally.cached_input_tokens) * i128::from(price.cached)
                + i128::from(tally.output_tokens) * i128::from(price.output)
                + tally.unserved_cost_usd;
        }
        None if figures.costs_nothing => {}
        None => {
            tally.unpriced_requests = tally.requests;
            tally.unpriced_tokens = tally.input_tokens + tally.output_tokens;
        }
    }
}

/// What became of the requests that began here, with and without a further endpoint.
fn routing(tally: &mut Tally, figures: &Figures) {
    let first = tally.first_attempts as f64 / tally.attempts as f64;
    let of_first = |attempts: i64| (attempts as f64 * first).round() as i64;
    let saved = |failed: i64| (failed as f64 * figures.fallback) as i64;
    let (served, faults) = (of_first(tally.ok + tally.cancelled_delivered), of_first(tally.fault));
    let limited = of_first(tally.rate_limited);
    tally.all_requests = tally.first_attempts;
    tally.population = served + faults;
    tally.first_ok = served;
    tally.routed_ok = served + saved(faults);
    tally.requests_with_rate_limits = tally.population + limited;
    tally.first_ok_with_rate_limits = served;
    tally.routed_ok_with_rate_limits = served + saved(faults + limited);
}

/// How many attempts go into each sketch of speed.
fn measured(tally: &mut Tally, figures: &Figures, chance: &mut Chance) {
    tally.measured_overhead = tally.first_attempts;
    tally.measured_ttft = tally.streamed_requests;
    tally.measured_duration = tally.ok;
    if figures.output > 0.0 {
        tally.measured_e2e = tally.ok;
        let streamed = tally.streamed_requests.min(tally.ok);
        tally.measured_decode = streamed - some(chance, streamed, SHORT_REPLIES);
    }
}
