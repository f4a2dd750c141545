//! LiteLLM's StandardLoggingPayload, as its `generic_api` callback posts it and `s3_v2` stores it.
//!
//! One record is one attempt: a fallback or a retry that was logged is a record of its own, so neither the
//! order of attempts nor the final one is known here.

mod answer;
mod blame;
mod blocks;
mod failure;
mod guardrail;
mod payload;
#[cfg(test)]
mod tests;
mod told;

use serde_json::Value;

use super::{explain, host, parse};
use crate::event::{Attempt, Event, Flaws, Identity, Str, Texts};
use crate::formats::measure::MAX_MILLIS;
use crate::formats::scalar::MAX_TEXT_BYTES;
use crate::outcome;
use crate::reject::{Reason, Reject};
use payload::Payload;

const SOURCE: &str = "litellm";
/// Tags with this prefix name the app.
const APP_TAG_PREFIX: &str = "app:";
/// In place of a service tier that is no word.
const OTHER_TIER: &str = "other";
/// LiteLLM's stand-ins for callers without an identity of their own.
const NO_USER: &str = "default_user_id";
const MASTER_KEY: &str = "litellm_proxy_master_key";

pub(super) fn decode(record: &str) -> Result<Event<'_>, Reject> {
    parse::<Payload<'_>>(record).and_then(event).ok_or_else(|| explain(record, SOURCE, blame))
}

/// True for the name of a member of a payload.
pub(super) fn knows(name: &str) -> bool {
    blame::names(name) || payload::UNUSED.contains(&name)
}

fn blame(record: &Value) -> (Reason, String) {
    blame::find(record).unwrap_or_else(super::unnamed)
}

