//! The native event written back, in the form that our own logs hold: no texts, no raw ids.

use std::io::Write;

use crate::event::{Attempt, Event, Identity, Labels, Str};
use crate::formats::decimal;
use crate::instant;

/// Appends one line of JSON without its newline. Texts and raw ids are left out even of an event that was not
/// stripped.
pub fn write_event(event: &Event<'_>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.text("source", Some(&event.source).filter(|source| !source.is_empty()));
    object.text("request_id", Some(&event.request_id));
    object.instant("started_at", Some(event.started_at_us));
    object.text("session_id", event.session_id.as_ref());
    object.text("operation", event.operation.as_ref());
    object.text("requested_model", event.requested_model.as_ref());
    object.text("router", event.router.as_ref());
    object.flag("streamed", event.streamed);
    object.identity("user_key", event.user.as_ref());
    object.identity("api_key_key", event.api_key.as_ref());
    object.identity("org_key", event.org.as_ref());
    object.text("app_id", event.app_id.as_ref());
    object.text("country", event.country.as_ref());
    object.number("input_images", event.input_images);
    object.number("input_audio", event.input_audio);
    object.number("input_video", event.input_video);
    object.number("tools_offered", event.tools_offered);
    object.texts("plugins", &event.plugins);
    object.flag("structured_requested", event.structured_requested);
    if let Some(failure) = &event.failure {
        object.text("error_class", failure.error_class.as_ref());
        object.number("http_status", failure.http_status);
    }
    if let Some(labels) = &event.labels {
        object.member("labels");
        write_labels(labels, object.out);
    }
    object.number("unknown_fields", Some(event.unknown_fields).filter(|count| *count > 0));
    object.number("absurd_values", Some(event.flaws.absurd).filter(|count| *count > 0));
    object.number("bad_diagnostics", Some(event.flaws.diagnostics).filter(|count| *count > 0));
    object.number("unknown_words", Some(event.flaws.words).filter(|count| *count > 0));
    object.member("attempts");
    object.out.push(b'[');
    for (index, attempt) in event.attempts.iter().enumerate() {
        if index > 0 {
            object.out.push(b',');
        }
        write_attempt(attempt, object.out);
    }
    object.out.push(b']');
    object.close();
}

fn write_attempt(attempt: &Attempt<'_>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.text("event_id", attempt.event_id.as_ref());
    object.number("attempt", attempt.attempt);
    object.flag("is_final", attempt.is_final);
    object.text("model", attempt.model.as_ref());
    object.text("provider", attempt.provider.as_ref());
    object.text("host", attempt.host.as_ref());
    object.text("endpoint_id", attempt.endpoint_id.as_ref());
    object.text("region", attempt.region.as_ref());
    object.text("service_tier", attempt.service_tier.as_ref());
    object.flag("is_byok", attempt.is_byok);
    object.instant("started_at", attempt.started_at_us);
    object.number("duration_ms", attempt.duration_ms);
    object.number("ttft_ms", attempt.ttft_ms);
    object.number("overhead_us", attempt.overhead_us);
    object.number("moderation_ms", attempt.moderation_ms);
    object.text("outcome", attempt.outcome.as_ref());
    object.text("error_class", attempt.error_class.as_ref());
    object.number("http_status", attempt.http_status);
    object.text("finish_reason", attempt.finish_reason.as_ref());
    object.text("native_finish_reason", attempt.native_finish_reason.as_ref());
    object.flag("refused", attempt.refused);
    object.number("input_tokens", attempt.input_tokens);
    object.number("cached_input_tokens", attempt.cached_input_tokens);
    object.number("cache_write_tokens", attempt.cache_write_tokens);
    object.number("output_tokens", attempt.output_tokens);
    object.number("reasoning_tokens", attempt.reasoning_tokens);
    object.number("billed_output_tokens", attempt.billed_output_tokens);
    object.number("output_images", attempt.output_images);
    object.number("tool_calls", attempt.tool_calls);
    object.number("tool_call_errors", attempt.tool_call_errors);
    object.number("web_searches", attempt.web_searches);
    object.flag("structured_valid", attempt.structured_valid);
    object.usd("cost_usd", attempt.cost_usd);
    object.usd("input_cost_usd", attempt.input_cost_usd);
    object.usd("output_cost_usd", attempt.output_cost_usd);
    object.usd("upstream_cost_usd", attempt.upstream_cost_usd);
    object.flag("gateway_cache_hit", Some(true).filter(|_| attempt.gateway_cache_hit));
    object.close();
}

fn write_labels(labels: &Labels<'_>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    for (name, source_name, pair) in [
        ("nl", "nl_src", &labels.nl),
        ("code_in", "code_in_src", &labels.code_in),
        ("code_out", "code_out_src", &labels.code_out),
        ("cat", "cat_src", &labels.cat),
    ] {
        if let Some((value, source)) = pair {
            object.text(name, Some(value));
            object.text(source_name, Some(source));
        }
    }
    object.text("task", labels.task.as_ref());
    object.close();
}

/// An open JSON object. Writing to a Vec cannot fail, so results of `write!` are dropped.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true }
    }

    fn close(self) {
        self.out.push(b'}');
    }

    fn member(&mut self, name: &str) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, value: Option<&Str<'_>>) {
        if let Some(value) = value {
            self.member(name);
            write_string(value, self.out);
        }
    }

    fn texts(&mut self, name: &str, values: &[Str<'_>]) {
        if values.is_empty() {
            return;
        }
        self.member(name);
        for (index, value) in values.iter().enumerate() {
            self.out.push(if index == 0 { b'[' } else { b',' });
            write_string(value, self.out);
        }
        self.out.push(b']');
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.member(name);
            self.out.extend_from_slice(if value { b"true" } else { b"false" });
        }
    }

    fn number(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.member(name);
            let _ = write!(self.out, "{value}");
        }
    }

    /// Hashes are text, so that readers with 53-bit numbers keep them whole.
    fn identity(&mut self, name: &str, identity: Option<&Identity<'_>>) {
        if let Some(Identity::Key(key)) = identity {
            self.member(name);
            let _ = write!(self.out, "\"{key}\"");
        }
    }

    fn instant(&mut self, name: &str, micros: Option<i64>) {
        if let Some(micros) = micros {
            self.member(name);
            self.out.push(b'"');
            instant::write_rfc3339(micros, self.out);
            self.out.push(b'"');
        }
    }

    /// Money is text for the same reason.
    fn usd(&mut self, name: &str, nanos: Option<i128>) {
        if let Some(nanos) = nanos {
            self.member(name);
            self.out.push(b'"');
            decimal::write_nano(nanos, self.out);
            self.out.push(b'"');
        }
    }
}

pub(in crate::formats) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out.push(b'"');
}
