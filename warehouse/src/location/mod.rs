//! Where a warehouse lies: a folder, or a prefix of a bucket.

mod bucket;
mod folder;
pub(crate) mod leftovers;

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use bucket::S3;
pub(crate) use bucket::{Bucket, Service};

/// Root of a warehouse. Tables lie at `<root>/<table>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    place: Place,
    s3: S3,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Absolute.
    Folder(PathBuf),
    Bucket(Bucket),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "`{0}` is no place for a warehouse; give a folder such as ./bellwether-demo, or s3://bucket/prefix, az://container/prefix or gs://bucket/prefix"
    )]
    Unsupported(String),
    #[error("failed to resolve `{path}` to an absolute folder")]
    Unresolved {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{0}` names no bucket; write s3://bucket/prefix, az://container/prefix or gs://bucket/prefix")]
    NoBucket(String),
    #[error("`{shown}` has {what}; {remedy}")]
    Bucket { shown: String, what: &'static str, remedy: &'static str },
    #[error("prefix of `{shown}`: {detail}")]
    Prefix { shown: String, detail: String },
}

impl Location {
    /// Reads a plain path, a `file://` URL, or the URL of a bucket. Nothing need exist yet.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let place = match bucket::parse(text)? {
            Some(bucket) => Place::Bucket(bucket),
            None => Place::Folder(folder::parse(text)?),
        };
        Ok(Self { place, s3: S3::default() })
    }

    /// How an `s3://` store is reached, where the environment does not say it.
    pub fn with_s3(mut self, s3: S3) -> Self {
        self.s3 = s3;
        self
    }

    /// What an operator asks his file system about: owner, mode, disk. None for a bucket. Whoever wants a file of
    /// the warehouse asks the warehouse.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(root) => Some(root),
            Place::Bucket(_) => None,
        }
    }

    /// A place of this host for what belongs to it and not to the warehouse: `<folder>-local/<name>`. None for a
    /// bucket, beside which there is nothing.
    pub fn local_sibling(&self, name: &str) -> Option<PathBuf> {
        let mut beside = self.folder()?.as_os_str().to_owned();
        beside.push("-local");
        Some(Path::new(&beside).join(name))
    }

    /// Whether a folder of this host lies inside the warehouse.
    ///
    /// # Errors
    /// The folder cannot be resolved.
    pub fn contains(&self, folder: &Path) -> Result<bool, Error> {
        let unsupported = || Error::Unsupported(folder.display().to_string());
        let given = folder::parse(folder.to_str().ok_or_else(unsupported)?)?;
        Ok(self.folder().is_some_and(|root| given.starts_with(root)))
    }

    /// Whether a folder of this host and the warehouse fill the same disk. Unknown counts as no.
    pub fn shares_disk(&self, folder: &Path) -> bool {
        // The folder itself may not be there yet.
        let disk =
            |path: &Path| path.ancestors().find_map(|at| std::fs::metadata(at).ok()).map(|at| at.dev());
        let of_warehouse = self.folder().and_then(disk);
        of_warehouse.is_some() && of_warehouse == disk(folder)
    }

    /// How to turn off the soft deletion of this kind of store, which cannot be seen from outside. None where there is
    /// no such thing.
    pub fn soft_delete(&self) -> Option<String> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => bucket.soft_delete(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn s3(&self) -> &S3 {
        &self.s3
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Folder(root) => write!(f, "{}", root.display()),
            Place::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
