//! The operator's catalogue file is read again when it has changed, and takes effect without a restart: in ingest between two
//! records, in publication and on the site as at a start. One that is refused changes nothing, and says so until it is mended.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bellwether_ingest::catalogue::Catalogue;
use bellwether_ingest::metric;
use bellwether_metrics::Terms;
use bellwether_warehouse::World;
use bellwether_warehouse::health::Part;
use bellwether_web::Site;
use bellwether_web::data::Names;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Roles;
use crate::config::Config;

/// Between two looks at the file.
const EVERY: Duration = Duration::from_secs(5);

/// What goes by the catalogue in this process.
pub(super) struct Reload {
    config: Config,
    current: bellwether_ingest::catalogue::Current,
    terms: watch::Sender<Terms>,
    site: Option<Site>,
    /// Of the file as it was read last; None: it was not there.
    stamp: Option<Stamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// What one look came to.
#[derive(Debug, PartialEq)]
enum Look {
    Unchanged,
    Taken,
    Refused(String),
}

impl Roles {
    /// Reads the operator's file again when it changes. For when every role that goes by the catalogue has started.
    pub fn follow_catalogue(&mut self) {
        let Some(path) = self.config.catalogue.file.clone() else { return };
        let (config, current, terms) =
            (self.config.clone(), self.tools.catalogue.clone(), self.terms.clone());
        let (site, world, shutdown) =
            (self.site.clone(), self.warehouse.world().clone(), self.shutdown.clone());
        let part = self.health.part("catalogue file");
        self.tasks.spawn(async move {
            // What was read at the start may have changed since.
            let mut reload = Reload { config, current, terms, site, stamp: None };
            run(&mut reload, &path, &world, &part, &shutdown).await;
            Ok(())
        });
    }
}

async fn run(reload: &mut Reload, path: &Path, world: &World, part: &Part, shutdown: &CancellationToken) {
    loop {
        match reload.look(path).await {
            Look::Unchanged => {}
            Look::Taken => part.works(),
            Look::Refused(why) => part.impaired(why),
        }
        if shutdown.run_until_cancelled(world.sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

impl Reload {
    async fn look(&mut self, path: &Path) -> Look {
        let stamp = stamp(path).await;
        if stamp.is_some() && stamp == self.stamp {
            return Look::Unchanged;
        }
        // A file that is not there is asked for each time, and told once.
        let is_told = stamp.is_none() && self.stamp == Some(Stamp::GONE);
        self.stamp = stamp.or(Some(Stamp::GONE));
        if is_told {
            return Look::Unchanged;
        }
        let config = self.config.clone();
        // Thousands of names are read and compared.
        let read =
            tokio::task::spawn_blocking(move || config.catalogue().map_err(|error| format!("{error:#}")))
                .await;
        match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(catalogue) => self.take(path, catalogue).await,
            Err(why) => {
                metric::read_catalogue("refused");
                tracing::error!(
                    why,
                    "the catalogue file has changed and cannot be used; the former catalogue stays"
                );
                Look::Refused(format!("the former catalogue stays: {why}"))
            }
        }
    }

    async fn take(&mut self, path: &Path, catalogue: Catalogue) -> Look {
        let (terms, names) = (self.config.terms(&catalogue), names(&catalogue));
        let difference = self.current.put(catalogue);
        if difference.is_none() {
            return Look::Taken;
        }
        metric::read_catalogue("taken");
        tracing::info!(file = %path.display(), %difference, "the catalogue file was read again");
        self.terms.send_if_modified(|current| {
            let is_other = current.fingerprint() != terms.fingerprint();
            *current = terms;
            is_other
        });
        if let Some(site) = &self.site {
            site.rename(names).await;
        }
        Look::Taken
    }
}

impl Stamp {
    /// Of a file that is not there.
    const GONE: Self = Self { modified: None, bytes: u64::MAX };
}

async fn stamp(path: &Path) -> Option<Stamp> {
    let known = tokio::fs::metadata(path).await.ok()?;
    Some(Stamp { modified: known.modified().ok(), bytes: known.len() })
}

/// Display names of a catalogue, for pages.
pub(super) fn names(catalogue: &Catalogue) -> Names {
    Names {
        models: owned(catalogue.models()),
        authors: owned(catalogue.authors()),
        providers: owned(catalogue.providers()),
    }
}

fn owned<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    names.map(|(id, name)| (id.to_owned(), name.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use bellwether_ingest::catalogue::Current;

    use super::*;

    const FIRST: &str = "authors = [{ slug = \"acme\", name = \"Acme\" }]\n\
                         models = [{ id = \"acme/one\", name = \"One\" }]\n";

    fn reload(path: &Path) -> Reload {
        let mut config = Config::default();
        config.catalogue.file = Some(path.to_owned());
        config.catalogue.starter = false;
        let catalogue = config.catalogue().unwrap();
        let terms = watch::Sender::new(config.terms(&catalogue));
        Reload { config, current: Current::new(catalogue), terms, site: None, stamp: None }
    }

    #[tokio::test]
    async fn a_good_file_takes_effect_as_a_whole_and_a_bad_one_changes_nothing_until_it_is_mended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.toml");
        std::fs::write(&path, FIRST).unwrap();
        let mut reload = reload(&path);
        let mut terms = reload.terms.subscribe();
        let name = |reload: &Reload| reload.current.get().model_name("acme/one").map(str::to_owned);
        // As it was at the start, and then as it was a moment ago.
        assert_eq!(reload.look(&path).await, Look::Taken);
        assert_eq!(reload.look(&path).await, Look::Unchanged);
        assert!(!terms.has_changed().unwrap());

        std::fs::write(&path, FIRST.replace("\"One\"", "\"Number one\"")).unwrap();
        assert_eq!(reload.look(&path).await, Look::Taken);
        assert_eq!(name(&reload).as_deref(), Some("Number one"));
        assert_eq!(terms.borrow_and_update().catalogue.models[0].name, "Number one");

        for (bad, said) in
            [("models = [{ id = \"acme/one\" }]\n", "name"), ("models = [\n\n", "catalogue.toml")]
        {
            std::fs::write(&path, bad).unwrap();
            let Look::Refused(why) = reload.look(&path).await else { panic!("{bad}") };
            assert!(
                why.contains("[catalogue] `file`") && why.contains("catalogue.toml") && why.contains(said),
                "{why}"
            );
            assert_eq!(reload.look(&path).await, Look::Unchanged, "told once");
            assert_eq!(name(&reload).as_deref(), Some("Number one"));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(reload.look(&path).await, Look::Refused(_)));
        assert_eq!(reload.look(&path).await, Look::Unchanged);
        assert!(!terms.has_changed().unwrap());
        std::fs::write(&path, FIRST).unwrap();
        assert_eq!(reload.look(&path).await, Look::Taken);
        assert_eq!(name(&reload).as_deref(), Some("One"));
        assert!(terms.has_changed().unwrap());
    }
}
