//! The members of a StandardLoggingPayload that rows are made of, as they stand in the record.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::answer::Response;
use super::guardrail::Guardrails;
use crate::event::{Flaws, Str};
use crate::formats::measure::{Cost, Items, MillisAsMicros, Tokens, take};
use crate::formats::messages::Messages;
use crate::formats::scalar::{Flag, Id, Instant, LongText, Text, next};
use crate::formats::shape::{self, Key, MaybeText, Shape, TextList, skip};

#[derive(Default)]
pub(super) struct Payload<'a> {
    pub litellm_call_id: Option<Str<'a>>,
    pub id: Option<Str<'a>>,
    pub session_id: Option<Str<'a>>,
    pub start_time: Option<i64>,
    pub end_time: Option<i64>,
    pub completion_start_time: Option<i64>,
    pub stream: Option<bool>,
    pub call_type: Option<Str<'a>>,
    pub model_group: Option<Str<'a>>,
    pub model: Option<Str<'a>>,
    pub custom_llm_provider: Option<Str<'a>>,
    pub model_id: Option<Str<'a>>,
    pub prompt_tokens: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub response_cost: Option<i128>,
    pub cache_hit: Option<bool>,
    pub status: Option<Str<'a>>,
    pub api_base: Option<Str<'a>>,
    pub end_user: Option<Str<'a>>,
    pub request_tags: Vec<Str<'a>>,
    pub metadata: Metadata<'a>,
    pub cost_breakdown: CostBreakdown<'a>,
    pub error: ErrorInformation<'a>,
    pub guardrail_status: Option<Str<'a>>,
    pub guardrails: Guardrails,
    pub stream_parameter: Option<bool>,
    /// What the caller asked for, which an answer may correct.
    pub asked_tier: Option<Str<'a>>,
    pub overhead_us: Option<i32>,
    pub messages: Messages<'a>,
    pub response: Response<'a>,
    pub unknown_fields: u32,
    pub flaws: Flaws,
}

/// Members that are known and of no use here: prices, limits, copies, diagnostics, addresses.
pub(super) const UNUSED: [&str; 16] = [
    "trace_id",
    "saved_cache_cost",
    "response_time",
    "cache_key",
    "autorouter_savings",
    "autorouter_savings_estimate",
    "autorouter_baseline_observation",
    "total_tokens",
    "request_model_access_groups",
    "requester_ip_address",
    "user_agent",
    "model_map_information",
    "error_str",
    "response_cost_failure_debug_info",
    "zero_cost_diagnostic",
    "standard_built_in_tools_params",
];

impl<'de> Deserialize<'de> for Payload<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PayloadVisitor)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a StandardLoggingPayload object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut payload = Payload::default();
        let flaws = &mut Flaws::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "litellm_call_id" => payload.litellm_call_id = id(&mut map)?,
                "id" => payload.id = id(&mut map)?,
                "session_id" => payload.session_id = id(&mut map)?,
                "startTime" => payload.start_time = next::<Instant, A>(&mut map)?.0,
                "endTime" => payload.end_time = next::<Instant, A>(&mut map)?.0,
                "completionStartTime" => payload.completion_start_time = next::<Instant, A>(&mut map)?.0,
                "stream" => payload.stream = flag(&mut map)?,
                "call_type" => payload.call_type = text(&mut map)?,
                "model_group" => payload.model_group = text(&mut map)?,
                "model" => payload.model = text(&mut map)?,
                "custom_llm_provider" => payload.custom_llm_provider = text(&mut map)?,
                "model_id" => payload.model_id = id(&mut map)?,
                "prompt_tokens" => payload.prompt_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "completion_tokens" => payload.completion_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "response_cost" => payload.response_cost = take::<Cost, A>(&mut map, flaws)?,
                "cache_hit" => payload.cache_hit = flag(&mut map)?,
                "status" => payload.status = long_text(&mut map)?,
                "api_base" => payload.api_base = long_text(&mut map)?,
                "end_user" => payload.end_user = id(&mut map)?,
                "request_tags" => payload.request_tags = shape::next::<TextList<'de>, A>(&mut map)?.0,
                "metadata" => payload.metadata = shape::next(&mut map)?,
                "cost_breakdown" => payload.cost_breakdown = shape::next(&mut map)?,
                "error_information" => payload.error = shape::next(&mut map)?,
                "status_fields" => {
                    payload.guardrail_status =
                        shape::next::<StatusFields<'de>, A>(&mut map)?.guardrail_status;
                }
                "model_parameters" => {
                    let asked = shape::next::<Parameters<'de>, A>(&mut map)?;
                    (payload.stream_parameter, payload.asked_tier) = (asked.stream, asked.service_tier);
                }
                "guardrail_information" => payload.guardrails = shape::next(&mut map)?,
                "hidden_params" => {
                    let hidden = shape::next::<HiddenParams, A>(&mut map)?;
                    payload.overhead_us = hidden.overhead_us;
                    flaws.add(hidden.flaws);
                }
                "messages" => payload.messages = shape::next(&mut map)?,
                "response" => payload.response = shape::next(&mut map)?,
                other => {
                    if !UNUSED.contains(&other) {
                        payload.unknown_fields = payload.unknown_fields.saturating_add(1);
                    }
                    skip(&mut map)?;
                }
            }
        }
        flaws.add(payload.metadata.usage.flaws);
        flaws.add(payload.cost_breakdown.flaws);
        payload.flaws = *flaws;
        Ok(payload)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Str<'de>>, A::Error> {
    next::<Text<'de>, A>(map).map(|text| text.0)
}

