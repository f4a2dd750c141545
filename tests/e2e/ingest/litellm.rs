//! The captured LiteLLM records, by every way in, against the rows that the format's specification gives them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::app::Bellwether;
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::{http, repository, scratch, store, wait};

const FIXTURES: &str = "ingest/src/formats/litellm/fixtures";
/// In the expectation but no column: where it came from, and what only its hash tells.
const NO_COLUMNS: [&str; 5] = ["from", "also_from", "record", "error_origin", "user_id_raw"];

/// Expected rows by event id.
fn expected() -> BTreeMap<String, Value> {
    let text =
        std::fs::read(repository(FIXTURES).join("expected-rows.json")).expect("read the expected rows");
    let rows: Vec<Value> = serde_json::from_slice(&text).expect("the expected rows are JSON");
    rows.into_iter().map(|row| (row["event_id"].as_str().expect("an event id").to_owned(), row)).collect()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = store::files(&repository(FIXTURES))
        .into_iter()
        .filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
            name.ends_with(".json") && !name.ends_with(".meta.json") && name != "expected-rows.json"
        })
        .collect();
    files.sort();
    assert!(files.len() >= 14, "fixtures are missing in {FIXTURES}");
    files
}

/// Every record of every file, in order.
fn records() -> Vec<Value> {
    let mut all = Vec::new();
    for file in files() {
        match serde_json::from_slice(&std::fs::read(&file).expect("read a fixture"))
            .expect("a fixture is JSON")
        {
            Value::Array(records) => all.extend(records),
            record => all.push(record),
        }
    }
    all
}

#[track_caller]
fn holds_exactly_the_expected_rows(warehouse: &Path) {
    let expected = expected();
    let columns: Vec<&str> = expected
        .values()
        .next()
        .and_then(Value::as_object)
        .expect("an expected row")
        .keys()
        .map(String::as_str)
        .filter(|column| !NO_COLUMNS.contains(column))
        .collect();
    let selected: Vec<String> = columns
        .iter()
        .map(|column| match *column {
            "started_at" => "CAST(started_at AS BIGINT) AS started_at".to_owned(),
            "cost_usd" => "CAST(cost_usd AS VARCHAR) AS cost_usd".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    let sql = format!("SELECT user_key, {} FROM attempts ORDER BY event_id", selected.join(", "));
    let found = store::rows(warehouse, &sql);
    let ids: Vec<&str> = found.iter().filter_map(|row| row["event_id"].as_str()).collect();
    assert_eq!(ids, expected.keys().map(String::as_str).collect::<Vec<_>>());
    let mut keys: BTreeMap<&str, &Value> = BTreeMap::new();
    for row in &found {
        let id = row["event_id"].as_str().unwrap_or("");
        let want = &expected[id];
        for column in &columns {
            assert_eq!(row[*column], want[*column], "{column} of {id}");
        }
        match want["user_id_raw"].as_str() {
            None => assert_eq!(row["user_key"], Value::Null, "user of {id}"),
            Some(raw) => {
                assert!(row["user_key"].is_i64(), "user of {id}");
                assert_eq!(
                    *keys.entry(raw).or_insert(&row["user_key"]),
                    &row["user_key"],
                    "one user, one key"
                );
            }
        }
    }
    let mut distinct: Vec<i64> = keys.values().filter_map(|key| key.as_i64()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), keys.len(), "two users, two keys");
    assert_eq!(store::number(warehouse, "SELECT count(*) FROM rejects"), 0);
}

fn settled(config: Config) -> Config {
    config.without_catalogue().set("ingest.flush_age", "200ms")
}

fn wait_for_records(warehouse: &Path, records: i64) {
    wait::until("every record to be in the table", wait::START, || {
        (store::position(warehouse) >= records).then_some(())
    });
}

#[test]
fn litellm_samples_by_import_give_exactly_their_rows() {
    let folder = scratch();
    let config = settled(Config::new(folder.path()));
    let file = config.write();
    for format in ["litellm", "auto"] {
        let mut import = Bellwether::new(folder.path(), &["import", "--config", &file, "--format", format]);
        for sample in files() {
            import = import.arg(&sample);
        }
        import.run().ok();
        holds_exactly_the_expected_rows(&config.warehouse());
    }
}

#[test]
fn litellm_samples_by_http_give_exactly_their_rows() {
    let folder = scratch();
    let token = "a-token-for-the-tests";
    let config =
        settled(Config::new(folder.path())).set("intake.tokens", toml::Value::Array(vec![token.into()]));
    let file = config.write();
    let running =
        Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest", "--config", &file]).start();
    let url = config.url("intake", "/intake/litellm");
    wait::until("the intake to listen", wait::START, || http::try_get(&config.url("admin", "/livez")));

    let post = |body: Vec<u8>, token: &str| {
        let request = http::post(&url).header("content-type", "application/json").body(body);
        http::send(request.header("authorization", format!("Bearer {token}"))).expect("post to the intake")
    };
    let records = records();
    let array = serde_json::to_vec(&records).unwrap();
    assert_eq!(post(array.clone(), "another-token-for-tests").status, 401);
    let accepted = post(array, token);
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    assert_eq!(accepted.json()["accepted"].as_u64(), Some(records.len() as u64));
    // LiteLLM sends whole batches again after a time-out, also as lines.
    let lines: Vec<u8> = records.iter().flat_map(|r| format!("{r}\n").into_bytes()).collect();
    assert_eq!(post(lines, token).status, 200);

    wait_for_records(&config.warehouse(), 2 * i64::try_from(records.len()).unwrap());
    assert_eq!(running.interrupt().code(), 0);
    holds_exactly_the_expected_rows(&config.warehouse());
}

#[test]
fn litellm_samples_through_kafka_give_exactly_their_rows() {
    let broker = Broker::shared();
    broker.create_topic("litellm-samples", 2);
    let records = records();
    let keyed = records.iter().map(|r| {
        (r["litellm_call_id"].as_str().unwrap_or("").to_owned(), serde_json::to_vec(r).expect("JSON"))
    });
    broker.produce("litellm-samples", keyed);
    let folder = scratch();
    let config =
        settled(Config::new(folder.path())).kafka(&broker.address(), &[("litellm-samples", "litellm")]);
    let file = config.write();
    let running = Bellwether::new(folder.path(), &["serve", "--roles", "ingest", "--config", &file]).start();
    wait_for_records(&config.warehouse(), i64::try_from(records.len()).unwrap());
    assert_eq!(running.interrupt().code(), 0);
    holds_exactly_the_expected_rows(&config.warehouse());
}
