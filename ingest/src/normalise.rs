//! From a stripped event to rows of `attempts`.
//!
//! Everything here follows from the event, the catalogue and the time of the append: a replay of the same
//! record gives the same rows, whenever it happens.

mod price;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bellwether_warehouse::tables::attempts::{AttemptRow, ErrorClass, FinishReason};

use crate::catalogue::Catalogue;
use crate::event::{Attempt, Event, Identity};
use crate::instant;
use crate::outcome::{self, Settled};
use crate::record_time::{AHEAD_US, EARLIEST_US, LATEST_US};
use crate::reject::{Reason, Reject};
pub use price::{Priced, price_again};

const NATIVE: &str = "native";
/// Stands for a status where none was sent.
const NONE_SENT: i16 = 0;

/// Where a record stood in its log, and when it was appended there (µs).
#[derive(Clone, Copy, Debug)]
pub struct Lineage<'a> {
    /// Stands in for the source of an event that names none.
    pub source: &'a str,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Number, within its record, of the first row of the event.
    pub first_index: i32,
    pub appended_at_us: i64,
    /// The latest moment (µs) at which an event of this record may have begun.
    pub events_until_us: i64,
}

/// Gives each row of the event to `each`, in the order of attempts, with how it came by its price: all of them or none.
/// No price decides whether there are rows.
///
/// # Errors
/// When the event lacks its identity, a time is absurd, a closed value is not in its list, or the event was not
/// stripped. The reject's size is 0: the caller knows the record.
pub fn normalise(
    event: &Event<'_>,
    catalogue: &Catalogue,
    lineage: &Lineage<'_>,
    each: &mut dyn FnMut(&AttemptRow<'_>, Priced),
) -> Result<(), Reject> {
    let source = match (&*event.source, lineage.source) {
        ("", "") => NATIVE,
        ("", source) => source,
        (source, _) => source,
    };
    let shared = Shared::check(event, source, lineage)?;
    if event.attempts.is_empty() {
        shared.without_attempts(event)?.emit(event, catalogue, each);
        return Ok(());
    }
    let mut prepared = Vec::with_capacity(event.attempts.len());
    for (index, attempt) in event.attempts.iter().enumerate() {
        prepared.push(shared.attempt(event, index, attempt)?);
    }
    for (number, mut attempt) in (lineage.first_index..).zip(prepared) {
        attempt.row.src_index = Some(number);
        attempt.emit(event, catalogue, each);
    }
    Ok(())
}

/// What all rows of the event have in common.
struct Shared<'e> {
    source: &'e str,
    row: AttemptRow<'e>,
}

/// One row before names are looked up.
struct Prepared<'e> {
    source: &'e str,
    event_id: Cow<'e, str>,
    host: Option<&'e str>,
    settled: Settled,
    row: AttemptRow<'e>,
}

