//! Names of a row that stands, looked up once more: by the catalogue of now, from what the row says.
//!
//! A row says its raw names and not the host that was called, unless the host itself is the provider (`host:…`). A catalogue
//! may ask for the host, in aliases and where a provider is only a dialect. There the host is taken to be any that leads to
//! the provider which the row has; where such hosts lead to several answers, or none does, the row stays as it stands.

use bellwether_warehouse::tables::attempts::{AttemptRow, Named, Outcome};

use super::explain::Steps;
use super::file::Alias;
use super::{Catalogue, Names, Resolved, hosts};

/// In front of a host that stands for a provider which nobody lists.
const HOST: &str = "host:";
/// Hosts that need no catalogue.
const WELL_KNOWN: [&str; 2] = ["api.openai.com", "x.openai.azure.com"];

/// What is known of the host that was called.
enum Host<'a> {
    /// The answer is the same whichever it was, or there was none.
    Whichever,
    Is(&'a str),
    /// One of these; None: none was said.
    OneOf(Vec<Option<String>>),
}

impl Catalogue {
    /// What the names of a row of `attempts` are taken for now. None: that hangs on the host, which the row does not tell.
    pub fn named_again(&self, row: &AttemptRow<'_>) -> Option<Named> {
        let is_bare = is_bare(row);
        let raw_model = if is_bare { row.requested_model } else { row.raw_model };
        let names = Names { source: row.source, model: raw_model, provider: row.raw_provider, host: None };
        let has_provider = row.outcome != Outcome::GatewayError.as_str();
        match self.host(row, names, is_bare) {
            Host::Whichever => {
                let resolved = self.resolve(names.source, names.model, names.provider, None);
                Some(settled(row, is_bare, &resolved))
            }
            Host::Is(host) => {
                let resolved = self.resolve(names.source, names.model, names.provider, Some(host));
                Some(settled(row, is_bare, &resolved))
            }
            Host::OneOf(hosts) => {
                let named = |host: &Option<String>| {
                    let names = Names { host: host.as_deref(), ..names };
                    settled(row, is_bare, &self.look_up(names, &mut Steps::default()))
                };
                let leads = |named: &Named| !has_provider || named.provider_id.as_deref() == row.provider_id;
                let mut found = hosts.iter().map(named).filter(leads);
                let first = found.next()?;
                found.all(|other| other == first).then_some(first)
            }
        }
    }

    fn host<'a>(&self, row: &AttemptRow<'a>, names: Names<&str>, is_bare: bool) -> Host<'a> {
        let is_dialect = row.raw_provider.is_some_and(hosts::is_dialect);
        if is_bare {
            // Nobody was called.
            return Host::Whichever;
        }
        if let Some(host) = row.provider_id.and_then(|id| id.strip_prefix(HOST)).filter(|_| is_dialect) {
            return Host::Is(host);
        }
        let rules =
            self.file.aliases.iter().filter_map(|alias| alias.host.as_deref().filter(|_| alias.fits(&names)));
        let mut rules: Vec<&str> = rules.collect();
        if let Some(provider) = row.provider_id.filter(|_| is_dialect) {
            let listed = self.file.providers.iter().filter(|listed| listed.id == provider);
            rules.extend(listed.flat_map(|listed| listed.hosts.iter().map(String::as_str)));
            rules.extend(WELL_KNOWN);
        }
        if rules.is_empty() {
            return Host::Whichever;
        }
        Host::OneOf([None].into_iter().chain(rules.into_iter().map(|rule| Some(host_by(rule)))).collect())
    }
}

impl Alias {
    /// Whether it would match with some host.
    fn fits(&self, names: &Names<&str>) -> bool {
        let host = self.host.as_deref().map(host_by);
        self.matches(&Names { host: host.as_deref(), ..*names })
    }
}

/// One that a rule matches.
fn host_by(rule: &str) -> String {
    if rule.starts_with('.') { format!("x{rule}") } else { rule.to_owned() }
}

/// A request that never reached a provider has no attempt whose names could be told: the row says what was asked for, and
/// nothing that only a call has.
fn is_bare(row: &AttemptRow<'_>) -> bool {
    let is_of_gateway = Outcome::parse(row.outcome)
        .is_some_and(|outcome| matches!(outcome, Outcome::GatewayError | Outcome::Cancelled));
    let has_call = row.raw_model.is_some()
        || row.raw_provider.is_some()
        || row.endpoint_id.is_some()
        || row.duration_ms.is_some()
        || row.input_tokens.is_some();
    let is_first = || {
        let rest = row.event_id.strip_prefix(row.source).and_then(|rest| rest.strip_prefix(':'));
        rest.and_then(|rest| rest.strip_suffix(":0")).is_some_and(|rest| Some(rest) == row.request_id)
    };
    is_of_gateway && !has_call && is_first()
}

/// As a record that comes now has its names put into its row.
fn settled(row: &AttemptRow<'_>, is_bare: bool, resolved: &Resolved) -> Named {
    let mut named =
        AttemptRow { outcome: row.outcome, error_class: row.error_class, ..AttemptRow::default() };
    resolved.name(&mut named, is_bare);
    Named::of(&named)
}

#[cfg(test)]
mod tests;
