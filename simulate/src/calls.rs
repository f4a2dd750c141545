//! The upstream calls of one request: choice of endpoint, outcome, fallback, time, tokens and cost.

use std::borrow::Cow;

use bellwether_ingest::event::Attempt;

use crate::calibration as cal;
use crate::chance::{Chance, Quantiles, pick};
use crate::faults::{self, Trouble};
use crate::outages::{Cause, Outage};
use crate::people::Continent;
use crate::population::{Endpoint, Model, Population};
use crate::roster::Kind;

pub(crate) struct Request<'a> {
    pub model: &'a Model,
    pub agentic: bool,
    pub continent: Continent,
    pub started_at_us: i64,
    pub streamed: bool,
}

/// Chances of one call to one endpoint at a minute.
#[derive(Clone, Copy)]
pub(crate) struct Rates {
    pub rate_limit: f64,
    pub fault: f64,
    /// The outage that most faults come from.
    pub cause: Option<Cause>,
}

impl Rates {
    pub(crate) fn uptime(&self) -> f64 {
        let answered = 1.0 - self.rate_limit;
        if answered > 0.0 { 1.0 - self.fault / answered } else { 0.0 }
    }
}

/// The endpoints that are in trouble during a minute, ordered by index.
pub(crate) struct Load {
    troubled: Vec<(usize, Rates)>,
}

impl Load {
    pub(crate) fn new<'o>(endpoints: &[Endpoint], outages: impl Iterator<Item = &'o Outage>) -> Self {
        let mut load = Self { troubled: Vec::new() };
        for outage in outages {
            let Some(endpoint) = endpoints.get(outage.endpoint) else { continue };
            let mut rates = load.rates(outage.endpoint, endpoint);
            // Causes act independently of each other; a refused call cannot also fail.
            if outage.cause == Cause::Storm {
                let uptime = rates.uptime();
                rates.rate_limit = 1.0 - (1.0 - rates.rate_limit) * (1.0 - outage.severity);
                rates.fault = (1.0 - rates.rate_limit) * (1.0 - uptime);
            } else {
                rates.fault = (1.0 - rates.rate_limit) * (1.0 - rates.uptime() * (1.0 - outage.severity));
                rates.cause = Some(outage.cause);
            }
            match load.place(outage.endpoint) {
                Ok(at) => load.troubled[at].1 = rates,
                Err(at) => load.troubled.insert(at, (outage.endpoint, rates)),
            }
        }
        load
    }

    fn place(&self, endpoint: usize) -> Result<usize, usize> {
        self.troubled.binary_search_by_key(&endpoint, |(index, _)| *index)
    }

    pub(crate) fn rates(&self, index: usize, endpoint: &Endpoint) -> Rates {
        self.place(index).ok().and_then(|at| self.troubled.get(at)).map_or_else(
            || Rates {
                rate_limit: endpoint.rate_limit,
                fault: endpoint.fault * (1.0 - endpoint.rate_limit),
                cause: None,
            },
            |(_, rates)| *rates,
        )
    }
}

pub(crate) struct Caller {
    agentic: Quantiles,
    conversation: Quantiles,
    output: Quantiles,
    ttft: Quantiles,
    throughput: Quantiles,
    overhead: Quantiles,
}

/// What the request is in tokens, the same at every endpoint.
struct Size {
    input: i64,
    output: i64,
    reasoning: Option<i64>,
}

impl Caller {
    pub(crate) fn new() -> Self {
        Self {
            agentic: Quantiles::log_normal(cal::AGENTIC_SIGMA),
            conversation: Quantiles::log_normal(cal::CONVERSATION_SIGMA),
            output: Quantiles::log_normal(cal::OUTPUT_SIGMA),
            ttft: Quantiles::piecewise(&cal::TTFT_SPREAD),
            throughput: Quantiles::log_normal(cal::THROUGHPUT_SIGMA),
            overhead: Quantiles::log_normal(cal::OVERHEAD_SIGMA),
        }
    }

