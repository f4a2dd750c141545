use std::collections::BTreeMap;

use bellwether_warehouse::{Change, Location, Warehouse};

use super::{Publication, id};
use crate::tables;

fn publication(number: i64) -> Publication {
    Publication {
        number,
        attempts_version: (number > 0).then_some(40 + number),
        live_attempts_version: (number > 0).then_some(41 + number),
        watermark: "2026-11-25T12:00:00.000001Z".parse().unwrap(),
        newest_event_at: (number > 0).then(|| "2026-11-25T12:01:00Z".parse().unwrap()),
        terms: "abc".into(),
        published_at: "2026-11-25T12:02:00Z".parse().unwrap(),
        what: "words".into(),
        versions: BTreeMap::from([("gate".to_owned(), 7 + number)]),
        seen: BTreeMap::from([("usage_daily".to_owned(), 9), ("usage_by_day".to_owned(), 4)]),
        as_of: BTreeMap::from([("gate".to_owned(), "2026-11-25T11:58:00Z".parse().unwrap())]),
        complete_from: BTreeMap::from([("rankings".to_owned(), "2026-10-01".parse().unwrap())]),
        late_from: BTreeMap::from([("rankings".to_owned(), "2026-11-01".parse().unwrap())]),
    }
}

#[tokio::test]
async fn the_newest_of_many_publications_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    warehouse.ensure(&tables()).await.unwrap();
    let mut table = warehouse.table(id()).await.unwrap();
    assert_eq!(Publication::newest(table.snapshot()).await.unwrap(), None);
    for number in [0, 1, 10, 9] {
        let add = table.write(&[publication(number).row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
        let newest = Publication::newest(table.snapshot()).await.unwrap();
        assert_eq!(newest, Some(publication(if number == 9 { 10 } else { number })));
    }
}

#[tokio::test]
async fn it_is_found_when_a_table_last_had_all_its_dates() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    warehouse.ensure(&tables()).await.unwrap();
    let mut table = warehouse.table(id()).await.unwrap();
    let mut rows = [0, 1, 2, 3].map(publication);
    // 0 does not have the table, 1 has all of it, 2 and 3 lack older dates.
    for row in &mut rows {
        row.versions.insert("usage_by_day".to_owned(), 10 + row.number);
        row.complete_from = BTreeMap::from([("usage_by_day".to_owned(), "2026-11-01".parse().unwrap())]);
    }
    rows[0].versions.remove("usage_by_day");
    rows[0].complete_from.clear();
    rows[1].complete_from.clear();
    for row in &rows {
        let add = table.write(&[row.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
    }
    let whole = async |name: &str| Publication::newest_whole(table.snapshot(), name).await.unwrap();
    assert_eq!(whole("usage_by_day").await, Some(rows[1].clone()));
    assert_eq!(whole("gate").await, Some(rows[3].clone()));
    assert_eq!(whole("rankings").await, None);
}

#[test]
fn there_is_a_version_for_each_published_table_and_each_rollup_behind_it() {
    let names: Vec<&str> = crate::tables().iter().map(|table| table.name()).collect();
    assert_eq!(names.last(), Some(&"publications"));
    let schema = id().schema();
    for name in &names[..names.len() - 1] {
        assert!(schema.field_with_name(&format!("{name}_version")).unwrap().is_nullable());
    }
    assert!(schema.field_with_name("usage_daily_seen").unwrap().is_nullable());
}
