//! The native event v1: one JSON object per request with its attempts in order.

mod blame;
mod fields;
mod read;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

pub(in crate::formats) use fields::{MAX_ATTEMPTS, MAX_PLUGINS, is_source};
pub use write::write_event;
pub(in crate::formats) use write::write_string;

use super::parse;
use crate::event::Event;
use crate::reject::{Reason, Reject};

/// The published JSON Schema of the event.
pub const SCHEMA: &str = include_str!("../../../schema/native-event-v1.json");

pub(super) fn decode(record: &str) -> Result<Event<'_>, Reject> {
    match parse::<read::Decoded<'_>>(record) {
        Some(decoded) => Ok(decoded.0),
        None => Err(super::explain(record, "native", blame)),
    }
}

/// True for the name of a member of the event, of its attempts or of its labels.
pub(super) fn knows(name: &str) -> bool {
    [fields::EVENT, fields::ATTEMPT, fields::LABELS].into_iter().flatten().any(|field| field.name == name)
}

fn blame(record: &Value) -> (Reason, String) {
    blame::find(record).unwrap_or_else(super::unnamed)
}
