//! The one store behind a warehouse: what goes through it, what it must be able to do, and what it says.

use std::sync::Arc;

use datafusion::datasource::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{DynObjectStore, ObjectStore};

use super::faulty::{Faulty, Manner, Old};
use super::{attempts, line, offsets, over};
use crate::store::{DurableLocal, Root, Storage};
use crate::testing::append;
use crate::{Error, Location, Retry, TableId, World};

fn bucket(store: Arc<DynObjectStore>) -> Root {
    Root::over(&Location::parse("s3://lake/a/b").unwrap(), store, World::default()).unwrap()
}

#[tokio::test]
async fn scans_go_through_the_warehouses_own_store_and_reach_no_other() {
    let (_dir, warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 3)).await.unwrap();
    let inner = Arc::new(DurableLocal::default());
    let store = Faulty::over(inner, u32::MAX, Manner::Denies, ".parquet");
    let denied = warehouse.table_over(TableId::Attempts, store.clone()).await.unwrap();
    let ctx = over(&denied);
    let sum = "SELECT sum(src_offset) FROM attempts";
    let error = ctx.sql(sum).await.unwrap().collect().await.unwrap_err().to_string();
    assert!(error.contains("AccessDenied"), "{error}");
    store.meet(0);
    assert_eq!(line(&ctx, sum).await, "3");

    for url in ["file:///", "s3://lake/", "bellwether://other/"] {
        let url = ObjectStoreUrl::parse(url).unwrap();
        let error = ctx.runtime_env().object_store(&url).unwrap_err().to_string();
        assert!(error.contains("nothing but the tables of the warehouse"), "{error}");
    }
    let csv = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(ctx.read_csv(csv.to_str().unwrap(), Default::default()).await.is_err());
}

#[tokio::test]
async fn a_sound_store_passes_the_probe_and_keeps_nothing_of_it() {
    let store = Arc::new(InMemory::new());
    bucket(store.clone()).probe().await.unwrap();
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap(), []);
}

