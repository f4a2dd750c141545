//! A local object store whose writes survive a power cut: `object_store`'s own never calls fsync.
//!
//! A put writes a hidden sibling, syncs it, gives it its name atomically and syncs the folder, so a name
//! never stands for bytes that are not on disk. Reads, listing and deletion are passed through.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart,
};

use crate::log_folder;
use crate::world::World;

const STORE: &str = "durable local store";

/// Paths are absolute: the root of the store is the root of the file system.
#[derive(Debug, Default)]
pub(crate) struct DurableLocal {
    inner: LocalFileSystem,
    world: World,
}

impl DurableLocal {
    pub(crate) fn in_world(world: World) -> Self {
        Self { inner: LocalFileSystem::default(), world }
    }
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STORE)
    }
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(
        &self,
        location: &object_store::path::Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let (path, world) = (self.inner.path_to_filesystem(location)?, self.world.clone());
        match options.mode {
            PutMode::Overwrite => blocking(move || write_file(&path, &payload, false, &world)).await?,
            PutMode::Create => blocking(move || write_file(&path, &payload, true, &world)).await?,
            PutMode::Update(seen) => {
                // Writers that update take turns, in this process and in others on this host.
                let lock = path.clone();
                let _turn = blocking(move || lock_parent(&lock)).await?;
                if self.inner.head(location).await?.e_tag != seen.e_tag {
                    let path = path.display().to_string();
                    return Err(Error::Precondition { path, source: "it has changed since".into() });
                }
                blocking(move || write_file(&path, &payload, false, &world)).await?;
            }
        }
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &object_store::path::Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = self.inner.path_to_filesystem(location)?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(DurableUpload { inner, path }))
    }

    async fn get_opts(&self, location: &object_store::path::Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &object_store::path::Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<object_store::path::Path>>,
    ) -> BoxStream<'static, Result<object_store::path::Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&object_store::path::Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&object_store::path::Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &object_store::path::Path,
        to: &object_store::path::Path,
        options: CopyOptions,
    ) -> Result<()> {
        self.inner.copy_opts(from, to, options).await?;
        let path = self.inner.path_to_filesystem(to)?;
        blocking(move || sync_named(&path)).await
    }

    async fn rename_opts(
        &self,
        from: &object_store::path::Path,
        to: &object_store::path::Path,
        options: RenameOptions,
    ) -> Result<()> {
        self.inner.rename_opts(from, to, options).await?;
        let (from, to) = (self.inner.path_to_filesystem(from)?, self.inner.path_to_filesystem(to)?);
        blocking(move || {
            sync_named(&to)?;
            sync_parent(&from)
        })
        .await
    }
}

#[derive(Debug)]
struct DurableUpload {
    inner: Box<dyn MultipartUpload>,
    path: PathBuf,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        let path = self.path.clone();
        blocking(move || sync_named(&path)).await?;
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(source) => Err(Error::JoinError { source }),
    }
}

fn write_file(path: &Path, payload: &PutPayload, exclusive: bool, world: &World) -> Result<()> {
    let (file, staged) = stage(path, world).map_err(|error| store_error(error, path))?;
    let named = fill(file, payload).and_then(|()| {
        if exclusive {
            // `link` refuses an existing name, `rename` would replace it.
            std::fs::hard_link(&staged, path)
        } else {
            std::fs::rename(&staged, path)
        }
    });
    if exclusive || named.is_err() {
        // A leftover is hidden from listings and never read.
        let _ = std::fs::remove_file(&staged);
    }
    match named {
        Ok(()) => sync_parent(path),
        Err(error) => {
            // Whoever is told that the name exists may build on it, so it has to be durable by then.
            if error.kind() == io::ErrorKind::AlreadyExists {
                sync_parent(path)?;
            }
            Err(store_error(error, path))
        }
    }
}

fn fill(mut file: File, payload: &PutPayload) -> io::Result<()> {
    for part in payload {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// The name ends in `#<digits>`: what `LocalFileSystem` hides from its listings.
fn stage(path: &Path, world: &World) -> io::Result<(File, PathBuf)> {
    let mut made_folder = false;
    // One number a file, whoever makes the folder: how many are drawn must not hang on who was first.
    let mut number = world.random();
    loop {
        let mut name: OsString = path.as_os_str().to_owned();
        name.push(format!("#{number}"));
        let staged = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&staged) {
            Ok(file) => return Ok((file, staged)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = world.random(),
            // Another may make the folder between the two looks, so it counts that it is there now.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && !made_folder && may_make_folder(path) =>
            {
                create_folder(path.parent().ok_or(error)?)?;
                made_folder = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A log is begun by its first entry. Any other without its folder would make a table out of nothing: the warehouse
/// was deleted or moved away under this process.
fn may_make_folder(path: &Path) -> bool {
    let is_of_a_log = path.parent().is_some_and(|folder| folder.ends_with(log_folder::FOLDER));
    !is_of_a_log || path.ends_with(log_folder::entry_name(0))
}

/// Creates a folder and its missing parents, each entry synced in the folder that holds it.
fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent();
    if let Some(parent) = parent {
        create_folder(parent)?;
    }
    match std::fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(error),
    }
    parent.map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn sync_named(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| store_error(error, path))?;
    sync_parent(path)
}

/// Held until the file is closed.
fn lock_parent(path: &Path) -> Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    locked.map_err(|error| store_error(error, path))
}

/// Makes the entry of `path` in its folder durable.
fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|error| store_error(error, path))
}

fn store_error(error: io::Error, path: &Path) -> Error {
    let kind = error.kind();
    let path = path.display().to_string();
    let source = Box::new(error);
    match kind {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source },
        io::ErrorKind::NotFound => Error::NotFound { path, source },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: STORE, source },
    }
}
