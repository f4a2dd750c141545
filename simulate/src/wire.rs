//! A request as a router would send it: one line of native JSON with raw ids and texts.
//!
//! This is the input of an intake, not what Bellwether stores; the event without texts is written elsewhere.

use bellwether_ingest::event::{Attempt, Event, Identity, Str, Texts};
use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};

/// An event that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("write request `{request_id}` as JSON")]
    Json {
        request_id: String,
        #[source]
        source: serde_json::Error,
    },
}

/// Appends the event and a newline. What is unknown is left out.
pub fn write_line(event: &Event<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    serde_json::to_writer(&mut *out, &Request::new(event))
        .map_err(|source| WireError::Json { request_id: event.request_id.clone().into_owned(), source })?;
    out.push(b'\n');
    Ok(())
}

#[derive(Serialize)]
struct Request<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    started_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    router: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streamed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_images: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools_offered: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_requested: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion: Option<&'a str>,
    /// Why a request without attempts reached no provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<i16>,
    attempts: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft_ms: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overhead_us: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<i16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_input_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billed_output_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_errors: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_valid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_cost_usd: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_cost_usd: Option<Money>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gateway_cache_hit: bool,
}

impl<'a> Request<'a> {
    fn new(event: &'a Event<'_>) -> Self {
        Self {
            request_id: &event.request_id,
            session_id: event.session_id.as_deref(),
            started_at: Instant(event.started_at_us),
            operation: event.operation.as_deref(),
            requested_model: event.requested_model.as_deref(),
            router: event.router.as_deref(),
            streamed: event.streamed,
            user_id: raw(&event.user),
            api_key_id: raw(&event.api_key),
            org_id: raw(&event.org),
            app_id: event.app_id.as_deref(),
            country: event.country.as_deref(),
            input_images: event.input_images,
            tools_offered: event.tools_offered,
            structured_requested: event.structured_requested,
            messages: event.texts.as_ref().map(messages).unwrap_or_default(),
            completion: event.texts.as_ref().and_then(|texts| texts.completion.as_deref()),
            error_class: event.failure.as_ref().and_then(|failure| failure.error_class.as_deref()),
            http_status: event.failure.as_ref().and_then(|failure| failure.http_status),
            attempts: event.attempts.iter().map(Call::new).collect(),
        }
    }
}

impl<'a> Call<'a> {
    fn new(attempt: &'a Attempt<'_>) -> Self {
        Self {
            model: attempt.model.as_deref(),
            provider: attempt.provider.as_deref(),
            endpoint_id: attempt.endpoint_id.as_deref(),
            region: attempt.region.as_deref(),
            started_at: attempt.started_at_us.map(Instant),
            duration_ms: attempt.duration_ms,
            ttft_ms: attempt.ttft_ms,
            overhead_us: attempt.overhead_us,
            http_status: attempt.http_status,
            outcome: attempt.outcome.as_deref(),
            error_class: attempt.error_class.as_deref(),
            finish_reason: attempt.finish_reason.as_deref(),
            refused: attempt.refused,
            input_tokens: attempt.input_tokens,
            cached_input_tokens: attempt.cached_input_tokens,
            output_tokens: attempt.output_tokens,
            reasoning_tokens: attempt.reasoning_tokens,
            billed_output_tokens: attempt.billed_output_tokens,
            tool_calls: attempt.tool_calls,
            tool_call_errors: attempt.tool_call_errors,
            structured_valid: attempt.structured_valid,
            cost_usd: attempt.cost_usd.map(Money),
            input_cost_usd: attempt.input_cost_usd.map(Money),
            output_cost_usd: attempt.output_cost_usd.map(Money),
            gateway_cache_hit: attempt.gateway_cache_hit,
        }
    }
}

fn messages<'a>(texts: &'a Texts<'_>) -> Vec<Message<'a>> {
    texts.user.iter().map(|text: &Str<'_>| Message { role: "user", content: text }).collect()
}

/// A hashed id is no id of the caller's, and is not sent as one.
fn raw<'a>(identity: &'a Option<Identity<'_>>) -> Option<&'a str> {
    match identity {
        Some(Identity::Raw(id)) => Some(id),
        _ => None,
    }
}

/// µs since the epoch, written as RFC 3339 in UTC.
struct Instant(i64);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(at) = DateTime::from_timestamp_micros(self.0) else {
            return Err(serde::ser::Error::custom("instant beyond the calendar"));
        };
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// 10⁻⁹ USD, written as decimal text with nine places.
struct Money(i128);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (sign, nano) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        serializer.collect_str(&format_args!("{sign}{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_request_is_one_line_with_its_texts_ids_and_calls() {
        let event = Event {
            request_id: Cow::Borrowed("r1"),
            started_at_us: 1_795_564_800_000_001,
            user: Some(Identity::Raw(Cow::Borrowed("u7"))),
            org: Some(Identity::Key(5)),
            texts: Some(Texts {
                user: vec![Cow::Borrowed("hello\nthere")],
                completion: Some(Cow::Borrowed("hi")),
                tool_paths: Vec::new(),
            }),
            attempts: vec![Attempt {
                model: Some(Cow::Borrowed("a/b")),
                started_at_us: Some(1_795_564_800_020_000),
                input_tokens: Some(12),
                cost_usd: Some(1_500_000_042),
                ..Attempt::default()
            }],
            ..Event::default()
        };
        let mut out = Vec::new();
        write_line(&event, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"request_id":"r1","started_at":"2026-11-25T00:00:00.000001Z","user_id":"u7","#,
                r#""messages":[{"role":"user","content":"hello\nthere"}],"completion":"hi","#,
                r#""attempts":[{"model":"a/b","started_at":"2026-11-25T00:00:00.020000Z","#,
                r#""input_tokens":12,"cost_usd":"1.500000042"}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_refused_request_says_why_beside_its_empty_attempts() {
        let failure = bellwether_ingest::event::Failure {
            error_class: Some(Cow::Borrowed("budget")),
            http_status: Some(402),
        };
        let event = Event { request_id: Cow::Borrowed("r3"), failure: Some(failure), ..Event::default() };
        let mut out = Vec::new();
        write_line(&event, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"request_id":"r3","started_at":"1970-01-01T00:00:00.000000Z","#,
                r#""error_class":"budget","http_status":402,"attempts":[]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_an_error_that_names_the_request() {
        let event = Event { request_id: Cow::Borrowed("r2"), started_at_us: i64::MAX, ..Event::default() };
        let error = write_line(&event, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "write request `r2` as JSON");
    }
}
