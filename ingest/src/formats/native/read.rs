//! The fast path: visitors that borrow from the record and skip what they do not know.

use std::fmt;

use bellwether_warehouse::tables::attempts::ErrorClass;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::{MAX_ATTEMPTS, MAX_PLUGINS, Source};
use crate::event::{Attempt, Event, Failure, Flaws, Identity, Labels, Str, Texts};
use crate::formats::host;
use crate::formats::measure::{Cost, Items, Micros, Millis, Tokens, take};
use crate::formats::messages::{Content, Messages};
use crate::formats::scalar::{Count, Country, Flag, Id, Instant, KeyedHash, Lenient, Status, Text, next};
use crate::formats::shape::{self, Key, TextList};
use crate::outcome;

/// An event as read. The slow path names the field when this fails, so messages here are short.
pub(super) struct Decoded<'a>(pub Event<'a>);

impl<'de> Deserialize<'de> for Decoded<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Str<'de>>, A::Error> {
    next::<Text<'de>, A>(map).map(|text| text.0)
}

fn id<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Str<'de>>, A::Error> {
    next::<Id<'de>, A>(map).map(|id| id.0)
}

/// A count that an earlier reading of the record wrote.
fn before<'de, A: MapAccess<'de>>(map: &mut A) -> Result<u32, A::Error> {
    let count = next::<Count<i32>, A>(map)?.0;
    Ok(count.unwrap_or_default().unsigned_abs())
}

fn flag<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<bool>, A::Error> {
    next::<Flag, A>(map).map(|flag| flag.0)
}

/// A raw id gives way to the hash of one, in whatever order they stand.
fn raw<'de, A: MapAccess<'de>>(slot: &mut Option<Identity<'de>>, map: &mut A) -> Result<(), A::Error> {
    let id = id(map)?;
    if slot.is_none() {
        *slot = id.map(Identity::Raw);
    }
    Ok(())
}

fn hashed<'de, A: MapAccess<'de>>(slot: &mut Option<Identity<'de>>, map: &mut A) -> Result<(), A::Error> {
    if let Some(key) = next::<KeyedHash, A>(map)?.0 {
        *slot = Some(Identity::Key(key));
    }
    Ok(())
}

/// Senders put whole URLs here, sometimes with credentials, or what is no host at all.
fn bare_host(address: Str<'_>) -> Option<Str<'_>> {
    let host = host::of(&address)?;
    Some(if host == address { address } else { Str::Owned(host) })
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Decoded<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut event = Event::default();
        let mut started_at = None;
        let mut attempts = None;
        let mut texts = Texts::default();
        let mut failure = Failure::default();
        let mut images_in_messages = None;
        let mut unknown = 0_u32;
        let flaws = &mut Flaws::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "request_id" => event.request_id = id(&mut map)?.unwrap_or_default(),
                "started_at" => started_at = next::<Instant, A>(&mut map)?.0,
                "attempts" => attempts = map.next_value::<Option<Attempts<'de>>>()?,
                "source" => event.source = next::<Source<'de>, A>(&mut map)?.0.unwrap_or_default(),
                "session_id" => event.session_id = id(&mut map)?,
                "operation" => event.operation = text(&mut map)?,
                "requested_model" => event.requested_model = text(&mut map)?,
                "router" => event.router = text(&mut map)?,
                "streamed" => event.streamed = flag(&mut map)?,
                "user_id" => raw(&mut event.user, &mut map)?,
                "user_key" => hashed(&mut event.user, &mut map)?,
                "api_key_id" => raw(&mut event.api_key, &mut map)?,
                "api_key_key" => hashed(&mut event.api_key, &mut map)?,
                "org_id" => raw(&mut event.org, &mut map)?,
                "org_key" => hashed(&mut event.org, &mut map)?,
                "app_id" => event.app_id = id(&mut map)?,
                "country" => event.country = next::<Country<'de>, A>(&mut map)?.0,
                "input_images" => event.input_images = take::<Items, A>(&mut map, flaws)?,
                "input_audio" => event.input_audio = take::<Items, A>(&mut map, flaws)?,
                "input_video" => event.input_video = take::<Items, A>(&mut map, flaws)?,
                "tools_offered" => event.tools_offered = take::<Items, A>(&mut map, flaws)?,
                "plugins" => event.plugins = map.next_value::<Option<Strings<'de>>>()?.unwrap_or_default().0,
                "structured_requested" => event.structured_requested = flag(&mut map)?,
                "error_class" => failure.error_class = text(&mut map)?,
                "http_status" => failure.http_status = next::<Status, A>(&mut map)?.0,
                "labels" => {
                    event.labels = map.next_value::<Option<ReadLabels<'de>>>()?.and_then(|read| read.0)
                }
                "messages" => {
                    let messages: Messages<'de> = shape::next(&mut map)?;
                    images_in_messages = (messages.present && !messages.redacted).then_some(messages.images);
                    texts.user = messages.user;
                }
                "completion" => texts.completion = shape::next::<Content<'de>, A>(&mut map)?.joined(),
                "tool_paths" => texts.tool_paths = shape::next::<TextList<'de>, A>(&mut map)?.0,
                "unknown_fields" => unknown = unknown.saturating_add(before(&mut map)?),
                "absurd_values" => flaws.absurd = flaws.absurd.saturating_add(before(&mut map)?),
                "bad_diagnostics" => flaws.diagnostics = flaws.diagnostics.saturating_add(before(&mut map)?),
                "unknown_words" => flaws.words = flaws.words.saturating_add(before(&mut map)?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    unknown = unknown.saturating_add(1);
                }
            }
        }
        if event.request_id.is_empty() {
            return Err(A::Error::missing_field("request_id"));
        }
        event.started_at_us = started_at.ok_or_else(|| A::Error::missing_field("started_at"))?;
        let attempts = attempts.ok_or_else(|| A::Error::missing_field("attempts"))?;
        flaws.add(attempts.flaws);
        if failure.error_class.as_deref().is_some_and(|class| ErrorClass::parse(class).is_none()) {
            // Of what never left the gateway its status tells the rest.
            failure.error_class = None;
            flaws.words = flaws.words.saturating_add(1);
        }
        if event.operation.as_deref().is_some_and(|raw| !outcome::is_operation(raw)) {
            event.operation = Some(outcome::OTHER_OPERATION.into());
            flaws.words = flaws.words.saturating_add(1);
        }
        event.flaws = *flaws;
        event.attempts = attempts.list;
        event.unknown_fields = unknown.saturating_add(attempts.unknown);
        event.input_images = event.input_images.or(images_in_messages);
        event.failure = (failure != Failure::default()).then_some(failure);
        event.texts = (texts != Texts::default()).then_some(texts);
        Ok(Decoded(event))
    }
}

