//! The files of one table: relative names over an object store.

mod durable;
mod housekeeping;

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{DynObjectStore, Error as StoreError, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};

pub(crate) use durable::{DurableLocal, create_folder};
pub(crate) use housekeeping::Stat;

use crate::error::Error;
use crate::location::Location;

/// Names are relative to the table's folder and use `/`.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    table: &'static str,
    store: Arc<DynObjectStore>,
    root: Path,
}

impl Storage {
    pub(crate) fn new(
        table: &'static str,
        store: Arc<DynObjectStore>,
        location: &Location,
    ) -> Result<Self, Error> {
        let folder = location.root().join(table);
        let root = Path::from_absolute_path(&folder).map_err(|source| Error::Storage {
            table,
            operation: "name",
            path: folder.display().to_string(),
            source: Box::new(source.into()),
        })?;
        Ok(Self { table, store, root })
    }

    pub(crate) fn table(&self) -> &'static str {
        self.table
    }

    /// Full path in the store.
    pub(crate) fn path(&self, name: &str) -> Result<Path, Error> {
        Path::parse(format!("{}/{name}", self.root)).map_err(|source| self.error("name", name, source.into()))
    }

    /// None when there is no such file.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let path = self.path(name)?;
        let found = async { self.store.get(&path).await?.bytes().await }.await;
        match found {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", name, source)),
        }
    }

    /// With what [`Self::put_over`] needs to replace just these bytes. None when there is no such file.
    pub(crate) async fn get_tagged(&self, name: &str) -> Result<Option<(Bytes, UpdateVersion)>, Error> {
        let path = self.path(name)?;
        let found = async {
            let found = self.store.get(&path).await?;
            let tag = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok((found.bytes().await?, tag))
        };
        match found.await {
            Ok(found) => Ok(Some(found)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.error("read", name, source)),
        }
    }

    pub(crate) async fn exists(&self, name: &str) -> Result<bool, Error> {
        match self.store.head(&self.path(name)?).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(source) => Err(self.error("look up", name, source)),
        }
    }

    /// Names of the files directly in `folder`, sorted.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let path = self.path(folder)?;
        let listed: Vec<_> = self
            .store
            .list(Some(&path))
            .try_collect()
            .await
            .map_err(|source| self.error("list", folder, source))?;
        let mut names: Vec<String> =
            listed.iter().filter_map(|meta| meta.location.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let path = self.path(name)?;
        self.store
            .put(&path, PutPayload::from_bytes(bytes))
            .await
            .map_err(|s| self.error("write", name, s))?;
        Ok(())
    }

    /// A file that is not there counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store.delete(&self.path(name)?).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.error("delete", name, source)),
        }
    }

    /// False when the file exists already, whoever wrote it. An error leaves open whether it was written.
    pub(crate) async fn put_if_absent(&self, name: &str, bytes: Bytes) -> Result<bool, Error> {
        self.put_if(name, bytes, PutMode::Create).await
    }

    /// Replaces what was `seen`, or what was not there. False when it has changed since.
    pub(crate) async fn put_over(
        &self,
        name: &str,
        bytes: Bytes,
        seen: Option<UpdateVersion>,
    ) -> Result<bool, Error> {
        self.put_if(name, bytes, seen.map_or(PutMode::Create, PutMode::Update)).await
    }

    async fn put_if(&self, name: &str, bytes: Bytes, mode: PutMode) -> Result<bool, Error> {
        let path = self.path(name)?;
        match self.store.put_opts(&path, PutPayload::from_bytes(bytes), mode.into()).await {
            Ok(_) => Ok(true),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(false),
            Err(source) => Err(self.error("write", name, source)),
        }
    }

    fn error(&self, operation: &'static str, name: &str, source: StoreError) -> Error {
        Error::Storage {
            table: self.table,
            operation,
            path: format!("/{}/{name}", self.root),
            source: Box::new(source),
        }
    }
}
