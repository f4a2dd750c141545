//! A sentence that stands in prompts, answers, tool arguments, errors and refused records is in no file of ours.

use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::app::Bellwether;
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::traffic::instant;
use crate::support::{http, repository, scratch, store, wait};

/// One word that nothing else contains, and the sentence around it.
const WORD: &str = "quokkasaffron";
const SENTENCE: &str = "my secret quokkasaffron recipe needs twelve figs";
/// Ids of people are hashed before anything is appended.
const PERSON: &str = "person-velvetotter";
/// Kept on purpose: the search must be able to find what is there.
const CONTROL: &str = "control/visiblemodel";

fn native(id: &str) -> Value {
    json!({
        "request_id": id, "started_at": instant(1), "user_id": PERSON, "api_key_id": PERSON, "org_id": PERSON,
        "messages": [
            { "role": "system", "content": SENTENCE },
            { "role": "user", "content": [{ "type": "text", "text": format!("```python\n# {SENTENCE}\nprint(1)\n```") }] },
        ],
        "completion": format!("Certainly. {SENTENCE}\n```rust\nfn main() {{ /* {SENTENCE} */ }}\n```"),
        "tool_paths": [format!("/home/{WORD}/main.rs")],
        "unknown_member": { "deep": SENTENCE },
        "attempts": [{ "model": CONTROL, "provider": "acme", "http_status": 200, "note": SENTENCE }],
    })
}

/// Records that are refused, and one whose outcome is counted as unknown, with the sentence where a careless reason
/// would quote it.
fn refused(id: &str) -> Vec<Vec<u8>> {
    let mut wrong_type = native(id);
    wrong_type["attempts"][0]["input_tokens"] = SENTENCE.into();
    let mut wrong_class = native(id);
    wrong_class["attempts"][0]["outcome"] = SENTENCE.into();
    let mut wrong_time = native(id);
    wrong_time["started_at"] = SENTENCE.into();
    let mut wrong_shape = native(id);
    wrong_shape["attempts"] = json!({ SENTENCE: SENTENCE });
    let cut = native(id).to_string();
    let unquoted = format!("{{\"request_id\": {SENTENCE}}}");
    vec![
        wrong_type.to_string().into_bytes(),
        wrong_class.to_string().into_bytes(),
        wrong_time.to_string().into_bytes(),
        wrong_shape.to_string().into_bytes(),
        cut.as_bytes()[..cut.len() - 20].to_vec(),
        unquoted.into_bytes(),
        [SENTENCE.as_bytes(), &[0xff, 0xfe]].concat(),
    ]
}

/// Real LiteLLM records with the sentence in every place that holds text.
fn litellm(id: &str) -> Vec<Value> {
    ["04-success-nonstream-fake-upstream.json", "08-failure-500.json"]
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let path = repository("ingest/src/formats/litellm/fixtures").join(name);
            let mut record: Value =
                serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON");
            if let Value::Array(records) = &mut record {
                record = records.remove(0);
            }
            record["litellm_call_id"] = format!("{id}-{index}").into();
            record["id"] = format!("{id}-{index}").into();
            record["messages"] = json!([{ "role": "user", "content": SENTENCE }]);
            record["end_user"] = PERSON.into();
            if let Some(content) = record.pointer_mut("/response/choices/0/message/content") {
                *content = SENTENCE.into();
            }
            if record["error_information"].is_object() {
                record["error_information"]["error_message"] = SENTENCE.into();
                record["error_information"]["traceback"] = SENTENCE.into();
            }
            record["error_str"] = SENTENCE.into();
            record["metadata"]["requester_metadata"] = json!({ "note": SENTENCE });
            record["requester_ip_address"] = format!("{WORD}.example").into();
            record
        })
        .collect()
}

fn lines<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    records.into_iter().flat_map(|r| format!("{r}\n").into_bytes()).collect()
}

