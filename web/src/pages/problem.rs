//! Error pages, and the page behind each problem type.

use crate::error::{ErrorView, Kind};
use crate::place::{self, Found, PageContext, PageError, Place};
use askama::Template;

use super::parts::Html;
use super::shell::Shell;
use crate::data::Dataset;
use crate::format;

/// Explanation of an error type.
pub static PROBLEM: Place = Place {
    path: "/problems/{type}",
    title: "One type of error",
    before_traffic: true,
    find: |address, _| match Kind::ALL.iter().any(|kind| kind.word() == address.name(0)) {
        true => Found::Here(address),
        false => Found::Nowhere(address.id()),
    },
    page: Some(place::Page::of::<Explanation>()),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "error.html")]
struct Failure<'a> {
    shell: Shell,
    view: &'a ErrorView,
    detail: Html,
    nearest: Vec<Html>,
}

/// # Errors
/// When the template cannot be rendered.
pub fn error(view: &ErrorView) -> Result<String, PageError> {
    let nearest = view
        .nearest
        .iter()
        .map(|one| {
            Html::markup(format!(
                "{} <code>{}</code>",
                Html::link(&one.href, &one.name),
                Html::text(&one.key)
            ))
        })
        .collect();
    Ok(Failure { shell: Shell::of_error(view), view, detail: sentence(&view.detail), nearest }.render()?)
}

/// A message of the API as a sentence of a page: capital letter, full stop, what stands in backticks as code.
fn sentence(detail: &str) -> Html {
    let mut out = String::new();
    for (index, part) in format::capitalised(detail).split('`').enumerate() {
        let text = Html::text(part);
        out.push_str(&if index % 2 == 1 { format!("<code>{text}</code>") } else { text.to_string() });
    }
    if !detail.is_empty() && !detail.ends_with('.') {
        out.push('.');
    }
    Html::markup(out)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Explanation {
    shell: Shell,
    title: &'static str,
    status: u16,
    kind: &'static str,
    explanation: &'static str,
}

impl place::Draw for Explanation {
    type Query = ();

    fn draw(ctx: &PageContext, _: &(), data: &Dataset) -> Result<String, PageError> {
        explain(ctx, data, ctx.page.name(0))
    }
}

fn explain(ctx: &PageContext, data: &Dataset, word: &str) -> Result<String, PageError> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| PageError::NotFound(word.to_owned()))?;
    let page = Explanation {
        shell: Shell::new(ctx, Some(data), kind.title(), kind.explanation()),
        title: kind.title(),
        status: kind.status().as_u16(),
        kind: kind.word(),
        explanation: kind.explanation(),
    };
    Ok(page.render()?)
}
