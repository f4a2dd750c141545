use bellwether_warehouse::session::without_files;
use serde_json::json;

use super::METRIC;
use crate::testing::{Row, date, publish, stand_in, terms};
use crate::{Price, Terms, models, providers};

/// 10⁻⁹ USD in a USD.
const USD: i128 = 1_000_000_000;

async fn found(prices: Vec<Price>) -> Vec<Row> {
    let mut terms: Terms = terms();
    terms.catalogue.facts.prices = prices;
    let ctx = without_files(2);
    crate::register(&ctx, &terms).await.unwrap();
    let row = json!({"key": "acme/one", "model": "acme/one", "author": "acme", "display_name": "One"});
    stand_in(&ctx, models::METRIC.id(), vec![row]);
    let row = json!({"key": "north", "provider": "north", "display_name": "North"});
    stand_in(&ctx, providers::METRIC.id(), vec![row]);
    publish(&ctx, &METRIC, terms.today, terms.today).await
}

fn price(variant: &str, provider: Option<&str>, from: Option<&str>, to: Option<&str>) -> Price {
    Price {
        model: "acme/one".into(),
        variant: variant.into(),
        provider: provider.map(str::to_owned),
        valid_from: from.map(date),
        valid_to: to.map(date),
        input: Some(USD / 4),
        output: Some(2 * USD),
        ..Price::default()
    }
}

#[tokio::test]
async fn a_catalogue_without_prices_publishes_none() {
    assert!(found(Vec::new()).await.is_empty());
}

#[tokio::test]
async fn prices_are_those_of_the_list_with_the_days_on_which_they_hold() {
    let mut free = price("free", None, Some("2026-11-25"), None);
    (free.input, free.output) = (Some(0), None);
    let prices = vec![
        price("standard", Some("north"), None, Some("2026-11-24")),
        price("standard", Some("north"), Some("2026-11-25"), Some("2026-11-25")),
        price("standard", Some("north"), Some("2026-11-26"), None),
        free,
    ];
    let rows = found(prices).await;
    let lines: Vec<_> = rows
        .iter()
        .map(|row| (row.text("key"), row.text("display_name"), row.text("provider"), row.flag("is_current")))
        .collect();
    assert_eq!(
        lines,
        [
            ("acme/one:free", "One (free)", "", true),
            ("acme/one@north", "One at North", "north", true),
            ("acme/one@north", "One at North", "north", false),
            ("acme/one@north", "One at North", "north", false),
        ]
    );
    let amounts =
        |row: &Row| ["input_price", "output_price", "request_price"].map(|column| row.whole(column));
    assert_eq!(amounts(&rows[0]), [Some(0), None, None]);
    assert_eq!(amounts(&rows[1]), [Some(USD / 4), Some(2 * USD), None]);
    assert_eq!(rows[1].date("valid_to"), date("2026-11-25"));
}

#[tokio::test]
async fn each_amount_has_a_column_of_its_own_and_its_source_is_told() {
    let listed = Price {
        input: Some(USD),
        cached_input: Some(2 * USD),
        cache_write: Some(3 * USD),
        output: Some(4 * USD),
        request: Some(5 * USD),
        ..price("standard", None, None, None)
    };
    let rows = found(vec![listed, price("free", None, None, None)]).await;
    let columns = ["input_price", "cached_input_price", "cache_write_price", "output_price", "request_price"];
    let amounts = |at: usize| columns.map(|column| rows[at].whole(column));
    assert_eq!(amounts(0), [1, 2, 3, 4, 5].map(|amount| Some(amount * USD)));
    // What the list does not say is not known, and not nothing.
    assert_eq!(amounts(1), [Some(USD / 4), None, None, Some(2 * USD), None]);
    assert!(rows.iter().all(|row| row.text("price_source") == "catalogue"));
}

#[tokio::test]
async fn a_price_of_a_name_that_is_not_told_is_not_told() {
    let mut other = price("standard", Some("north"), None, None);
    other.model = "zq/other".into();
    assert!(found(vec![other, price("standard", Some("host:zq"), None, None)]).await.is_empty());
}
