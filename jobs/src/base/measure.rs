//! What one attempt counts for: METRICS in code.

use bellwether_warehouse::tables::attempts::{ErrorClass, FinishReason, Outcome};
use bellwether_warehouse::tables::context_speed::ContextSpeed;
use bellwether_warehouse::tables::health::Health;
use bellwether_warehouse::tables::reach::Reach;
use bellwether_warehouse::tables::usage::Usage;
use bellwether_warehouse::tables::users::UserModel;

use super::context::CONTEXT;
use super::counter::Counted;
use super::input::Attempt;

/// With fewer tokens than this the decoding time is mostly noise.
const DECODE_MIN_TOKENS: i64 = 20;

/// Measurements of health that go into sketches.
pub(super) const SPEEDS: usize = 5;

impl Attempt {
    #[inline]
    pub(super) fn is_success(&self) -> bool {
        self.outcome.is_some_and(|outcome| outcome.is_success(self.output_tokens, self.ttft_ms.is_some()))
    }

    /// False when the router answered from its own cache: usage, but no provider's doing.
    #[inline]
    pub(super) fn is_upstream(&self) -> bool {
        self.gateway_cache_hit != Some(true)
    }
}

/// At least one.
#[inline]
fn is_some(count: Option<impl Into<i64>>) -> bool {
    count.is_some_and(|count| count.into() >= 1)
}

#[inline]
fn add(sum: &mut i64, value: Option<impl Into<i64>>) {
    if let Some(value) = value {
        *sum = sum.saturating_add(value.into());
    }
}

/// Of any attempt: what was charged, and the part of it for attempts that were not served.
#[inline]
pub(super) fn count_spend(usage: &mut Usage, attempt: &Attempt, is_served: bool) {
    let Some(cost) = attempt.cost_usd else { return };
    usage.cost_usd = usage.cost_usd.saturating_add(cost);
    if !is_served {
        usage.unserved_cost_usd = usage.unserved_cost_usd.saturating_add(cost);
    }
}

/// Of a served request.
#[inline]
pub(super) fn count_usage(usage: &mut Usage, attempt: &Attempt) {
    let one = |holds: bool| i64::from(holds);
    usage.requests += 1;
    usage.gateway_cache_hits += one(!attempt.is_upstream());
    usage.streamed_requests += one(attempt.streamed == Some(true));
    usage.requests_with_user += one(attempt.user_key.is_some());
    add(&mut usage.input_tokens, attempt.input_tokens);
    add(&mut usage.cached_input_tokens, attempt.cached_input_tokens);
    add(&mut usage.cache_write_tokens, attempt.cache_write_tokens);
    add(&mut usage.output_tokens, attempt.output_tokens);
    add(&mut usage.reasoning_tokens, attempt.reasoning_tokens);
    if attempt.cost_usd.is_none() {
        usage.unpriced_requests += 1;
        add(&mut usage.unpriced_tokens, attempt.input_tokens);
        add(&mut usage.unpriced_tokens, attempt.output_tokens);
    }
    add(&mut usage.input_images, attempt.input_images);
    add(&mut usage.input_audio, attempt.input_audio);
    add(&mut usage.input_video, attempt.input_video);
    add(&mut usage.output_images, attempt.output_images);
    add(&mut usage.tool_calls, attempt.tool_calls);
    add(&mut usage.web_searches, attempt.web_searches);
    usage.requests_image_in += one(is_some(attempt.input_images));
    usage.requests_image_out += one(is_some(attempt.output_images));
    usage.requests_audio_in += one(is_some(attempt.input_audio));
    usage.requests_tool_call += one(is_some(attempt.tool_calls));
    if let Some(tokens) = attempt.input_tokens {
        let bucket = match CONTEXT.iter().position(|bound| tokens <= *bound) {
            Some(0) => &mut usage.context_1k,
            Some(1) => &mut usage.context_10k,
            Some(2) => &mut usage.context_100k,
            Some(3) => &mut usage.context_1m,
            Some(_) => &mut usage.context_10m,
            None => &mut usage.context_over_10m,
        };
        *bucket += 1;
    }
}

/// By whom an attempt reached.
impl Counted for Reach {
    #[inline]
    fn takes(attempt: &Attempt) -> bool {
        attempt.cost_usd.is_some() || attempt.is_success()
    }

    #[inline]
    fn count(&mut self, attempt: &Attempt) {
        if let Some(cost) = attempt.cost_usd {
            self.cost_usd = self.cost_usd.saturating_add(cost);
        }
        if !attempt.is_success() {
            return;
        }
        self.requests += 1;
        self.requests_with_user += i64::from(attempt.user_key.is_some());
        add(&mut self.input_tokens, attempt.input_tokens);
        add(&mut self.output_tokens, attempt.output_tokens);
        if attempt.cost_usd.is_none() {
            self.unpriced_requests += 1;
            add(&mut self.unpriced_tokens, attempt.input_tokens);
            add(&mut self.unpriced_tokens, attempt.output_tokens);
        }
    }

    #[inline]
    fn user(attempt: &Attempt) -> Option<i64> {
        attempt.user_key.filter(|_| attempt.is_success())
    }
}

/// How fast an attempt was, by the length of its prompt.
impl Counted for ContextSpeed {
    #[inline]
    fn takes(attempt: &Attempt) -> bool {
        attempt.is_upstream()
            && attempt.input_tokens.is_some()
            && by_context(attempt).iter().any(Option::is_some)
    }

