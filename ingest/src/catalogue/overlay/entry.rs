//! What can be put into a catalogue file.

use super::super::facts::{METERS, ModelFacts, Price, ProviderFacts, Tier};
use super::super::file::{Alias, Author, Family, File, Model, Provider};
use super::insert::Members;
use crate::account;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Author(Author),
    Provider(Provider),
    Model(Model),
    Family(Family),
    Alias(Alias),
    Price(Price),
}

impl Entry {
    /// In the order in which they build on each other.
    pub(super) const LISTS: [&'static str; 6] =
        ["authors", "providers", "models", "families", "aliases", "prices"];

    /// The list of the file.
    pub fn list(&self) -> &'static str {
        match self {
            Self::Author(_) => "authors",
            Self::Provider(_) => "providers",
            Self::Model(_) => "models",
            Self::Family(_) => "families",
            Self::Alias(_) => "aliases",
            Self::Price(_) => "prices",
        }
    }

    /// Without the account in the name of a resource, as every record and every file is read.
    #[must_use]
    pub fn blanked(self) -> Self {
        let Self::Alias(mut alias) = self else { return self };
        let blanked = alias.raw_model.as_deref().and_then(account::blanked);
        alias.raw_model = blanked.or(alias.raw_model);
        Self::Alias(alias)
    }

    /// What no two entries may share, for people.
    pub fn key(&self) -> String {
        match self {
            Self::Author(author) => format!("authors `{}`", author.slug),
            Self::Provider(provider) => format!("providers `{}`", provider.id),
            Self::Model(model) => format!("models `{}`", model.id),
            Self::Family(family) => format!("families `{}`", family.prefix),
            Self::Alias(alias) => format!("aliases {}", alias.key()),
            Self::Price(price) => {
                let provider = price.provider.as_deref().map_or_else(String::new, |id| format!("@{id}"));
                format!("prices `{}{provider}`, variant `{}`", price.model, price.variant)
            }
        }
    }

    /// What a file says under the same key. Of prices the one of the same first day, else the last one.
    pub(super) fn said(&self, file: &File) -> Option<Self> {
        match self {
            Self::Author(own) => {
                file.authors.iter().find(|known| known.slug == own.slug).cloned().map(Self::Author)
            }
            Self::Provider(own) => {
                file.providers.iter().find(|known| known.id == own.id).cloned().map(Self::Provider)
            }
            Self::Model(own) => file.models.iter().find(|known| known.id == own.id).cloned().map(Self::Model),
            Self::Family(own) => {
                file.families.iter().find(|known| known.prefix == own.prefix).cloned().map(Self::Family)
            }
            Self::Alias(own) => file.aliases.iter().find(|known| known.is_for(own)).cloned().map(Self::Alias),
            Self::Price(own) => {
                let mut of_place = file.prices.iter().filter(|known| known.place() == own.place());
                let first = of_place.clone().find(|known| known.valid_from == own.valid_from);
                first.or_else(|| of_place.next_back()).cloned().map(Self::Price)
            }
        }
    }

