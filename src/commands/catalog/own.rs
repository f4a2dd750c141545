//! The operator's own catalogue file: read, grown, checked as a whole, and put in its place at once.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bellwether_ingest::catalogue::{Catalogue, Entry, Overlay, Standing};

use crate::config::Config;
use crate::exit::{chain, usage};

pub struct Own {
    path: PathBuf,
    /// As it was read; None: there was no file.
    former: Option<String>,
    overlay: Overlay,
    has_shipped: bool,
    shipped: Catalogue,
}

impl Own {
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(path) = &config.catalogue.file else {
            return Err(usage(
                "[catalogue] `file` is not set: name the file that your own entries are to stand in; it is made when it is not there",
            ));
        };
        // The file that a link leads to is replaced, and not the link.
        let path = target(path);
        let former = read(&path)?;
        let refused = |error| usage(format!("[catalogue] `file` = `{}`: {}", path.display(), chain(&error)));
        let overlay = Overlay::parse(former.clone().unwrap_or_default()).map_err(refused)?;
        let has_shipped = config.catalogue.starter;
        let own = Self { path, former, overlay, has_shipped, shipped: shipped(has_shipped) };
        own.whole()?;
        Ok(own)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn standing(&self, entry: &Entry) -> Standing {
        self.overlay.standing(entry, &self.shipped)
    }

    pub fn hides(&self, entry: &Entry) -> Option<String> {
        self.overlay.hides(entry)
    }

    pub fn has(&self, entry: &Entry) -> bool {
        self.overlay.has(entry)
    }

    /// The catalogue that processes have with the file as it is now.
    pub fn whole(&self) -> anyhow::Result<Catalogue> {
        shipped(self.has_shipped).overlaid(self.overlay.text()).map_err(|error| self.refused(&error))
    }

    /// Refuses what the whole catalogue could not be read with.
    pub fn add(&mut self, entries: &[Entry]) -> anyhow::Result<()> {
        let added = self.overlay.add(entries);
        added.map_err(|error| self.refused(&error))?;
        self.whole().map(drop)
    }

    fn refused(&self, error: &dyn std::error::Error) -> anyhow::Error {
        usage(format!("`{}` is left as it was: {}", self.path.display(), chain(error)))
    }

    /// A reader finds the former file or the new one.
    pub fn save(&self) -> anyhow::Result<()> {
        let name = self.path.file_name().context("the file has no name")?.to_string_lossy();
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = dir.join(format!(".{name}.{}.new", std::process::id()));
        let written = self.write(&beside).and_then(|()| {
            if read(&self.path)? != self.former {
                return Err(usage(format!(
                    "`{}` was changed by somebody else meanwhile and is left as it is; run the command again",
                    self.path.display()
                )));
            }
            fs::rename(&beside, &self.path)?;
            Ok(File::open(dir)?.sync_all()?)
        });
        if written.is_err() {
            // It may not be there.
            let _ = fs::remove_file(&beside);
        }
        written.map_err(|error| match error.is::<std::io::Error>() {
            true => usage(format!("cannot write `{}`: {}", self.path.display(), chain(error.as_ref()))),
            false => error,
        })
    }

    fn write(&self, beside: &Path) -> anyhow::Result<()> {
        let mut file = File::create(beside)?;
        if let Ok(former) = fs::metadata(&self.path) {
            // Another owner takes bits away, so it comes first.
            #[cfg(unix)]
            keep_owner(&file, &former, &self.path)?;
            file.set_permissions(former.permissions())?;
        }
        file.write_all(self.overlay.text().as_bytes())?;
        Ok(file.sync_all()?)
    }
}

/// Whoever runs the command, with more rights maybe, the file stays that of who reads it.
#[cfg(unix)]
fn keep_owner(file: &File, former: &fs::Metadata, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    let (uid, gid) = (former.uid(), former.gid());
    if (new.uid(), new.gid()) == (uid, gid) {
        return Ok(());
    }
    fchown(file, Some(uid), Some(gid)).map_err(|error| {
        usage(format!(
            "`{}` is left as it is: it is of user {uid} and group {gid}, to whom a new one cannot be given ({error}); run the \
             command as that user",
            path.display()
        ))
    })
}

/// What a link leads to, there or not.
fn target(path: &Path) -> PathBuf {
    /// As many as systems follow.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| to.clone(), |dir| dir.join(&to));
    }
    fs::canonicalize(&path).unwrap_or(path)
}

fn shipped(has_shipped: bool) -> Catalogue {
    if has_shipped { Catalogue::starter() } else { Catalogue::empty() }
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(usage(format!("[catalogue] `file`: cannot read `{}`: {error}", path.display()))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_to_what_is_not_there_yet_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        let (link, second) = (dir.path().join("link"), dir.path().join("second"));
        symlink("real/own.toml", &second).unwrap();
        symlink("second", &link).unwrap();
        let real = dir.path().join("real/own.toml");
        assert_eq!(target(&link), real);
        assert_eq!(target(&real), real);
        fs::write(&real, "").unwrap();
        assert_eq!(target(&link), fs::canonicalize(&real).unwrap());
    }
}
