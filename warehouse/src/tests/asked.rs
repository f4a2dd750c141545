//! What a commit asks the store. In a bucket each request is a wait of its own, so none may be added unseen.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::offsets;
use crate::maintain::VacuumRule;
use crate::store::DurableLocal;
use crate::testing::append;
use crate::{Location, TableId, Warehouse};

/// A folder that writes down what it is asked.
#[derive(Debug, Default)]
struct Asked {
    inner: DurableLocal,
    list: Mutex<Vec<String>>,
}

impl Asked {
    fn note(&self, what: &str, path: &Path) {
        let name = path.filename().unwrap_or_default();
        let name = match name.strip_suffix(".json").and_then(|version| version.parse::<i64>().ok()) {
            Some(version) => version.to_string(),
            None if name.ends_with(".parquet") => "file".to_owned(),
            None => name.to_owned(),
        };
        self.list.lock().unwrap().push(format!("{what} {name}"));
    }

    /// Since the last look.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.list.lock().unwrap())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked store")
    }
}

#[async_trait]
impl ObjectStore for Asked {
    async fn put_opts(&self, to: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.note("put", to);
        self.inner.put_opts(to, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.note("multipart", to);
        self.inner.put_multipart_opts(to, options).await
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> Result<GetResult> {
        self.note(if options.head { "head" } else { "get" }, from);
        self.inner.get_opts(from, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list.lock().unwrap().push("list".to_owned());
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.list.lock().unwrap().push("list".to_owned());
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.note("copy", from);
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_commit_reads_what_is_new_makes_sure_of_where_it_stood_and_looks_at_the_pointer_behind() {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
    let store = Arc::new(Asked::default());
    let warehouse = Warehouse::open_or_create_over(&location, Arc::clone(&store) as _).await.unwrap();
    let mut table = warehouse.table(TableId::Attempts).await.unwrap();
    let mut other = warehouse.table(TableId::Attempts).await.unwrap();
    store.told();
    append(&mut table, &offsets(0, 10)).await.unwrap();
    assert_eq!(store.told(), ["put file", "get 1", "head 0", "put 1", "get _last_checkpoint"]);

    // Others were first: their entries are read, two at once where one was there.
    append(&mut other, &offsets(10, 20)).await.unwrap();
    let read = ["get 1", "get 2", "get 3", "head 0"];
    assert_eq!(store.told(), [&["put file"], &read[..], &["put 2", "get _last_checkpoint"]].concat());

    // Once vacuum has warned writers, the age of each file.
    let stray = other.write(&[offsets(20, 30)]).await.unwrap().remove(0);
    let now = other.store_now().await.unwrap() + chrono::TimeDelta::hours(1);
    let rule = VacuumRule { removed_before: now, unreferenced_before: now, passed: i64::MAX };
    let plan = other.plan_vacuum(&rule).await.unwrap();
    other.vacuum(plan).await.unwrap();
    assert!(!dir.path().join("attempts").join(stray.path).exists());
    store.told();
    let staged = other.write(&[offsets(20, 30)]).await.unwrap();
    let refused = other.commit(crate::Change { add: staged, ..Default::default() }).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused:?}");
    assert_eq!(store.told(), ["put file", "get 4", "head 3", "head file"]);
}
