//! Reading the configuration: one loader for file, environment and flags.

use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use super::Config;
use crate::commands::Common;
use crate::exit::usage;

const ENVIRONMENT_PREFIX: &str = "BELLWETHER__";

impl Config {
    /// Default → file → `BELLWETHER__SECTION__KEY` → flag.
    pub fn load(common: &Common) -> anyhow::Result<Self> {
        let mut table = Table::new();
        if let Some(path) = &common.config {
            let text = std::fs::read_to_string(path)
                .map_err(|error| usage(format!("cannot read configuration `{}`: {error}", path.display())))?;
            // Read alone first: only the text knows the line of an error.
            toml::from_str::<Self>(&text).map_err(|error| usage(in_file(path, &text, &error)))?;
            table = toml::from_str(&text).map_err(|error| usage(in_file(path, &text, &error)))?;
        }
        for (name, value) in std::env::vars() {
            if let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) {
                set(&mut table, &key.to_lowercase(), &value)
                    .map_err(|reason| usage(format!("environment variable `{name}`: {reason}")))?;
            }
        }
        let mut config: Self = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| usage(format!("configuration: {}", error.message())))?;
        config.web.profile = config.publication.profile;
        config.web.thresholds = config.publication.thresholds;
        if let Some(warehouse) = &common.warehouse {
            config.warehouse.location.clone_from(warehouse);
        }
        config.validate().map_err(|reason| usage(format!("configuration: {reason}")))?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), String> {
        self.ingest.validate().map_err(|error| format!("[ingest] {error}"))?;
        self.intake.validate().map_err(|error| format!("[intake] {error}"))?;
        self.spool.validate().map_err(|error| format!("[spool] {error}"))?;
        self.kafka.validate().map_err(|error| format!("[kafka] {error}"))?;
        self.web.validate().map_err(|error| format!("[web] {error}"))?;
        if self.jobs.every.0 < Duration::from_secs(1) {
            return Err("[jobs] `every`: must be at least 1s".into());
        }
        if self.maintain.checkpoint_after_commits < 1 {
            return Err("[maintain] `checkpoint_after_commits`: must be at least 1".into());
        }
        Ok(())
    }
}

fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let line = text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1);
            format!("configuration `{}` line {line}: {message}", path.display())
        }
        None => format!("configuration `{}`: {message}", path.display()),
    }
}

/// Sets `section__key` to a TOML value, or to text where it is none.
fn set(table: &mut Table, key: &str, value: &str) -> Result<(), String> {
    let mut parts: Vec<&str> = key.split("__").collect();
    let leaf = parts.pop().filter(|leaf| !leaf.is_empty()).ok_or("names no key")?;
    if parts.is_empty() {
        return Err("must be BELLWETHER__SECTION__KEY".into());
    }
    let mut at = table;
    for part in parts {
        at = at
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| format!("`{part}` is not a section"))?;
    }
    let parsed = toml::from_str::<Table>(&format!("v = {value}")).ok().and_then(|mut t| t.remove("v"));
    at.insert(leaf.to_owned(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_values_take_their_type_and_their_place() {
        let mut table = Table::new();
        set(&mut table, "ingest__flush_rows", "2000").unwrap();
        set(&mut table, "kafka__brokers", "localhost:9092").unwrap();
        assert_eq!(table["ingest"]["flush_rows"], Value::Integer(2000));
        assert_eq!(table["kafka"]["brokers"], Value::String("localhost:9092".into()));
        assert!(set(&mut table, "lonely", "1").is_err());
        assert!(set(&mut table, "ingest__flush_rows__x", "1").is_err());
    }

    /// The example shows every key that can be set without leaving the default, and nothing else.
    #[test]
    fn example_configuration_holds_the_defaults() {
        let example: Config = toml::from_str(include_str!("../../config/bellwether.toml")).unwrap();
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn unknown_key_names_file_line_and_key() {
        let text = "[warehouse]\nlocation = \"x\"\nlocatoin = \"y\"\n";
        let error = toml::from_str::<Config>(text).unwrap_err();
        let message = in_file(Path::new("b.toml"), text, &error);
        assert!(message.starts_with("configuration `b.toml` line 3: unknown field `locatoin`"), "{message}");
    }
}
