//! How to send the first event: shown at `/` while there is no traffic, and at `/start`.

use crate::place::{self, PageContext, PageError, Place};
use askama::Template;

use super::shell::Shell;
use crate::data::Dataset;

pub static START: Place = Place {
    path: "/start",
    title: "Send events",
    before_traffic: true,
    page: Some(place::Page::of::<Page>()),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "start.html")]
struct Page {
    shell: Shell,
    /// Nothing has arrived yet.
    waiting: bool,
    finding: &'static str,
}

impl place::Draw for Page {
    type Query = ();

    fn draw(ctx: &PageContext, _: &(), data: &Dataset) -> Result<String, PageError> {
        render(ctx, data)
    }
}

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let waiting = data.is_empty();
    let finding = if waiting { "Ready: no request has arrived yet" } else { "How to send request logs" };
    let page = Page { shell: Shell::new(ctx, Some(data), "Send events", finding), waiting, finding };
    Ok(page.render()?)
}
