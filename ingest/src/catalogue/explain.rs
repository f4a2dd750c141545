//! What the rules did with a name, step by step.

use std::fmt;

use super::Resolved;
use super::fold::Cut;

/// Why a name means what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub steps: Vec<Step>,
    pub resolved: Resolved,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Alias {
        model_id: Option<String>,
        provider_id: Option<String>,
    },
    Variant {
        suffix: String,
    },
    Exact {
        model_id: String,
    },
    FineTuned {
        base: String,
    },
    Passed {
        segment: String,
    },
    Author {
        segment: String,
        author: String,
        is_host: bool,
    },
    Stranger {
        segment: String,
    },
    Shortened {
        cut: Cut,
        slug: String,
    },
    Unmarked {
        slug: String,
    },
    Key {
        key: String,
        author: Option<String>,
    },
    /// The key met a model, of an author whose name stands in front of it where there is one.
    Met {
        model_id: String,
    },
    Tied {
        model_ids: Vec<String>,
        family: Option<String>,
    },
    NotListed,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias { model_id, provider_id } => {
                let named = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".into());
                write!(f, "an alias names model {} and provider {}", named(model_id), named(provider_id))
            }
            Self::Variant { suffix } => write!(f, "`:{suffix}` is a variant"),
            Self::Exact { model_id } => write!(f, "is `{model_id}` of the list as it stands"),
            Self::FineTuned { base } => {
                write!(
                    f,
                    "is fine-tuned from `{base}`, so it is a model of its own that the list does not have"
                )
            }
            Self::Passed { segment } => write!(f, "`{segment}` says where it is served"),
            Self::Author { segment, author, is_host } => {
                let or = if *is_host { ", or only where it is served" } else { "" };
                write!(f, "`{segment}` is the author `{author}`{or}")
            }
            Self::Stranger { segment } => {
                write!(
                    f,
                    "`{segment}` is neither a provider nor an author of the list, so it may be anybody's variation"
                )
            }
            Self::Shortened { cut, slug } => {
                let what = match cut {
                    Cut::Nothing => "nothing",
                    Cut::Date => "the date or place",
                    Cut::Version => "the version",
                    Cut::Offer => "how it is served",
                };
                write!(f, "without {what}: `{slug}`")
            }
            Self::Unmarked { slug } => write!(f, "without the mark of a host: `{slug}`"),
            Self::Key { key, author: Some(author) } => {
                write!(f, "key `{key}`, asked for among models of `{author}`")
            }
            Self::Key { key, author: None } => write!(f, "key `{key}`, asked for among all models"),
            Self::Met { model_id } => write!(f, "met `{model_id}`"),
            Self::Tied { model_ids, family } => {
                let family = family.as_ref().map_or_else(
                    || "no family tells which".to_owned(),
                    |author| format!("its family is of `{author}`, which is not one of theirs alone"),
                );
                write!(f, "met several, `{}`, and {family}", model_ids.join("`, `"))
            }
            Self::NotListed => f.write_str("no model of the list has one of these keys"),
        }
    }
}

/// Where steps are noted, if anybody asked for them.
#[derive(Debug, Default)]
pub(super) struct Steps(Option<Vec<Step>>);

impl Steps {
    pub fn asked() -> Self {
        Self(Some(Vec::new()))
    }

    pub fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    pub fn into_noted(self) -> Vec<Step> {
        self.0.unwrap_or_default()
    }
}
