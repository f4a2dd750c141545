//! One entry into the operator's own catalogue file.

use bellwether_ingest::catalogue::{
    Alias, Amount, Author, Catalogue, Entry, Model, ModelFacts, Price, Provider, STANDARD, Standing,
};
use chrono::NaiveDate;
use clap::Subcommand;

use super::own::Own;
use crate::config::Config;
use crate::exit::usage;

#[derive(Debug, Subcommand)]
pub enum What {
    /// A name that records have leads to a model of the catalogue
    ///
    /// It comes before every rule, whatever its case. What is left out matches anything.
    #[command(
        after_help = "Example:\n  bellwether catalog add alias my-deployment-gpt4o openai/gpt-4o --source litellm --provider azure"
    )]
    Alias {
        /// The name of a model as records say it
        name: String,
        /// `author/slug` of the catalogue
        model: String,
        /// The format of the records
        #[arg(long)]
        source: Option<String>,
        /// The provider as the records say it
        #[arg(long)]
        provider: Option<String>,
        /// The host that was called
        #[arg(long)]
        host: Option<String>,
        /// The provider of the catalogue that serves it
        #[arg(long, value_name = "ID")]
        provider_id: Option<String>,
        /// The variant of the model
        #[arg(long)]
        variant: Option<String>,
    },
    /// A model, by its own id
    #[command(
        after_help = "Example:\n  bellwether catalog add model acme/rocket-1 --name \"Rocket 1\" --author-name Acme --context 200000 --spelling rocket-prod"
    )]
    Model {
        /// `author/slug`
        id: String,
        /// The name to show
        #[arg(long)]
        name: String,
        /// Lists the author too, by the name to show
        #[arg(long, value_name = "NAME")]
        author_name: Option<String>,
        /// Another slug that records have for it, beyond case and punctuation; may be given more than once
        #[arg(long, value_name = "NAME")]
        spelling: Vec<String>,
        /// Tokens of prompt and answer together
        #[arg(long, value_name = "TOKENS")]
        context: Option<u32>,
        /// Longest answer
        #[arg(long, value_name = "TOKENS")]
        max_output: Option<u32>,
        /// The day of its release
        #[arg(long, value_name = "DATE")]
        released: Option<NaiveDate>,
    },
    /// A provider, by its own id
    #[command(
        after_help = "Example:\n  bellwether catalog add provider acme-cloud --name \"Acme Cloud\" --host llm.acme.example --spelling acme_ai"
    )]
    Provider {
        id: String,
        /// The name to show
        #[arg(long)]
        name: String,
        /// A host of its API; a leading dot stands for every name below. May be given more than once
        #[arg(long)]
        host: Vec<String>,
        /// Another name that records have for it; may be given more than once
        #[arg(long, value_name = "NAME")]
        spelling: Vec<String>,
    },
    /// What a model costs, at one provider or at all of them
    ///
    /// Amounts are USD per million tokens. The prices in your file of one model, variant and provider take the place of all
    /// shipped ones, of other days too.
    #[command(
        after_help = "Example:\n  bellwether catalog add price openai/gpt-4o@azure --input 2.50 --output 10.00 --from 2026-01-01"
    )]
    Price {
        /// `author/slug@provider`; without a provider it holds wherever no other price does
        #[arg(value_name = "MODEL")]
        of: String,
        #[arg(long, value_name = "USD")]
        input: Option<Amount>,
        #[arg(long, value_name = "USD")]
        output: Option<Amount>,
        #[arg(long, value_name = "USD")]
        cached_input: Option<Amount>,
        #[arg(long, value_name = "USD")]
        cache_write: Option<Amount>,
        /// USD per request
        #[arg(long, value_name = "USD")]
        request: Option<Amount>,
        #[arg(long, default_value = STANDARD)]
        variant: String,
        /// First day
        #[arg(long, value_name = "DATE")]
        from: Option<NaiveDate>,
        /// Last day, inclusive
        #[arg(long, value_name = "DATE")]
        to: Option<NaiveDate>,
    },
}

pub fn run(what: What, config: &Config) -> anyhow::Result<()> {
    let mut own = Own::open(config)?;
    let entries = entries(what, &own)?;
    let mut new = Vec::new();
    for entry in entries.into_iter().map(Entry::blanked) {
        if is_new(&entry, &own)? {
            new.push(entry);
        }
    }
    let path = own.path().display().to_string();
    if new.is_empty() {
        println!("`{path}` is left as it is: the catalogue says so already");
        return Ok(());
    }
    own.add(&new)?;
    own.save()?;
    for entry in new {
        println!("`{path}`: added to {}: {}", entry.list(), entry.told());
    }
    Ok(())
}

