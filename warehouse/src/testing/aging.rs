//! A store whose clock is set, so that a year passes in a test; and where others may act between a writer's look at
//! the log and its write.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::clock::{Clock, Moment, SystemClock};
use crate::dice::SystemDice;
use crate::location::Location;
use crate::warehouse::Warehouse;
use crate::world::World;

type Act = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// A folder, without fsync. Files are dated by the clock that `advance` moves; those of before by their own.
#[derive(Default)]
pub struct Aging {
    inner: LocalFileSystem,
    state: Arc<Mutex<State>>,
    updates: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    now: DateTime<Utc>,
    write_takes: TimeDelta,
    written_at: HashMap<Path, DateTime<Utc>>,
    act: Option<(String, Act)>,
}

impl State {
    fn dated(&self, mut meta: ObjectMeta) -> ObjectMeta {
        if let Some(at) = self.written_at.get(&meta.location) {
            meta.last_modified = *at;
        }
        meta
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Aging {
    pub fn new(now: DateTime<Utc>) -> Arc<Self> {
        let store = Self::default();
        store.lock().now = now;
        Arc::new(store)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.lock().now
    }

    pub fn advance(&self, by: TimeDelta) {
        self.lock().now += by;
    }

    /// From now on the clock moves by so much with each write.
    pub fn let_writes_take(&self, time: TimeDelta) {
        self.lock().write_takes = time;
    }

    /// Lets others act before the next write of a file whose path ends so.
    pub fn before_put_of(&self, ending: &str, act: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static) {
        self.lock().act = Some((ending.to_owned(), Box::new(act)));
    }

    /// # Errors
    /// As [`Warehouse::open_or_create`].
    pub async fn warehouse(
        self: &Arc<Self>,
        location: &Location,
    ) -> std::result::Result<Warehouse, crate::Error> {
        Warehouse::open_or_create_over(location, Arc::clone(self) as _).await
    }

    /// The same, on a host whose clock on the wall goes with the store's. What is measured is real time all the same.
    ///
    /// # Errors
    /// As there.
    pub async fn warehouse_of_its_time(
        self: &Arc<Self>,
        location: &Location,
    ) -> std::result::Result<Warehouse, crate::Error> {
        let world = World::new(Arc::new(Wall(Arc::clone(&self.state))), Arc::new(SystemDice));
        Warehouse::open_or_create_over_in(location, Arc::clone(self) as _, world).await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    async fn act_before(&self, to: &Path) {
        let act = {
            let mut state = self.lock();
            match &state.act {
                Some((ending, _)) if to.as_ref().ends_with(ending.as_str()) => state.act.take(),
                _ => None,
            }
        };
        if let Some((_, act)) = act {
            act().await;
        }
    }
}

/// The store's clock, hung on a wall.
struct Wall(Arc<Mutex<State>>);

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wall").field(&lock(&self.0).now).finish()
    }
}

impl Clock for Wall {
    fn wall_us(&self) -> i64 {
        lock(&self.0).now.timestamp_micros()
    }

    fn now(&self) -> Moment {
        SystemClock.now()
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        SystemClock.sleep_until(moment)
    }
}

impl fmt::Debug for Aging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aging").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl fmt::Display for Aging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aging store")
    }
}

#[async_trait]
impl ObjectStore for Aging {
    async fn put_opts(&self, to: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        self.act_before(to).await;
        let _turn = self.updates.lock().await;
        if let PutMode::Update(seen) = &options.mode {
            if self.inner.head(to).await?.e_tag != seen.e_tag {
                return Err(Error::Precondition {
                    path: to.to_string(),
                    source: "it has changed since".into(),
                });
            }
            options.mode = PutMode::Overwrite;
        }
        let put = self.inner.put_opts(to, payload, options).await?;
        let mut state = self.lock();
        let (now, takes) = (state.now, state.write_takes);
        state.written_at.insert(to.clone(), now);
        state.now = now + takes;
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(to, options).await
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> Result<GetResult> {
        let mut found = self.inner.get_opts(from, options).await?;
        found.meta = self.lock().dated(found.meta);
        Ok(found)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let state = Arc::clone(&self.state);
        let forget = move |path: &Path| {
            lock(&state).written_at.remove(path);
        };
        self.inner.delete_stream(paths).inspect_ok(forget).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let state = Arc::clone(&self.state);
        self.inner.list(prefix).map_ok(move |meta| lock(&state).dated(meta)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
