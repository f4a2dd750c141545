//! Folding in many steps, rebuilding, and running again give the same bytes.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::independent::{days, simulate};
use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::{scratch, store};

const STEPS: usize = 7;
const ROLLUPS: [&str; 12] = [
    "usage_hourly",
    "usage_daily",
    "health_5m",
    "health_hourly",
    "health_daily",
    "app_daily",
    "country_daily",
    "context_speed_daily",
    "users_by_week",
    "user_model_daily",
    "user_model_monthly",
    "routing_hourly",
];

/// Every rollup merged to one row per key, sketches as bytes, sorted.
fn merged(warehouse: &Path) -> Vec<(String, Vec<String>)> {
    ROLLUPS
        .iter()
        .map(|table| {
            let columns = store::rows(warehouse, &format!("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"));
            let named = |row: &Value| row["column_name"].as_str().expect("a column").to_owned();
            let is = |row: &Value, kinds: &[&str]| row["data_type"].as_str().is_some_and(|t| kinds.iter().any(|k| t.starts_with(k)));
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for column in &columns {
                let name = named(column);
                if is(column, &["Binary"]) {
                    let merge = if name == "users" { "hll_merge" } else { "ddsketch_merge" };
                    values.push(format!("{merge}({name}) AS {name}"));
                } else if is(column, &["Int64", "Decimal"]) && !["user_key", "context_bucket"].contains(&name.as_str()) {
                    values.push(format!("CAST(sum({name}) AS VARCHAR) AS {name}"));
                } else {
                    keys.push(name);
                }
            }
            let sql = format!("SELECT {0}, {1} FROM {table} GROUP BY {0}", keys.join(", "), values.join(", "));
            let mut rows: Vec<String> = store::rows(warehouse, &sql).iter().map(Value::to_string).collect();
            rows.sort();
            ((*table).to_owned(), rows)
        })
        .collect()
}

#[track_caller]
fn equal(what: &str, one: &[(String, Vec<String>)], other: &[(String, Vec<String>)]) {
    for ((table, left), (_, right)) in one.iter().zip(other) {
        let differing = left.iter().zip(right).find(|(a, b)| a != b);
        assert!(differing.is_none(), "{what}: {table} differs: {differing:#?}");
        assert_eq!(left.len(), right.len(), "{what}: rows of {table}");
    }
}

fn run(folder: &Path, args: &[&str]) {
    Bellwether::new(folder, args).arg("--config").arg(folder.join("bellwether.toml")).run().ok();
}

#[test]
fn folding_in_many_steps_equals_one_fold_and_one_rebuild_byte_for_byte() {
    let source = scratch();
    let events = source.path().join("events.ndjson");
    simulate(source.path(), &events, "6");
    let text = std::fs::read_to_string(&events).unwrap();
    let lines: Vec<&str> = text.lines().collect();

    let once = scratch();
    let once_config = Config::new(once.path());
    once_config.write();
    run(once.path(), &["import", events.to_str().unwrap()]);
    run(once.path(), &["jobs", "run"]);
    let at_once = merged(&once_config.warehouse());
    assert!(
        at_once.iter().filter(|(_, rows)| rows.len() > 10).count() == ROLLUPS.len(),
        "hardly any rollup rows"
    );

    // Every seventh line into each part: each step touches every hour, and late rows are the rule.
    let stepped = scratch();
    let stepped_config = Config::new(stepped.path());
    stepped_config.write();
    // The keyed hashes of users must be the same on both sides.
    copy_folder(&once.path().join("keys"), &stepped.path().join("keys"));
    for step in 0..STEPS {
        let part = source.path().join(format!("part-{step}.ndjson"));
        let mut file = std::fs::File::create(&part).unwrap();
        for line in lines.iter().skip(step).step_by(STEPS) {
            writeln!(file, "{line}").unwrap();
        }
        drop(file);
        run(stepped.path(), &["import", part.to_str().unwrap()]);
        run(stepped.path(), &["jobs", "run"]);
    }
    let in_steps = merged(&stepped_config.warehouse());
    equal("seven folds and one", &in_steps, &at_once);
    let decided = |config: &Config| {
        store::rows(&config.warehouse(), "SELECT * FROM gate ORDER BY date, dimension, key")
    };
    let once_decided = decided(&once_config);
    assert!(once_decided.len() > 100, "{}", once_decided.len());
    assert_eq!(decided(&stepped_config), once_decided, "seven publications and one");

    let (first, last) = days();
    run(stepped.path(), &["jobs", "rebuild", "--from", &first.to_string(), "--to", &last.to_string()]);
    let rebuilt = merged(&stepped_config.warehouse());
    equal("folded and rebuilt", &rebuilt, &at_once);

    // With nothing new, nothing changes.
    run(stepped.path(), &["jobs", "run"]);
    equal("run again", &merged(&stepped_config.warehouse()), &at_once);
    let status = Bellwether::new(stepped.path(), &["jobs", "status", "--json", "--config"])
        .arg(stepped.path().join("bellwether.toml"))
        .run()
        .ok();
    assert!(status.json().is_array() || status.json().is_object(), "{}", status.stdout);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in store::files(from) {
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}
