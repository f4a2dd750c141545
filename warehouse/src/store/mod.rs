//! The files of one table: relative names over an object store.

mod durable;

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{DynObjectStore, Error as StoreError, ObjectStoreExt, PutMode, PutOptions, PutPayload};

pub(crate) use durable::{DurableLocal, create_folder};

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

    /// A store whose root is the table's folder.
    pub(crate) fn scoped_store(&self) -> Arc<DynObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.root.clone()))
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

    /// False when the file exists already, whoever wrote it. An error leaves open whether it was written.
    pub(crate) async fn put_if_absent(&self, name: &str, bytes: Bytes) -> Result<bool, Error> {
        let path = self.path(name)?;
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&path, PutPayload::from_bytes(bytes), options).await {
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
