//! A rollup that is not there.

use bellwether_warehouse::TableId;

use super::independent::days;
use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::{scratch, store};

#[test]
fn jobs_run_makes_a_missing_rollup_and_folds_it_from_the_beginning() {
    let folder = scratch();
    let config = Config::new(folder.path()).without_catalogue();
    let file = config.write();
    let warehouse = config.warehouse();
    let run = |args: &[&str]| {
        Bellwether::new(folder.path(), args).arg("--config").arg(&file).run().ok();
    };
    for (n, seed) in ["3", "4"].into_iter().enumerate() {
        let events = folder.path().join(format!("events-{n}.ndjson"));
        Bellwether::new(folder.path(), &["simulate", "--seed", seed, "--minutes", "300", "--texts", "0"])
            .arg("--attempts-per-year")
            .arg("500000")
            .arg("--from")
            .arg(format!("{}T20:00:00Z", days().0))
            .arg("--to")
            .arg(format!("file:{}", events.display()))
            .run()
            .ok();
        run(&["import", events.to_str().expect("a text path")]);
        run(&["jobs", "run"]);
    }
    let totals = || {
        let sql = "SELECT date, model_id, sum(requests) AS requests, sum(input_tokens) AS tokens
                   FROM usage_daily GROUP BY date, model_id ORDER BY date, model_id";
        store::rows(&warehouse, sql)
    };
    let others = || {
        TableId::ALL
            .into_iter()
            .filter(|table| *table != TableId::UsageDaily)
            .map(|table| store::snapshot(&warehouse, table).expect("a table").version())
            .collect::<Vec<_>>()
    };
    let (before, untouched) = (totals(), others());
    assert!(before.len() > 10, "{before:?}");

    std::fs::remove_dir_all(warehouse.join("usage_daily")).expect("remove the table");
    run(&["jobs", "run"]);
    assert_eq!(totals(), before);
    assert_eq!(others(), untouched);
}
