//! A market of published size from `simulate --rollups`: the site serves it and says what it is, the jobs leave it alone.

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::{http, scratch, store, wait};

const PAGES: [&str; 16] = [
    "/",
    "/rankings/models",
    "/rankings/models?metric=users&n=all",
    "/rankings/authors",
    "/rankings/share",
    "/rankings/growth",
    "/rankings/languages",
    "/models",
    "/providers",
    "/providers.csv",
    "/status",
    "/status.json",
    "/uptime",
    "/uptime.csv",
    "/methodology",
    "/data",
];

#[test]
fn rollups_without_attempts_fill_every_page_and_say_what_they_are() {
    let folder = scratch();
    let config = Config::new(folder.path());
    let file = config.write();
    let run = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file).run();
    let simulate = ["simulate", "--rollups", "S1", "--days", "2", "--thin", "20", "--seed", "3"];
    let said = run(&simulate).ok().stdout;
    assert!(said.contains("no attempts stand behind them"), "{said}");
    for table in ["usage_hourly", "health_5m", "health_daily", "routing_hourly", "intake_daily"] {
        let rows = store::number(&config.warehouse(), &format!("SELECT count(*) FROM {table}"));
        let told =
            said.lines().find(|line| line.starts_with(&format!("{table} "))).expect("a line of the table");
        assert_eq!(told.split_whitespace().nth(1), Some(&*rows.to_string()), "{said}");
    }

    run(&simulate).refused(2, &["is in use", "--rollups writes into a new warehouse only", "--warehouse"]);
    let checked = run(&["check"]).ok();
    assert!(
        checked.stdout.contains("warning warehouse: its rollups were written straight"),
        "{}",
        checked.stdout
    );
    let round = run(&["jobs", "run"]).ok().stdout;
    assert!(round.contains("fold ") && !round.contains("failed"), "{round}");
    run(&["jobs", "rebuild", "--from", "2026-01-01", "--to", "2026-01-01"])
        .refused(2, &["cannot be rebuilt", "every day would be empty"]);
    run(&["jobs", "remap", "--dry-run"]).refused(2, &["cannot be rebuilt", "every day would be empty"]);

    let mut running = Bellwether::new(folder.path(), &["serve", "--roles", "web", "--config", &file]).start();
    let overview = wait::until("the site to have read the rollups", wait::START, || {
        assert_eq!(running.exited(), None, "{}", running.printed());
        http::try_get(&config.url("web", "/")).filter(|answer| answer.status == 200)
    });
    assert!(
        overview.text().to_lowercase().contains("simulated"),
        "the page does not say that it is simulated"
    );
    let get = |page: &str| {
        let answer = http::get(&config.url("web", page));
        assert_eq!(answer.status, 200, "{page}");
        answer
    };
    for page in PAGES {
        get(page);
    }
    let ids = |page: &str| -> Vec<String> {
        let rows = get(page).json()["data"].as_array().expect("rows").clone();
        rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned).collect()
    };
    let models = ids("/rankings/models.json?period=1d");
    assert!(models.len() >= 20, "{models:?}");
    get(&format!("/models/{}", models[0]));
    get(&format!("/api/v1/models/{}/endpoints", models[0]));
    get(&format!("/providers/{}", ids("/rankings/providers.json?period=1d")[0]));
    get(&format!("/authors/{}", ids("/rankings/authors.json?period=1d")[0]));
    assert_eq!(running.interrupt().code(), 0);
}
