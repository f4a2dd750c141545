//! Markup that is already safe to print.

use std::fmt;

use crate::charts::svg::escape;

/// Text whose foreign parts have been escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Takes markup as it is; foreign text must not come in here unescaped.
    pub fn markup(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// Escapes plain text.
    pub fn text(text: &str) -> Self {
        Self(escape(text).into_owned())
    }

    pub fn link(href: &str, text: &str) -> Self {
        Self(format!("<a href=\"{}\">{}</a>", escape(href), escape(text)))
    }

    /// A link where there is an address, plain text where there is none.
    pub fn link_or_text(href: Option<&str>, text: &str) -> Self {
        href.map_or_else(|| Self::text(text), |href| Self::link(href, text))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_names_are_escaped_in_text_and_in_addresses() {
        let link = Html::link("/models/\"><script>", "<b>");
        assert_eq!(link.as_str(), "<a href=\"/models/&quot;&gt;&lt;script&gt;\">&lt;b&gt;</a>");
    }
}