struct Attempts<'a> {
    list: Vec<Attempt<'a>>,
    unknown: u32,
    flaws: Flaws,
}

impl<'de> Deserialize<'de> for Attempts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AttemptsVisitor;

        impl<'de> Visitor<'de> for AttemptsVisitor {
            type Value = Attempts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of attempts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut attempts =
                    Attempts { list: Vec::with_capacity(1), unknown: 0, flaws: Flaws::default() };
                while let Some(OneAttempt { attempt, unknown, flaws }) = seq.next_element()? {
                    // One attempt of two bytes becomes hundreds, so the rest is not even read.
                    if attempts.list.len() == MAX_ATTEMPTS {
                        return Err(A::Error::custom("more than the most attempts"));
                    }
                    attempts.list.push(attempt);
                    attempts.unknown = attempts.unknown.saturating_add(unknown);
                    attempts.flaws.add(flaws);
                }
                Ok(attempts)
            }
        }

        deserializer.deserialize_seq(AttemptsVisitor)
    }
}

struct OneAttempt<'a> {
    attempt: Attempt<'a>,
    unknown: u32,
    flaws: Flaws,
}

impl<'de> Deserialize<'de> for OneAttempt<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttemptVisitor)
    }
}

struct AttemptVisitor;

impl<'de> Visitor<'de> for AttemptVisitor {
    type Value = OneAttempt<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attempt object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attempt = Attempt::default();
        let mut unknown = 0_u32;
        let flaws = &mut Flaws::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "event_id" => attempt.event_id = text(&mut map)?,
                "model" => attempt.model = text(&mut map)?,
                "provider" => attempt.provider = text(&mut map)?,
                "host" => attempt.host = text(&mut map)?.and_then(bare_host),
                "endpoint_id" => attempt.endpoint_id = id(&mut map)?,
                "region" => attempt.region = text(&mut map)?,
                "service_tier" => attempt.service_tier = text(&mut map)?,
                "is_byok" => attempt.is_byok = flag(&mut map)?,
                "started_at" => attempt.started_at_us = next::<Instant, A>(&mut map)?.0,
                "duration_ms" => attempt.duration_ms = take::<Millis, A>(&mut map, flaws)?,
                "ttft_ms" => attempt.ttft_ms = take::<Millis, A>(&mut map, flaws)?,
                "overhead_us" => attempt.overhead_us = take::<Micros, A>(&mut map, flaws)?,
                "moderation_ms" => attempt.moderation_ms = take::<Millis, A>(&mut map, flaws)?,
                "outcome" => attempt.outcome = text(&mut map)?,
                "error_class" => attempt.error_class = text(&mut map)?,
                "http_status" => attempt.http_status = next::<Status, A>(&mut map)?.0,
                "finish_reason" => attempt.finish_reason = text(&mut map)?,
                "native_finish_reason" => attempt.native_finish_reason = text(&mut map)?,
                "refused" => attempt.refused = flag(&mut map)?,
                "input_tokens" => attempt.input_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "cached_input_tokens" => attempt.cached_input_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "cache_write_tokens" => attempt.cache_write_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "output_tokens" => attempt.output_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "reasoning_tokens" => attempt.reasoning_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "billed_output_tokens" => attempt.billed_output_tokens = take::<Tokens, A>(&mut map, flaws)?,
                "output_images" => attempt.output_images = take::<Items, A>(&mut map, flaws)?,
                "tool_calls" => attempt.tool_calls = take::<Items, A>(&mut map, flaws)?,
                "tool_call_errors" => attempt.tool_call_errors = take::<Items, A>(&mut map, flaws)?,
                "web_searches" => attempt.web_searches = take::<Items, A>(&mut map, flaws)?,
                "structured_valid" => attempt.structured_valid = flag(&mut map)?,
                "cost_usd" => attempt.cost_usd = take::<Cost, A>(&mut map, flaws)?,
                "input_cost_usd" => attempt.input_cost_usd = take::<Cost, A>(&mut map, flaws)?,
                "output_cost_usd" => attempt.output_cost_usd = take::<Cost, A>(&mut map, flaws)?,
                "upstream_cost_usd" => attempt.upstream_cost_usd = take::<Cost, A>(&mut map, flaws)?,
                "gateway_cache_hit" => attempt.gateway_cache_hit = flag(&mut map)?.unwrap_or_default(),
                "attempt" => attempt.attempt = next::<Count<i16>, A>(&mut map)?.0,
                "is_final" => attempt.is_final = flag(&mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    unknown = unknown.saturating_add(1);
                }
            }
        }
        let (outcome, class) = (attempt.outcome.as_deref(), attempt.error_class.as_deref());
        let led = outcome::lead(outcome, class, attempt.http_status).map_err(A::Error::custom)?;
        if led.unknown_words > 0 {
            attempt.outcome = led.outcome.map(|outcome| Str::Borrowed(outcome.as_str()));
            attempt.error_class = led.error_class.map(|class| Str::Borrowed(class.as_str()));
            flaws.words = led.unknown_words;
        }
        Ok(OneAttempt { attempt, unknown, flaws: *flaws })
    }
}

