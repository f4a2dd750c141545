//! What housekeeping asks of the store: what lies there, since when, and what time it is by the store's own clock.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::{Error as StoreError, ObjectMeta, ObjectStoreExt};

use super::Storage;
use super::trouble::Access;
use crate::error::Error;
use crate::location::leftovers::{self, Leftover};

/// Written over and over. Its leading underscore hides it from every engine.
const CLOCK: &str = "_bellwether_clock";

/// A file as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Relative to the table's folder.
    pub name: String,
    pub size_bytes: u64,
    /// By the store's clock.
    pub modified_at: DateTime<Utc>,
}

impl Storage {
    /// None when there is no such file.
    pub(crate) async fn stat(&self, name: &str) -> Result<Option<Stat>, Error> {
        let found = async { self.store().head(&self.path(name)?).await };
        let found = self.found("look up", name, found.await)?;
        Ok(found.and_then(|meta| self.to_stat(&meta)))
    }

    /// Every file of the table, the log's included, sorted by name.
    pub(crate) async fn stat_all(&self) -> Result<Vec<Stat>, Error> {
        self.stat_under(None).await
    }

    /// Every file in a folder and the folders in it, sorted by name.
    pub(crate) async fn stat_in(&self, folder: &str) -> Result<Vec<Stat>, Error> {
        self.stat_under(Some(folder)).await
    }

    async fn stat_under(&self, folder: Option<&str>) -> Result<Vec<Stat>, Error> {
        let listed = async {
            let path = match folder {
                Some(folder) => self.path(folder)?,
                None => self.folder()?,
            };
            self.store().list(Some(&path)).try_collect::<Vec<ObjectMeta>>().await
        };
        let listed = self
            .note(Access::Read, listed.await)
            .map_err(|source| self.error("list", folder.unwrap_or_default(), source))?;
        let mut stats: Vec<Stat> = listed.iter().filter_map(|meta| self.to_stat(meta)).collect();
        stats.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(stats)
    }

    /// Files in which puts to a folder were cut off, sorted by name. A bucket has none: there a put is whole or not.
    pub(crate) async fn leftovers(&self) -> Result<Vec<Stat>, Error> {
        let Some(folder) = self.on_disk() else { return Ok(Vec::new()) };
        let found = self.of_disk("list", "", move || leftovers::find(&folder)).await?;
        let stat = |Leftover { name, size_bytes, modified_at }| Stat {
            name,
            size_bytes,
            modified_at: modified_at.into(),
        };
        Ok(found.into_iter().map(stat).collect())
    }

    /// Deletes one of them; the store takes no such name. One that is not there counts as deleted.
    pub(crate) async fn delete_leftover(&self, name: &str) -> Result<(), Error> {
        let Some(folder) = self.on_disk().filter(|_| leftovers::is_hidden(name)) else { return Ok(()) };
        let path = folder.join(name);
        let deleted = move || match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        self.of_disk("delete", name, deleted).await
    }

    /// The table's folder, where it is one of this host.
    fn on_disk(&self) -> Option<PathBuf> {
        Some(self.root().location().folder()?.join(self.table))
    }

    async fn of_disk<T: Send + 'static>(
        &self,
        operation: &'static str,
        name: &str,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|source| Error::Task { table: self.table, source })?;
        done.map_err(|error| {
            let source = StoreError::Generic { store: "folder", source: Box::new(error) };
            self.error(operation, name, source)
        })
    }

    /// What the store says the time is: it dates a file that is written for it.
    pub(crate) async fn now(&self) -> Result<DateTime<Utc>, Error> {
        self.put(CLOCK, Bytes::from_static(b"The store's clock is read off this file.\n")).await?;
        let stat = self.stat(CLOCK).await?;
        stat.map(|stat| stat.modified_at).ok_or_else(|| {
            self.error(
                "look up",
                CLOCK,
                StoreError::NotFound { path: CLOCK.into(), source: "written just now".into() },
            )
        })
    }

    /// None for a file outside of the table's folder.
    fn to_stat(&self, meta: &ObjectMeta) -> Option<Stat> {
        let inside: Vec<_> = meta.location.prefix_match(&self.folder().ok()?)?.collect();
        let name = inside.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join("/");
        Some(Stat { name, size_bytes: meta.size, modified_at: meta.last_modified })
    }
}
