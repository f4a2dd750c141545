//! Names of a market: those of the roster first, then invented ones that say that they are.

use std::collections::HashMap;

use crate::population::{Endpoint, Model};

/// Gives each author, model and provider of a part beyond the first a number of its own.
#[derive(Default)]
pub(super) struct Names {
    authors: HashMap<(usize, &'static str), usize>,
    models: HashMap<(usize, &'static str), usize>,
    providers: HashMap<(usize, &'static str), usize>,
}

impl Names {
    /// Id, author and variant.
    pub(super) fn model(&mut self, part: usize, model: &Model) -> (String, String, String) {
        let (id, variant) = model.name.split_once(':').unwrap_or((model.name, "standard"));
        if part == 0 {
            return (id.to_owned(), model.author.to_owned(), variant.to_owned());
        }
        let author = format!("author-{:03}", number(&mut self.authors, (part, model.author)));
        let slug = number(&mut self.models, (part, id));
        (format!("{author}/model-{slug:04}"), author, variant.to_owned())
    }

    /// Ids of the provider and of the endpoint there of a model in a variant.
    pub(super) fn endpoint(
        &mut self,
        part: usize,
        endpoint: &Endpoint,
        model_id: &str,
        variant: &str,
    ) -> (String, String) {
        if part == 0 {
            return (endpoint.provider.to_owned(), endpoint.id.clone());
        }
        let provider = format!("provider-{:03}", number(&mut self.providers, (part, endpoint.provider)));
        let slug = model_id.split_once('/').map_or("", |(_, slug)| slug);
        let id = match variant {
            "standard" => format!("{provider}-{slug}"),
            variant => format!("{provider}-{slug}_{variant}"),
        };
        (provider, id)
    }
}

/// Numbers come in the order in which they are asked for, from 1.
fn number(numbers: &mut HashMap<(usize, &'static str), usize>, name: (usize, &'static str)) -> usize {
    let next = numbers.len() + 1;
    *numbers.entry(name).or_insert(next)
}
