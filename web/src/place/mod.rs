//! What a page is: where it is found, what it reads, how it is made and sent. Each page says all of it in one constant
//! beside its render function; `pages::PLACES` lists them, and routes, links, the navigation, the sitemap, the list of
//! files and the description of the API follow from that list.

mod address;
mod body;
mod context;

pub use address::{Address, Found, Route};
pub use body::{Body, Schemas};
pub use context::{Late, PageContext, PageError, Stale, address, complete, empty_because};

use crate::data::{Dataset, GroupBy, UserQuery};
use crate::headers::Policy;
use crate::url::{Format, Param, Query, Variants};

/// Entry of the main navigation that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Overview,
    Rankings,
    Share,
    Growth,
    Languages,
    Providers,
    Status,
    Uptime,
    Data,
    Methodology,
    /// Errors and pages outside the navigation.
    None,
}

/// One page of the site, with its files and its address in the API.
pub struct Place {
    /// Path with its names in braces, as routes have it; also the label in metrics. Of what only the API has, that address.
    pub path: &'static str,
    /// Other paths that lead here; those with names have the same ones.
    pub aliases: &'static [&'static str],
    /// Address in the API, with the names of `path`.
    pub api: Option<&'static str>,
    /// What it is, in a few words.
    pub title: &'static str,
    pub section: Section,
    /// Text in the main navigation.
    pub navigation: Option<&'static str>,
    pub in_sitemap: bool,
    /// Shown before the first request has arrived too; other pages say how to send one.
    pub before_traffic: bool,
    pub(crate) policy: Policy,
    /// What a dataset makes of the names in an address.
    pub find: fn(Address, &Dataset) -> Found,
    /// What the rows of a ranking are.
    pub ranks: Option<fn(Variants) -> GroupBy>,
    pub page: Option<Page>,
    pub file: Option<File>,
}

/// How a page is drawn.
pub trait Draw {
    /// All that it can read of its query.
    type Query: Query;

    /// # Errors
    /// When the address names something unknown, or the template cannot be rendered.
    fn draw(ctx: &PageContext, query: &Self::Query, data: &Dataset) -> Result<String, PageError>;

    /// Users figures that `draw` reads, see [`Dataset::load_users`].
    fn users(_: &PageContext, _: &Self::Query, _: &Dataset) -> Vec<UserQuery> {
        Vec::new()
    }
}

/// How a file is written.
pub(crate) trait Write {
    /// All that it can read of its query.
    type Query: Query;

    fn write(
        ctx: &PageContext,
        query: &Self::Query,
        data: &Dataset,
        format: Format,
    ) -> Result<String, PageError>;

    /// Users figures that `write` reads, see [`Dataset::load_users`].
    fn users(ctx: &PageContext, query: &Self::Query, data: &Dataset) -> Vec<UserQuery>;
}

/// A place as a page.
pub struct Page {
    params: &'static [Param],
    draw: fn(&PageContext, &Dataset) -> Result<String, PageError>,
    users: fn(&PageContext, &Dataset) -> Vec<UserQuery>,
}

/// A place as a file, and as what the API answers.
pub struct File {
    /// What one row is.
    pub holds: &'static str,
    params: &'static [Param],
    write: fn(&PageContext, &Dataset, Format) -> Result<String, PageError>,
    users: fn(&PageContext, &Dataset) -> Vec<UserQuery>,
    /// The form of the body in JSON.
    pub body: Body,
}

impl Page {
    pub const fn of<D: Draw>() -> Self {
        Self {
            params: D::Query::PARAMS,
            draw: |ctx, data| D::draw(ctx, &ctx.query(), data),
            users: |ctx, data| D::users(ctx, &ctx.query(), data),
        }
    }
}

impl File {
    /// `holds`: what one row is.
    pub(crate) const fn of<W: Write>(holds: &'static str, body: Body) -> Self {
        Self {
            holds,
            params: W::Query::PARAMS,
            write: |ctx, data, format| W::write(ctx, &ctx.query(), data, format),
            users: |ctx, data| W::users(ctx, &ctx.query(), data),
            body,
        }
    }
}

impl Place {
    /// A page of its own that reads no names; a place says what is different.
    pub const DEFAULT: Self = Self {
        path: "",
        aliases: &[],
        api: None,
        title: "",
        section: Section::None,
        navigation: None,
        in_sitemap: false,
        before_traffic: false,
        policy: Policy::Page,
        find: anything,
        ranks: None,
        page: None,
        file: None,
    };

    /// A place without names.
    pub fn here(&'static self) -> Address {
        Address::new(self, [])
    }

    /// Parameters that it reads when it is sent in this format.
    pub fn params(&self, format: Format) -> &'static [Param] {
        match format {
            Format::Html => self.page.as_ref().map_or(&[], |page| page.params),
            Format::Json | Format::Csv => self.file.as_ref().map_or(&[], |file| file.params),
        }
    }
}

impl PartialEq for Place {
    /// No two places have one path.
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Place {}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

fn anything(address: Address, _: &Dataset) -> Found {
    Found::Here(address)
}
