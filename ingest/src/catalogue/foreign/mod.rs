//! Lists of others, read for what a catalogue of this program can have: which form a file has, and what it says. Nothing here
//! makes an id: a name without a listed model is told and left out, but for OpenRouter's, whose names are ids.

mod aliases;
mod json;
mod litellm;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde_json::Value;

use super::facts::{Amount, Price};
use super::{Catalogue, Entry, Overlay};
use crate::formats::decimal;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Catalogue,
    LiteLlm,
    OpenRouter,
    ModelsDev,
    Aliases,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Catalogue => "a catalogue file",
            Self::LiteLlm => "LiteLLM's map of prices",
            Self::OpenRouter => "OpenRouter's list of models",
            Self::ModelsDev => "models.dev's list",
            Self::Aliases => "a table of aliases",
        })
    }
}

#[derive(Debug)]
pub struct Listed {
    pub form: Form,
    /// In the order in which they build on each other.
    pub entries: Vec<Entry>,
    /// Names without a listed model or provider.
    pub unlisted: Vec<String>,
    /// Names of what charges for each request or search beside its tokens, which no price of the list can say.
    pub charged_apart: Vec<String>,
}

impl Listed {
    /// Nothing is left out.
    fn of(form: Form, entries: Vec<Entry>) -> Self {
        Self { form, entries, unlisted: Vec::new(), charged_apart: Vec::new() }
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "it has none of the forms that are read: a catalogue file (TOML), LiteLLM's map of prices, OpenRouter's list of models \
         or models.dev's list (JSON), or a table of aliases (CSV with the head `{}`)",
        aliases::HEAD
    )]
    Form,
    #[error("it is no JSON")]
    Json(#[source] serde_json::Error),
    #[error("line {line}: {why}")]
    Line { line: usize, why: String },
    #[error(transparent)]
    Catalogue(#[from] super::Error),
}

/// `since` is the first day of prices in a list that has no days.
///
/// # Errors
/// When the text has none of the forms, naming the line where there is one.
pub fn read(text: &str, catalogue: &Catalogue, since: NaiveDate) -> Result<Listed, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    if start.starts_with(['{']) {
        // A TOML file cannot begin so.
        return json::read(&serde_json::from_str(text).map_err(Error::Json)?, catalogue, since);
    }
    if start.lines().next().is_some_and(aliases::is_head) {
        return Ok(Listed::of(Form::Aliases, aliases::read(text, catalogue)?));
    }
    if start.starts_with('[') && serde_json::from_str::<Value>(text).is_ok() {
        return Err(Error::Form);
    }
    Ok(Listed::of(Form::Catalogue, Overlay::parse(text.to_owned())?.into_entries()))
}

/// A price of a name that leads to a listed model at a listed provider.
fn place(catalogue: &Catalogue, name: &str, provider: &str, since: NaiveDate) -> Option<Price> {
    let resolved = catalogue.resolve("litellm", Some(name), Some(provider), None);
    let is_listed = resolved.model_mapped && resolved.provider_mapped;
    let model = resolved.model_id.clone().filter(|_| is_listed)?;
    let (variant, provider) = (resolved.variant.clone(), resolved.provider_id.clone());
    Some(Price { model, variant, provider, valid_from: Some(since), ..Price::default() })
}

/// USD per token, or per million of them, as a number or a text; below nothing it varies, and that is no price.
fn amount(value: Option<&Value>, is_per_token: bool) -> Option<Amount> {
    let text = match value? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    decimal::parse(&text, if is_per_token { 15 } else { 9 }).ok().map(Amount)
}

/// Of several names of one model at one provider, the shortest tells its price.
#[derive(Default)]
struct Prices(BTreeMap<(String, String, Option<String>), (usize, Price)>);

impl Prices {
    fn note(&mut self, name: &str, price: Price) {
        let is_free = price.variant == "free";
        let says = price.amounts().iter().flatten().any(|amount| amount.0 > 0 || is_free);
        let place = (price.model.clone(), price.variant.clone(), price.provider.clone());
        let is_first = self.0.get(&place).is_none_or(|(length, _)| name.len() < *length);
        // A list writes 0 for what it does not know.
        if says && is_first {
            self.0.insert(place, (name.len(), price));
        }
    }

    fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.0.into_values().map(|(_, price)| Entry::Price(price))
    }
}

#[cfg(test)]
mod tests;
