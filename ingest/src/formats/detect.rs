//! Which format a record has, told by the names of its members.

use serde::de::{IgnoredAny, MapAccess};

use super::shape::{Key, Loose, Shape, next};
use super::{Format, parse};

/// Names of members that tell a format.
#[derive(Default)]
struct Marks {
    is_object: bool,
    attempts: bool,
    litellm_call_id: bool,
    resource_spans: bool,
    openrouter: bool,
    response_flags: bool,
    envoy_model: bool,
    latencies: bool,
    ai: bool,
}

impl<'de> Shape<'de> for Marks {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut marks = Self { is_object: true, ..Self::default() };
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "attempts" => marks.attempts = true,
                "litellm_call_id" => marks.litellm_call_id = true,
                "resourceSpans" => marks.resource_spans = true,
                "provider_responses" | "native_tokens_prompt" => marks.openrouter = true,
                "response_flags" => marks.response_flags = true,
                "gen_ai.request.model" | "genai_model_name" => marks.envoy_model = true,
                "latencies" => marks.latencies = true,
                "ai" => marks.ai = true,
                "data" => {
                    marks.openrouter |= next::<Self, A>(&mut map)?.openrouter;
                    continue;
                }
                _ => {}
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(marks)
    }
}

/// The format, or the sentence that says why there is none. Malformed JSON counts as native, whose decoder
/// tells the place of the damage.
pub(crate) fn format_of(record: &str) -> Result<Format, &'static str> {
    let Some(Loose(marks)) = parse::<Loose<Marks>>(record) else { return Ok(Format::Native) };
    if marks.litellm_call_id {
        Ok(Format::LiteLlm)
    } else if marks.attempts {
        Ok(Format::Native)
    } else if marks.resource_spans {
        Err("looks like OTLP traces (`resourceSpans`), which are not supported yet")
    } else if marks.openrouter {
        Err("looks like an OpenRouter generation record, which is not supported yet")
    } else if marks.response_flags && marks.envoy_model {
        Err("looks like an Envoy AI Gateway access log, which is not supported yet")
    } else if marks.latencies && marks.ai {
        Err("looks like a Kong AI Gateway log, which is not supported yet")
    } else if marks.is_object {
        Err("no known format: neither `attempts` (native) nor `litellm_call_id` (LiteLLM) is there")
    } else {
        Err("not a JSON object")
    }
}
