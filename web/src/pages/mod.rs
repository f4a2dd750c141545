//! Pages: one module per page, each a view struct with its template.
//!
//! The router calls [`render`] for every page and [`error`] for every error; it decides statuses and headers.
//! Distinct users that a page prints must be loaded before it is rendered: [`user_queries`] names them.

use crate::data::{Dataset, UserQuery};
use crate::url::Page;

pub mod context;

mod author;
mod controls;
mod data_page;
mod growth;
mod health_view;
mod labelled;
mod languages;
mod methodology;
mod model;
mod model_providers;
mod movers;
mod overview;
pub(crate) mod parts;
mod places;
mod problem;
mod provider;
mod providers;
mod ranked;
mod rankings;
mod share;
mod shares;
mod shell;
mod speed_charts;
mod start;
#[cfg(test)]
mod tests;
mod uptime;
mod usage_charts;

pub use context::{ErrorView, Late, PageContext, PageError, Stale, address};
pub use problem::error;

/// The whole HTML document of `context.page`.
///
/// # Errors
/// When the page names something unknown, its users figures are not loaded, or a template cannot be rendered.
pub fn render(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    let page = document(context, dataset)?;
    complete(dataset, &user_queries(context, dataset)).map(|()| page)
}

/// Refuses what was made without the users figures that it asks for: what they hide would be missing, or shown.
pub(crate) fn complete(dataset: &Dataset, queries: &[UserQuery]) -> Result<(), PageError> {
    let known = queries.iter().all(|query| dataset.users(query).is_some());
    known.then_some(()).ok_or(PageError::UsersNotLoaded)
}

fn document(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    match &context.page {
        Page::Methodology => methodology::render(context, dataset),
        Page::Data => data_page::render(context, dataset),
        Page::Problem(kind) => problem::explain(context, dataset, kind),
        Page::Start => start::render(context, dataset),
        // Before the first request there is nothing to lead: the front page says how to send one.
        Page::Overview if dataset.is_empty() => start::render(context, dataset),
        Page::Overview => overview::render(context, dataset),
        Page::Models | Page::Authors | Page::ProviderRanking | Page::ModelList => {
            rankings::render(context, dataset)
        }
        Page::Share => share::render(context, dataset),
        Page::Growth => growth::render(context, dataset),
        Page::Languages => languages::overview(context, dataset),
        Page::Language(code) => languages::language(context, dataset, code),
        Page::Cross { nl, code } => languages::cross(context, dataset, nl, code),
        Page::Model(id) => model::render(context, dataset, id),
        Page::Author(id) => author::render(context, dataset, id),
        Page::Providers => providers::directory(context, dataset),
        Page::Provider(id) => provider::render(context, dataset, id),
        Page::Status => providers::status(context, dataset),
        Page::Uptime => uptime::render(context, dataset),
        Page::Endpoints(id) => Err(PageError::NotFound(id.clone())),
    }
}

/// Users figures that [`render`] reads for this page, see [`Dataset::load_users`].
pub fn user_queries(context: &PageContext, dataset: &Dataset) -> Vec<UserQuery> {
    match &context.page {
        Page::Overview => overview::users(context, dataset),
        Page::Models | Page::Authors | Page::ProviderRanking | Page::ModelList => {
            rankings::users(context, dataset)
        }
        Page::Model(id) => model::users(context, dataset, id),
        Page::Author(id) => author::users(context, dataset, id),
        _ => Vec::new(),
    }
}
