//! An object store that fails in one manner.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, DynObjectStore, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::store::DurableLocal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A put fails before anything is written.
    Fails,
    /// A put is done and its answer lost.
    LosesTheAnswer,
    /// A put is refused as if the file existed.
    Conflicts,
    /// A put replaces what is there, whatever it asks for.
    Replaces,
    /// Reads and puts are denied.
    Denies,
    /// Reads find no bucket, and puts none either.
    LosesTheBucket,
    /// Lists leave files out.
    Hides,
    /// Puts give the file a version, by which it may be asked for when it is deleted.
    Numbers(&'static str, Old),
}

/// What is behind the version of a deleted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    Stands,
    Denied,
    Gone,
}

/// Meets the next `times` calls on paths that contain `part`.
#[derive(Debug)]
pub(super) struct Faulty {
    inner: Arc<DynObjectStore>,
    times: AtomicU32,
    manner: Manner,
    part: &'static str,
}

impl Faulty {
    /// Over a folder; meets log entries.
    pub(super) fn new(times: u32, manner: Manner) -> Arc<Self> {
        Self::over(Arc::new(DurableLocal::default()), times, manner, "_delta_log/")
    }

    pub(super) fn over(
        inner: Arc<DynObjectStore>,
        times: u32,
        manner: Manner,
        part: &'static str,
    ) -> Arc<Self> {
        Arc::new(Self { inner, times: times.into(), manner, part })
    }

    pub(super) fn remaining(&self) -> u32 {
        self.times.load(Ordering::SeqCst)
    }

    /// From now on.
    pub(super) fn meet(&self, times: u32) {
        self.times.store(times, Ordering::SeqCst);
    }

    fn meets(&self, path: &Path) -> bool {
        let (order, less) = (Ordering::SeqCst, |n: u32| n.checked_sub(1));
        path.as_ref().contains(self.part) && self.times.fetch_update(order, order, less).is_ok()
    }

    fn refusal(&self, path: &Path) -> Option<Error> {
        let path = path.to_string();
        match self.manner {
            Manner::Denies => {
                Some(Error::PermissionDenied { path, source: "403 Forbidden (AccessDenied)".into() })
            }
            Manner::LosesTheBucket => {
                Some(Error::NotFound { path, source: "404 Not Found (NoSuchBucket)".into() })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty store")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, to: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        if !self.meets(to) {
            return self.inner.put_opts(to, payload, options).await;
        }
        let path = to.to_string();
        match self.manner {
            Manner::Fails => {}
            Manner::LosesTheAnswer => {
                self.inner.put_opts(to, payload, options).await?;
            }
            Manner::Conflicts => {
                return Err(Error::AlreadyExists { path, source: "409 Conflict".into() });
            }
            Manner::Replaces => {
                options.mode = PutMode::Overwrite;
                return self.inner.put_opts(to, payload, options).await;
            }
            Manner::Numbers(version, _) => {
                let put = self.inner.put_opts(to, payload, options).await?;
                return Ok(PutResult { version: Some(version.to_owned()), ..put });
            }
            Manner::Denies | Manner::LosesTheBucket | Manner::Hides => {
                return match self.refusal(to) {
                    Some(error) => Err(error),
                    None => self.inner.put_opts(to, payload, options).await,
                };
            }
        }
        Err(Error::Generic { store: "faulty", source: "connection reset".into() })
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(to, options).await
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> Result<GetResult> {
        if let (Manner::Numbers(_, old), Some(_)) = (self.manner, &options.version) {
            let path = from.to_string();
            let kept = InMemory::new();
            return match old {
                Old::Gone => kept.get(from).await,
                Old::Denied => Err(Error::PermissionDenied { path, source: "403 Forbidden".into() }),
                Old::Stands => {
                    kept.put(from, "what was deleted".into()).await?;
                    kept.get(from).await
                }
            };
        }
        match self.refusal(from) {
            Some(error) if self.meets(from) => Err(error),
            _ => self.inner.get_opts(from, options).await,
        }
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.manner != Manner::Hides {
            return self.inner.list(prefix);
        }
        let part = self.part;
        let whole =
            move |meta: &Result<ObjectMeta>| !meta.as_ref().is_ok_and(|m| m.location.as_ref().contains(part));
        self.inner.list(prefix).filter(move |meta| futures::future::ready(whole(meta))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
