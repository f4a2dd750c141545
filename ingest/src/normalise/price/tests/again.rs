//! Prices of rows whose names were looked up again.

use bellwether_warehouse::tables::attempts::AttemptRow;

use super::super::price_again;
use crate::catalogue::Catalogue;

const LIST: &str = r#"
    authors = [{ slug = "acme", name = "Acme" }]
    models = [{ id = "acme/one", name = "One" }, { id = "acme/two", name = "Two" }]
    providers = [{ id = "far", name = "Far" }]
    prices = [
        { model = "acme/one", provider = "far", input = "2", output = "10" },
        { model = "acme/two", provider = "far", input = "1", output = "4" },
    ]
"#;

fn row(model: &'static str, cost: Option<i128>, source: Option<&'static str>) -> AttemptRow<'static> {
    AttemptRow {
        model_id: Some(model),
        variant: Some("standard"),
        provider_id: Some("far"),
        outcome: "ok",
        operation: Some("chat"),
        input_tokens: Some(1_000),
        output_tokens: Some(100),
        cost_usd: cost,
        input_cost_usd: cost,
        output_cost_usd: cost.map(|_| 0),
        price_source: source,
        ..AttemptRow::default()
    }
}

#[test]
fn a_zero_of_a_variant_that_is_free_no_more_is_no_price() {
    let none = Catalogue::empty();
    let mut settled = row("acme/one", Some(0), Some("logged"));
    let free = AttemptRow { variant: Some("free"), ..settled.clone() };
    price_again(&mut settled, &none);
    assert_eq!((settled.cost_usd, settled.price_source), (None, None));
    let mut kept = free.clone();
    price_again(&mut kept, &none);
    assert_eq!(kept, free);
}

#[test]
fn what_the_list_said_of_a_former_name_gives_way_to_what_it_says_of_the_new_one() {
    let catalogue = Catalogue::from_toml(LIST).unwrap();
    // 1,000 x 1 and 100 x 4 USD per million.
    let by_list = (Some(1_400_000), Some(1_000_000), Some(400_000), Some(catalogue.price_source()));
    for (cost, source) in [(Some(3_000_000), Some("catalogue:0123456789abcdef")), (None, None)] {
        let mut settled = row("acme/two", cost, source);
        price_again(&mut settled, &catalogue);
        let found = (settled.cost_usd, settled.input_cost_usd, settled.output_cost_usd, settled.price_source);
        assert_eq!(found, by_list);
    }
    // A logged price stays, and what nobody lists has none.
    let logged = row("acme/two", Some(9), Some("logged"));
    let mut settled = logged.clone();
    price_again(&mut settled, &catalogue);
    assert_eq!(settled, logged);
    let mut settled = row("acme/three", Some(9), Some("catalogue:0123456789abcdef"));
    price_again(&mut settled, &catalogue);
    assert_eq!((settled.cost_usd, settled.price_source), (None, None));
}