impl<'e> Shared<'e> {
    fn check(event: &'e Event<'_>, source: &'e str, lineage: &Lineage<'e>) -> Result<Self, Reject> {
        let refuse = |reason, detail: String| Reject::new(reason, detail, source, 0);
        if event.request_id.is_empty() {
            return Err(refuse(Reason::MissingField, "request_id: required".to_owned()));
        }
        check_time("started_at", event.started_at_us, lineage)
            .map_err(|detail| refuse(Reason::TimeOutOfRange, detail))?;
        for (index, attempt) in event.attempts.iter().enumerate() {
            if let Some(micros) = attempt.started_at_us {
                check_time(&format!("attempts[{index}].started_at"), micros, lineage)
                    .map_err(|detail| refuse(Reason::TimeOutOfRange, detail))?;
            }
        }
        let key = |field: &str, identity: &Option<Identity<'_>>| match identity {
            None => Ok(None),
            Some(Identity::Key(key)) => Ok(Some(*key)),
            Some(Identity::Raw(_)) => {
                Err(refuse(Reason::InvalidValue, format!("{field}: the event was not stripped of raw ids")))
            }
        };
        let row = AttemptRow {
            request_id: Some(&event.request_id),
            session_id: event.session_id.as_deref(),
            ingested_at: lineage.appended_at_us,
            requested_model: event.requested_model.as_deref(),
            router: event.router.as_deref(),
            operation: event.operation.as_deref().map(outcome::operation),
            streamed: event.streamed,
            user_key: key("user_id", &event.user)?,
            api_key_key: key("api_key_id", &event.api_key)?,
            org_key: key("org_id", &event.org)?,
            app_id: event.app_id.as_deref(),
            country: event.country.as_deref(),
            input_images: event.input_images,
            input_audio: event.input_audio,
            input_video: event.input_video,
            tools_offered: event.tools_offered,
            plugins: event.plugins.iter().map(|plugin| &**plugin).collect(),
            structured_requested: event.structured_requested,
            source,
            src_topic: lineage.topic,
            src_partition: lineage.partition,
            src_offset: lineage.offset,
            src_index: Some(lineage.first_index),
            ..AttemptRow::default()
        };
        Ok(Self { source, row })
    }

    /// The row of a request that never reached a provider.
    fn without_attempts(self, event: &'e Event<'_>) -> Result<Prepared<'e>, Reject> {
        let failure = event.failure.as_ref();
        let status = failure.and_then(|failure| failure.http_status);
        let given = failure.and_then(|failure| failure.error_class.as_deref());
        let given = given.map(|word| ErrorClass::parse(word).ok_or(outcome::Error::UnknownClass));
        let class = match (given.transpose().map_err(|error| self.refuse("error_class", &error))?, status) {
            (Some(class), _) => class,
            // The caller hung up before the gateway had called anyone.
            (None, Some(499)) => ErrorClass::ClientDisconnect,
            (None, status) => outcome::gateway_class(status),
        };
        let settled = outcome::of_gateway(class).map_err(|error| self.refuse("error_class", &error))?;
        let is_native = self.source == NATIVE;
        let row = AttemptRow {
            attempt: is_native.then_some(0),
            is_final: is_native.then_some(true),
            started_at: event.started_at_us,
            raw_model: event.requested_model.as_deref(),
            http_status: status.filter(|status| *status != NONE_SENT),
            ..self.row
        };
        let event_id = Cow::Owned(format!("{}:{}:0", self.source, event.request_id));
        Ok(Prepared { source: self.source, event_id, host: None, settled, row })
    }

    fn attempt(
        &self,
        event: &'e Event<'_>,
        index: usize,
        attempt: &'e Attempt<'_>,
    ) -> Result<Prepared<'e>, Reject> {
        let finish_reason = attempt.finish_reason.as_deref().and_then(outcome::finish_reason);
        let stated = attempt.http_status.filter(|status| *status != NONE_SENT);
        // What the gateway's cache answered was sent to nobody, so no answer is missing.
        let status = if attempt.gateway_cache_hit { stated } else { attempt.http_status };
        let settled = outcome::settle(
            attempt.outcome.as_deref(),
            attempt.error_class.as_deref(),
            status,
            finish_reason,
        )
        .map_err(|error| self.refuse(&format!("attempts[{index}].outcome"), &error))?;
        let native_finish_reason =
            match (attempt.native_finish_reason.as_deref(), attempt.finish_reason.as_deref()) {
                (Some(native), _) => Some(native),
                (None, given) if given != finish_reason.map(FinishReason::as_str) => given,
                (None, _) => None,
            }
            .filter(|native| outcome::is_word(native));
        // Only the native record is known to list all attempts of its request in order.
        let is_native = self.source == NATIVE;
        let position = i16::try_from(index).ok().filter(|_| is_native);
        let is_last = is_native.then_some(index + 1 == event.attempts.len());
        let row = AttemptRow {
            attempt: attempt.attempt.or(position),
            is_final: attempt.is_final.or(is_last),
            started_at: attempt.started_at_us.unwrap_or(event.started_at_us),
            raw_model: attempt.model.as_deref(),
            raw_provider: attempt.provider.as_deref(),
            endpoint_id: attempt.endpoint_id.as_deref(),
            region: attempt.region.as_deref(),
            service_tier: attempt.service_tier.as_deref(),
            is_byok: attempt.is_byok,
            input_tokens: inclusive_input(attempt),
            cached_input_tokens: attempt.cached_input_tokens,
            cache_write_tokens: attempt.cache_write_tokens,
            output_tokens: attempt.output_tokens,
            reasoning_tokens: attempt.reasoning_tokens,
            output_images: attempt.output_images,
            tool_calls: attempt.tool_calls,
            tool_call_errors: attempt.tool_call_errors,
            web_searches: attempt.web_searches,
            structured_valid: attempt.structured_valid,
            cost_usd: attempt.cost_usd,
            input_cost_usd: attempt.input_cost_usd,
            output_cost_usd: attempt.output_cost_usd,
            upstream_cost_usd: attempt.upstream_cost_usd,
            overhead_us: attempt.overhead_us,
            moderation_ms: attempt.moderation_ms,
            ttft_ms: measured_ttft(event, attempt),
            duration_ms: attempt.duration_ms,
            http_status: stated,
            finish_reason: finish_reason.map(FinishReason::as_str),
            native_finish_reason,
            refused: attempt.refused,
            billed_output_tokens: attempt.billed_output_tokens,
            gateway_cache_hit: attempt.gateway_cache_hit,
            ..self.row.clone()
        };
        let event_id = match &attempt.event_id {
            Some(event_id) => Cow::Borrowed(&**event_id),
            None => Cow::Owned(format!("{}:{}:{index}", self.source, event.request_id)),
        };
        Ok(Prepared { source: self.source, event_id, host: attempt.host.as_deref(), settled, row })
    }

    fn refuse(&self, path: &str, error: &outcome::Error) -> Reject {
        Reject::new(Reason::InvalidValue, format!("{path}: {error}"), self.source, 0)
    }
}

