//! `bellwether catalog`: what the catalogue makes of a name, which names it does not know, and what is put into it.

mod add;
mod import;
mod own;
mod unmapped;

use std::fmt::Write as _;

use bellwether_ingest::catalogue::{Catalogue, Explanation};
use clap::Subcommand;

use crate::config::Config;

/// Says what the catalogue makes of a name and which logged names it does not know, and adds to it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether catalog explain bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0\n  bellwether catalog unmapped --warehouse ./bellwether-data\n  bellwether catalog add alias my-deployment openai/gpt-4o --config bellwether.toml"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What was stripped from a name, which key was asked for, what it met, and the result or why there is none
    ///
    /// It reads the catalogue of the configuration and no warehouse.
    #[command(
        after_help = "Examples:\n  bellwether catalog explain azure/gpt-4o-mini-2024-07-18\n  bellwether catalog explain openai/llama-3.1-8b-instruct --provider hosted_vllm --host llm.acme.example"
    )]
    Explain {
        /// The name of a model as a record says it
        name: String,
        /// The provider as the record says it
        #[arg(long)]
        provider: Option<String>,
        /// The host that was called
        #[arg(long)]
        host: Option<String>,
        /// The format of the record. In `native` and `openrouter` a `:suffix` of `author/slug` is a variant, elsewhere a
        /// version or a size
        #[arg(long, default_value = "litellm")]
        source: String,
    },
    /// Names of models that the catalogue does not list, with attempts, tokens, first and last seen, most tokens first
    ///
    /// Such rows keep the name that the record had. `catalog add` lists the model, or an alias that leads to it, in a file
    /// of your own ([catalogue] `file`).
    #[command(
        after_help = "Example:\n  bellwether catalog unmapped --warehouse ./bellwether-data --limit 20"
    )]
    Unmapped {
        /// Most names to list
        #[arg(long, default_value_t = 100, value_name = "NAMES")]
        limit: usize,
        /// Prints the names as JSON
        #[arg(long)]
        json: bool,
    },
    /// Adds one entry to your own catalogue file ([catalogue] `file`)
    ///
    /// The whole catalogue is checked before the file is replaced, at once; comments and order stay. What contradicts an
    /// entry is refused, and then the file stays as it is. Processes that run read it at their next start.
    #[command(
        after_help = "Examples:\n  bellwether catalog add alias my-deployment-gpt4o openai/gpt-4o --provider azure\n  bellwether catalog add model acme/rocket-1 --name \"Rocket 1\" --author-name Acme\n  bellwether catalog add price openai/gpt-4o@azure --input 2.50 --output 10.00 --from 2026-01-01"
    )]
    Add {
        #[command(subcommand)]
        what: add::What,
    },
    /// Adds what a list has to your own catalogue file ([catalogue] `file`)
    ///
    /// Lists that are read, told by their content: a catalogue file (TOML), LiteLLM's map of prices, OpenRouter's list of
    /// models or models.dev's list (JSON), and aliases (CSV with the head source,raw_model,raw_provider,model_id). What the
    /// catalogue knows already is left, and what contradicts it is told and left out.
    Import(import::Args),
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    match args.action {
        Action::Explain { name, provider, host, source } => {
            let catalogue = config.catalogue()?;
            let explained = catalogue.explain(&source, Some(&name), provider.as_deref(), host.as_deref());
            print!("{}", text(&name, &explained, &catalogue));
            Ok(())
        }
        Action::Unmapped { limit, json } => {
            let catalogue = config.catalogue()?;
            unmapped::print(&config, &catalogue, limit, json).await
        }
        Action::Add { what } => add::run(what, &config),
        Action::Import(args) => import::run(&args, &config),
    }
}

fn text(name: &str, explained: &Explanation, catalogue: &Catalogue) -> String {
    let mut text = format!("{name}\n");
    for step in &explained.steps {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {step}");
    }
    let resolved = &explained.resolved;
    let model = resolved.model_id.as_deref().unwrap_or_default();
    let _ = match catalogue.model_name(model).filter(|_| resolved.model_mapped) {
        Some(name) => writeln!(text, "model: {model} ({name}), variant {}", resolved.variant),
        None if resolved.model_mapped => writeln!(text, "model: {model}, variant {}", resolved.variant),
        None => writeln!(text, "model: none; rows keep `{model}` and `bellwether catalog unmapped` lists it"),
    };
    let _ = match &resolved.provider_id {
        Some(id) if resolved.provider_mapped => writeln!(text, "provider: {id}"),
        Some(id) => writeln!(text, "provider: `{id}`, which the catalogue does not list"),
        None => writeln!(text, "provider: none was said"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_explanation_ends_with_the_result_or_says_why_there_is_none() {
        let catalogue = Catalogue::starter();
        let explain = |name: &str, provider: Option<&str>| {
            text(name, &catalogue.explain("litellm", Some(name), provider, None), &catalogue)
        };
        assert_eq!(
            explain("azure/gpt-4o-mini-2024-07-18", None),
            "azure/gpt-4o-mini-2024-07-18\n  \
             `azure` says where it is served\n  \
             key `gpt-4o-mini-2024-07-18`, asked for among all models\n  \
             without the date or place: `gpt-4o-mini`\n  \
             key `gpt-4o-mini`, asked for among all models\n  \
             met `openai/gpt-4o-mini`\n\
             model: openai/gpt-4o-mini (GPT-4o mini), variant standard\n\
             provider: azure\n"
        );
        assert_eq!(
            explain("azure/my-deployment", Some("homebrew")),
            "azure/my-deployment\n  \
             `azure` says where it is served\n  \
             key `my-deployment`, asked for among all models\n  \
             no model of the list has one of these keys\n\
             model: none; rows keep `azure/my-deployment` and `bellwether catalog unmapped` lists it\n\
             provider: `homebrew`, which the catalogue does not list\n"
        );
    }
}
