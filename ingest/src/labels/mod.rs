//! Labels of a request from its texts: natural language, programming languages, topic.

pub mod cells;

use crate::event::{Labels, Texts};

#[derive(Debug, Default)]
pub struct Labeller {}

impl Labeller {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn label(&self, texts: &Texts<'_>, router: Option<&Labels<'_>>) -> Labels<'static> {
        let _ = (texts, router);
        unimplemented!()
    }
}