    /// Whether another entry of the same key says all that this one does.
    pub(super) fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Alias(own), Self::Alias(known)) => own.target() == known.target(),
            // Since when it holds is its own question: a list says what holds now.
            (Self::Price(own), Self::Price(known)) => {
                own.amounts() == known.amounts() && own.sorted_tiers() == known.sorted_tiers()
            }
            _ => self == other,
        }
    }

    /// In one line, for people.
    pub fn told(&self) -> String {
        let text = |(key, value): (&str, String)| format!("{key} = {value}");
        self.members().into_iter().map(text).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn members(&self) -> Members {
        let mut row = Row::default();
        match self {
            Self::Author(author) => {
                row.text("slug", &author.slug);
                row.text("name", &author.name);
                row.texts("names", &author.names);
            }
            Self::Provider(provider) => {
                row.text("id", &provider.id);
                row.text("name", &provider.name);
                row.texts("names", &provider.names);
                row.texts("hosts", &provider.hosts);
                if provider.has_variants {
                    row.plain("has_variants", &true);
                }
                row.table("facts", provider_facts(&provider.facts));
            }
            Self::Model(model) => {
                row.text("id", &model.id);
                row.text("name", &model.name);
                row.texts("names", &model.names);
                row.table("facts", model_facts(&model.facts));
            }
            Self::Family(family) => {
                row.text("prefix", &family.prefix);
                if family.splits {
                    row.plain("splits", &true);
                }
                row.text("author", &family.author);
            }
            Self::Alias(alias) => {
                for (key, text) in [
                    ("source", &alias.source),
                    ("raw_model", &alias.raw_model),
                    ("raw_provider", &alias.raw_provider),
                    ("host", &alias.host),
                    ("model_id", &alias.model_id),
                    ("provider_id", &alias.provider_id),
                    ("variant", &alias.variant),
                ] {
                    row.some(key, text.as_ref());
                }
            }
            Self::Price(price) => {
                row.text("model", &price.model);
                if price.variant != super::super::STANDARD {
                    row.text("variant", &price.variant);
                }
                row.some("provider", price.provider.as_ref());
                row.some("valid_from", price.valid_from.map(|day| day.to_string()).as_ref());
                row.some("valid_to", price.valid_to.map(|day| day.to_string()).as_ref());
                for (meter, amount) in METERS.into_iter().zip(price.amounts()) {
                    row.some(meter, amount.map(|amount| amount.to_string()).as_ref());
                }
                row.tables("tiers", price.tiers.iter().map(tier).collect());
            }
        }
        row.0
    }
}

fn tier(tier: &Tier) -> Row {
    let mut row = Row::default();
    row.some("service_tier", tier.service_tier.as_ref());
    row.known("above_input_tokens", tier.above_input_tokens);
    for (meter, amount) in METERS.into_iter().zip(tier.amounts()) {
        row.some(meter, amount.map(|amount| amount.to_string()).as_ref());
    }
    row
}

#[derive(Default)]
struct Row(Members);

impl Row {
    fn text(&mut self, key: &'static str, text: &str) {
        self.0.push((key, quoted(text)));
    }

    fn some(&mut self, key: &'static str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    fn texts(&mut self, key: &'static str, texts: &[String]) {
        if !texts.is_empty() {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            self.0.push((key, format!("[{}]", texts.join(", "))));
        }
    }

    fn plain(&mut self, key: &'static str, value: &impl ToString) {
        self.0.push((key, value.to_string()));
    }

    fn known(&mut self, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.plain(key, &value);
        }
    }

    fn table(&mut self, key: &'static str, members: Self) {
        if !members.0.is_empty() {
            self.0.push((key, members.inline()));
        }
    }

    fn tables(&mut self, key: &'static str, rows: Vec<Self>) {
        if !rows.is_empty() {
            let rows: Vec<String> = rows.iter().map(Self::inline).collect();
            self.0.push((key, format!("[{}]", rows.join(", "))));
        }
    }

    fn inline(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("{{ {} }}", members.join(", "))
    }
}

fn provider_facts(facts: &ProviderFacts) -> Row {
    let mut row = Row::default();
    row.some("country", facts.country.as_ref());
    row.known("retention_days", facts.retention_days);
    row.known("trains_on_prompts", facts.trains_on_prompts);
    row
}

fn model_facts(facts: &ModelFacts) -> Row {
    let mut row = Row::default();
    row.some("released_on", facts.released_on.map(|day| day.to_string()).as_ref());
    row.known("context_tokens", facts.context_tokens);
    row.known("max_output_tokens", facts.max_output_tokens);
    row.some("license", facts.license.as_ref());
    for (key, flag) in [
        ("has_open_weights", facts.has_open_weights),
        ("accepts_images", facts.accepts_images),
        ("accepts_audio", facts.accepts_audio),
        ("accepts_video", facts.accepts_video),
        ("makes_images", facts.makes_images),
        ("calls_tools", facts.calls_tools),
        ("structures_output", facts.structures_output),
        ("reasons", facts.reasons),
    ] {
        row.known(key, flag);
    }
    row
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
