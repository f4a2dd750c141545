//! What arrives, decoded into the native event; and the native event written back, stripped, for the log.

use std::fmt;
use std::str::FromStr;

use crate::event::Event;
use crate::reject::Reject;

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

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::LiteLlm => "litellm",
        })
    }
}

/// What our own logs (spool, Kafka) hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended<'a> {
    Event(Event<'a>),
    Reject(Reject),
}

/// Decodes one record.
pub fn decode<'a>(format: Format, record: &'a [u8]) -> Result<Event<'a>, Reject> {
    let _ = (format, record);
    unimplemented!()
}

pub fn decode_appended<'a>(record: &'a [u8]) -> Result<Appended<'a>, Reject> {
    let _ = record;
    unimplemented!()
}

/// Appends the native event v1 JSON of a stripped event: one line, no newline.
pub fn write_event(event: &Event<'_>, out: &mut Vec<u8>) {
    let _ = (event, out);
    unimplemented!()
}

pub fn write_reject(reject: &Reject, out: &mut Vec<u8>) {
    let _ = (reject, out);
    unimplemented!()
}
