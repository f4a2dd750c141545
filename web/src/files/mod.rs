//! Data files: the rows of a page's view as JSON and CSV.

mod csv;
mod json;
mod number;

use crate::data::{Dataset, UserQuery};
use crate::pages::{PageContext, PageError, complete};
use crate::url::Page;
use crate::views::{self, View};

/// A view that can be written in any format.
pub(crate) trait Body {
    fn json(&self) -> String;
    fn csv(&self) -> String;
}

impl<V: View> Body for V {
    fn json(&self) -> String {
        let mut text = json::write(self);
        text.push('\n');
        text
    }

    fn csv(&self) -> String {
        csv::write(self.rows())
    }
}

/// Users figures that a file prints, see [`Dataset::load_users`].
pub(crate) fn user_queries(context: &PageContext, dataset: &Dataset) -> Vec<UserQuery> {
    views::rankings::query(context, dataset).map(|query| query.users()).unwrap_or_default()
}

pub(crate) fn json(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    Ok(body(context, dataset)?.json())
}

pub(crate) fn csv(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    Ok(body(context, dataset)?.csv())
}

fn body(context: &PageContext, dataset: &Dataset) -> Result<Box<dyn Body>, PageError> {
    let body = view(context, dataset)?;
    complete(dataset, &user_queries(context, dataset)).map(|()| body)
}

fn view(context: &PageContext, dataset: &Dataset) -> Result<Box<dyn Body>, PageError> {
    Ok(match &context.page {
        Page::Models | Page::Authors | Page::ProviderRanking => {
            Box::new(views::rankings::view(context, dataset)?)
        }
        Page::Share => Box::new(views::share::view(context, dataset)),
        Page::Growth => Box::new(views::growth::view(context, dataset)),
        Page::Languages => Box::new(views::languages::view(context, dataset)),
        Page::Language(code) => Box::new(views::cross::view(context, dataset, Some(code), None)),
        Page::Cross { nl, code } => Box::new(views::cross::view(context, dataset, Some(nl), Some(code))),
        Page::Model(id) => Box::new(views::endpoints::model(context, dataset, id)?),
        Page::Endpoints(id) => Box::new(views::endpoints::endpoints(context, dataset, id)?),
        Page::Providers | Page::Status => Box::new(views::providers::view(context, dataset, None)),
        Page::Provider(id) => Box::new(views::provider::view(context, dataset, id)?),
        Page::Uptime => Box::new(views::routing::view(context, dataset)),
        Page::Overview
        | Page::ModelList
        | Page::Author(_)
        | Page::Methodology
        | Page::Data
        | Page::Start
        | Page::Problem(_) => return Err(PageError::NotFound(context.page.path())),
    })
}