#[test]
fn canary_in_texts_is_in_no_file_of_warehouse_spool_or_logs() {
    let broker = Broker::shared();
    for topic in ["canary-native", "canary-litellm"] {
        broker.create_topic(topic, 1);
    }
    let folder = scratch();
    let logs = scratch();
    let config = Config::new(folder.path())
        .kafka(&broker.address(), &[("canary-native", "native"), ("canary-litellm", "litellm")])
        .set("ingest.flush_age", "200ms");
    let file = config.write();
    let inbox = scratch();

    // Kafka
    let mut by_kafka = vec![native("kafka").to_string().into_bytes()];
    by_kafka.extend(refused("kafka-bad"));
    let sent_native = by_kafka.len();
    broker.produce("canary-native", by_kafka.into_iter().map(|v| (WORD.to_owned(), v)));
    let by_kafka: Vec<_> =
        litellm("kafka").iter().map(|r| (WORD.to_owned(), r.to_string().into_bytes())).collect();
    let sent_litellm = by_kafka.len();
    broker.produce("canary-litellm", by_kafka);

    // HTTP, beside the running ingest
    let running =
        Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest,jobs", "--config", &file])
            .env("RUST_LOG", "debug")
            .log_to(&logs.path().join("serve.log"))
            .start();
    wait::until("the process to live", wait::START, || http::try_get(&config.url("admin", "/livez")));
    let post = |path: &str, body: Vec<u8>| {
        http::send(http::post(&config.url("intake", path)).body(body)).expect("post")
    };
    let good = post("/intake/native", lines(&[native("http")]));
    assert_eq!(good.status, 200, "{}", good.text());
    for bad in refused("http-bad") {
        let answer = post("/intake/native", bad);
        assert!(!answer.text().contains(WORD), "the answer quotes the record: {}", answer.text());
    }
    let answer = post("/intake/litellm", serde_json::to_vec(&litellm("http")).unwrap());
    assert_eq!(answer.status, 200, "{}", answer.text());

    let wanted = i64::try_from(sent_native + sent_litellm).unwrap() + 3;
    wait::until("all records to be committed", wait::START, || {
        (store::position(&config.warehouse()) >= wanted).then_some(())
    });
    let ended = running.interrupt();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    // Import
    let mut native_file = lines(&[native("import")]);
    for bad in refused("import-bad") {
        native_file.extend(bad);
        native_file.push(b'\n');
    }
    std::fs::write(inbox.path().join("native.ndjson"), native_file).unwrap();
    std::fs::write(inbox.path().join("litellm.json"), serde_json::to_vec(&litellm("import")).unwrap())
        .unwrap();
    for (name, format) in [("native.ndjson", "native"), ("litellm.json", "litellm")] {
        Bellwether::new(folder.path(), &["import", "--config", &file, "--format", format])
            .arg(inbox.path().join(name))
            .env("RUST_LOG", "debug")
            .log_to(&logs.path().join("import.log"))
            .run()
            .ok();
    }

    // An outcome that is no word of the list does not refuse its record: each way in has one such row.
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM attempts"), 3 + 3 + 3 * 2);
    assert!(store::number(&config.warehouse(), "SELECT count(*) FROM rejects") >= 2 * 7);
    assert!(
        store::number(&config.warehouse(), "SELECT count(*) FROM label_cells") > 0,
        "texts were labelled"
    );
    assert!(holds(folder.path(), "visiblemodel"), "the search does not find what is there");
    for forbidden in [WORD, "twelve figs", "velvetotter"] {
        for place in [folder.path(), logs.path()] {
            assert!(!holds(place, forbidden), "`{forbidden}` lies below {}", place.display());
        }
    }
}

/// Whether any file below holds the word: in its bytes, or in a text column of a Parquet file.
fn holds(folder: &Path, word: &str) -> bool {
    store::files(folder).iter().any(|path| {
        let bytes = std::fs::read(path).expect("read a file");
        let found = contains(&bytes, word) || (bytes.starts_with(b"PAR1") && parquet_holds(path, word));
        if found {
            println!("`{word}` in {}", path.display());
        }
        found
    })
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn parquet_holds(path: &Path, word: &str) -> bool {
    let file = std::fs::File::open(path).expect("open a Parquet file");
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file").build().expect("a reader");
    reader.map(|batch| batch.expect("a batch")).any(|batch| {
        batch.columns().iter().any(|column| {
            let text = match column.data_type() {
                DataType::List(_) => column.as_list::<i32>().values().clone(),
                _ => column.clone(),
            };
            match text.data_type() {
                DataType::Utf8 => {
                    text.as_string::<i32>().iter().flatten().any(|t| contains(t.as_bytes(), word))
                }
                DataType::Binary => text.as_binary::<i32>().iter().flatten().any(|b| contains(b, word)),
                _ => false,
            }
        })
    })
}
