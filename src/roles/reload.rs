//! The operator's catalogue file is read again when it has changed, and takes effect without a restart: in ingest between two
//! records, in publication and on the site as at a start. One that is refused changes nothing, and says so until it is mended.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bellwether_ingest::catalogue::{Catalogue, Difference};
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
    /// What the last look found; None: there was none yet.
    seen: Option<Content>,
    /// What was taken, or refused and told, last.
    judged: Option<Content>,
    /// What was taken last is more than nothing.
    has_entries: bool,
}

/// What became of a text.
struct Read {
    difference: Difference,
    terms: Terms,
    names: Names,
}

/// Of the file. What two looks in a row find is not being written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    /// It cannot be read, or is not there.
    Unread,
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
        let has_entries = std::fs::read_to_string(&path).is_ok_and(|text| has_entries(&text));
        self.tasks.spawn(async move {
            // What was read at the start may have changed since.
            let (seen, judged) = (None, None);
            let mut reload = Reload { config, current, terms, site, seen, judged, has_entries };
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
    /// Whether the file changed is asked of its text: one that is written again within a tick of the clock may be as long as
    /// before.
    async fn look(&mut self, path: &Path) -> Look {
        let content = tokio::fs::read_to_string(path).await.map_or(Content::Unread, Content::Text);
        let stands_still = self.seen.as_ref() == Some(&content);
        self.seen = Some(content.clone());
        // Half of a file is a catalogue, too: one is taken that is the same twice.
        if !stands_still || self.judged.as_ref() == Some(&content) {
            return Look::Unchanged;
        }
        self.judged = Some(content.clone());
        let is_text = matches!(&content, Content::Text(text) if has_entries(text));
        if self.has_entries && matches!(content, Content::Text(_)) && !is_text {
            let path = path.display();
            return refuse(&format!("[catalogue] `file` = `{path}`: it is empty, and was not before"));
        }
        let (config, current) = (self.config.clone(), self.current.clone());
        // Thousands of names are read and compared.
        let read = tokio::task::spawn_blocking(move || {
            let catalogue = match &content {
                Content::Text(text) => config.catalogue_with(text),
                // It says why.
                Content::Unread => config.catalogue(),
            };
            let catalogue = catalogue.map_err(|error| format!("{error:#}"))?;
            let (terms, names) = (config.terms(&catalogue), names(&catalogue));
            Ok(Read { difference: current.put(catalogue), terms, names })
        })
        .await;
        match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(read) => {
                self.has_entries = is_text;
                self.take(path, read).await
            }
            Err(why) => refuse(&why),
        }
    }

    async fn take(&mut self, path: &Path, Read { difference, terms, names }: Read) -> Look {
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

fn refuse(why: &str) -> Look {
    metric::read_catalogue("refused");
    tracing::error!(why, "the catalogue file has changed and cannot be used; the former catalogue stays");
    Look::Refused(format!("the former catalogue stays: {why}"))
}

fn has_entries(text: &str) -> bool {
    !text.trim().is_empty()
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
        Reload {
            config,
            current: Current::new(catalogue),
            terms,
            site: None,
            seen: None,
            judged: None,
            has_entries: true,
        }
    }

    /// The second of two looks.
    async fn settled(reload: &mut Reload, path: &Path) -> Look {
        reload.look(path).await;
        reload.look(path).await
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
        assert_eq!(settled(&mut reload, &path).await, Look::Taken);
        assert_eq!(settled(&mut reload, &path).await, Look::Unchanged);
        assert!(!terms.has_changed().unwrap());

        std::fs::write(&path, FIRST.replace("\"One\"", "\"Number one\"")).unwrap();
        assert_eq!(settled(&mut reload, &path).await, Look::Taken);
        assert_eq!(name(&reload).as_deref(), Some("Number one"));
        assert_eq!(terms.borrow_and_update().catalogue.models[0].name, "Number one");

        for (bad, said) in
            [("models = [{ id = \"acme/one\" }]\n", "name"), ("models = [\n\n", "catalogue.toml")]
        {
            std::fs::write(&path, bad).unwrap();
            let Look::Refused(why) = settled(&mut reload, &path).await else { panic!("{bad}") };
            assert!(
                why.contains("[catalogue] `file`") && why.contains("catalogue.toml") && why.contains(said),
                "{why}"
            );
            assert_eq!(settled(&mut reload, &path).await, Look::Unchanged, "told once");
            assert_eq!(name(&reload).as_deref(), Some("Number one"));
        }
        // Written in two steps: nothing, then half, which is a catalogue by itself.
        for (half, is_empty) in [("", true), ("authors = [{ slug = \"acme\", name = \"Acme\" }]\n", false)] {
            std::fs::write(&path, half).unwrap();
            assert_eq!(reload.look(&path).await, Look::Unchanged, "{half}");
            assert_eq!(name(&reload).as_deref(), Some("Number one"));
            if is_empty {
                let Look::Refused(why) = reload.look(&path).await else { panic!("taken") };
                assert!(why.contains("it is empty"), "{why}");
                assert_eq!(reload.look(&path).await, Look::Unchanged, "told once");
            }
        }
        // As long as what was taken last, and perhaps of the same tick.
        std::fs::write(&path, FIRST.replace("\"One\"", "\"Numero one\"")).unwrap();
        assert_eq!(settled(&mut reload, &path).await, Look::Taken);
        assert_eq!(name(&reload).as_deref(), Some("Numero one"));
        assert!(terms.has_changed().unwrap());
        terms.mark_unchanged();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(settled(&mut reload, &path).await, Look::Refused(_)));
        assert_eq!(settled(&mut reload, &path).await, Look::Unchanged);
        assert!(!terms.has_changed().unwrap());
        std::fs::write(&path, FIRST).unwrap();
        assert_eq!(settled(&mut reload, &path).await, Look::Taken);
        assert_eq!(name(&reload).as_deref(), Some("One"));
        assert!(terms.has_changed().unwrap());
    }
}
