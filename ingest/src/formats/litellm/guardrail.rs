//! What guardrails did, from `guardrail_information`: a list, or one object.

use serde::de::{MapAccess, SeqAccess};

use crate::event::Str;
use crate::formats::shape::{self, Key, Loose, MaybeText, Shape, TextList, skip};

/// Guardrails of one call.
#[derive(Default)]
pub(super) struct Guardrails {
    /// One that looks at answers intervened: whoever was called had answered. One that looks at prompts may only
    /// have masked something, and the call went on.
    pub intervened_after_call: bool,
}

impl<'de> Shape<'de> for Guardrails {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut all = Self::default();
        while let Some(Loose(one)) = seq.next_element::<Loose<Guardrail<'de>>>()? {
            all.intervened_after_call |= one.intervened_after_call();
        }
        Ok(all)
    }

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Ok(Self { intervened_after_call: Guardrail::from_map(map)?.intervened_after_call() })
    }
}

#[derive(Default)]
struct Guardrail<'a> {
    modes: Vec<Str<'a>>,
    status: Option<Str<'a>>,
}

impl Guardrail<'_> {
    fn intervened_after_call(&self) -> bool {
        // With several modes it is not told in which of them it intervened.
        let is_after_call =
            matches!(self.modes.as_slice(), [mode] if super::last_segment(mode) == "post_call");
        is_after_call && self.status.as_deref() == Some(INTERVENED)
    }
}

pub(super) const INTERVENED: &str = "guardrail_intervened";

impl<'de> Shape<'de> for Guardrail<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut guardrail = Self::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "guardrail_mode" => guardrail.modes = shape::next::<TextList<'de>, A>(&mut map)?.0,
                "guardrail_status" => guardrail.status = shape::next::<MaybeText<'de>, A>(&mut map)?.0,
                _ => skip(&mut map)?,
            }
        }
        Ok(guardrail)
    }
}