/// Whether the file lacks it. What contradicts it is refused, and what takes the place of something shipped is told.
fn is_new(entry: &Entry, own: &Own) -> anyhow::Result<bool> {
    if own.has(entry) {
        return Ok(false);
    }
    // Days decide whether two prices of one place go together, and the whole catalogue is asked for that.
    let is_price = matches!(entry, Entry::Price(_));
    match own.standing(entry) {
        Standing::Known => Ok(is_price),
        Standing::Own { key, has } if !is_price => Err(usage(format!(
            "`{}` says otherwise in {key}: {has}; correct it there or take it out first",
            own.path().display()
        ))),
        Standing::New | Standing::Shipped { .. } if own.hides(entry).is_some() => Err(usage(format!(
            "it would never be asked: `{}` has {} before it, which takes all its names; write it there in front of that by hand",
            own.path().display(),
            own.hides(entry).unwrap_or_default()
        ))),
        Standing::Shipped { key, has } if matches!(entry, Entry::Alias(_) | Entry::Price(_)) => {
            println!("takes the place of what is shipped in {key}: {has}");
            Ok(true)
        }
        Standing::Shipped { key, has } => Err(usage(format!(
            "the shipped catalogue has {key}: {has}; an entry in `{}` would replace all of that, so write it there by hand if \
             you mean to",
            own.path().display()
        ))),
        Standing::New | Standing::Own { .. } => Ok(true),
    }
}

fn entries(what: What, own: &Own) -> anyhow::Result<Vec<Entry>> {
    let catalogue = own.whole()?;
    Ok(match what {
        What::Alias { name, model, source, provider, host, provider_id, variant } => {
            if catalogue.model_name(&model).is_none() {
                return Err(usage(format!(
                    "the catalogue does not list the model `{model}`; `bellwether catalog add model` lists one"
                )));
            }
            if let Some(id) = provider_id.as_deref().filter(|id| catalogue.provider_name(id).is_none()) {
                return Err(usage(format!(
                    "the catalogue does not list the provider `{id}`; `bellwether catalog add provider` lists one"
                )));
            }
            vec![Entry::Alias(Alias {
                source,
                raw_model: Some(name),
                raw_provider: provider,
                host,
                model_id: Some(model),
                provider_id,
                variant,
            })]
        }
        What::Model { id, name, author_name, spelling, context, max_output, released } => {
            let facts = ModelFacts {
                released_on: released,
                context_tokens: context,
                max_output_tokens: max_output,
                ..ModelFacts::default()
            };
            with_author(Model { id, name, names: spelling, facts }, author_name, &catalogue)?
        }
        What::Provider { id, name, host, spelling } => {
            vec![Entry::Provider(Provider { id, name, names: spelling, hosts: host, ..Provider::default() })]
        }
        What::Price { of, input, output, cached_input, cache_write, request, variant, from, to } => {
            if [input, output, cached_input, cache_write, request].iter().all(Option::is_none) {
                return Err(usage("a price needs an amount: `--input`, `--output` or another one"));
            }
            let (model, provider) = match of.split_once('@') {
                Some((model, provider)) => (model.to_owned(), Some(provider.to_owned())),
                None => (of, None),
            };
            vec![Entry::Price(Price {
                model,
                variant,
                provider,
                valid_from: from,
                valid_to: to,
                input,
                cached_input,
                cache_write,
                output,
                request,
                tiers: Vec::new(),
            })]
        }
    })
}

fn with_author(model: Model, name: Option<String>, catalogue: &Catalogue) -> anyhow::Result<Vec<Entry>> {
    let author = model.id.split_once('/').map_or("", |(author, _)| author).to_owned();
    let is_listed = catalogue.author_name(&author).is_some();
    match name {
        Some(name) => {
            let author = Author { slug: author, name, names: Vec::new() };
            Ok(vec![Entry::Author(author), Entry::Model(model)])
        }
        // Of an id without an author the check of the whole says more.
        None if is_listed || author.is_empty() => Ok(vec![Entry::Model(model)]),
        None => Err(usage(format!(
            "the catalogue does not list the author `{author}`; `--author-name NAME` lists it"
        ))),
    }
}
