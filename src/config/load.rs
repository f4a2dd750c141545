//! Reading the configuration: one loader for file, environment and flags.

use std::path::Path;
use std::time::Duration;

use bellwether_ingest::config::Bytes;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Common, Config};
use crate::exit::usage;

const ENVIRONMENT_PREFIX: &str = "BELLWETHER__";
/// One merging of sorted files holds some 10 MiB for each thread, and several statements run at a time.
const LEAST_QUERY_MEMORY: Bytes = Bytes::mib(64);

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
                let in_variable = |reason: &str| usage(format!("environment variable `{name}`: {reason}"));
                set(&mut table, &key.to_lowercase(), &value).map_err(|reason| in_variable(&reason))?;
                // Read after each: only now is it known whose error it is.
                Self::deserialize(table.clone())
                    .map_err(|error| in_variable(&without_value(error.message())))?;
            }
        }
        let mut config = Self::deserialize(table)
            .map_err(|error| usage(format!("configuration: {}", without_value(error.message()))))?;
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
        self.warehouse.s3.validate().map_err(|error| format!("[warehouse.s3] {error}"))?;
        self.outside_the_warehouse("[keys] `path`", self.keys.path.as_deref())?;
        self.outside_the_warehouse("[spool] `folder`", self.spool.folder.as_deref())?;
        self.web.validate().map_err(|error| format!("[web] {error}"))?;
        if self.warehouse.query_memory < LEAST_QUERY_MEMORY {
            let given = self.warehouse.query_memory;
            return Err(format!(
                "[warehouse] `query_memory`: `{given}` must be at least {LEAST_QUERY_MEMORY}"
            ));
        }
        if self.jobs.every.0 < Duration::from_secs(1) {
            return Err("[jobs] `every`: must be at least 1s".into());
        }
        self.maintain.validate().map_err(|error| format!("[maintain] {error}"))?;
        Ok(())
    }

    /// Files of the warehouse are meant to be shared; these are not.
    fn outside_the_warehouse(&self, key: &str, folder: Option<&Path>) -> Result<(), String> {
        let warehouse = self.location().map_err(|error| error.to_string())?;
        // What lies beside the warehouse does not lie inside.
        let Some(folder) = folder else { return Ok(()) };
        let given = folder.display();
        match warehouse.contains(folder) {
            Err(_) => Err(format!("{key}: `{given}` is no folder that can be resolved")),
            Ok(true) => Err(format!(
                "{key}: `{given}` lies inside the warehouse, whose files are meant to be shared; name a folder outside"
            )),
            Ok(false) => Ok(()),
        }
    }
}

/// A wrong type is told by what was expected: the value may be a secret in the wrong place.
fn without_value(message: &str) -> String {
    let of_type = ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    let expected =
        message.rsplit_once(", expected ").filter(|_| of_type).map(|(_, expected)| expected.trim());
    match expected {
        None => message.replace('\n', " "),
        Some("a sequence") => "must be a list such as [\"a\", \"b\"]".to_owned(),
        Some("a boolean") => "must be true or false".to_owned(),
        Some("f32" | "f64") => "must be a number".to_owned(),
        Some("u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize") => {
            "must be a whole number within its range".to_owned()
        }
        Some("a string") => "must be text in quotes".to_owned(),
        Some(expected) => format!("must be {expected}"),
    }
}

fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let message = without_value(error.message());
    let Some(span) = error.span() else {
        return format!("configuration `{}`: {message}", path.display());
    };
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let written = before.rsplit('\n').next().unwrap_or_default();
    let key = written.split_once('=').map(|(key, _)| format!("`{}` ", key.trim())).unwrap_or_default();
    format!("configuration `{}` line {line}: {key}{message}", path.display())
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
    if let Some(secret) = as_secret(key, value) {
        at.insert(leaf.to_owned(), secret);
        return Ok(());
    }
    let parsed = toml::from_str::<Table>(&format!("v = {value}")).ok().and_then(|mut t| t.remove("v"));
    at.insert(leaf.to_owned(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    Ok(())
}

/// Secrets are text, whatever they look like. One token may stand alone.
fn as_secret(key: &str, value: &str) -> Option<Value> {
    let text = || Value::String(value.to_owned());
    if key == "kafka__sasl__password" || key.starts_with("kafka__properties__") {
        return Some(text());
    }
    (key == "intake__tokens" && !value.trim_start().starts_with('[')).then(|| Value::Array(vec![text()]))
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

    #[test]
    fn secrets_in_the_environment_are_text_and_one_token_may_stand_alone() {
        let mut table = Table::new();
        set(&mut table, "kafka__sasl__password", "8675309123").unwrap();
        set(&mut table, "kafka__properties__ssl.key.password", "1e5").unwrap();
        set(&mut table, "intake__tokens", "1234567890123456").unwrap();
        assert_eq!(table["kafka"]["sasl"]["password"].as_str(), Some("8675309123"));
        assert_eq!(table["kafka"]["properties"]["ssl.key.password"].as_str(), Some("1e5"));
        assert_eq!(table["intake"]["tokens"][0].as_str(), Some("1234567890123456"));
        set(&mut table, "intake__tokens", "[\"a\", \"b\"]").unwrap();
        assert_eq!(table["intake"]["tokens"][1].as_str(), Some("b"));
    }

    #[test]
    fn value_of_the_wrong_type_is_not_told() {
        let text = "[intake]\ntokens = \"sesame open sesame\"\n";
        let error = toml::from_str::<Config>(text).unwrap_err();
        let message = in_file(Path::new("b.toml"), text, &error);
        assert_eq!(message, "configuration `b.toml` line 2: `tokens` must be a list such as [\"a\", \"b\"]");
        let many = "[ingest]\nflush_rows = \"many\"";
        let message = in_file(Path::new("b.toml"), many, &toml::from_str::<Config>(many).unwrap_err());
        assert!(
            message.ends_with("line 2: `flush_rows` must be a whole number within its range"),
            "{message}"
        );
    }

    #[test]
    fn configuration_in_the_readme_works() {
        let readme = include_str!("../../README.md");
        let blocks = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let mut seen = 0;
        for block in blocks {
            let config: Config = toml::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
            assert_eq!(config.validate(), Ok(()), "{block}");
            seen += 1;
        }
        assert_eq!(seen, 3);
    }

    #[test]
    fn keys_and_spool_inside_the_warehouse_are_refused() {
        for section in [
            "[keys]\npath = \"./wh/pepper.key\"",
            "[keys]\ndir = \"./wh/keys\"",
            "[spool]\nfolder = \"other/../wh/attempts\"",
        ] {
            let config: Config =
                toml::from_str(&format!("[warehouse]\nlocation = \"wh\"\n{section}")).unwrap();
            let reason = config.validate().unwrap_err();
            assert!(reason.contains("lies inside the warehouse"), "{reason}");
        }
        let beside = "[warehouse]\nlocation = \"wh\"\n[keys]\npath = \"wh-keys\"";
        assert_eq!(toml::from_str::<Config>(beside).unwrap().validate(), Ok(()));
    }

    #[test]
    fn a_bucket_needs_folders_of_this_host_by_name_and_shows_no_secret() {
        let bucket = "[warehouse]\nlocation = \"s3://lake/w\"\n";
        let config: Config = toml::from_str(bucket).unwrap();
        assert_eq!(config.validate(), Ok(()));
        for (key, folder) in [("[keys] `path`", config.keys_path()), ("[spool] `folder`", config.spool_dir())]
        {
            let error = folder.unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("s3://lake/w"), "{error}");
        }
        let named = format!("{bucket}[keys]\npath = \"/var/k\"\n[spool]\nfolder = \"/var/s\"");
        let config: Config = toml::from_str(&named).unwrap();
        assert_eq!(config.keys_path().unwrap(), Path::new("/var/k"));
        assert_eq!(config.spool_dir().unwrap(), Path::new("/var/s"));
        let plain = format!("{bucket}[warehouse.s3]\nendpoint = \"http://s\"");
        let error = toml::from_str::<Config>(&plain).unwrap().validate().unwrap_err();
        assert!(error.starts_with("[warehouse.s3] `endpoint`: `http://s`"), "{error}");
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