    /// Appends the calls that a request makes, in order.
    pub(crate) fn call<'a>(
        &self,
        request: &Request<'a>,
        population: &'a Population,
        load: &Load,
        chance: &mut Chance,
        attempts: &mut Vec<Attempt<'a>>,
    ) {
        let size = self.size(request, chance);
        let overhead_us = (cal::OVERHEAD_MEDIAN_US * self.overhead.draw(chance)) as i32;
        let mut started_at_us = request.started_at_us + i64::from(overhead_us);
        let fate = chance.unit();
        if fate < cal::GATEWAY_CACHE_HIT {
            attempts.push(from_cache(request, &size, overhead_us));
            return;
        }
        let caller_errs = fate < cal::GATEWAY_CACHE_HIT + cal::CLIENT_ERROR;
        let caller_leaves =
            !caller_errs && fate < cal::GATEWAY_CACHE_HIT + cal::CLIENT_ERROR + cal::CANCELLED;
        let mut tried = [usize::MAX; cal::MAX_ATTEMPTS];

        for order in 0..cal::MAX_ATTEMPTS {
            let Some((index, endpoint)) = choose(request.model, population, &tried[..order], chance) else {
                break;
            };
            tried[order] = index;
            let rates = load.rates(index, endpoint);
            let luck = chance.unit();
            let trouble = if luck < rates.rate_limit {
                Some(faults::rate_limited(chance))
            } else if luck < rates.rate_limit + rates.fault {
                Some(faults::fault(rates.cause, request.streamed, chance))
            } else if caller_errs {
                Some(faults::client_error(chance))
            } else {
                None
            };
            let mut attempt = Attempt {
                model: Some(Cow::Borrowed(request.model.name)),
                provider: Some(Cow::Borrowed(endpoint.provider)),
                endpoint_id: Some(Cow::Borrowed(&endpoint.id)),
                region: Some(Cow::Borrowed(endpoint.row.regions[request.continent as usize])),
                started_at_us: Some(started_at_us),
                overhead_us: (order == 0).then_some(overhead_us),
                attempt: Some(order as i16),
                is_final: Some(false),
                ..Attempt::default()
            };
            let retry = trouble.as_ref().is_some_and(|trouble| trouble.falls_back);
            match trouble {
                Some(trouble) => self.fail(&mut attempt, request, endpoint, &size, trouble, chance),
                None => self.answer(&mut attempt, request, endpoint, &size, rates.cause, chance),
            }
            if trouble.is_none() && caller_leaves {
                cancel(&mut attempt, endpoint, chance);
            }
            started_at_us += i64::from(attempt.duration_ms.unwrap_or(0)) * 1000 + 1_500;
            attempts.push(attempt);
            if !retry || !chance.happens(cal::FALLBACK) {
                break;
            }
        }
        if let Some(last) = attempts.last_mut() {
            last.is_final = Some(true);
        }
    }

    fn size(&self, request: &Request<'_>, chance: &mut Chance) -> Size {
        let row = request.model.row;
        let (table, tokens) = if request.agentic {
            (&self.agentic, request.model.agentic_tokens)
        } else {
            (&self.conversation, request.model.conversation_tokens)
        };
        let input_mean = (tokens - row.output).max(100.0);
        let input = (input_mean / table.mean() * table.draw(chance)).clamp(8.0, 2_000_000.0);
        if row.kind == Kind::Embeds {
            return Size { input: input as i64, output: 0, reasoning: None };
        }
        let output = (row.output / self.output.mean() * self.output.draw(chance)).clamp(1.0, 64_000.0);
        let reasoning = (row.kind == Kind::Reasons).then(|| (output * chance.between(0.3, 0.7)) as i64);
        Size { input: input as i64, output: output as i64, reasoning }
    }

    fn answer(
        &self,
        attempt: &mut Attempt<'_>,
        request: &Request<'_>,
        endpoint: &Endpoint,
        size: &Size,
        cause: Option<Cause>,
        chance: &mut Chance,
    ) {
        let embeds = request.model.row.kind == Kind::Embeds;
        let slowed = if cause == Some(Cause::Slowness) { 2.5 } else { 1.0 };
        // Long prompts take longer to read: about 40 % more at 100 K tokens.
        let reading = 0.97 + size.input as f64 * 4e-6;
        let ttft = endpoint.ttft_ms * self.ttft.draw(chance) * reading * slowed;
        let speed = endpoint.tokens_per_s * self.throughput.draw(chance);
        let duration =
            if embeds { ttft * 0.4 } else { ttft + 1000.0 * (size.output - 1).max(0) as f64 / speed };

        attempt.outcome = Some(Cow::Borrowed("ok"));
        attempt.http_status = Some(200);
        attempt.ttft_ms = request.streamed.then_some(ttft.clamp(1.0, 600_000.0) as i32);
        attempt.duration_ms = Some(duration.clamp(1.0, f64::from(cal::LONGEST_CALL_MS)) as i32);
        attempt.input_tokens = Some(size.input);
        attempt.output_tokens = Some(size.output);
        attempt.reasoning_tokens = size.reasoning;
        if embeds {
            bill(attempt, endpoint);
            return;
        }
        let repeats = if request.agentic { 1.15 } else { 0.9 };
        let cached = (endpoint.cached * repeats * chance.between(0.7, 1.3)).clamp(0.0, 0.97);
        attempt.cached_input_tokens = Some((size.input as f64 * cached) as i64);
        finish(attempt, request.agentic, endpoint, chance);
        bill(attempt, endpoint);
    }

    fn fail(
        &self,
        attempt: &mut Attempt<'_>,
        request: &Request<'_>,
        endpoint: &Endpoint,
        size: &Size,
        trouble: Trouble,
        chance: &mut Chance,
    ) {
        attempt.outcome = Some(Cow::Borrowed(trouble.outcome));
        attempt.error_class = Some(Cow::Borrowed(trouble.class));
        attempt.http_status = trouble.http_status;
        let (shortest, longest) = trouble.duration_ms;
        let mut duration = shortest * (longest / shortest).powf(chance.unit());
        if trouble.partial {
            let ttft = endpoint.ttft_ms * self.ttft.draw(chance);
            let output = (size.output as f64 * chance.unit()) as i64;
            attempt.ttft_ms = request.streamed.then_some(ttft.clamp(1.0, 600_000.0) as i32);
            attempt.input_tokens = Some(size.input);
            attempt.output_tokens = Some(output);
            attempt.finish_reason = trouble.finish_reason.map(Cow::Borrowed);
            duration += ttft + 1000.0 * output as f64 / endpoint.tokens_per_s;
        }
        attempt.duration_ms = Some(duration.clamp(1.0, f64::from(cal::LONGEST_CALL_MS)) as i32);
    }
}

