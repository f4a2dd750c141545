//! Addresses: a place with the names that its path asks for.

use super::Place;
use crate::data::GroupBy;
use crate::url::{Format, Param, Variants, fill, is_sayable, names_of};

/// A place and the names in its path, as their sources write them; whether they exist is the dataset's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    place: &'static Place,
    names: Vec<String>,
}

impl Address {
    /// Beside a place with names stands the function that knows which ones they are.
    pub fn new<'a>(place: &'static Place, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { place, names: names.into_iter().map(str::to_owned).collect() }
    }

    pub fn place(&self) -> &'static Place {
        self.place
    }

    /// A name by its position; empty where the path has none.
    pub fn name(&self, position: usize) -> &str {
        self.names.get(position).map_or("", String::as_str)
    }

    /// All names with slashes between them: `author/slug` of a model.
    pub fn id(&self) -> String {
        self.names.join("/")
    }

    /// With all names in lower case.
    pub fn lower_case(&self) -> Self {
        Self { place: self.place, names: self.names.iter().map(|name| name.to_lowercase()).collect() }
    }

    /// Path of the page, without suffix.
    pub fn path(&self) -> String {
        fill(self.place.path, &self.names)
    }

    /// Whether the path leads back here: not with a model id that is not `author/slug`, nor with a name that no path can
    /// hold.
    pub fn leads_back(&self) -> bool {
        self.names.len() == names_of(self.place.path).count()
            && self.names.iter().all(|name| is_sayable(name))
    }

    pub fn params(&self, format: Format) -> &'static [Param] {
        self.place.params(format)
    }

    pub fn has_files(&self) -> bool {
        self.place.file.is_some()
    }

    /// What the rows of a ranking are; `None` where there is none.
    pub fn grouping(&self, variants: Variants) -> Option<GroupBy> {
        self.place.ranks.map(|by| by(variants))
    }
}

/// What a dataset makes of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// With names as the dataset spells them.
    Here(Address),
    /// The same thing has another address. Under the API nothing is known by the name.
    Moved { to: Address, name: String },
    /// Nothing is known by this name.
    Nowhere(String),
}

impl Found {
    /// Of a place with one name: the name that the dataset knows, in its spelling.
    pub fn by_name(address: Address, spelled: Option<String>) -> Self {
        match spelled {
            Some(name) => Self::Here(Address::new(address.place, [name.as_str()])),
            None => Self::Nowhere(address.id()),
        }
    }
}

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub page: Address,
    pub format: Format,
    /// Under `/api/v1`: problems are never redirected or rendered as HTML.
    pub api: bool,
    /// The path in its one canonical form; when it differs from what was asked, the answer is a redirect (not
    /// under the API).
    pub path: String,
}

impl Route {
    /// The body is data, for programs of other sites too.
    pub fn is_data(&self) -> bool {
        self.api || self.format != Format::Html
    }

    pub fn params(&self) -> &'static [Param] {
        self.page.params(self.format)
    }
}