impl Prepared<'_> {
    fn emit(self, event: &Event<'_>, catalogue: &Catalogue, each: &mut dyn FnMut(&AttemptRow<'_>, Priced)) {
        let raw_model = self.row.raw_model;
        let resolved = catalogue.resolve(self.source, raw_model, self.row.raw_provider, self.host);
        let mut row = AttemptRow {
            event_id: &self.event_id,
            outcome: self.settled.outcome.as_str(),
            error_class: self.settled.error_class.map(ErrorClass::as_str),
            ..self.row
        };
        resolved.name(&mut row, event.attempts.is_empty());
        if event.attempts.is_empty() {
            row.raw_model = None;
        }
        let priced = price::settle(&mut row, self.settled.outcome, &resolved.offer, catalogue);
        each(&row, priced);
    }
}

/// Input tokens including cache reads and writes. More of those than of input proves that the source counts
/// them apart.
fn inclusive_input(attempt: &Attempt<'_>) -> Option<i64> {
    let input = attempt.input_tokens?;
    let cached =
        attempt.cached_input_tokens.unwrap_or(0).saturating_add(attempt.cache_write_tokens.unwrap_or(0));
    Some(if cached > input { input.saturating_add(cached) } else { input })
}

/// Time to first token, unless it is the end time in disguise or the call was not streamed.
fn measured_ttft(event: &Event<'_>, attempt: &Attempt<'_>) -> Option<i32> {
    attempt
        .ttft_ms
        .filter(|_| event.streamed != Some(false))
        .filter(|ttft| attempt.duration_ms.is_none_or(|duration| *ttft < duration))
}

fn check_time(path: &str, micros: i64, lineage: &Lineage<'_>) -> Result<(), String> {
    if micros < EARLIEST_US {
        return Err(format!("{path}: {} is before 2020-01-01", shown(micros)));
    }
    if micros > lineage.events_until_us && lineage.events_until_us >= LATEST_US {
        return Err(format!("{path}: {} is after 2100-01-01", shown(micros)));
    }
    if micros > lineage.events_until_us {
        return Err(format!(
            "{path}: {} is more than a day after the append at {}",
            shown(micros),
            shown(lineage.events_until_us.saturating_sub(AHEAD_US))
        ));
    }
    Ok(())
}

fn shown(micros: i64) -> String {
    let mut out = Vec::new();
    instant::write_rfc3339(micros, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
