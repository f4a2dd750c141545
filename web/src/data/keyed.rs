//! What a row of a published table is a row of: its dimension, kind and names as ids of this site.

use arrow::array::StringArray;

use super::dictionary::{AuthorId, Dictionary, ModelId, ProviderId, SeriesId};
use super::group::GroupBy;
use super::load::{Columns, LoadError, text_at};
use super::usage_day::Of;

/// The columns that every table with keys has.
pub(super) const COLUMNS: [&str; 6] = ["dimension", "kind", "model", "variant", "author", "provider"];

pub(super) struct Rows {
    columns: [StringArray; COLUMNS.len()],
}

impl Rows {
    pub fn of(columns: &Columns<'_>) -> Result<Self, LoadError> {
        let [dimension, kind, model, variant, author, provider] = COLUMNS.map(|name| columns.text(name));
        Ok(Self { columns: [dimension?, kind?, model?, variant?, author?, provider?] })
    }

    /// None: of a dimension that this site shows nothing of, or a pair that is none.
    pub fn place(&self, names: &mut impl Names, row: usize) -> Option<Of> {
        let [dimension, kind, model, variant, author, provider] =
            self.columns.each_ref().map(|column| text_at(column, row));
        let kind = Kind::parse(kind?)?;
        if let (Some(model), Some(author)) = (model, author) {
            names.learn(model, author);
        }
        let (by, id) = match dimension? {
            "total" => return Some(Of::Total),
            "model_provider" if kind == Kind::Key => {
                return Some(Of::Pair(names.model(model?), names.provider(provider?)));
            }
            "model" => (GroupBy::Model, kind.id(ModelId::HIDDEN.0, || names.model(model.unwrap_or("")).0)),
            "variant" => {
                let variant = variant.unwrap_or("standard");
                let own = || names.series(model.unwrap_or(""), variant).0;
                (GroupBy::Series, kind.id(SeriesId::HIDDEN.0, own))
            }
            "author" => {
                (GroupBy::Author, kind.id(AuthorId::HIDDEN.0, || names.author(author.unwrap_or("")).0))
            }
            "provider" => {
                let own = || names.provider(provider.unwrap_or("")).0;
                (GroupBy::Provider, kind.id(ProviderId::HIDDEN.0, own))
            }
            _ => return None,
        };
        Some(Of::Name(by, id))
    }
}

/// Ids of names; 0 for one that there is none of.
pub(super) trait Names {
    fn learn(&mut self, model: &str, author: &str);
    fn model(&mut self, model: &str) -> ModelId;
    fn series(&mut self, model: &str, variant: &str) -> SeriesId;
    fn author(&mut self, author: &str) -> AuthorId;
    fn provider(&mut self, provider: &str) -> ProviderId;
}

/// Names that are new get an id.
impl Names for Dictionary {
    fn learn(&mut self, model: &str, author: &str) {
        Self::learn(self, model, author);
    }

    fn model(&mut self, model: &str) -> ModelId {
        self.intern_model(Some(model))
    }

    fn series(&mut self, model: &str, variant: &str) -> SeriesId {
        self.intern_series(Some(model), variant)
    }

    fn author(&mut self, author: &str) -> AuthorId {
        self.intern_author(author)
    }

    fn provider(&mut self, provider: &str) -> ProviderId {
        self.intern_provider(Some(provider))
    }
}

/// Names that have one.
impl Names for &Dictionary {
    fn learn(&mut self, _: &str, _: &str) {}

    fn model(&mut self, model: &str) -> ModelId {
        self.find_model(model).unwrap_or(ModelId::UNKNOWN)
    }

    fn series(&mut self, model: &str, variant: &str) -> SeriesId {
        self.find_series(Some(model), variant)
    }

    fn author(&mut self, author: &str) -> AuthorId {
        self.find_author(author).unwrap_or(AuthorId::UNKNOWN)
    }

    fn provider(&mut self, provider: &str) -> ProviderId {
        self.find_provider(provider).unwrap_or(ProviderId::UNKNOWN)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Key,
    Hidden,
    /// What nobody maps, and what no provider has answered: the one row of its dimension without a name.
    Nameless,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "key" => Some(Self::Key),
            "hidden" => Some(Self::Hidden),
            "unmapped" | "none" | "total" => Some(Self::Nameless),
            _ => None,
        }
    }

    /// 0 is the id of what has no name, in every dimension.
    fn id(self, hidden: u32, own: impl FnOnce() -> u32) -> u32 {
        match self {
            Self::Key => own(),
            Self::Hidden => hidden,
            Self::Nameless => 0,
        }
    }
}