/// An array of text; unlike labels' texts each element counts, so other types are refused.
#[derive(Default)]
struct Strings<'a>(Vec<Str<'a>>);

impl<'de> Deserialize<'de> for Strings<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringsVisitor;

        impl<'de> Visitor<'de> for StringsVisitor {
            type Value = Strings<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of text")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let (mut strings, mut count) = (Vec::new(), 0);
                while let Some(element) = seq.next_element::<Lenient<Text<'de>>>()? {
                    count += 1;
                    if count > MAX_PLUGINS {
                        return Err(A::Error::custom("more than the most texts"));
                    }
                    strings.extend(element.0.0);
                }
                Ok(Strings(strings))
            }
        }

        deserializer.deserialize_seq(StringsVisitor)
    }
}

/// Labels; None when none of them is given.
struct ReadLabels<'a>(Option<Labels<'a>>);

impl<'de> Deserialize<'de> for ReadLabels<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;

        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = ReadLabels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut labels = Labels::default();
                let (mut nl, mut code_in, mut code_out, mut cat) = Default::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    let slot: &mut Pair<'de> = match &*key.0 {
                        "nl" | "nl_src" => &mut nl,
                        "code_in" | "code_in_src" => &mut code_in,
                        "code_out" | "code_out_src" => &mut code_out,
                        "cat" | "cat_src" => &mut cat,
                        "task" => {
                            labels.task = text(&mut map)?;
                            continue;
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if key.0.ends_with("_src") {
                        slot.source = text(&mut map)?;
                    } else {
                        slot.value = text(&mut map)?;
                    }
                }
                labels.nl = nl.finish();
                labels.code_in = code_in.finish();
                labels.code_out = code_out.finish();
                labels.cat = cat.finish();
                Ok(ReadLabels((labels != Labels::default()).then_some(labels)))
            }
        }

        deserializer.deserialize_map(LabelsVisitor)
    }
}

#[derive(Default)]
struct Pair<'a> {
    value: Option<Str<'a>>,
    source: Option<Str<'a>>,
}

impl<'a> Pair<'a> {
    fn finish(self) -> Option<(Str<'a>, Str<'a>)> {
        let source = self.source.unwrap_or(Str::Borrowed("router"));
        self.value.map(|value| (value, source))
    }
}
