//! Data files: the numbers of a page as JSON and CSV, both from one table, so that they cannot differ.

mod csv;
mod health;
mod labels;
mod meta;
mod rankings;
mod table;

use crate::data::{Dataset, UserQuery};
use crate::place::{PageContext, PageError};
use crate::url::Format;

use meta::Meta;
use table::Table;

/// One view: the table that both formats hold, further tables of the JSON body, and what describes them.
struct View {
    main: Table,
    more: Vec<(&'static str, Table)>,
    meta: Meta,
}

type Written = Result<String, PageError>;

fn write(view: &View, format: Format) -> String {
    match format {
        Format::Csv => csv::write(&view.main),
        Format::Json | Format::Html => table::json(&view.main, &view.more, &view.meta),
    }
}

pub(crate) fn ranking(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&rankings::ranking(context, dataset)?, format))
}

/// Users figures that a ranking prints, see [`Dataset::load_users`].
pub(crate) fn ranking_users(context: &PageContext, dataset: &Dataset) -> Vec<UserQuery> {
    rankings::query(context, dataset).map(|query| query.users()).unwrap_or_default()
}

pub(crate) fn share(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&rankings::share(context, dataset), format))
}

pub(crate) fn growth(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&rankings::growth(context, dataset), format))
}

pub(crate) fn languages(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&labels::languages(context, dataset), format))
}

/// One language, or its cross with a programming language.
pub(crate) fn cell(
    context: &PageContext,
    dataset: &Dataset,
    format: Format,
    nl: Option<&str>,
    code: Option<&str>,
) -> Written {
    Ok(write(&labels::cell(context, dataset, nl, code), format))
}

pub(crate) fn model(context: &PageContext, dataset: &Dataset, format: Format, id: &str) -> Written {
    Ok(write(&health::model(context, dataset, id)?, format))
}

pub(crate) fn endpoints(context: &PageContext, dataset: &Dataset, format: Format, id: &str) -> Written {
    Ok(write(&health::endpoints(context, dataset, id)?, format))
}

pub(crate) fn providers(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&health::providers(context, dataset), format))
}

pub(crate) fn provider(context: &PageContext, dataset: &Dataset, format: Format, id: &str) -> Written {
    Ok(write(&health::provider(context, dataset, id)?, format))
}

pub(crate) fn routing(context: &PageContext, dataset: &Dataset, format: Format) -> Written {
    Ok(write(&health::routing(context, dataset), format))
}
