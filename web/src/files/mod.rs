//! Data files: the numbers of a page as JSON and CSV, both from one table, so that they cannot differ.

mod csv;
mod health;
mod labels;
mod meta;
mod rankings;
mod table;

use crate::data::{Dataset, UserQuery};
use crate::pages::{PageContext, PageError, complete};
use crate::url::Page;

use meta::Meta;
use table::Table;

/// One view: the table that both formats hold, further tables of the JSON body, and what describes them.
struct View {
    main: Table,
    more: Vec<(&'static str, Table)>,
    meta: Meta,
}

/// Users figures that a file prints, see [`Dataset::load_users`].
pub(crate) fn user_queries(context: &PageContext, dataset: &Dataset) -> Vec<UserQuery> {
    rankings::query(context, dataset).map(|query| query.users()).unwrap_or_default()
}

pub(crate) fn json(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    let view = view(context, dataset)?;
    Ok(table::json(&view.main, &view.more, &view.meta))
}

pub(crate) fn csv(context: &PageContext, dataset: &Dataset) -> Result<String, PageError> {
    Ok(csv::write(&view(context, dataset)?.main))
}

fn view(context: &PageContext, dataset: &Dataset) -> Result<View, PageError> {
    let view = tables(context, dataset)?;
    complete(dataset, &user_queries(context, dataset)).map(|()| view)
}

fn tables(context: &PageContext, dataset: &Dataset) -> Result<View, PageError> {
    match &context.page {
        Page::Models | Page::Authors | Page::ProviderRanking => rankings::ranking(context, dataset),
        Page::Share => Ok(rankings::share(context, dataset)),
        Page::Growth => Ok(rankings::growth(context, dataset)),
        Page::Languages => Ok(labels::languages(context, dataset)),
        Page::Language(code) => Ok(labels::cell(context, dataset, Some(code), None)),
        Page::Cross { nl, code } => Ok(labels::cell(context, dataset, Some(nl), Some(code))),
        Page::Model(id) => health::model(context, dataset, id),
        Page::Endpoints(id) => health::endpoints(context, dataset, id),
        Page::Providers | Page::Status => Ok(health::providers(context, dataset)),
        Page::Provider(id) => health::provider(context, dataset, id),
        Page::Uptime => Ok(health::routing(context, dataset)),
        Page::Overview
        | Page::ModelList
        | Page::Author(_)
        | Page::Methodology
        | Page::Data
        | Page::Start
        | Page::Problem(_) => Err(PageError::NotFound(context.page.path())),
    }
}
