//! Files that nobody will ever add: what killed writers leave behind in a folder.

use std::path::Path;
use std::time::SystemTime;

use chrono::TimeDelta;

use super::{Fixture, append, day, vacuum};
use crate::World;

fn plant(path: &Path, modified_at: SystemTime) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, b"half a file").unwrap();
    std::fs::File::open(path).unwrap().set_modified(modified_at).unwrap();
}

#[tokio::test]
async fn a_write_that_was_cut_off_goes_once_both_clocks_say_that_it_is_a_day_old() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    append(&mut table, &day(0, 0, 10)).await.unwrap();
    let folder = f.folder();
    let planted = ["event_date=2026-11-25/part-1.parquet#17", "event_date=2026-11-25/part-2.parquet#18"];
    let [old, young] = planted.map(|name| folder.join(name));
    let log = folder.join("_delta_log/00000000000000000002.json#1");
    let foreign = folder.join("event_date=2026-11-25/#notes");
    for path in [&old, &log, &foreign] {
        plant(path, SystemTime::UNIX_EPOCH);
    }
    plant(&young, (f.now() - TimeDelta::hours(23)).into());
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.leftovers.files, found.leftovers.bytes), (2, 22));
    assert_eq!((found.removed.files, found.unreferenced.files, found.waiting.files), (0, 0, 0));
    assert!(old.exists(), "a plan deletes nothing");
    assert_eq!(table.vacuum(found).await.unwrap().files, 2);
    assert!(!old.exists() && !log.exists() && young.exists() && foreign.exists());
    // No file that could be committed went, so no writer is warned.
    assert_eq!(table.refresh().await.unwrap(), 1);

    // Old by the store's clock, and just written by this host's.
    plant(&young, World::default().wall().into());
    f.store.advance(TimeDelta::days(365 * 200));
    assert_eq!(table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap().leftovers.files, 0);
}