/// Of members that are only looked at.
fn long_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Str<'de>>, A::Error> {
    next::<LongText<'de>, A>(map).map(|text| text.0)
}

fn id<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Str<'de>>, A::Error> {
    next::<Id<'de>, A>(map).map(|id| id.0)
}

fn flag<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<bool>, A::Error> {
    next::<Flag, A>(map).map(|flag| flag.0)
}

#[derive(Default)]
pub(super) struct Metadata<'a> {
    pub api_key_hash: Option<Str<'a>>,
    pub org_id: Option<Str<'a>>,
    pub user_id: Option<Str<'a>>,
    pub end_user_id: Option<Str<'a>>,
    pub requester_session_id: Option<Str<'a>>,
    pub usage: Usage,
}

impl<'de> Shape<'de> for Metadata<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut metadata = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "user_api_key_hash" => metadata.api_key_hash = id(&mut map)?,
                "user_api_key_org_id" => metadata.org_id = id(&mut map)?,
                "user_api_key_user_id" => metadata.user_id = id(&mut map)?,
                "user_api_key_end_user_id" => metadata.end_user_id = id(&mut map)?,
                "requester_metadata" => {
                    metadata.requester_session_id =
                        shape::next::<RequesterMetadata<'de>, A>(&mut map)?.session_id;
                }
                "usage_object" => metadata.usage = shape::next(&mut map)?,
                _ => skip(&mut map)?,
            }
        }
        Ok(metadata)
    }
}

#[derive(Default)]
struct RequesterMetadata<'a> {
    session_id: Option<Str<'a>>,
}

impl<'de> Shape<'de> for RequesterMetadata<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut session_id = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                // Callers write this member, so its type is theirs to choose.
                "session_id" => session_id = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { session_id })
    }
}

/// `metadata.usage_object`; `{}` on failures, details may be null. Where the details do not tell of the cache, the
/// top level does in Anthropic's way, whose prompt tokens leave the cached ones out.
#[derive(Default)]
pub(super) struct Usage {
    pub cached_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    /// Among the prompt's; they cost other than those of text.
    pub prompt_audio_tokens: Option<i64>,
    pub web_searches: Option<i32>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for Usage {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut prompt = PromptDetails::default();
        let mut completion = CompletionDetails::default();
        let (mut top_level_read, mut top_level_write) = (None, None);
        let mut tools = ServerTools::default();
        let flaws = &mut Flaws::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "prompt_tokens_details" => prompt = shape::next(&mut map)?,
                "completion_tokens_details" => completion = shape::next(&mut map)?,
                "cache_read_input_tokens" => top_level_read = take::<Tokens, A>(&mut map, flaws)?,
                "cache_creation_input_tokens" => top_level_write = take::<Tokens, A>(&mut map, flaws)?,
                "server_tool_use" => tools = shape::next(&mut map)?,
                _ => skip(&mut map)?,
            }
        }
        flaws.add(prompt.flaws);
        flaws.add(completion.flaws);
        flaws.add(tools.flaws);
        Ok(Self {
            cached_tokens: prompt.cached_tokens.or(top_level_read),
            cache_write_tokens: prompt
                .cache_write_tokens
                .or(prompt.cache_creation_tokens)
                .or(top_level_write),
            reasoning_tokens: completion.reasoning_tokens,
            prompt_audio_tokens: prompt.audio_tokens,
            web_searches: tools.web_search_requests.or(prompt.web_search_requests),
            flaws: *flaws,
        })
    }
}

