//! The answer inside a payload: finish reason, tool calls and texts.

use serde::de::{MapAccess, SeqAccess};

use super::blocks::{Blocks, Ending, Incomplete, Items};
use super::told::{Answer, path_argument};
use crate::event::Str;
use crate::formats::messages::Content;
use crate::formats::shape::{self, Key, Loose, MaybeText, Shape, skip};

/// `response`: the answer in one of three shapes; `{}` on failures, a text where it was redacted.
#[derive(Default)]
pub(super) struct Response<'a> {
    pub answer: Option<Answer<'a>>,
    pub service_tier: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Response<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let (mut choices, mut blocks, mut items) = (Choices::default(), Blocks::default(), Items::default());
        let (mut stop_reason, mut ending) = (None, Ending::default());
        let mut service_tier = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "choices" => choices = shape::next(&mut map)?,
                // Anthropic's messages
                "content" => blocks = shape::next(&mut map)?,
                "service_tier" => service_tier = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "stop_reason" => stop_reason = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                // OpenAI's responses
                "output" => items = shape::next(&mut map)?,
                "status" => ending.status = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "incomplete_details" => ending.reason = shape::next::<Incomplete<'de>, A>(&mut map)?.reason,
                _ => skip(&mut map)?,
            }
        }
        let answer = if choices.count > 0 {
            Some(choices.answer)
        } else if let Some(message) = blocks.0 {
            Some(Answer { finish_reason: stop_reason, ..message })
        } else if let Some(response) = items.0 {
            let (finish_reason, native_finish_reason) = ending.finish(response.tool_calls > 0);
            Some(Answer { finish_reason, native_finish_reason, ..response })
        } else {
            None
        };
        Ok(Self { answer, service_tier })
    }
}

#[derive(Default)]
struct Choices<'a> {
    count: usize,
    answer: Answer<'a>,
}

impl<'de> Shape<'de> for Choices<'de> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut choices = Self::default();
        while let Some(Loose(choice)) = seq.next_element::<Loose<Choice<'de>>>()? {
            let answer = &mut choices.answer;
            if choices.count == 0 {
                answer.finish_reason = choice.finish_reason;
            }
            choices.count += 1;
            answer.redacted |= choice.message.content.is_redacted();
            answer.completion.extend(choice.message.content.joined());
            let calls = choice.message.tool_calls;
            answer.tool_calls = answer.tool_calls.saturating_add(calls.count);
            answer.tool_paths.extend(calls.paths);
        }
        Ok(choices)
    }
}

#[derive(Default)]
struct Choice<'a> {
    finish_reason: Option<Str<'a>>,
    message: AnswerMessage<'a>,
}

impl<'de> Shape<'de> for Choice<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut choice = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "finish_reason" => choice.finish_reason = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                "message" => choice.message = shape::next(&mut map)?,
                // Answers of text completions.
                "text" => choice.message.content = shape::next(&mut map)?,
                _ => skip(&mut map)?,
            }
        }
        Ok(choice)
    }
}

#[derive(Default)]
struct AnswerMessage<'a> {
    content: Content<'a>,
    tool_calls: ToolCalls<'a>,
}

impl<'de> Shape<'de> for AnswerMessage<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut message = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "content" => message.content = shape::next(&mut map)?,
                "tool_calls" => message.tool_calls = shape::next(&mut map)?,
                _ => skip(&mut map)?,
            }
        }
        Ok(message)
    }
}

#[derive(Default)]
struct ToolCalls<'a> {
    count: i32,
    paths: Vec<Str<'a>>,
}

impl<'de> Shape<'de> for ToolCalls<'de> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut calls = Self::default();
        while let Some(Loose(call)) = seq.next_element::<Loose<ToolCall<'de>>>()? {
            calls.count = calls.count.saturating_add(1);
            calls.paths.extend(call.path);
        }
        Ok(calls)
    }
}

#[derive(Default)]
struct ToolCall<'a> {
    path: Option<Str<'a>>,
}

impl<'de> Shape<'de> for ToolCall<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut path = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "function" => path = shape::next::<Function<'de>, A>(&mut map)?.path,
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { path })
    }
}

#[derive(Default)]
struct Function<'a> {
    path: Option<Str<'a>>,
}

impl<'de> Shape<'de> for Function<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut path = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "arguments" => {
                    let arguments = shape::next::<MaybeText<'de>, A>(&mut map)?.0;
                    path = arguments.and_then(|text| path_argument(&text)).map(Str::Owned);
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(Self { path })
    }
}
