//! What an answer tells, whatever shape it came in.

use crate::event::Str;

/// What an answer tells beside its usage.
#[derive(Default)]
pub(super) struct Answer<'a> {
    /// Of the first choice.
    pub finish_reason: Option<Str<'a>>,
    /// The provider's word where `finish_reason` is ours.
    pub native_finish_reason: Option<Str<'a>>,
    pub tool_calls: i32,
    pub completion: Vec<Str<'a>>,
    pub redacted: bool,
    pub tool_paths: Vec<Str<'a>>,
}

/// Arguments that name a file, the most telling first.
pub(super) const PATHS: [&str; 5] = ["path", "file_path", "filename", "file", "target_file"];

/// The path among a call's arguments, which are JSON inside a text.
pub(super) fn path_argument(arguments: &str) -> Option<String> {
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(arguments).ok()?;
    PATHS.into_iter().find_map(|name| members.get(name)?.as_str().map(str::to_owned))
}
