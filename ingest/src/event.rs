//! The native event, version 1: one request with every upstream call in order.
//!
//! Every format is decoded into this type and everything behind it (spool, Kafka, rows) starts from it.
//! A *stripped* event carries no text and no raw ids: only such events reach a disk or a topic of ours.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroize;

pub type Str<'a> = Cow<'a, str>;

/// One request. Instants are µs since the Unix epoch (UTC). None means unknown, never 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// `native`, `litellm`, …: where the record came from. Empty means `native`.
    pub source: Str<'a>,
    pub request_id: Str<'a>,
    pub session_id: Option<Str<'a>>,
    pub started_at_us: i64,
    pub operation: Option<Str<'a>>,
    pub requested_model: Option<Str<'a>>,
    /// direct, auto, fallback, …
    pub router: Option<Str<'a>>,
    pub streamed: Option<bool>,
    pub user: Option<Identity<'a>>,
    pub api_key: Option<Identity<'a>>,
    pub org: Option<Identity<'a>>,
    pub app_id: Option<Str<'a>>,
    /// ISO 3166 alpha-2, from the log only.
    pub country: Option<Str<'a>>,
    pub input_images: Option<i32>,
    pub input_audio: Option<i32>,
    pub input_video: Option<i32>,
    pub tools_offered: Option<i32>,
    pub plugins: Vec<Str<'a>>,
    pub structured_requested: Option<bool>,
    /// Upstream calls in order. Empty: the request never reached a provider, `failure` says why.
    pub attempts: Vec<Attempt<'a>>,
    /// Gateway-origin failure of a request without attempts.
    pub failure: Option<Failure<'a>>,
    /// Labels the router sent, or the ones we derived before dropping the texts.
    pub labels: Option<Labels<'a>>,
    /// Prompts and completion. Dropped before the event leaves the receiving task.
    pub texts: Option<Texts<'a>>,
    /// Members of the record that this version does not know.
    pub unknown_fields: u32,
    pub flaws: Flaws,
}

/// Values of a record that could not be taken as they stood, and did not refuse it: how many, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// Tokens, costs and times beyond any real request: unknown.
    pub absurd: u32,
    /// Diagnostic numbers that are negative, infinite or undefined: unknown.
    pub diagnostics: u32,
    /// Outcomes, error classes and operations outside of their closed lists.
    pub words: u32,
}

impl Flaws {
    pub fn add(&mut self, more: Self) {
        self.absurd = self.absurd.saturating_add(more.absurd);
        self.diagnostics = self.diagnostics.saturating_add(more.diagnostics);
        self.words = self.words.saturating_add(more.words);
    }
}

/// A caller's id as it came, or already as its 64-bit keyed hash.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity<'a> {
    Raw(Str<'a>),
    Key(i64),
}

impl fmt::Debug for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(_) => f.write_str("Raw(…)"),
            Self::Key(_) => f.write_str("Key(…)"),
        }
    }
}

/// One call to one upstream provider. Money is in 10⁻⁹ USD.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt<'a> {
    /// Identity for de-duplication; None: `native:<request_id>:<index>`.
    pub event_id: Option<Str<'a>>,
    /// The log's own names, looked up in the catalogue.
    pub model: Option<Str<'a>>,
    pub provider: Option<Str<'a>>,
    /// Host of an OpenAI-compatible upstream, `host[:port]`, where the provider is only a dialect.
    pub host: Option<Str<'a>>,
    pub endpoint_id: Option<Str<'a>>,
    pub region: Option<Str<'a>>,
    pub service_tier: Option<Str<'a>>,
    pub is_byok: Option<bool>,
    /// None: the request's `started_at_us`.
    pub started_at_us: Option<i64>,
    pub duration_ms: Option<i32>,
    pub ttft_ms: Option<i32>,
    pub overhead_us: Option<i32>,
    pub moderation_ms: Option<i32>,
    /// Given outcome and class win over `http_status`; both absent: derived from the status.
    pub outcome: Option<Str<'a>>,
    pub error_class: Option<Str<'a>>,
    pub http_status: Option<i16>,
    pub finish_reason: Option<Str<'a>>,
    pub native_finish_reason: Option<Str<'a>>,
    pub refused: Option<bool>,
    pub input_tokens: Option<i64>,
    pub cached_input_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub billed_output_tokens: Option<i64>,
    pub output_images: Option<i32>,
    pub tool_calls: Option<i32>,
    pub tool_call_errors: Option<i32>,
    pub web_searches: Option<i32>,
    pub structured_valid: Option<bool>,
    pub cost_usd: Option<i128>,
    pub input_cost_usd: Option<i128>,
    pub output_cost_usd: Option<i128>,
    pub upstream_cost_usd: Option<i128>,
    pub gateway_cache_hit: bool,
    /// Known only where one record tells all attempts; None for sources that log each attempt apart.
    pub attempt: Option<i16>,
    pub is_final: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure<'a> {
    /// gateway_auth, unknown_model, budget, guardrail, gateway_internal.
    pub error_class: Option<Str<'a>>,
    pub http_status: Option<i16>,
}

/// Each label with its source (`router`, `path`, `fence`, `model:<sha8>`, `rule:<version>`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels<'a> {
    pub nl: Option<(Str<'a>, Str<'a>)>,
    pub code_in: Option<(Str<'a>, Str<'a>)>,
    pub code_out: Option<(Str<'a>, Str<'a>)>,
    pub cat: Option<(Str<'a>, Str<'a>)>,
    pub task: Option<Str<'a>>,
}

/// Texts of a request, newest user message last. `Debug` prints lengths only.
#[derive(Clone, Default, PartialEq)]
pub struct Texts<'a> {
    pub user: Vec<Str<'a>>,
    pub completion: Option<Str<'a>>,
    /// Path arguments of tool calls.
    pub tool_paths: Vec<Str<'a>>,
}

impl Texts<'_> {
    /// Overwrites every text that is owned here. Borrowed ones lie in the record's buffer, whose owner wipes it: the
    /// splitter and the decompressors do. A message of Kafka lies in memory of librdkafka, which frees it as it is.
    pub fn wipe(&mut self) {
        let texts = self.user.iter_mut().chain(&mut self.completion).chain(&mut self.tool_paths);
        for text in texts {
            if let Cow::Owned(owned) = text {
                owned.zeroize();
            }
        }
        self.user.clear();
        self.completion = None;
        self.tool_paths.clear();
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("user_bytes", &self.user.iter().map(|t| t.len()).sum::<usize>())
            .field("completion_bytes", &self.completion.as_ref().map(|t| t.len()))
            .finish()
    }
}
