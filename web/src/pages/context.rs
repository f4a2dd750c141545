//! What every page knows besides the dataset: its own address and state, the theme, the build, staleness.

use crate::data::Metric;
use crate::url::{Format, Page, Period, State, Theme, print};

#[derive(Clone, Debug)]
pub struct PageContext {
    pub page: Page,
    pub state: State,
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
    /// Path and canonical query of this page.
    pub fn canonical(&self) -> String {
        self.href(&self.state)
    }

    /// This page in another state.
    pub fn href(&self, state: &State) -> String {
        self.file(Format::Html, state)
    }

    /// This page's download with the same filters.
    pub fn download(&self, format: Format) -> String {
        self.file(format, &self.state)
    }

    fn file(&self, format: Format, state: &State) -> String {
        address(&self.page, format, state)
    }

    pub fn with_period(&self, period: Period) -> String {
        self.href(&State { period, ..self.state.clone() })
    }

    pub fn with_metric(&self, metric: Metric) -> String {
        self.href(&State { metric, ..self.state.clone() })
    }

    /// For `<link rel=canonical>`.
    pub fn canonical_url(&self) -> String {
        format!("{}{}", self.base_url.as_deref().unwrap_or(""), self.canonical())
    }
}

/// Address of any page in any state.
pub fn address(page: &Page, format: Format, state: &State) -> String {
    let path = format!("{}{}", page.path(), format.suffix());
    let query = print(page, format, state);
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

/// What an error page says.
#[derive(Clone, Debug)]
pub struct ErrorView {
    pub status: u16,
    /// Stable kind, the last part of `/problems/{kind}`.
    pub kind: &'static str,
    pub title: String,
    pub detail: String,
    /// Pages with names near the one asked for.
    pub nearest: Vec<crate::data::Candidate>,
    pub request_id: String,
    pub theme: Theme,
    pub build: &'static str,
    pub simulated: bool,
}