    #[inline]
    fn count(&mut self, _: &Attempt) {
        self.attempts += 1;
    }

    #[inline]
    fn measure(attempt: &Attempt, mut each: impl FnMut(usize, f64)) {
        for (at, value) in by_context(attempt).into_iter().enumerate() {
            if let Some(value) = value {
                each(at, value);
            }
        }
    }
}

/// Who used a model.
impl Counted for UserModel {
    #[inline]
    fn takes(attempt: &Attempt) -> bool {
        attempt.user_key.is_some() && attempt.is_success()
    }

    #[inline]
    fn count(&mut self, _: &Attempt) {
        self.requests += 1;
    }
}

/// In the order of the columns of speeds by context.
#[inline]
fn by_context(attempt: &Attempt) -> [Option<f64>; 3] {
    let [ttft_ms, _, e2e, decode, _] = speed(attempt);
    [ttft_ms, e2e, decode]
}

/// Of an attempt at a provider.
#[inline]
pub(super) fn count_health(health: &mut Health, attempt: &Attempt) {
    let one = |holds: Option<bool>| i64::from(holds == Some(true));
    let success = attempt.is_success();
    health.attempts += 1;
    if success {
        add(&mut health.output_tokens, attempt.output_tokens);
    }
    let class = attempt.error_class;
    match attempt.outcome {
        Some(Outcome::Ok) => health.ok += 1,
        Some(Outcome::Fault) => count_fault(health, class),
        Some(Outcome::RateLimited) => health.rate_limited += 1,
        Some(Outcome::ClientError) => count_client_error(health, class),
        Some(Outcome::Cancelled) => {
            health.cancelled += 1;
            health.cancelled_delivered += i64::from(success);
            add(&mut health.billed_output_tokens_cancelled, attempt.billed_output_tokens);
        }
        Some(Outcome::GatewayError) => health.gateway_error += 1,
        None => {}
    }
    match attempt.finish_reason {
        Some(FinishReason::ToolCalls) => {
            health.tool_finishes += 1;
            health.tool_error_requests += i64::from(is_some(attempt.tool_call_errors));
        }
        Some(FinishReason::Stop) => health.prose_instead_of_call += i64::from(is_some(attempt.tools_offered)),
        Some(FinishReason::ContentFilter) => health.content_filtered += 1,
        Some(FinishReason::Length | FinishReason::Error) | None => {}
    }
    if attempt.structured_requested == Some(true) {
        health.structured_requested += 1;
        health.structured_invalid += one(attempt.structured_valid.map(|valid| !valid));
    }
    health.refused += one(attempt.refused);
}

fn count_fault(health: &mut Health, class: Option<ErrorClass>) {
    health.fault += 1;
    let counter = match class {
        Some(ErrorClass::Auth) => &mut health.fault_auth,
        Some(ErrorClass::Payment) => &mut health.fault_payment,
        Some(ErrorClass::NotFound) => &mut health.fault_not_found,
        Some(ErrorClass::Timeout) => &mut health.fault_timeout,
        Some(ErrorClass::Connection) => &mut health.fault_connection,
        Some(ErrorClass::Overloaded) => &mut health.fault_overloaded,
        Some(ErrorClass::ServerError) => &mut health.fault_server_error,
        Some(ErrorClass::StreamError) => &mut health.fault_stream_error,
        Some(ErrorClass::ErrorFinish) => &mut health.fault_error_finish,
        _ => return,
    };
    *counter += 1;
}

fn count_client_error(health: &mut Health, class: Option<ErrorClass>) {
    health.client_error += 1;
    let counter = match class {
        Some(ErrorClass::BadRequest) => &mut health.client_bad_request,
        Some(ErrorClass::ContextLength) => &mut health.client_context_length,
        Some(ErrorClass::ContentPolicy) => &mut health.client_content_policy,
        Some(ErrorClass::TooLarge) => &mut health.client_too_large,
        Some(ErrorClass::Geo) => &mut health.client_geo,
        Some(ErrorClass::Unsupported) => &mut health.client_unsupported,
        _ => return,
    };
    *counter += 1;
}

/// Of an attempt at a provider, in the order of their columns; None where it has none.
#[inline]
pub(super) fn speed(attempt: &Attempt) -> [Option<f64>; SPEEDS] {
    let streamed = attempt.streamed == Some(true);
    let ok = attempt.outcome == Some(Outcome::Ok);
    let to_first_ms = attempt.ttft_ms.filter(|_| streamed);
    let ttft_ms = to_first_ms.filter(|_| attempt.is_success()).map(f64::from);
    let duration_ms = attempt.duration_ms.filter(|_| ok);
    let (mut e2e, mut decode) = (None, None);
    if let (Some(duration_ms), Some(tokens)) = (duration_ms, attempt.output_tokens.filter(|t| *t >= 1)) {
        if duration_ms > 0 {
            e2e = Some(tokens as f64 / (f64::from(duration_ms) / 1000.0));
        }
        if let Some(ttft_ms) = to_first_ms.filter(|ttft_ms| duration_ms > *ttft_ms)
            && tokens >= DECODE_MIN_TOKENS
        {
            let decoding_ms = f64::from(duration_ms) - f64::from(ttft_ms);
            decode = Some((tokens - 1) as f64 / (decoding_ms / 1000.0));
        }
    }
    [ttft_ms, duration_ms.map(f64::from), e2e, decode, attempt.overhead_us.map(f64::from)]
}
