//! Answers without choices: content blocks of Anthropic's messages, output items of OpenAI's Responses API.

use serde::de::{MapAccess, SeqAccess};

use super::told::{Answer, PATHS, path_argument};
use crate::event::Str;
use crate::formats::messages::{Content, REDACTED};
use crate::formats::shape::{self, Key, Loose, MaybeText, Shape, skip};

/// `content` of an Anthropic message.
#[derive(Default)]
pub(super) struct Blocks<'a>(pub Option<Answer<'a>>);

impl<'de> Shape<'de> for Blocks<'de> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut answer = Answer::default();
        while let Some(Loose(block)) = seq.next_element::<Loose<Block<'de>>>()? {
            answer.redacted |= block.text.as_deref() == Some(REDACTED);
            answer.completion.extend(block.text);
            if block.kind.as_deref() == Some("tool_use") {
                answer.tool_calls = answer.tool_calls.saturating_add(1);
                answer.tool_paths.extend(block.path);
            }
        }
        Ok(Self(Some(answer)))
    }
}

#[derive(Default)]
struct Block<'a> {
    kind: Option<Str<'a>>,
    text: Option<Str<'a>>,
    path: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Block<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut block = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "type" => block.kind = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "text" => block.text = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "input" => block.path = shape::next::<Input<'de>, A>(&mut map)?.path,
                _ => skip(&mut map)?,
            }
        }
        Ok(block)
    }
}

/// Arguments of a tool call as an object.
#[derive(Default)]
struct Input<'a> {
    path: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Input<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut best: Option<(usize, Str<'de>)> = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match PATHS.iter().position(|name| *name == key.0) {
                Some(rank) if best.as_ref().is_none_or(|(found, _)| rank < *found) => {
                    let path = shape::next::<MaybeText<'de>, A>(&mut map)?.0;
                    best = path.map(|path| (rank, path)).or(best);
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { path: best.map(|(_, path)| path) })
    }
}

/// Items that ask the caller to run a tool. Others tell what the provider ran itself.
const CALLS: [&str; 6] = [
    "function_call",
    "custom_tool_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
];

/// `output` of a response.
#[derive(Default)]
pub(super) struct Items<'a>(pub Option<Answer<'a>>);

impl<'de> Shape<'de> for Items<'de> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut answer = Answer::default();
        while let Some(Loose(item)) = seq.next_element::<Loose<Item<'de>>>()? {
            let kind = item.kind.as_deref().unwrap_or_default();
            if kind == "message" {
                answer.redacted |= item.content.is_redacted();
                answer.completion.extend(item.content.joined());
            } else if CALLS.contains(&kind) {
                answer.tool_calls = answer.tool_calls.saturating_add(1);
                answer.tool_paths.extend(item.path);
            }
        }
        Ok(Self(Some(answer)))
    }
}

#[derive(Default)]
struct Item<'a> {
    kind: Option<Str<'a>>,
    content: Content<'a>,
    path: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Item<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut item = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "type" => item.kind = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "content" => item.content = shape::next(&mut map)?,
                "arguments" => {
                    let arguments = shape::next::<MaybeText<'de>, A>(&mut map)?.0;
                    item.path = arguments.and_then(|text| path_argument(&text)).map(Str::Owned);
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(item)
    }
}

/// How a response ended: by its status, and why it is incomplete.
#[derive(Default)]
pub(super) struct Ending<'a> {
    pub status: Option<Str<'a>>,
    pub reason: Option<Str<'a>>,
}

impl<'a> Ending<'a> {
    /// The response's own word, and ours where that alone would not tell that tools were asked for.
    pub(super) fn finish(self, calls_tools: bool) -> (Option<Str<'a>>, Option<Str<'a>>) {
        match self.status.as_deref() {
            Some("completed") if calls_tools => (Some("tool_calls".into()), self.status),
            Some("incomplete") => (self.reason.or(self.status), None),
            _ => (self.status, None),
        }
    }
}

/// `incomplete_details`.
#[derive(Default)]
pub(super) struct Incomplete<'a> {
    pub reason: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Incomplete<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut reason = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "reason" => reason = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { reason })
    }
}
