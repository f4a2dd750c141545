//! The one store behind a warehouse. Tables, commits, scans and the warehouse's own files all go through it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{DynObjectStore, Error as StoreError, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};

use super::trouble::{Access, Of, Trouble};
use super::{DurableLocal, remote, told};
use crate::error::Error;
use crate::location::{Location, Place};
use crate::retry::{self, Retry};
use crate::runtime;
use crate::world::World;

/// Tries at a file that is refused though nobody has written it, before that is an error.
const CLAIMS: u32 = 8;
const CLAIM_PAUSE: Duration = Duration::from_millis(50);

/// Names are relative to the warehouse and use `/`.
pub(crate) struct Root {
    location: Location,
    store: Arc<DynObjectStore>,
    prefix: Path,
    runtime: Arc<RuntimeEnv>,
    trouble: Trouble,
    world: World,
}

impl fmt::Debug for Root {
    /// The store knows credentials; none of it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Root").field(&self.location.to_string()).finish()
    }
}

impl Root {
    /// # Errors
    /// The configuration of a bucket's store is not complete.
    pub(crate) fn open(location: &Location) -> Result<Self, Error> {
        Self::open_in(location, World::default())
    }

    /// # Errors
    /// As there.
    pub(crate) fn open_in(location: &Location, world: World) -> Result<Self, Error> {
        let store: Arc<DynObjectStore> = match location.place() {
            Place::Folder(_) => Arc::new(DurableLocal::in_world(world.clone())),
            Place::Bucket(bucket) => remote::open(bucket, location.s3())?,
        };
        Self::over(location, store, world)
    }

    /// Over a store whose root is that of the file system, or of the bucket.
    pub(crate) fn over(location: &Location, store: Arc<DynObjectStore>, world: World) -> Result<Self, Error> {
        let prefix = match location.place() {
            Place::Bucket(bucket) => bucket.prefix.clone(),
            Place::Folder(root) => Path::from_absolute_path(root).map_err(|source| Error::Unusable {
                location: location.to_string(),
                detail: source.to_string(),
            })?,
        };
        // Scans see the warehouse and nothing above it.
        let scanned = PrefixStore::new(Arc::clone(&store), prefix.clone());
        let runtime = runtime::runtime(Arc::new(scanned));
        let trouble = Trouble::in_world(world.clone());
        Ok(Self { location: location.clone(), store, prefix, runtime, trouble, world })
    }

    /// The clock and the dice of whoever works on these files.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn store(&self) -> &DynObjectStore {
        &*self.store
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// Full path in the store.
    pub(crate) fn path(&self, name: &str) -> Result<Path, StoreError> {
        if self.prefix.as_ref().is_empty() {
            return Ok(Path::parse(name)?);
        }
        Ok(Path::parse(format!("{}/{name}", self.prefix))?)
    }

    /// As an operator would name the file.
    pub(crate) fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.location)
    }

    /// With what [`Self::put_over`] needs to replace just these bytes. None when there is no such file.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<(Bytes, UpdateVersion)>, Error> {
        let found = async {
            let found = self.store.get(&self.path(name)?).await?;
            let tag = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok((found.bytes().await?, tag))
        };
        match self.note(("", Access::Read), found.await) {
            Ok(found) => Ok(Some(found)),
            Err(source) if told::is_absent(&source) => Ok(None),
            Err(source) => Err(Error::Unreadable { path: self.shown(name), source: Box::new(source) }),
        }
    }

    /// Replaces what was `seen`. False when it has changed since.
    pub(crate) async fn put_over(
        &self,
        name: &str,
        bytes: Vec<u8>,
        seen: UpdateVersion,
    ) -> Result<bool, Error> {
        self.put(name, bytes, PutMode::Update(seen)).await
    }

    /// Writes the file if it is not there yet, and reads back what stands: some stores refuse such a put though
    /// nobody has written, and a lost answer may hide that the put was ours.
    pub(crate) async fn claim(&self, name: &str, bytes: Vec<u8>) -> Result<(Bytes, UpdateVersion), Error> {
        for turn in 0..CLAIMS {
            if turn > 0 {
                self.world.sleep(CLAIM_PAUSE * turn).await;
            }
            self.put(name, bytes.clone(), PutMode::Create).await?;
            if let Some(stands) = self.get(name).await? {
                return Ok(stands);
            }
        }
        let source = "the store says that it exists, and that it does not";
        Err(Error::Unwritable { path: self.shown(name), source: source.into() })
    }

    async fn put(&self, name: &str, bytes: Vec<u8>, mode: PutMode) -> Result<bool, Error> {
        let written =
            async { self.store.put_opts(&self.path(name)?, PutPayload::from(bytes), mode.into()).await };
        match self.note(("", Access::Write), written.await) {
            Ok(_) => Ok(true),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(false),
            Err(source) => Err(Error::Unwritable { path: self.shown(name), source: Box::new(source) }),
        }
    }

    /// A file that is not there counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        let deleted = async { self.store.delete(&self.path(name)?).await };
        match self.note(("", Access::Write), deleted.await) {
            Ok(()) => Ok(()),
            Err(source) if told::is_absent(&source) => Ok(()),
            Err(source) => Err(Error::Unwritable { path: self.shown(name), source: Box::new(source) }),
        }
    }

    /// Shortens what a store answered, and keeps in mind what somebody has to mend. Every answer of the store goes
    /// through here.
    pub(crate) fn note<T>(&self, of: Of, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let answer = answer.map_err(told::shortened);
        match &answer {
            Err(error) if retry::of_store(error) == Retry::WhenMended => {
                let remedy = told::remedy(&self.location, error);
                self.trouble.begins(of, format!("{}: {}; {remedy}", self.location, told::short(error)));
            }
            // That a file is there, or is not, is an answer as good as any.
            Ok(_) | Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                self.trouble.ends(of);
            }
            Err(error) if told::is_absent(error) => self.trouble.ends(of),
            Err(_) => {}
        }
        answer
    }

    /// The warehouse is open: trouble that comes now is told in the log.
    pub(crate) fn watch(&self) {
        self.trouble.watch();
    }

    /// What somebody has to mend before the store works again, if anything.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }
}
