//! What a demo folder was made with. The traffic of a minute depends on nothing else, so a later start goes on exactly.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::exit::usage;

const FILE: &str = "demo.json";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub seed: u64,
    pub attempts_per_year: u64,
    /// Unix minutes: first minute of history, and the first start's "now", where live traffic began.
    pub first_minute: i64,
    pub live_from_minute: i64,
    /// Every request that ended before this minute is in the tables.
    pub complete_to_minute: i64,
}

impl Settings {
    /// The settings of an earlier start in this folder, if there was one.
    pub fn load(local: &Path) -> anyhow::Result<Option<Self>> {
        let path = local.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                usage(format!(
                    "`{}` is not of this version of the demo ({error}); use another --warehouse",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read demo settings `{}`", path.display())),
        }
    }

    /// Durable, replacing what was there.
    pub fn store(&self, local: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(local)
            .map_err(|error| usage(format!("cannot create folder `{}`: {error}", local.display())))?;
        let path = local.join(FILE);
        let temporary = local.join(".demo.json.new");
        let file = std::fs::File::create(&temporary)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)?;
        Ok(())
    }
}
