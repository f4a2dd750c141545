//! The composed configuration: default → file → environment → flag, then validated.

mod flags;
mod load;
mod terms;

use std::path::PathBuf;
use std::time::Duration;

use bellwether_ingest::catalogue::Catalogue;
use bellwether_ingest::config::{Bytes, Ingest, Intake, Kafka, Span, Spool};
use bellwether_jobs::{LEAST_HISTORY, MaintainSettings};
use bellwether_warehouse::{Location, S3, session};
use bellwether_web::config::{Profile, ThresholdOverrides, WebConfig};
use serde::Deserialize;

use crate::exit::{chain, usage};
pub use flags::Common;
pub use terms::WithoutIds;

/// Compaction holds one new file in memory.
const MOST_FILE: Bytes = Bytes(1 << 30);
const LEAST_FILE: Bytes = Bytes(1 << 20);

/// Every section of `config/bellwether.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub warehouse: WarehouseSection,
    pub keys: KeysSection,
    pub catalogue: CatalogueSection,
    pub intake: Intake,
    pub spool: Spool,
    pub kafka: Kafka,
    pub ingest: Ingest,
    pub jobs: JobsSection,
    pub web: WebConfig,
    pub publication: PublicationSection,
    pub admin: AdminSection,
    pub maintain: MaintainSection,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarehouseSection {
    pub location: String,
    pub s3: S3,
    /// What the statements of the whole process may hold at a time.
    pub query_memory: Bytes,
}

/// Secrets of the keyed hashes. They must not lie inside the warehouse, whose files are meant to be shared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysSection {
    /// Their folder, or the file of the pepper in it. Unset: `<warehouse>-local/keys`.
    #[serde(alias = "dir")]
    pub path: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueSection {
    /// Start from the catalogue that ships with the binary.
    pub starter: bool,
    /// Additional authors, providers, models and aliases; they win over the starter's.
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsSection {
    pub every: Span,
}

/// What a figure needs before it is shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicationSection {
    pub profile: Profile,
    /// Replaces single thresholds of the profile.
    pub thresholds: ThresholdOverrides,
    /// What happens to models and providers of which most requests carry no id of a user.
    pub without_ids: WithoutIds,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSection {
    pub listen: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintainSection {
    pub every: Span,
    /// Commits of one table after which a checkpoint is written.
    pub checkpoint_after_commits: i64,
    /// Between two looks at the folders: log clean-up, vacuum, label epochs.
    pub clean_every: Span,
    /// How far back versions of a table can be read.
    pub history: Span,
    /// Size of compacted files.
    pub target_file: Bytes,
}

impl Default for WarehouseSection {
    fn default() -> Self {
        let query_memory = Bytes(session::DEFAULT_MEMORY_BYTES as u64);
        Self { location: "./bellwether-data".into(), s3: S3::default(), query_memory }
    }
}

impl Default for CatalogueSection {
    fn default() -> Self {
        Self { starter: true, file: None }
    }
}

impl Default for JobsSection {
    fn default() -> Self {
        Self { every: Span(Duration::from_secs(30)) }
    }
}

impl Default for PublicationSection {
    fn default() -> Self {
        Self {
            profile: Profile::Public,
            thresholds: ThresholdOverrides::default(),
            without_ids: WithoutIds::default(),
        }
    }
}

impl Default for AdminSection {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8081".into() }
    }
}

impl Default for MaintainSection {
    fn default() -> Self {
        let MaintainSettings { checkpoint_after_commits, history, target_file_bytes } =
            MaintainSettings::default();
        Self {
            every: Span(Duration::from_secs(60)),
            checkpoint_after_commits,
            clean_every: Span(Duration::from_secs(3600)),
            history: Span(history),
            target_file: Bytes(target_file_bytes),
        }
    }
}

impl MaintainSection {
    pub fn settings(&self) -> MaintainSettings {
        MaintainSettings {
            checkpoint_after_commits: self.checkpoint_after_commits,
            history: self.history.0,
            target_file_bytes: self.target_file.0,
        }
    }

    /// Fails with the key that is wrong and what it must be.
    pub fn validate(&self) -> Result<(), String> {
        if self.checkpoint_after_commits < 1 {
            return Err("`checkpoint_after_commits`: must be at least 1".into());
        }
        if self.history.0 < LEAST_HISTORY {
            return Err(format!("`history`: `{}` must be at least {}", self.history, Span(LEAST_HISTORY)));
        }
        if !(LEAST_FILE..=MOST_FILE).contains(&self.target_file) {
            return Err(format!(
                "`target_file`: `{}` must be from {LEAST_FILE} to {MOST_FILE}",
                self.target_file
            ));
        }
        Ok(())
    }
}

impl Config {
    pub fn location(&self) -> anyhow::Result<Location> {
        Location::parse(&self.warehouse.location)
            .map(|location| location.with_s3(self.warehouse.s3.clone()))
            .map_err(|error| usage(format!("warehouse.location: {error}")))
    }

    /// What belongs to this host and not to the warehouse: keys and spool.
    fn local(&self, key: &str, part: &str) -> anyhow::Result<PathBuf> {
        let location = self.location()?;
        location.local_sibling(part).ok_or_else(|| {
            usage(format!("{key} must name a folder of this host, as the warehouse `{location}` is none"))
        })
    }

    pub fn keys_path(&self) -> anyhow::Result<PathBuf> {
        self.keys.path.clone().map_or_else(|| self.local("[keys] `path`", "keys"), Ok)
    }

    /// What belongs to this host's demo only.
    pub fn local_dir(&self) -> anyhow::Result<PathBuf> {
        self.local("the warehouse of a demo", "")
    }

    pub fn spool_dir(&self) -> anyhow::Result<PathBuf> {
        self.spool.folder.clone().map_or_else(|| self.local("[spool] `folder`", "spool"), Ok)
    }

    pub fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let Some(path) = &self.catalogue.file else { return self.catalogue_with("") };
        let text = std::fs::read_to_string(path).map_err(|error| {
            usage(format!("[catalogue] `file`: cannot read `{}`: {error}", path.display()))
        })?;
        self.catalogue_with(&text)
    }

    /// The same, where the operator's file has this text.
    pub fn catalogue_with(&self, text: &str) -> anyhow::Result<Catalogue> {
        let catalogue = if self.catalogue.starter { Catalogue::starter() } else { Catalogue::empty() };
        let Some(path) = &self.catalogue.file else { return Ok(catalogue) };
        catalogue
            .overlaid(text)
            .map_err(|error| usage(format!("[catalogue] `file` = `{}`: {}", path.display(), chain(&error))))
    }
}