/// The first endpoint by weight, later ones by weight among those not tried yet.
fn choose<'a>(
    model: &Model,
    population: &'a Population,
    tried: &[usize],
    chance: &mut Chance,
) -> Option<(usize, &'a Endpoint)> {
    let index = if tried.is_empty() {
        model.endpoints.start + pick(&model.first_choice, chance.unit())
    } else {
        let left = || model.endpoints.clone().filter(|index| !tried.contains(index));
        let weight = |index: usize| population.endpoints.get(index).map_or(0.0, |endpoint| endpoint.weight);
        let mut at = chance.unit() * left().map(weight).sum::<f64>();
        left()
            .find(|index| {
                at -= weight(*index);
                at < 0.0
            })
            .or_else(|| left().next_back())?
    };
    Some((index, population.endpoints.get(index)?))
}

/// Served by the router's own cache: no provider, nothing charged.
fn from_cache<'a>(request: &Request<'a>, size: &Size, overhead_us: i32) -> Attempt<'a> {
    Attempt {
        model: Some(Cow::Borrowed(request.model.name)),
        started_at_us: Some(request.started_at_us),
        duration_ms: Some(overhead_us / 1000 + 2),
        overhead_us: Some(overhead_us),
        outcome: Some(Cow::Borrowed("ok")),
        http_status: Some(200),
        finish_reason: (request.model.row.kind != Kind::Embeds).then_some(Cow::Borrowed("stop")),
        input_tokens: Some(size.input),
        output_tokens: Some(size.output),
        cost_usd: Some(0),
        gateway_cache_hit: true,
        attempt: Some(0),
        is_final: Some(true),
        ..Attempt::default()
    }
}

