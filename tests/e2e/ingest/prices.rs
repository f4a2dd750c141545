//! Records without a price, from the intake to the tables, priced by the catalogue of the configuration.

use serde_json::json;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::{http, metrics, scratch, store, wait};

const NAMES: &str = r#"
    authors = [{ slug = "acme", name = "Acme" }]
    providers = [{ id = "north", name = "North" }]
    models = [{ id = "acme/one", name = "One" }]
    prices = [
        { model = "acme/one", provider = "north", valid_to = "2026-02-28", input = "1", output = "10" },
        { model = "acme/one", provider = "north", valid_from = "2026-03-01", input = "2", output = "20" },
    ]
"#;

/// 1,000 tokens in and 100 out: 0.002 USD by the list before March, and 0.004 USD after.
fn event(id: &str, started_at: &str, provider: &str, cost_usd: Option<&str>) -> String {
    let attempt = json!({
        "model": "acme/one", "provider": provider, "http_status": 200, "input_tokens": 1_000, "output_tokens": 100,
        "cost_usd": cost_usd,
    });
    json!({"request_id": id, "started_at": started_at, "attempts": [attempt]}).to_string() + "\n"
}

#[test]
fn rows_without_a_logged_price_have_that_of_the_list_and_far_ones_are_counted_by_provider() {
    let folder = scratch();
    std::fs::write(folder.path().join("names.toml"), NAMES).expect("write the catalogue");
    let names = folder.path().join("names.toml");
    let config = Config::new(folder.path())
        .without_catalogue()
        .set("catalogue.file", names.to_str().expect("folders are text"))
        .set("ingest.flush_age", "200ms");
    let file = config.write();
    let args = ["serve", "--roles", "intake,ingest", "--config", &file];
    let mut running = Bellwether::new(folder.path(), &args).start();
    wait::until("the admin port", wait::START, || http::try_get(&config.url("admin", "/livez")));
    let body = [
        event("a", "2026-02-28T23:59:59.999999Z", "north", None),
        event("b", "2026-03-01T00:00:00Z", "north", None),
        event("c", "2026-03-01T00:00:00Z", "nobody", None),
        event("d", "2026-03-01T00:00:00Z", "north", Some("0.0048")),
        event("e", "2026-03-01T00:00:00Z", "north", Some("0.004801")),
        event("f", "2026-03-01T00:00:00Z", "nobody", Some("7")),
    ];
    let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(body.concat()));
    assert_eq!(answer.expect("post").status, 200);
    let far = r#"bellwether_ingest_price_mismatch_total{provider="north"}"#;
    metrics::reach(&config, &mut running, &[("bellwether_ingest_priced_by_list_total", 2.0), (far, 1.0)]);
    assert_eq!(running.interrupt().code(), 0);

    let checked = Bellwether::new(folder.path(), &["check", "--config", &file]).run().ok().stdout;
    let source = checked.split('`').find(|word| word.starts_with("catalogue:"));
    let source = source.unwrap_or_else(|| panic!("{checked}"));
    let found = store::rows(
        &config.warehouse(),
        "SELECT request_id, CAST(cost_usd AS VARCHAR) AS cost, price_source FROM attempts ORDER BY request_id",
    );
    let rows: Vec<_> = found
        .iter()
        .map(|row| (row["request_id"].as_str(), row["cost"].as_str(), row["price_source"].as_str()))
        .collect();
    let want = [
        ("a", Some("0.002000000"), Some(source)),
        ("b", Some("0.004000000"), Some(source)),
        ("c", None, None),
        ("d", Some("0.004800000"), Some("logged")),
        ("e", Some("0.004801000"), Some("logged")),
        ("f", Some("7.000000000"), Some("logged")),
    ];
    assert_eq!(rows, want.map(|(id, cost, source)| (Some(id), cost, source)));
}
