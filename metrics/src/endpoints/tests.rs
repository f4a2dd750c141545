use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use serde_json::{Value as Json, json};

use super::METRIC;
use crate::testing::{Row, date, publish, stand_in, terms};
use crate::{health_now, models, providers};

fn tried(on: &str, model: Option<&str>, provider: Option<&str>, endpoint: Option<&str>) -> Json {
    json!({
        "date": on, "model_id": model, "variant": "standard", "provider_id": provider, "endpoint_id": endpoint,
        "attempts": 3,
    })
}

async fn found(days: Vec<Json>, now: Vec<Json>) -> Vec<Row> {
    let terms = terms();
    let ctx = without_files(2);
    crate::register(&ctx, &terms).await.unwrap();
    stand_in(&ctx, TableId::HealthDaily, days);
    stand_in(&ctx, health_now::METRIC.id(), now);
    let model = |id: &str, author| json!({"key": id, "model": id, "author": author, "display_name": format!("N {id}")});
    stand_in(
        &ctx,
        models::METRIC.id(),
        vec![model("acme/one", Some("acme")), model("acme/two", Some("acme")), model("told-raw", None)],
    );
    let provider = |id: &str| json!({"key": id, "provider": id, "display_name": format!("P {id}")});
    stand_in(&ctx, providers::METRIC.id(), vec![provider("north"), provider("south")]);
    publish(&ctx, &METRIC, terms.today, terms.today).await
}

/// Key, endpoint, model, variant, author, provider, region, name, dates and flags.
fn line(row: &Row) -> String {
    let names = ["key", "endpoint", "model", "variant", "author", "provider", "region", "display_name"];
    let names = names.map(|name| row.text(name).to_owned()).join("|");
    let flags = [row.flag("has_attempts_24h"), row.flag("has_attempts_7d")];
    format!("{names} {} {} {flags:?}", row.date("first_seen"), row.date("last_seen"))
}

#[tokio::test]
async fn an_endpoint_is_told_with_its_days_where_model_and_provider_are_named() {
    let mut free = tried("2026-11-03", Some("acme/one"), Some("north"), Some("n1"));
    free["variant"] = json!("free");
    free["region"] = json!("eu");
    let mut unsaid = tried("2026-11-05", Some("acme/one"), Some("north"), Some("n1"));
    // A variant that no log names is the standard one.
    unsaid["variant"] = Json::Null;
    let days = vec![
        tried("2026-11-09", Some("acme/one"), Some("north"), Some("n1")),
        tried("2026-11-02", Some("acme/one"), Some("north"), Some("n1")),
        unsaid,
        free,
        tried("2026-11-24", Some("acme/two"), Some("south"), None),
        tried("2026-11-25", Some("told-raw"), Some("south"), Some("s9")),
        // Of a model, a provider, or both, that may not be named.
        tried("2026-11-25", Some("zq-secret"), Some("south"), Some("zq-1")),
        tried("2026-11-25", Some("acme/one"), Some("host:zq"), Some("zq-2")),
        tried("2026-11-25", Some("acme/one"), None, Some("zq-3")),
        tried("2026-11-25", None, Some("north"), Some("zq-4")),
    ];
    let now = |minutes: i64,
               model: &str,
               variant: &str,
               provider: &str,
               endpoint: Option<&str>,
               region: Option<&str>| {
        json!({
            "dimension": "endpoint", "window_minutes": minutes, "key": "as it may be", "model": model,
            "variant": variant, "provider": provider, "endpoint": endpoint, "region": region,
        })
    };
    let mut pair = now(1_440, "acme/one", "standard", "north", Some("n1"), None);
    pair["dimension"] = json!("model_provider");
    let rows = vec![
        pair,
        now(10_080, "acme/one", "free", "north", Some("n1"), Some("eu")),
        now(10_080, "acme/two", "standard", "south", None, None),
        now(1_440, "acme/two", "standard", "south", None, None),
        now(30, "acme/one", "standard", "north", Some("n1"), None),
    ];
    let mut found: Vec<String> = found(days, rows).await.iter().map(line).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "acme/two@south||acme/two|standard|acme|south||N acme/two at P south 2026-11-24 2026-11-24 [true, true]",
            "n1:free@eu|n1|acme/one|free|acme|north|eu|N acme/one (free) at P north, eu 2026-11-03 2026-11-03 \
             [false, true]",
            "n1|n1|acme/one|standard|acme|north||N acme/one at P north 2026-11-02 2026-11-09 [false, false]",
            "s9|s9|told-raw|standard||south||N told-raw at P south 2026-11-25 2026-11-25 [false, false]",
        ]
    );
}

#[tokio::test]
async fn an_endpoint_without_attempts_is_none() {
    let mut nothing = tried("2026-11-09", Some("acme/one"), Some("north"), Some("n1"));
    nothing["attempts"] = json!(0);
    assert!(found(vec![nothing], Vec::new()).await.is_empty());
    let one = found(vec![tried("2026-11-09", Some("acme/one"), Some("north"), Some("n1"))], Vec::new()).await;
    assert_eq!(one[0].date("first_seen"), date("2026-11-09"));
}
