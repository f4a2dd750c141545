//! The warehouse folder: creation, versions, refusals.

use serde_json::Value;

use super::{attempts, line, offsets, over, warehouse};
use crate::tables::attempts::AttemptRow;
use crate::testing::{append, attempt, batch};
use crate::{Error, Location, TableId, Warehouse};

fn locate(path: &std::path::Path) -> Location {
    Location::parse(path.to_str().unwrap()).unwrap()
}

fn entry(dir: &std::path::Path, table: &str, version: i64) -> Vec<Value> {
    let path = dir.join(table).join("_delta_log").join(format!("{version:020}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn opening_what_is_not_there_creates_nothing_and_names_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    let error = Warehouse::open(&locate(&path)).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound(at) if at.ends_with("none")), "{error}");
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_made_by_several_at_once_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let location = locate(&dir.path().join("new/deep"));
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let location = location.clone();
        creators.spawn(async move { Warehouse::open_or_create(&location).await.map(|_| ()) });
    }
    for made in creators.join_all().await {
        made.unwrap();
    }
    let warehouse = Warehouse::open(&location).await.unwrap();
    for id in TableId::ALL {
        assert_eq!(warehouse.table(id).await.unwrap().snapshot().version(), 0, "{}", id.name());
    }
}

#[tokio::test]
async fn a_missing_table_is_made_again_by_the_next_start() {
    let (dir, warehouse) = warehouse().await;
    std::fs::remove_dir_all(dir.path().join("imports")).unwrap();
    let error = warehouse.table(TableId::Imports).await.unwrap_err();
    assert!(matches!(error, Error::TableMissing { table: "imports" }));
    Warehouse::open_or_create(warehouse.location()).await.unwrap();
    assert_eq!(warehouse.table(TableId::Imports).await.unwrap().snapshot().version(), 0);
}

#[tokio::test]
async fn tables_have_the_oldest_protocol_and_no_features() {
    let (dir, _warehouse) = warehouse().await;
    for id in TableId::ALL {
        let actions = entry(dir.path(), id.name(), 0);
        let member = |name: &str| actions.iter().find_map(|a| a.get(name)).unwrap().clone();
        let expected = serde_json::json!({"minReaderVersion": 1, "minWriterVersion": 2});
        assert_eq!(member("protocol"), expected, "{}", id.name());
        let columns = member("metaData")["partitionColumns"].as_array().unwrap().clone();
        assert_eq!(columns.first().and_then(Value::as_str), id.partition_column());
        assert!(columns.len() < 2);
    }
}

#[tokio::test]
async fn a_newer_layout_is_refused_with_both_versions() {
    let (dir, warehouse) = warehouse().await;
    std::fs::write(dir.path().join("_bellwether.json"), r#"{"layout": 7, "other": true}"#).unwrap();
    for result in
        [Warehouse::open(warehouse.location()).await, Warehouse::open_or_create(warehouse.location()).await]
    {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::NewerLayout { found: 7, supported: 2, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("layout 7") && text.contains("up to 2") && text.contains("upgrade"), "{text}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Warehouse::open_or_create(&locate(&file.join("warehouse"))).await.unwrap_err();
    assert!(error.to_string().contains("file/warehouse"), "{error}");
    assert!(matches!(error, Error::Unwritable { .. } | Error::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_table_upgraded_by_another_tool_is_refused() {
    let (dir, warehouse) = warehouse().await;
    let log = dir.path().join("attempts/_delta_log/00000000000000000001.json");
    std::fs::write(log, r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[]}}"#)
        .unwrap();
    let error = warehouse.table(TableId::Attempts).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { table: "attempts", reader: 3, writer: 7 }), "{error:?}");
}

#[tokio::test]
async fn a_table_of_an_older_binary_gets_its_new_columns_and_reads_them_as_null() {
    let (dir, warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 3)).await.unwrap();
    // As an older binary left it: neither the log nor the file knows `refused`.
    let file = table.snapshot().files()[0].clone();
    super::files::drop_column(&dir.path().join("attempts").join(&file.path), "refused");
    let size = std::fs::metadata(dir.path().join("attempts").join(&file.path)).unwrap().len();
    with_columns(dir.path(), |fields| fields.retain(|field| field["name"] != "refused"));
    rewrite(dir.path(), 1, |action| {
        if let Some(bytes) = action.pointer_mut("/add/size") {
            *bytes = size.into();
        }
    });

    let reopened = Warehouse::open_or_create(warehouse.location()).await.unwrap();
    let mut table = reopened.table(TableId::Attempts).await.unwrap();
    assert_eq!(table.snapshot().version(), 2);
    let extended = entry(dir.path(), "attempts", 2);
    let schema = extended.iter().find_map(|a| a.pointer("/metaData/schemaString")).unwrap();
    assert!(schema.as_str().unwrap().contains(r#""name":"refused""#));
    append(&mut table, &super::refusing("refuses", 3)).await.unwrap();
    let sql = "SELECT count(*), count(refused), sum(src_offset), count(DISTINCT event_id) FROM attempts";
    assert_eq!(line(&over(&table), sql).await, "4 1 6 4");
    assert_eq!(line(&over(&table), "SELECT event_id FROM attempts WHERE refused").await, "refuses");
    assert_eq!(line(&over(&table), "SELECT count(*) FROM attempts WHERE refused IS NULL").await, "3");
    // Nothing left to do for the next start.
    std::fs::remove_file(dir.path().join("_bellwether.json")).unwrap();
    Warehouse::open_or_create(warehouse.location()).await.unwrap();
    assert_eq!(table.refresh().await.unwrap(), 3);
}

/// Changes the actions of an entry of `attempts`.
fn rewrite(root: &std::path::Path, version: i64, change: impl Fn(&mut Value)) {
    let mut actions = entry(root, "attempts", version);
    actions.iter_mut().for_each(change);
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    std::fs::write(root.join(format!("attempts/_delta_log/{version:020}.json")), lines.join("\n")).unwrap();
}

/// Changes the columns with which `attempts` was made, and lets the next start look at them.
fn with_columns(root: &std::path::Path, change: impl Fn(&mut Vec<Value>)) {
    rewrite(root, 0, |action| {
        let Some(text) = action.pointer_mut("/metaData/schemaString") else { return };
        let mut schema: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        change(schema["fields"].as_array_mut().unwrap());
        *text = schema.to_string().into();
    });
    std::fs::remove_file(root.join("_bellwether.json")).unwrap();
}

fn columns(root: &std::path::Path, version: i64) -> Vec<String> {
    let actions = entry(root, "attempts", version);
    let text = actions.iter().find_map(|action| action.pointer("/metaData/schemaString")).unwrap();
    let schema: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    let fields = schema["fields"].as_array().unwrap();
    fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn new_columns_come_behind_all_that_are_stored_and_those_of_a_newer_binary_stay() {
    let (dir, warehouse) = warehouse().await;
    let newer =
        serde_json::json!({"name": "zone", "type": "string", "nullable": true, "metadata": {"of": "newer"}});
    with_columns(dir.path(), |fields| {
        fields.retain(|field| field["name"] != "src_index" && field["name"] != "refused");
        fields.insert(2, newer.clone());
        fields.rotate_left(1);
    });
    let mut expected = columns(dir.path(), 0);
    assert_eq!((expected[1].as_str(), expected.last().map(String::as_str)), ("zone", Some("event_date")));
    // Two processes that start at once: one of them adds the columns.
    let (one, two) = tokio::join!(
        Warehouse::open_or_create(warehouse.location()),
        Warehouse::open_or_create(warehouse.location())
    );
    one.unwrap();
    let mut table = two.unwrap().table(TableId::Attempts).await.unwrap();
    assert_eq!(table.snapshot().version(), 1);
    expected.extend(["refused".to_owned(), "src_index".to_owned()]);
    assert_eq!(columns(dir.path(), 1), expected);
    assert!(entry(dir.path(), "attempts", 1).iter().any(|action| {
        let schema = action.pointer("/metaData/schemaString").and_then(Value::as_str).unwrap_or_default();
        schema.contains(&newer.to_string())
    }));

    let numbered = AttemptRow { src_index: Some(4), ..attempt("numbered") };
    append(&mut table, &batch(&[numbered, attempt("one")])).await.unwrap();
    assert_eq!(line(&over(&table), "SELECT count(*), sum(src_index) FROM attempts").await, "2 4");
    // The next start of this binary leaves the newer one's column alone.
    std::fs::remove_file(dir.path().join("_bellwether.json")).unwrap();
    Warehouse::open_or_create(warehouse.location()).await.unwrap();
    assert_eq!(table.refresh().await.unwrap(), 2);
}

#[tokio::test]
async fn a_log_whose_folder_is_gone_is_not_begun_anew_by_a_later_entry() {
    let (dir, warehouse) = warehouse().await;
    let root = std::sync::Arc::new(crate::store::Root::open(warehouse.location()).unwrap());
    let storage = crate::store::Storage::new("attempts", &root);
    std::fs::remove_dir_all(dir.path().join("attempts")).unwrap();
    let write = |version: i64| {
        let (storage, name) = (storage.clone(), crate::log_folder::entry_name(version));
        async move { storage.put_if_absent(&name, "{}".into()).await }
    };
    write(7).await.unwrap_err();
    assert!(!dir.path().join("attempts").exists());
    assert!(write(0).await.unwrap());
}

#[tokio::test]
async fn the_first_pepper_is_the_one_that_stands() {
    let (_dir, warehouse) = warehouse().await;
    assert_eq!(warehouse.pepper_check().await.unwrap(), None);
    assert_eq!(warehouse.claim_pepper("first").await.unwrap(), "first");
    assert_eq!(warehouse.claim_pepper("second").await.unwrap(), "first");
    assert_eq!(warehouse.pepper_check().await.unwrap().as_deref(), Some("first"));
}

#[tokio::test]
async fn a_new_pepper_takes_the_place_of_the_one_it_was_made_for_and_of_no_other() {
    let (_dir, warehouse) = warehouse().await;
    let stands = |check: &str| Some(check.to_owned());
    assert_eq!(warehouse.replace_pepper("first", "second").await.unwrap(), None);
    warehouse.claim_pepper("first").await.unwrap();
    // Of two at once one is first, and both see which.
    let (one, other) =
        tokio::join!(warehouse.replace_pepper("first", "one"), warehouse.replace_pepper("first", "other"));
    let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
    assert!(one == other && ["one", "other"].contains(&one.as_str()), "{one} {other}");
    assert_eq!(warehouse.replace_pepper("first", "third").await.unwrap(), stands(&one));
    assert_eq!(warehouse.replace_pepper(&one, "third").await.unwrap(), stands("third"));
    assert_eq!(warehouse.claim_pepper("fourth").await.unwrap(), "third");
}
