use std::collections::BTreeMap;

use bellwether_warehouse::{Change, Location, Table, Warehouse};

use super::{Log, Publication, TermsSince, id};
use crate::revisions::{Reason, Revised};
use crate::{Renamed, tables};

fn revised(nth: i64) -> Revised {
    let dates = ["2026-11-01".parse().unwrap(), "2026-11-03".parse().unwrap()];
    Revised {
        table: "rankings".into(),
        first: dates[0],
        last: dates[1],
        revision: 1 + nth,
        reason: Reason::LateRows,
    }
}

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
        catalogue: if number > 0 { "c".into() } else { String::new() },
        settings: if number > 0 { "s".into() } else { String::new() },
        revised: (0..number).map(revised).collect(),
        renamed: if number > 0 {
            "begun\nmodel acme/one\nauthor acme\nprovider no r th".parse().unwrap()
        } else {
            Renamed::default()
        },
    }
}

/// The table in a folder that is there as long as the first value.
async fn empty() -> (tempfile::TempDir, Table) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    warehouse.ensure(&tables()).await.unwrap();
    let table = warehouse.table(id()).await.unwrap();
    (folder, table)
}

#[tokio::test]
async fn the_newest_of_many_publications_is_read_as_it_was_written() {
    let (_folder, mut table) = empty().await;
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
    let (_folder, mut table) = empty().await;
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

#[tokio::test]
async fn the_log_of_a_date_is_what_publications_tell_of_it() {
    let (_folder, mut table) = empty().await;
    for (number, nth) in [(4, None), (5, Some(0)), (6, None), (7, Some(1))] {
        let row = Publication { number, revised: nth.into_iter().map(revised).collect(), ..publication(1) };
        let add = table.write(&[row.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
    }
    let log = Log::read(table.snapshot()).await.unwrap();
    for (table, date, expected) in [
        ("rankings", "2026-10-31", vec![]),
        ("rankings", "2026-11-01", vec![(5, 1), (7, 2)]),
        ("rankings", "2026-11-03", vec![(5, 1), (7, 2)]),
        ("rankings", "2026-11-04", vec![]),
        ("usage_by_day", "2026-11-02", vec![]),
    ] {
        let date = date.parse().unwrap();
        let found: Vec<_> = log.of(table, date).map(|one| (one.number, one.revised.revision)).collect();
        assert_eq!(found, expected, "{table} {date}");
        assert_eq!(log.revision(table, date), expected.last().map_or(0, |(_, revision)| *revision));
    }
    assert!(log.of("rankings", "2026-11-02".parse().unwrap()).all(|one| {
        one.published_at == publication(1).published_at && one.revised.reason == Reason::LateRows
    }));
}

#[tokio::test]
async fn terms_hold_since_the_first_publication_after_the_last_one_of_others() {
    let (_folder, mut table) = empty().await;
    let (mut follows, mut is_late) = (TermsSince::default(), TermsSince::default());
    assert_eq!(follows.follow(table.snapshot()).await.unwrap(), None);
    let mut number = 0;
    // Terms that come back hold since they came back.
    let story = [("a", None), ("a", None), ("b", Some(3)), ("b", Some(3)), ("c", Some(5)), ("a", Some(6))];
    for (terms, since) in story.into_iter().chain([("a", Some(6))]) {
        number += 1;
        let published_at = format!("2026-11-25T12:0{number}:00Z").parse().unwrap();
        let row = Publication { terms: terms.into(), published_at, ..publication(number) };
        let add = table.write(&[row.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
        let expected = since.map(|minute| format!("2026-11-25T12:0{minute}:00Z").parse().unwrap());
        assert_eq!(follows.follow(table.snapshot()).await.unwrap(), expected, "{number}");
        // Of one that has begun just now, and one that looks at some of them.
        let mut begins = TermsSince::default();
        assert_eq!(begins.follow(table.snapshot()).await.unwrap(), expected, "{number}");
        if number % 3 != 2 {
            assert_eq!(is_late.follow(table.snapshot()).await.unwrap(), expected, "{number}");
        }
    }
}

#[tokio::test]
async fn who_follows_the_terms_reads_files_of_new_publications_alone() {
    let (folder, mut table) = empty().await;
    let mut follows = TermsSince::default();
    for number in 1..=5 {
        let terms = if number == 1 { "a" } else { "b" };
        let published_at = format!("2026-11-25T12:0{number}:00Z").parse().unwrap();
        let row = Publication { terms: terms.into(), published_at, ..publication(number) };
        let add = table.write(&[row.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
        let expected = (number > 1).then(|| "2026-11-25T12:02:00Z".parse().unwrap());
        assert_eq!(follows.follow(table.snapshot()).await.unwrap(), expected, "{number}");
        // What was read is out of reach from now on.
        for file in table.snapshot().files() {
            let path = folder.path().join("publications").join(&file.path);
            if path.exists() {
                std::fs::remove_file(path).unwrap();
            }
        }
        // Nothing new, nothing read.
        assert_eq!(follows.follow(table.snapshot()).await.unwrap(), expected, "{number}");
    }
    assert!(TermsSince::default().follow(table.snapshot()).await.is_err());
}
