//! What is stored under a clock and dice that are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::testing::{DAY_US, NOON_US, SeededDice, SetClock, append, attempt, batch};
use crate::{Location, TableId, Warehouse, World};

/// Two dates, so that two files are encoded beside each other.
async fn store(seed: u64) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("warehouse");
    let location = Location::parse(root.to_str().unwrap()).unwrap();
    let world = World::new(Arc::new(SetClock::at(NOON_US)), Arc::new(SeededDice::new(seed)));
    let warehouse = Warehouse::open_or_create_in(&location, world).await.unwrap();
    let mut table = warehouse.table(TableId::Attempts).await.unwrap();
    let (today, mut tomorrow) = (attempt("a"), attempt("b"));
    tomorrow.started_at += DAY_US;
    append(&mut table, &batch(&[today, tomorrow])).await.unwrap();
    let mut files = BTreeMap::new();
    let mut folders = vec![root.join("attempts")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

#[tokio::test]
async fn one_seed_stores_the_same_bytes_under_the_same_names() {
    let (one, same, other) = (store(1).await, store(1).await, store(2).await);
    // Two log entries and two files of rows.
    assert_eq!(one.len(), 4, "{:?}", one.keys());
    assert!(one == same, "{:?} {:?}", one.keys(), same.keys());
    assert!(one.keys().ne(other.keys()));
    let entry = String::from_utf8(one["attempts/_delta_log/00000000000000000001.json"].clone()).unwrap();
    assert!(entry.contains(&format!("\"timestamp\":{}", NOON_US / 1000)), "{entry}");
}
