//! OpenAI-style `messages` and answers, read for their texts and for counts of parts; nothing else is kept.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::shape::{Key, Loose, MaybeText, Shape, next};
use crate::event::Str;

/// What LiteLLM puts in place of a text when message logging is off.
pub(crate) const REDACTED: &str = "redacted-by-litellm";

/// Texts and counts of one `messages` member: an array of messages, one message or plain text.
#[derive(Default)]
pub(crate) struct Messages<'a> {
    /// Texts of the user's turns, oldest first.
    pub user: Vec<Str<'a>>,
    pub images: i32,
    /// True if at least one message stood there.
    pub present: bool,
    pub redacted: bool,
}

impl<'de> Messages<'de> {
    fn add(&mut self, message: Message<'de>) {
        self.present = true;
        self.redacted |= message.content.is_redacted();
        self.images = self.images.saturating_add(message.content.images);
        if message.role.as_deref().is_none_or(|role| role == "user") {
            self.user.extend(message.content.texts.into_iter().filter(|text| text != REDACTED));
        }
    }
}

impl<'de> Shape<'de> for Messages<'de> {
    fn from_text(text: Str<'de>) -> Self {
        let mut messages = Self::default();
        if !text.is_empty() {
            messages.add(Message::from_text(text));
        }
        messages
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut messages = Self::default();
        while let Some(message) = seq.next_element::<Loose<Message<'de>>>()? {
            messages.add(message.0);
        }
        Ok(messages)
    }

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let mut messages = Self::default();
        messages.add(Message::from_map(map)?);
        Ok(messages)
    }
}

#[derive(Default)]
struct Message<'a> {
    role: Option<Str<'a>>,
    content: Content<'a>,
}

impl<'de> Shape<'de> for Message<'de> {
    fn from_text(text: Str<'de>) -> Self {
        Self { role: None, content: Content::from_text(text) }
    }

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut message = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "role" => message.role = next::<MaybeText<'de>, A>(&mut map)?.0,
                "content" => message.content = next(&mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(message)
    }
}

/// Text and image parts of one content: plain text, a list of parts, or one part.
#[derive(Default)]
pub(crate) struct Content<'a> {
    pub texts: Vec<Str<'a>>,
    pub images: i32,
}

impl<'de> Content<'de> {
    /// All parts as one text.
    pub fn joined(mut self) -> Option<Str<'de>> {
        match self.texts.len() {
            0 | 1 => self.texts.pop(),
            _ => Some(Cow::Owned(self.texts.join("\n"))),
        }
    }

    pub fn is_redacted(&self) -> bool {
        self.texts.iter().any(|text| text == REDACTED)
    }

    fn add(&mut self, part: Part<'de>) {
        self.images = self.images.saturating_add(i32::from(part.image));
        self.texts.extend(part.text);
    }
}

impl<'de> Shape<'de> for Content<'de> {
    fn from_text(text: Str<'de>) -> Self {
        Self { texts: MaybeText::from_text(text).0.into_iter().collect(), images: 0 }
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut content = Self::default();
        while let Some(part) = seq.next_element::<Loose<Part<'de>>>()? {
            content.add(part.0);
        }
        Ok(content)
    }

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let mut content = Self::default();
        content.add(Part::from_map(map)?);
        Ok(content)
    }
}

#[derive(Default)]
struct Part<'a> {
    text: Option<Str<'a>>,
    image: bool,
}

impl<'de> Shape<'de> for Part<'de> {
    fn from_text(text: Str<'de>) -> Self {
        Self { text: MaybeText::from_text(text).0, image: false }
    }

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut part = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "type" => {
                    let kind = next::<MaybeText<'de>, A>(&mut map)?.0;
                    part.image = matches!(kind.as_deref(), Some("image_url" | "input_image" | "image"));
                }
                "text" => part.text = next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(part)
    }
}