/// None when the identity or the start is missing, or a text is too long for a row.
fn event(payload: Payload<'_>) -> Option<Event<'_>> {
    let ended = failure::of(&payload);
    let request_id = payload.litellm_call_id?;
    let started_at_us = payload.start_time?;
    let event_id = event_id(&request_id, &payload.id?, started_at_us);

    let streamed = payload.stream.or(payload.stream_parameter);
    let mut flaws = payload.flaws;
    flaws.words = flaws.words.saturating_add(u32::from(ended.as_ref().is_some_and(|ended| ended.is_unknown)));
    if payload.call_type.as_deref().is_some_and(|raw| !outcome::is_operation(raw)) {
        flaws.words = flaws.words.saturating_add(1);
    }
    let duration_us = payload.end_time.map(|end| end - started_at_us).filter(|us| *us >= 0);
    let ttft_us = payload
        .completion_start_time
        .filter(|first| streamed == Some(true) && payload.end_time.is_none_or(|end| *first < end))
        .map(|first| first - started_at_us)
        .filter(|us| *us >= 0);

    let (mut finish_reason, mut native_finish_reason) = (None, None);
    let (mut tool_calls, mut texts) = (None, Texts::default());
    if let Some(answer) = payload.response.answer {
        (finish_reason, native_finish_reason) = (answer.finish_reason, answer.native_finish_reason);
        tool_calls = Some(answer.tool_calls).filter(|calls| *calls > 0 || !answer.redacted);
        texts.tool_paths = answer.tool_paths;
        if !answer.redacted {
            texts.completion = match answer.completion.len() {
                0 | 1 => answer.completion.into_iter().next(),
                _ => Some(Str::Owned(answer.completion.join("\n"))),
            };
        }
    }
    // What served wins over what was asked for; a word that is none of a tier's has no price either.
    let service_tier = payload.response.service_tier.or(payload.cost_breakdown.service_tier);
    let service_tier = service_tier.or(payload.asked_tier);
    let service_tier =
        service_tier.map(|tier| if outcome::is_word(&tier) { tier } else { Str::Borrowed(OTHER_TIER) });
    // How many parts they were of is not told, but there was one.
    let input_audio = payload.metadata.usage.prompt_audio_tokens.filter(|tokens| *tokens > 0).map(|_| 1);
    let messages = payload.messages;
    let input_images = (messages.present && !messages.redacted).then_some(messages.images);
    texts.user = messages.user;

    let metadata = payload.metadata;
    let user = payload.end_user.or(metadata.end_user_id).or(metadata.user_id.filter(|id| id != NO_USER));
    let api_key = metadata.api_key_hash.filter(|hash| hash != MASTER_KEY);

    let session_id = payload.session_id.or(metadata.requester_session_id);
    let app_id = app(payload.request_tags);
    let texts_of_rows =
        [Some(&*event_id), finish_reason.as_deref(), session_id.as_deref(), app_id.as_deref()];
    if texts_of_rows.into_iter().flatten().any(|text| text.len() > MAX_TEXT_BYTES) {
        return None;
    }
    // An answer may hold anything there.
    let finish_reason = finish_reason.filter(|reason| outcome::is_word(reason));

    let class = ended.as_ref().and_then(|ended| ended.settled.error_class);
    let attempt = Attempt {
        event_id: Some(event_id.into()),
        host: payload.api_base.as_deref().and_then(host::of).map(Str::Owned),
        endpoint_id: payload.model_id,
        duration_ms: rounded_millis(duration_us, &mut flaws),
        ttft_ms: rounded_millis(ttft_us, &mut flaws),
        overhead_us: payload.overhead_us,
        http_status: ended.as_ref().map_or(Some(200), |ended| ended.http_status),
        outcome: ended.as_ref().map(|ended| ended.settled.outcome.as_str().into()),
        error_class: class.map(|class| Str::Borrowed(class.as_str())),
        finish_reason,
        native_finish_reason,
        input_tokens: payload.prompt_tokens,
        cached_input_tokens: metadata.usage.cached_tokens,
        cache_write_tokens: metadata.usage.cache_write_tokens,
        output_tokens: payload.completion_tokens,
        reasoning_tokens: metadata.usage.reasoning_tokens,
        tool_calls,
        cost_usd: payload.response_cost,
        input_cost_usd: payload.cost_breakdown.input_cost,
        output_cost_usd: payload.cost_breakdown.output_cost,
        gateway_cache_hit: payload.cache_hit == Some(true),
        service_tier,
        web_searches: metadata.usage.web_searches,
        model: payload.model.clone(),
        provider: payload.custom_llm_provider,
        ..Attempt::default()
    };
    Some(Event {
        source: SOURCE.into(),
        request_id,
        session_id,
        started_at_us,
        operation: payload.call_type.map(|raw| outcome::operation(&raw).into()),
        requested_model: payload.model_group.or(payload.model),
        streamed,
        user: user.map(Identity::Raw),
        api_key: api_key.map(Identity::Raw),
        org: metadata.org_id.map(Identity::Raw),
        app_id,
        input_images,
        input_audio,
        attempts: vec![attempt],
        texts: (texts != Texts::default()).then_some(texts),
        unknown_fields: payload.unknown_fields,
        flaws,
        ..Event::default()
    })
}

/// Failures and calls without a response id, such as embeddings, bear the call's own id, which a fallback shares
/// with them: there the start tells the attempts of a call apart.
fn event_id(call_id: &str, id: &str, started_at_us: i64) -> String {
    if id == call_id {
        format!("{SOURCE}:{call_id}:{id}:{started_at_us}")
    } else {
        format!("{SOURCE}:{call_id}:{id}")
    }
}

/// The operator's own tag, else the tag that LiteLLM makes of the User-Agent, without version.
fn app(tags: Vec<Str<'_>>) -> Option<Str<'_>> {
    let own = tags.iter().position(|tag| tag.starts_with(APP_TAG_PREFIX));
    let automatic = || {
        tags.iter().position(|tag| tag.strip_prefix("User-Agent: ").is_some_and(|name| !name.contains('/')))
    };
    let chosen = own.or_else(automatic)?;
    tags.into_iter().nth(chosen)
}

/// Seven days at most; more is absurd.
fn rounded_millis(micros: Option<i64>, flaws: &mut Flaws) -> Option<i32> {
    let millis = i32::try_from((micros? + 500) / 1000).ok().filter(|millis| *millis <= MAX_MILLIS);
    flaws.absurd = flaws.absurd.saturating_add(u32::from(millis.is_none()));
    millis
}

/// The last part of a name such as `litellm.exceptions.Timeout`.
fn last_segment(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
