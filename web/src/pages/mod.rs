//! Pages: one module per page, each a view struct with its template.
//!
//! The router calls [`render`] for every page and [`error`] for every error; it decides statuses and headers.
//! Distinct users that a page prints must be loaded before it is rendered: [`user_queries`] names them.

use crate::data::{Dataset, UserQuery};

pub mod context;

pub use context::{ErrorView, PageContext, PageError, Stale, address};

/// The whole HTML document of `context.page`.
pub fn render(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    let _ = dataset;
    Ok(format!("<!doctype html><title>{}</title>", context.canonical()))
}

/// Users figures that [`render`] reads for this page, see [`Dataset::load_users`].
pub fn user_queries(context: &PageContext, dataset: &Dataset) -> Vec<UserQuery> {
    let _ = (context, dataset);
    Vec::new()
}

/// The whole HTML document of an error.
pub fn error(view: &ErrorView) -> Result<String, PageError> {
    Ok(format!("<!doctype html><title>{}</title><p>{}", view.status, view.kind))
}
