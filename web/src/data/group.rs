//! By what traffic is grouped, and whose it is.

use super::dictionary::{AuthorId, Dictionary, ModelId, ProviderId, SeriesId};

/// What one ranking row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupBy {
    /// Model with its variants folded together.
    Model,
    /// Model and variant: `:free` is a row of its own.
    Series,
    Author,
    Provider,
}

impl GroupBy {
    /// How many groups there are.
    pub(super) fn len(self, dictionary: &Dictionary) -> usize {
        let sizes = dictionary.sizes();
        match self {
            Self::Model => sizes.models,
            Self::Series => sizes.series,
            Self::Author => sizes.authors,
            Self::Provider => sizes.providers,
        }
    }

    pub(super) fn group(self, id: u32) -> Group {
        match self {
            Self::Model => Group::Model(ModelId(id)),
            Self::Series => Group::Series(SeriesId(id)),
            Self::Author => Group::Author(AuthorId(id)),
            Self::Provider => Group::Provider(ProviderId(id)),
        }
    }
}

/// One group of a grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    Model(ModelId),
    Series(SeriesId),
    Author(AuthorId),
    Provider(ProviderId),
}

impl Group {
    /// Traffic whose raw name no alias mapped.
    pub fn is_unknown(self) -> bool {
        self.index() == 0
    }

    /// All that may not be named.
    pub fn is_hidden(self) -> bool {
        self.index() == 1
    }

    /// One thing with a name of its own.
    pub fn is_named(self) -> bool {
        self.index() > 1
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Model(id) => id.index(),
            Self::Series(id) => id.index(),
            Self::Author(id) => id.index(),
            Self::Provider(id) => id.index(),
        }
    }
}

/// Whose traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Filter {
    #[default]
    All,
    Model(ModelId),
    Author(AuthorId),
    Provider(ProviderId),
}