fn finish(attempt: &mut Attempt<'_>, agentic: bool, endpoint: &Endpoint, chance: &mut Chance) {
    let calls_tools = if agentic { cal::AGENTIC_TOOL_FINISH } else { cal::CONVERSATION_TOOL_FINISH };
    let luck = chance.unit();
    let reason = if luck < calls_tools {
        let calls = 1 + i32::from(luck < calls_tools * 0.25) + i32::from(luck < calls_tools * 0.06);
        attempt.tool_calls = Some(calls);
        attempt.tool_call_errors = Some(i32::from(chance.happens(endpoint.tool_error)));
        "tool_calls"
    } else {
        attempt.tool_calls = Some(0);
        if luck > 0.997 {
            attempt.refused = Some(true);
            "content_filter"
        } else if luck > 0.96 {
            "length"
        } else {
            "stop"
        }
    };
    attempt.finish_reason = Some(Cow::Borrowed(reason));
}

/// The caller hung up, most often while the answer was arriving.
fn cancel(attempt: &mut Attempt<'_>, endpoint: &Endpoint, chance: &mut Chance) {
    let delivered = if chance.happens(0.25) { 0.0 } else { chance.unit() };
    let whole = attempt.output_tokens.unwrap_or(0);
    let output = (whole as f64 * delivered) as i64;
    attempt.outcome = Some(Cow::Borrowed("cancelled"));
    attempt.error_class = Some(Cow::Borrowed("client_disconnect"));
    attempt.http_status = Some(499);
    attempt.finish_reason = None;
    attempt.tool_calls = None;
    attempt.tool_call_errors = None;
    attempt.refused = None;
    attempt.reasoning_tokens = attempt.reasoning_tokens.map(|tokens| tokens.min(output));
    attempt.output_tokens = Some(output);
    // Some providers stop the meter when the caller leaves, the invented ones do not.
    attempt.billed_output_tokens = Some(if endpoint.invented { whole } else { output });
    if output == 0 {
        attempt.ttft_ms = None;
    }
    let share = if output == 0 { 0.1 } else { delivered.max(0.05) };
    attempt.duration_ms = attempt.duration_ms.map(|ms| {
        // Never before the first token.
        let shortened = (f64::from(ms) * share) as i32;
        shortened.max(attempt.ttft_ms.unwrap_or(1))
    });
    bill(attempt, endpoint);
}

/// Cost after the endpoint's price list; nothing where it has none.
fn bill(attempt: &mut Attempt<'_>, endpoint: &Endpoint) {
    let Some(price) = endpoint.price else { return };
    let input = attempt.input_tokens.unwrap_or(0);
    let cached = attempt.cached_input_tokens.unwrap_or(0);
    let output = attempt.billed_output_tokens.or(attempt.output_tokens).unwrap_or(0);
    let input_cost = (input - cached) * price.input + cached * price.cached;
    let output_cost = output * price.output;
    attempt.cost_usd = Some(i128::from(input_cost + output_cost));
    attempt.input_cost_usd = Some(i128::from(input_cost));
    attempt.output_cost_usd = Some(i128::from(output_cost));
}