/// Anthropic's searches; Google's stand in the prompt's details.
#[derive(Default)]
struct ServerTools {
    web_search_requests: Option<i32>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for ServerTools {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut tools = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "web_search_requests" => {
                    tools.web_search_requests = take::<Items, A>(&mut map, &mut tools.flaws)?;
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(tools)
    }
}

#[derive(Default)]
struct PromptDetails {
    cached_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    cache_creation_tokens: Option<i64>,
    audio_tokens: Option<i64>,
    web_search_requests: Option<i32>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for PromptDetails {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut details = Self::default();
        let flaws = &mut Flaws::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "cached_tokens" => details.cached_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "cache_write_tokens" => details.cache_write_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "cache_creation_tokens" => {
                    details.cache_creation_tokens = take::<Tokens, A>(&mut map, flaws)?;
                }
                "audio_tokens" => details.audio_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "web_search_requests" => details.web_search_requests = take::<Items, A>(&mut map, flaws)?,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { flaws: *flaws, ..details })
    }
}

#[derive(Default)]
struct CompletionDetails {
    reasoning_tokens: Option<i64>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for CompletionDetails {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut details = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "reasoning_tokens" => {
                    details.reasoning_tokens = take::<Tokens, A>(&mut map, &mut details.flaws)?;
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(details)
    }
}

/// Input contains the price of cache reads, output that of reasoning.
#[derive(Default)]
pub(super) struct CostBreakdown<'a> {
    pub input_cost: Option<i128>,
    pub output_cost: Option<i128>,
    pub service_tier: Option<Str<'a>>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for CostBreakdown<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut costs = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "input_cost" => costs.input_cost = take::<Cost, A>(&mut map, &mut costs.flaws)?,
                "output_cost" => costs.output_cost = take::<Cost, A>(&mut map, &mut costs.flaws)?,
                "service_tier" => costs.service_tier = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(costs)
    }
}

/// Three members or thirteen. The message is looked at and dropped, the traceback is skipped.
#[derive(Default)]
pub(super) struct ErrorInformation<'a> {
    pub code: Option<Str<'a>>,
    pub class: Option<Str<'a>>,
    pub normalized: Option<Str<'a>>,
    pub rate_limit_category: Option<Str<'a>>,
    pub has_no_database: bool,
}

impl<'de> Shape<'de> for ErrorInformation<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut error = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "error_code" => error.code = id(&mut map)?,
                "error_class" => error.class = long_text(&mut map)?,
                "normalized_error" => error.normalized = long_text(&mut map)?,
                "error_rate_limit_category" => error.rate_limit_category = long_text(&mut map)?,
                "error_message" => {
                    let message = shape::next::<MaybeText<'de>, A>(&mut map)?.0;
                    error.has_no_database = message.is_some_and(|text| text.contains("No connected db."));
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(error)
    }
}

#[derive(Default)]
struct StatusFields<'a> {
    guardrail_status: Option<Str<'a>>,
}

impl<'de> Shape<'de> for StatusFields<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut guardrail_status = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "guardrail_status" => guardrail_status = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { guardrail_status })
    }
}

#[derive(Default)]
struct Parameters<'a> {
    stream: Option<bool>,
    service_tier: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Parameters<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let (mut stream, mut service_tier) = (None, None);
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "stream" => stream = flag(&mut map)?,
                "service_tier" => service_tier = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { stream, service_tier })
    }
}

#[derive(Default)]
struct HiddenParams {
    overhead_us: Option<i32>,
    flaws: Flaws,
}

impl<'de> Shape<'de> for HiddenParams {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut hidden = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                // Total minus time of the call: below 0 where the two clocks disagree.
                "litellm_overhead_time_ms" => {
                    hidden.overhead_us = take::<MillisAsMicros, A>(&mut map, &mut hidden.flaws)?;
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(hidden)
    }
}