#[tokio::test]
async fn a_store_that_ignores_the_condition_is_refused_in_one_line() {
    let store = Faulty::over(Arc::new(InMemory::new()), u32::MAX, Manner::Replaces, "");
    let error = bucket(store.clone()).probe().await.unwrap_err();
    assert!(matches!(error, Error::NoCompareAndSet { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("s3://lake/a/b") && text.contains("If-None-Match") && !text.contains('\n'),
        "{text}"
    );
    // As soon as it is sure, nothing else is written.
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap(), []);
}

#[tokio::test]
async fn a_bucket_that_gives_deleted_files_back_is_told_and_one_that_only_numbers_them_is_not() {
    for (version, old, is_kept) in [
        ("3/L4kq", Old::Stands, true),
        // A right that nobody needs who does not keep versions.
        ("3/L4kq", Old::Denied, true),
        // Google numbers every file.
        ("1795608000", Old::Gone, false),
        // S3, once versioning is suspended.
        ("null", Old::Denied, false),
    ] {
        let inner = Arc::new(InMemory::new());
        let store = Faulty::over(inner.clone(), u32::MAX, Manner::Numbers(version, old), "");
        let root = bucket(store);
        let told = root.probe_deletion().await;
        match &told {
            Err(error @ Error::KeepsDeleted { .. }) if is_kept => {
                let text = error.to_string();
                assert!(text.contains("s3://lake/a/b") && text.contains("versioning"), "{text}");
                assert!(text.contains("turn versioning off") && !text.contains('\n'), "{text}");
            }
            told => assert!(told.is_ok() && !is_kept, "{version} {old:?}: {told:?}"),
        }
        assert_eq!(root.trouble(), None);
        assert_eq!(inner.list(None).try_collect::<Vec<_>>().await.unwrap(), []);
    }
    bucket(Arc::new(InMemory::new())).probe_deletion().await.unwrap();
    let denied = Faulty::over(Arc::new(InMemory::new()), u32::MAX, Manner::Denies, "");
    let error = bucket(denied).probe_deletion().await.unwrap_err();
    assert!(matches!(error, Error::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_folder_is_not_asked_what_it_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
    let store = Faulty::over(Arc::new(InMemory::new()), u32::MAX, Manner::Denies, "");
    Root::over(&location, store, World::default()).unwrap().probe_deletion().await.unwrap();
}

#[tokio::test]
async fn conflicts_with_nobody_are_tried_again_and_then_told() {
    let sometimes = Faulty::over(Arc::new(InMemory::new()), 2, Manner::Conflicts, "probe");
    bucket(sometimes.clone()).probe().await.unwrap();
    assert_eq!(sometimes.remaining(), 0);
    let always = Faulty::over(Arc::new(InMemory::new()), u32::MAX, Manner::Conflicts, "probe");
    let error = bucket(always).probe().await.unwrap_err();
    assert!(
        matches!(&error, Error::NoCompareAndSet { detail, .. } if detail.contains("nobody")),
        "{error:?}"
    );
}

#[tokio::test]
async fn whoever_is_told_that_a_file_exists_reads_it_first() {
    let refused = Faulty::over(Arc::new(InMemory::new()), 2, Manner::Conflicts, "mine");
    let root = bucket(refused.clone());
    let (stands, _) = root.claim("mine", b"first".to_vec()).await.unwrap();
    assert_eq!((stands.as_ref(), refused.remaining()), (&b"first"[..], 0));
    let (stands, _) = root.claim("mine", b"second".to_vec()).await.unwrap();
    assert_eq!(stands, "first");
    let always = Faulty::over(Arc::new(InMemory::new()), u32::MAX, Manner::Conflicts, "mine");
    let error = bucket(always).claim("mine", b"first".to_vec()).await.unwrap_err();
    assert!(matches!(error, Error::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_somebody_must_mend_is_told_until_it_is_mended() {
    for (manner, word) in [(Manner::Denies, "credentials"), (Manner::LosesTheBucket, "make the bucket")] {
        let store = Faulty::over(Arc::new(InMemory::new()), 0, manner, "");
        let root = Arc::new(bucket(store.clone()));
        let storage = Storage::new("attempts", &root);
        storage.put("a", "x".into()).await.unwrap();
        assert_eq!(root.trouble(), None);
        store.meet(2);
        // A bucket that is gone is no empty one.
        let error = storage.get("a").await.unwrap_err();
        assert_eq!(error.retry(), Retry::WhenMended, "{error}");
        assert_eq!(storage.put("a", "x".into()).await.unwrap_err().retry(), Retry::WhenMended);
        let told = root.trouble().unwrap();
        assert!(told.contains("s3://lake/a/b") && told.contains(word) && !told.contains('\n'), "{told}");
        assert_eq!(storage.get("b").await.unwrap(), None);
        assert!(root.trouble().is_some(), "a read says nothing about writes");
        storage.put("a", "x".into()).await.unwrap();
        assert_eq!(root.trouble(), None);
    }
}

#[tokio::test]
async fn a_whole_warehouse_lives_in_a_bucket() {
    let root = Arc::new(bucket(Arc::new(InMemory::new())));
    let storage = Storage::new("attempts", &root);
    assert!(storage.put_if_absent("_delta_log/1.json", "a".into()).await.unwrap());
    assert!(!storage.put_if_absent("_delta_log/1.json", "b".into()).await.unwrap());
    assert_eq!(storage.list("_delta_log").await.unwrap(), ["1.json"]);
    let (bytes, seen) = storage.get_tagged("_delta_log/1.json").await.unwrap().unwrap();
    assert_eq!(bytes, "a");
    assert!(storage.put_over("_delta_log/1.json", "c".into(), Some(seen.clone())).await.unwrap());
    assert!(!storage.put_over("_delta_log/1.json", "d".into(), Some(seen)).await.unwrap());
    assert_eq!(storage.get("_delta_log/1.json").await.unwrap().unwrap(), "c");
    storage.delete("_delta_log/1.json").await.unwrap();
    storage.delete("_delta_log/1.json").await.unwrap();
    assert!(!storage.exists("_delta_log/1.json").await.unwrap());
    let error = storage.put("../x", "a".into()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
}
