//! Files that nobody will ever add: what killed writers leave behind in a folder, and what destroyed epochs do.

use std::path::Path;
use std::time::SystemTime;

use chrono::TimeDelta;

use super::{Fixture, append, day, vacuum};
use crate::tables::label_cells::{Builder, LabelCellRow, destroyed_app};
use crate::{Advance, Change, TableId, World};

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

#[tokio::test]
async fn what_lies_in_a_destroyed_epoch_goes_at_once_and_the_rest_stays() {
    let f = Fixture::new().await;
    let mut table = f.warehouse.table(TableId::LabelCells).await.unwrap();
    let mut staged = Vec::new();
    // Mondays: 2026-11-16 is the last one of epoch 741, 2026-11-23 the first of epoch 742.
    for week in [20_773, 20_780] {
        let mut cells = Builder::default();
        cells.push(&LabelCellRow { week, user_key: Some(7), n: 1, ..LabelCellRow::default() });
        staged.push(table.write(&[cells.finish()]).await.unwrap().remove(0).path);
    }
    let folder = f.dir.path().join("label_cells");
    let cut_off =
        ["2026-11-16", "2026-11-23"].map(|week| folder.join(format!("week={week}/part-3.parquet#5")));
    cut_off.iter().for_each(|path| plant(path, World::default().wall().into()));
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.removed.files, found.unreferenced.files, found.leftovers.files), (0, 0, 0));

    let advance = vec![Advance { app: destroyed_app(), from: None, to: 741 }];
    table.commit(Change { advance, ..Change::default() }).await.unwrap();
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.removed.files, found.unreferenced.files, found.leftovers.files), (1, 0, 1));
    table.vacuum(found).await.unwrap();
    let exists = |path: &String| folder.join(path).exists();
    assert_eq!(staged.iter().map(exists).collect::<Vec<_>>(), [false, true]);
    assert_eq!(cut_off.map(|path| path.exists()), [false, true]);
}
