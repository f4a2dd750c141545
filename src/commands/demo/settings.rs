//! What a demo folder was made with. The traffic of a minute depends on nothing else, so a later start goes on exactly.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::segments::{self, Segment};
use crate::exit::usage;

const FILE: &str = "demo.json";
/// How history is divided into streams. A folder of another layout would be filled a second time.
pub const LAYOUT: u32 = 2;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// [`LAYOUT`] of the program that made it.
    pub layout: u32,
    pub seed: u64,
    pub attempts_per_year: u64,
    /// Unix minutes: first minute of history, and the first start's "now", where live traffic began.
    pub first_minute: i64,
    pub live_from_minute: i64,
    /// Every request that ended before this minute is in the tables.
    pub complete_to_minute: i64,
}

impl Settings {
    /// Of history, newest first.
    pub fn segments(&self) -> Vec<Segment> {
        segments::divide(self.first_minute, self.live_from_minute)
    }

    /// The settings of an earlier start in this folder, if there was one.
    pub fn load(local: &Path) -> anyhow::Result<Option<Self>> {
        let path = local.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let other = |why: String| {
                    let path = path.display();
                    usage(format!(
                        "`{path}` is not of this version of the demo ({why}); use another --warehouse"
                    ))
                };
                let stored: Self =
                    serde_json::from_slice(&bytes).map_err(|error| other(error.to_string()))?;
                match stored.layout {
                    LAYOUT => Ok(Some(stored)),
                    layout => Err(other(format!("layout {layout} instead of {LAYOUT}"))),
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_history_is_divided_in_another_way_is_refused() {
        let local = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(local.path()).unwrap(), None);
        let settings = Settings {
            layout: LAYOUT,
            seed: 1,
            attempts_per_year: 8_000_000,
            first_minute: 1_440,
            live_from_minute: 2_900,
            complete_to_minute: 2_900,
        };
        settings.store(local.path()).unwrap();
        assert_eq!(Settings::load(local.path()).unwrap().as_ref(), Some(&settings));

        let refused = || Settings::load(local.path()).unwrap_err().to_string();
        Settings { layout: LAYOUT + 1, ..settings }.store(local.path()).unwrap();
        assert!(refused().contains("layout 3 instead of 2"), "{}", refused());
        // As it was before there were layouts.
        let before = r#"{"seed":1,"attempts_per_year":8000000,"first_minute":0,"live_from_minute":9,"complete_to_minute":9}"#;
        std::fs::write(local.path().join(FILE), before).unwrap();
        assert!(refused().contains("missing field `layout`"), "{}", refused());
    }
}
