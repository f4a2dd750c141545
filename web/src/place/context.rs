//! What every page knows besides the dataset: its own address and state, the theme, the build, staleness.

use super::Address;
use crate::data::{Dataset, UserQuery};
use crate::format;
use crate::url::{Format, Outside, Query, Resolved, State, Theme, print};
use crate::version::BUILD;

#[derive(Clone, Debug)]
pub struct PageContext {
    pub page: Address,
    /// Pages are given what they read of it, see [`super::Draw`].
    state: State,
    pub theme: Theme,
    /// Version and commit of the binary: cache busting of assets, footer.
    pub build: &'static str,
    /// `https://…` without a slash at the end when configured; canonical links are relative without it.
    pub base_url: Option<String>,
    /// The data are older than they should be: the page carries a banner.
    pub stale: Option<Stale>,
}

/// Which limit the data have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stale {
    pub limit_secs: u64,
    pub late: Late,
}

/// What is older than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// The newest event, though what is shown is of now.
    Events,
    /// What is shown: nothing newer is published, or it cannot be read.
    Published,
}

impl PageContext {
    /// In the theme of the device, of data that are not late.
    pub fn new(page: Address, state: State) -> Self {
        Self { page, state, theme: Theme::Auto, build: BUILD, base_url: None, stale: None }
    }

    pub(super) fn query<Q: Query>(&self) -> Q {
        Q::of(&self.state)
    }

    /// Path and canonical query of this page.
    pub fn canonical(&self) -> String {
        self.download(Format::Html)
    }

    /// This page with another query.
    pub fn href(&self, query: &impl Query) -> String {
        address(&self.page, Format::Html, query)
    }

    /// The same in a state that a picker offers.
    pub fn here_in(&self, state: &State) -> String {
        link(&self.page, Format::Html, state)
    }

    /// This page's download with the same filters.
    pub fn download(&self, format: Format) -> String {
        link(&self.page, format, &self.state)
    }

    /// For `<link rel=canonical>`.
    pub fn canonical_url(&self) -> String {
        format!("{}{}", self.base_url.as_deref().unwrap_or(""), self.canonical())
    }

    /// Users figures that [`PageContext::body`] reads, see [`Dataset::load_users`].
    pub fn users(&self, dataset: &Dataset, format: Format) -> Vec<UserQuery> {
        let place = self.page.place();
        match format {
            Format::Html => place.page.as_ref().map(|page| (page.users)(self, dataset)),
            Format::Json | Format::Csv => place.file.as_ref().map(|file| (file.users)(self, dataset)),
        }
        .unwrap_or_default()
    }

    /// The document or the file.
    ///
    /// # Errors
    /// When the address names something unknown, its users figures are not loaded, or a template cannot be rendered.
    pub fn body(&self, dataset: &Dataset, format: Format) -> Result<String, PageError> {
        let place = self.page.place();
        let body = match (format, &place.page, &place.file) {
            (Format::Html, Some(page), _) => (page.draw)(self, dataset)?,
            (Format::Json | Format::Csv, _, Some(file)) => (file.write)(self, dataset, format)?,
            _ => return Err(PageError::NotFound(self.page.path())),
        };
        complete(dataset, &self.users(dataset, format)).map(|()| body)
    }
}

/// Refuses what was made without the users figures that it asks for: what they hide would be missing, or shown.
pub fn complete(dataset: &Dataset, queries: &[UserQuery]) -> Result<(), PageError> {
    let known = queries.iter().all(|query| dataset.users(query).is_some());
    known.then_some(()).ok_or(PageError::UsersNotLoaded)
}

/// Why a window that lies outside the history has no rows.
pub fn empty_because(data: &Dataset, resolved: &Resolved) -> Option<String> {
    resolved.outside.map(|side| match side {
        Outside::Before if data.is_filling() => {
            let first = format::date(data.first_date());
            format!("these days are not published yet; what is there begins on {first}")
        }
        Outside::Before => format!("the history begins on {}", format::date(data.first_date())),
        Outside::After => "these days have not begun".to_owned(),
    })
}

/// Address of any page with what it reads of a query.
pub fn address(page: &Address, format: Format, query: &impl Query) -> String {
    link(page, format, &query.state())
}

/// What only the API has is one body, and its path has no suffix.
fn link(page: &Address, format: Format, state: &State) -> String {
    let suffix = if page.place().page.is_some() { format.suffix() } else { "" };
    let path = format!("{}{suffix}", page.path());
    let query = print(page.params(format), state);
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The address names something that the data do not know: answered with 404 and nearest names.
    #[error("nothing is known as `{0}`")]
    NotFound(String),
    /// Figures that decide what may be shown are not at hand: the page is asked for again, never shown without.
    #[error("distinct users of the page are not loaded")]
    UsersNotLoaded,
    #[error("failed to render a template")]
    Render(#[from] askama::Error),
}
