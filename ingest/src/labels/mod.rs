//! Labels of a request from its texts: natural language, programming languages, topic.
//!
//! A label that the router sent comes first; every label says what it was derived from. Values come from closed
//! lists, so that no text of a caller can hide in one. Nothing here keeps a text.

pub mod cells;
mod closed;
mod code;
mod fences;
mod language;
pub mod sampling;
#[cfg(test)]
mod tests;

use crate::event::{Labels, Str, Texts};
use code::Names;

/// A label the router sent.
pub const ROUTER: &str = "router";
/// The extension of a file that a tool call names.
pub const PATH: &str = "path";
/// The info string of a fenced block, or that there is none.
pub const FENCE: &str = "fence";
/// The rules of this version: scripts, and values for want of evidence.
pub const RULE: &str = "rule:2";
/// The detector of languages in Latin script.
pub const WHICHLANG: &str = "model:whichlang-0.1.1";

type Label = (Str<'static>, Str<'static>);

/// Derives labels; holds the tables that are built once.
#[derive(Debug)]
pub struct Labeller {
    code: Names,
}

impl Default for Labeller {
    fn default() -> Self {
        Self::new()
    }
}

impl Labeller {
    pub fn new() -> Self {
        Self { code: Names::new() }
    }

    /// Labels of a request. What neither the router nor a text tells stays None, save the topic.
    pub fn label(&self, texts: &Texts<'_>, router: Option<&Labels<'_>>) -> Labels<'static> {
        let sent = router.map(|labels| self.canonical(labels)).unwrap_or_default();
        let nl = sent
            .nl
            .or_else(|| language::of(&texts.user).map(|(value, source)| (value.into(), source.into())));
        let code_in = sent.code_in.or_else(|| {
            let blocks = texts.user.iter().flat_map(|text| fences::blocks(text));
            (!texts.user.is_empty()).then(|| label(self.code.of_blocks(blocks), FENCE))
        });
        let code_out = sent
            .code_out
            .or_else(|| self.code.of_paths(&texts.tool_paths).map(|value| label(value, PATH)))
            .or_else(|| {
                let completion = texts.completion.as_deref()?;
                Some(label(self.code.of_blocks(fences::blocks(completion)), FENCE))
            });
        let cat = sent.cat.unwrap_or_else(|| label(closed::UNCLASSIFIED, RULE));
        Labels { nl, code_in, code_out, cat: Some(cat), task: sent.task }
    }

    /// Given labels with every value led to its closed list.
    fn canonical(&self, labels: &Labels<'_>) -> Labels<'static> {
        let lead = |pair: &Option<(Str<'_>, Str<'_>)>, to: &dyn Fn(&str) -> &'static str| -> Option<Label> {
            let (value, source) = pair.as_ref()?;
            Some((to(value).into(), closed::source(source)))
        };
        let task = labels.task.as_deref().and_then(closed::task);
        let cat = lead(&labels.cat, &closed::topic)
            .or_else(|| labels.task.as_deref().map(|task| label(closed::topic_of_task(task), ROUTER)));
        Labels {
            nl: lead(&labels.nl, &closed::language),
            code_in: lead(&labels.code_in, &|value| self.code.canonical(value)),
            code_out: lead(&labels.code_out, &|value| self.code.canonical(value)),
            cat,
            task: task.map(Str::Borrowed),
        }
    }
}

fn label(value: &'static str, source: &'static str) -> Label {
    (value.into(), source.into())
}
