//! The files of one table: relative names over an object store.

mod durable;
mod housekeeping;
mod probe;
mod remote;
mod root;
mod told;
mod trouble;

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{DynObjectStore, Error as StoreError, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};

pub(crate) use durable::DurableLocal;
pub(crate) use housekeeping::Stat;
pub(crate) use root::Root;

use crate::error::Error;
use crate::world::World;
use trouble::Access;

/// Names are relative to the table's folder and use `/`.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    table: &'static str,
    root: Arc<Root>,
}

impl Storage {
    pub(crate) fn new(table: &'static str, root: &Arc<Root>) -> Self {
        Self { table, root: Arc::clone(root) }
    }

    /// The clock and the dice of whoever works on these files.
    pub(crate) fn world(&self) -> &World {
        self.root.world()
    }

    pub(crate) fn table(&self) -> &'static str {
        self.table
    }

    /// The one store behind all tables of the warehouse.
    pub(crate) fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// Path in the store of the sessions, which begins at the root of the warehouse.
    pub(crate) fn scanned(&self, name: &str) -> Result<Path, Error> {
        Path::parse(self.named(name)).map_err(|source| self.error("name", name, source.into()))
    }

    /// Full path in the store.
    fn path(&self, name: &str) -> Result<Path, StoreError> {
        self.root.path(&self.named(name))
    }

    /// Of the table, in full.
    fn folder(&self) -> Result<Path, StoreError> {
        self.root.path(self.table)
    }

    /// From the root of the warehouse.
    fn named(&self, name: &str) -> String {
        format!("{}/{name}", self.table)
    }

    fn store(&self) -> &DynObjectStore {
        self.root.store()
    }

    /// None when there is no such file.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let found = async { self.store().get(&self.path(name)?).await?.bytes().await };
        self.found("read", name, found.await)
    }

    /// With what [`Self::put_over`] needs to replace just these bytes. None when there is no such file.
    pub(crate) async fn get_tagged(&self, name: &str) -> Result<Option<(Bytes, UpdateVersion)>, Error> {
        let found = async {
            let found = self.store().get(&self.path(name)?).await?;
            let tag = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok((found.bytes().await?, tag))
        };
        self.found("read", name, found.await)
    }

    pub(crate) async fn exists(&self, name: &str) -> Result<bool, Error> {
        let found = async { self.store().head(&self.path(name)?).await };
        Ok(self.found("look up", name, found.await)?.is_some())
    }

    /// Names of the files directly in `folder`, sorted.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let listed = async { self.store().list(Some(&self.path(folder)?)).try_collect::<Vec<_>>().await };
        let listed =
            self.note(Access::Read, listed.await).map_err(|source| self.error("list", folder, source))?;
        let mut names: Vec<String> =
            listed.iter().filter_map(|meta| meta.location.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let written = async { self.store().put(&self.path(name)?, PutPayload::from_bytes(bytes)).await };
        self.note(Access::Write, written.await).map_err(|source| self.error("write", name, source))?;
        Ok(())
    }

    /// A file that is not there counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        let deleted = async { self.store().delete(&self.path(name)?).await };
        match self.note(Access::Write, deleted.await) {
            Err(source) if !told::is_absent(&source) => Err(self.error("delete", name, source)),
            _ => Ok(()),
        }
    }

    /// False when the file exists already, whoever wrote it: after a lost answer it may be ours, and some stores
    /// refuse though nobody wrote. Whoever builds on it reads it. An error leaves open whether it was written.
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
        let payload = PutPayload::from_bytes(bytes);
        let written = async { self.store().put_opts(&self.path(name)?, payload, mode.into()).await };
        match self.note(Access::Write, written.await) {
            Ok(_) => Ok(true),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(false),
            Err(source) => Err(self.error("write", name, source)),
        }
    }

    /// None for a file that is not there.
    fn found<T>(
        &self,
        operation: &'static str,
        name: &str,
        answer: Result<T, StoreError>,
    ) -> Result<Option<T>, Error> {
        match self.note(Access::Read, answer) {
            Ok(found) => Ok(Some(found)),
            Err(source) if told::is_absent(&source) => Ok(None),
            Err(source) => Err(self.error(operation, name, source)),
        }
    }

    fn note<T>(&self, access: Access, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        self.root.note((self.table, access), answer)
    }

    fn error(&self, operation: &'static str, name: &str, source: StoreError) -> Error {
        Error::Storage {
            table: self.table,
            operation,
            path: self.root.shown(&self.named(name)),
            source: Box::new(source),
        }
    }
}
