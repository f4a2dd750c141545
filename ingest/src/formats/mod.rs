//! What arrives, decoded into the native event; and the native event written back, stripped, for the log.
//!
//! A decoder reads one record; bodies are split before. It never keeps or prints texts: a refusal names the
//! field and the place, and carries the record's redacted shape.

mod appended;
pub(crate) mod decimal;
mod detect;
mod host;
mod litellm;
pub(crate) mod measure;
mod members;
mod messages;
pub mod native;
mod numbers;
mod outline;
mod place;
mod scalar;
mod shape;
mod skeleton;
mod surrogates;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

pub use appended::{Appended, decode_appended, write_reject};
pub use native::write_event;

use crate::event::Event;
use crate::reject::{Reason, Reject};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Told from the keys of each record.
    #[default]
    Auto,
    Native,
    LiteLlm,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`; use auto, native or litellm")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "auto" => Ok(Self::Auto),
            "native" => Ok(Self::Native),
            "litellm" => Ok(Self::LiteLlm),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::LiteLlm => "litellm",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Deepest nesting of arrays and objects in a record.
const MAX_DEPTH: usize = 120;

/// Decodes one record.
///
/// # Errors
/// The reject names the field and the place; it holds no text of the record.
pub fn decode<'a>(format: Format, record: &'a [u8]) -> Result<Event<'a>, Reject> {
    let source = if format == Format::Auto { "unknown" } else { format.as_str() };
    let text = std::str::from_utf8(record).map_err(|error| {
        let detail = format!("record: not UTF-8 at byte {}", error.valid_up_to());
        Reject::new(Reason::NotUtf8, detail, source, record.len())
    })?;
    if is_too_deep(record) {
        let detail = format!("record: arrays and objects nested deeper than {MAX_DEPTH}");
        return Err(Reject::new(Reason::MalformedJson, detail, source, record.len()));
    }
    let format = match format {
        Format::Auto => detect::format_of(text).map_err(|sentence| {
            let detail = format!("record: {sentence}");
            let reject = Reject::new(Reason::UnknownFormat, detail, source, record.len());
            Reject { skeleton: outline::of(text).ok().map(|outline| skeleton::of(&outline.value)), ..reject }
        })?,
        known => known,
    };
    match format {
        Format::LiteLlm => litellm::decode(text),
        Format::Native | Format::Auto => native::decode(text),
    }
}

/// The one JSON parser of the fast paths. What it refuses for a lone surrogate is read once more without, and what
/// a type refuses for a number where an id stands is read once more with such numbers as text.
fn parse<'a, T: Deserialize<'a>>(record: &'a str) -> Option<T> {
    if let Ok(value) = sonic_rs::from_str(record) {
        return Some(value);
    }
    let mended = surrogates::mended(record);
    let whole = mended.as_deref().map_or(record, String::as_str);
    mended.as_deref().and_then(|mended| owned(mended)).or_else(|| owned(&numbers::quoted_ids(whole)?))
}

/// A reader lends no text, so whatever is made of it may outlive the record.
fn owned<'a, T: Deserialize<'a>>(record: &str) -> Option<T> {
    let mut reader = serde_json::Deserializer::from_reader(record.as_bytes());
    let value = T::deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// Reads a refused record again, slowly, to say what is wrong with it.
fn explain(record: &str, source: &str, blame: fn(&Value) -> (Reason, String)) -> Reject {
    let mended = surrogates::mended(record);
    let record = mended.as_deref().map_or(record, String::as_str);
    match outline::of(record) {
        Ok(outline) => {
            let (reason, detail) = if outline.is_whole { blame(&outline.value) } else { too_many() };
            let reject = Reject::new(reason, detail, source, record.len());
            Reject { skeleton: Some(skeleton::of(&outline.value)), ..reject }
        }
        Err(error) => {
            let reason = if error.is_eof() { Reason::Truncated } else { Reason::MalformedJson };
            Reject::new(reason, place::of(record, &error), source, record.len())
        }
    }
}

/// What is said when the record read as a whole shows nothing wrong: the last of equal members hides the first.
fn unnamed() -> (Reason, String) {
    (Reason::InvalidValue, "record: not readable as one; look for a member that stands twice".to_owned())
}

/// What is said of a record that is wrong somewhere among more values than are looked at.
fn too_many() -> (Reason, String) {
    let detail = format!("record: wrong, and more than {} values to name the wrong one", outline::MAX_VALUES);
    (Reason::InvalidValue, detail)
}

/// The parser of the fast path descends once per level of a value that it skips, so hostile nesting would
/// exhaust the stack. Records with few brackets need no look at their order.
fn is_too_deep(record: &[u8]) -> bool {
    let openers = record.iter().filter(|b| matches!(b, b'[' | b'{')).count();
    if openers <= MAX_DEPTH {
        return false;
    }
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in record {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > MAX_DEPTH
}
