//! A row of links of which one is current: period, measure, view.

use askama::Template;

#[derive(Clone, Debug)]
pub struct Choice {
    pub text: String,
    pub href: String,
    pub current: bool,
}

#[derive(Clone, Debug, Template)]
#[template(
    source = "<nav class=\"picker\" aria-label=\"{{ label }}\"><span aria-hidden=\"true\">{{ label }}</span>\
              {% for choice in choices %}<a href=\"{{ choice.href }}\"{% if choice.current %} aria-current=\"true\"{% endif %}>\
              {{ choice.text }}</a>{% endfor %}</nav>",
    ext = "html"
)]
pub struct Picker {
    pub label: &'static str,
    pub choices: Vec<Choice>,
}

impl askama::filters::HtmlSafe for Picker {}
