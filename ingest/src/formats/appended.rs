//! Records of our own logs: a stripped event, or a refusal that still has to reach `rejects`.

use std::io::Write;

use serde::Deserialize;

use super::native::{is_source, write_string};
use super::{Format, decode};
use crate::event::Event;
use crate::reject::{Reason, Reject};

/// What our own logs (spool, Kafka) hold.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events, and a box would cost each an allocation"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Appended<'a> {
    Event(Event<'a>),
    Reject(Reject),
}

/// Every refusal starts so, as `write_reject` wrote it.
const REJECTED: &[u8] = br#"{"rejected":{"#;

/// Decodes what `write_event` or `write_reject` wrote.
///
/// # Errors
/// As `decode` of a native event.
pub fn decode_appended<'a>(record: &'a [u8]) -> Result<Appended<'a>, Reject> {
    if record.starts_with(REJECTED)
        && let Ok(Envelope { rejected }) = serde_json::from_slice(record)
        && let Some(reason) = Reason::parse(&rejected.reason)
    {
        let source = if is_source(&rejected.source) { rejected.source } else { Format::Native.to_string() };
        return Ok(Appended::Reject(Reject {
            reason,
            detail: rejected.detail,
            source,
            size_bytes: rejected.size_bytes,
            skeleton: rejected.skeleton,
        }));
    }
    decode(Format::Native, record).map(Appended::Event)
}

#[derive(Deserialize)]
struct Envelope {
    rejected: Rejected,
}

#[derive(Deserialize)]
struct Rejected {
    reason: String,
    detail: String,
    source: String,
    size_bytes: u64,
    skeleton: Option<String>,
}

/// Appends the refusal as one line of JSON without its newline.
pub fn write_reject(reject: &Reject, out: &mut Vec<u8>) {
    out.extend_from_slice(REJECTED);
    out.extend_from_slice(br#""reason":"#);
    write_string(reject.reason.as_str(), out);
    out.extend_from_slice(br#","detail":"#);
    write_string(&reject.detail, out);
    out.extend_from_slice(br#","source":"#);
    write_string(&reject.source, out);
    // Writing to a Vec cannot fail.
    let _ = write!(out, r#","size_bytes":{}"#, reject.size_bytes);
    if let Some(skeleton) = &reject.skeleton {
        out.extend_from_slice(br#","skeleton":"#);
        write_string(skeleton, out);
    }
    out.extend_from_slice(b"}}");
}
