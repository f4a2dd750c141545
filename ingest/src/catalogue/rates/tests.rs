use chrono::DateTime;

use super::super::Catalogue;
use super::*;

const USD: i128 = 1_000_000_000;

fn catalogue(prices: &str) -> Catalogue {
    let names = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [{ id = "north", name = "North" }, { id = "south", name = "South" }]
        models = [
            { id = "acme/one", name = "One" }, { id = "acme/two", name = "Two" }, { id = "acme/vast", name = "Vast" },
            { id = "acme/fine", name = "Fine" },
        ]
    "#;
    Catalogue::from_toml(&format!("{names}\nprices = [{prices}]")).unwrap()
}

fn listed() -> Catalogue {
    catalogue(
        r#"
        { model = "acme/one", provider = "north", valid_from = "2026-01-01", valid_to = "2026-01-31", input = "0.25",
          cached_input = "0.025", cache_write = "0.3125", output = "2" },
        { model = "acme/one", provider = "north", valid_from = "2026-02-01", input = "0.5", output = "4", tiers = [
            { above_input_tokens = 200_000, input = "1", cached_input = "0.1", output = "6" },
            { above_input_tokens = 500_000, input = "2" },
            { service_tier = "batch", input = "0.25", output = "2" },
            { service_tier = "flex", input = "0.3", output = "3" },
            { service_tier = "flex", above_input_tokens = 200_000, input = "0.75", output = "3.5" },
        ] },
        { model = "acme/one", provider = "south", valid_from = "2026-01-10", valid_to = "2026-01-20", input = "1", output = "1" },
        { model = "acme/one", provider = "south", valid_from = "2026-02-01", input = "7", output = "7" },
        { model = "acme/two", input = "3", output = "15", request = "0.001" },
        { model = "acme/two", provider = "north", valid_from = "2026-03-01", input = "2", output = "10" },
        { model = "acme/two", variant = "free", provider = "north", input = "0", output = "0" },
        { model = "acme/two", variant = "batch", provider = "north", input = "1", output = "5" },
        { model = "acme/vast", input = "150", output = "600" },
        { model = "acme/vast", provider = "north", input = "150", output = "850.000001" },
        { model = "acme/fine", input = "0.0375", output = "0.0375" },
        { model = "acme/fine", provider = "south", input = "0.0374" },
        "#,
    )
}

fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

/// A call of this day with so many tokens.
fn call(day: &str, input: i64, output: i64) -> Call<'static> {
    Call {
        started_at_us: at(&format!("{day}T12:00:00Z")),
        input_tokens: Some(input),
        output_tokens: Some(output),
        ..Call::default()
    }
}

/// Input, output and total of a call of `author/model:variant@provider`.
fn cost(catalogue: &Catalogue, of: &str, call: Call<'_>) -> Option<(i128, i128, i128)> {
    let (model, provider) = of.split_once('@').unwrap();
    let (model, variant) = model.split_once(':').unwrap_or((model, STANDARD));
    let cost = catalogue.cost(&catalogue.offer(model, variant, provider), &call)?;
    Some((cost.input, cost.output, cost.total))
}

#[test]
fn tokens_that_were_cached_and_written_cost_what_the_cache_does() {
    let listed = listed();
    let cached = Call {
        cached_input_tokens: Some(600),
        cache_write_tokens: Some(100),
        ..call("2026-01-15", 1_000, 50)
    };
    // 300 × 0.25 + 600 × 0.025 + 100 × 0.3125 = 121.25 and 50 × 2 = 100, in 10⁻⁶ USD.
    assert_eq!(cost(&listed, "acme/one@north", cached), Some((121_250, 100_000, 221_250)));
    // From February on the list does not tell what the cache costs, which has a price in January.
    let later = Call { started_at_us: at("2026-02-15T00:00:00Z"), ..cached };
    assert_eq!(cost(&listed, "acme/one@north", later), None);
    // Cached tokens of a model whose cache has a price nowhere are like others, 1,000 × 2 and 50 × 10; written ones are not.
    let read =
        Call { cached_input_tokens: Some(600), cache_write_tokens: Some(0), ..call("2026-03-15", 1_000, 50) };
    assert_eq!(cost(&listed, "acme/two@north", read), Some((2_000_000, 500_000, 2_500_000)));
    let written = Call { cache_write_tokens: Some(1), ..read };
    assert_eq!(cost(&listed, "acme/two@north", written), None);
    assert_eq!(cost(&listed, "acme/two:free@north", written), Some((0, 0, 0)));
    let unsaid = catalogue(r#"{ model = "acme/one", input = "2", cache_write = "0", output = "10" }"#);
    assert_eq!(cost(&unsaid, "acme/one@north", written), None);
    assert_eq!(cost(&unsaid, "acme/one@north", read), Some((2_000_000, 500_000, 2_500_000)));
    assert_eq!(cost(&listed, "acme/one@north", Call { cached_input_tokens: Some(901), ..cached }), None);
}

#[test]
fn the_price_of_the_day_holds_and_none_where_the_list_has_a_gap() {
    let listed = listed();
    let of = |place: &str, instant: &str| {
        // Not more than where long prompts cost more at another place.
        let tokens = if place == "acme/one@south" { 100_000 } else { 1_000_000 };
        let call = Call { started_at_us: at(instant), ..call("2026-01-01", tokens, 0) };
        cost(&listed, place, call).map(|(_, _, total)| total)
    };
    assert_eq!(of("acme/one@north", "2025-12-31T23:59:59.999999Z"), None);
    assert_eq!(of("acme/one@north", "2026-01-01T00:00:00Z"), Some(USD / 4));
    assert_eq!(of("acme/one@north", "2026-01-31T23:59:59.999999Z"), Some(USD / 4));
    assert_eq!(of("acme/one@north", "2026-02-01T00:00:00Z"), Some(2 * USD), "above 500,000 tokens");
    assert_eq!(of("acme/one@south", "2026-01-09T23:59:59.999999Z"), None);
    assert_eq!(of("acme/one@south", "2026-01-20T23:59:59.999999Z"), Some(USD / 10));
    assert_eq!(of("acme/one@south", "2026-01-21T00:00:00Z"), None);
    assert_eq!(of("acme/one@south", "2026-02-01T00:00:00Z"), Some(7 * USD / 10));
    // What holds anywhere holds until the provider has a price of its own: 3 + 0.001, then 2.
    assert_eq!(of("acme/two@north", "2026-02-28T23:59:59Z"), Some(3_001_000_000));
    assert_eq!(of("acme/two@north", "2026-03-01T00:00:00Z"), Some(2 * USD));
    assert_eq!(of("acme/two@south", "2026-03-01T00:00:00Z"), Some(3_001_000_000));
    // Neither is in the lists.
    assert_eq!(of("acme/two@west", "2026-03-01T00:00:00Z"), None);
    assert_eq!(of("acme/three@north", "2026-03-01T00:00:00Z"), None);
}

#[test]
fn long_prompts_pay_what_their_length_does() {
    let listed = listed();
    let of = |input, output| cost(&listed, "acme/one@north", call("2026-02-01", input, output));
    // 200,000 × 0.5 and 10 × 4; one token more is 200,001 × 1 and 10 × 6.
    assert_eq!(of(200_000, 10), Some((100_000_000, 40_000, 100_040_000)));
    assert_eq!(of(200_001, 10), Some((200_001_000, 60_000, 200_061_000)));
    let cached = Call { cached_input_tokens: Some(200_000), ..call("2026-02-01", 200_001, 0) };
    // 1 × 1 and 200,000 × 0.1.
    assert_eq!(cost(&listed, "acme/one@north", cached), Some((20_001_000, 0, 20_001_000)));
    // What a tier leaves out is the price's own: 500,001 × 2 and 10 × 4.
    assert_eq!(of(500_000, 10), Some((500_000_000, 60_000, 500_060_000)));
    assert_eq!(of(500_001, 10), Some((1_000_002_000, 40_000, 1_000_042_000)));
}

/// North tells that a prompt above 100,000 tokens costs more, so what South asks for one is not told.
#[test]
fn a_price_without_length_holds_up_to_where_long_prompts_cost_more_elsewhere() {
    let listed = catalogue(
        r#"
        { model = "acme/one", provider = "north", input = "1", output = "1", tiers = [
            { above_input_tokens = 300_000, input = "3" }, { above_input_tokens = 100_000, input = "2" },
            { service_tier = "flex", above_input_tokens = 50_000, input = "0.5" } ] },
        { model = "acme/one", provider = "south", input = "4", output = "4", tiers = [
            { service_tier = "flex", input = "2" }, { service_tier = "batch", above_input_tokens = 100_000, input = "3" } ] },
        { model = "acme/one", variant = "free", provider = "south", input = "0", output = "0" },
        { model = "acme/two", provider = "south", input = "5", output = "5" },
        "#,
    );
    let of = |place: &str, service_tier: Option<&'static str>, input| {
        let call = Call { service_tier, ..call("2026-02-01", input, 0) };
        cost(&listed, place, call).map(|(_, _, total)| total)
    };
    // 100,000 × 4, 100,001 × 2 and so on, in 10⁻⁶ USD.
    assert_eq!(of("acme/one@south", None, 100_000), Some(400_000_000));
    assert_eq!(of("acme/one@south", None, 100_001), None);
    assert_eq!(of("acme/one@north", None, 100_001), Some(200_002_000));
    assert_eq!(of("acme/one@south", Some("flex"), 100_000), Some(200_000_000));
    assert_eq!(of("acme/one@south", Some("flex"), 100_001), None);
    assert_eq!(of("acme/one@south", Some("batch"), 100_001), Some(300_003_000));
    assert_eq!(of("acme/one:free@south", None, 100_001), Some(0));
    assert_eq!(of("acme/two@south", None, 100_001), Some(500_005_000));
}

#[test]
fn a_service_tier_pays_its_own_price_and_none_that_is_not_listed() {
    let listed = listed();
    let of = |tier: &'static str, input| {
        let call = Call { service_tier: Some(tier), ..call("2026-02-01", input, 100_000) };
        cost(&listed, "acme/one@north", call).map(|(_, _, total)| total)
    };
    // 0.1 × 0.5 + 0.1 × 4, and the like.
    for standard in ["", "default", "Standard", "on_demand", "standard_only"] {
        assert_eq!(of(standard, 100_000), Some(450_000_000), "{standard}");
    }
    assert_eq!(of("batch", 100_000), Some(225_000_000));
    assert_eq!(of("Flex", 100_000), Some(330_000_000));
    // 0.4 × 0.75 + 0.1 × 3.5. A long batch is told nowhere, and neither is what priority costs.
    assert_eq!(of("flex", 400_000), Some(650_000_000));
    for unknown in [("batch", 400_000), ("priority", 100), ("auto", 100)] {
        assert_eq!(of(unknown.0, unknown.1), None, "{unknown:?}");
    }
    // A variant of that name is the tier, unless it has prices of its own: 0.1 × 1 + 0.1 × 5.
    let batch = |place: &str| cost(&listed, place, call("2026-02-01", 100_000, 100_000)).map(|cost| cost.2);
    assert_eq!(batch("acme/one:batch@north"), Some(225_000_000));
    assert_eq!(batch("acme/two:batch@north"), Some(600_000_000));
    assert_eq!(batch("acme/one:batch@south"), None);
    assert_eq!(batch("acme/one:thinking@north"), None);
}

#[test]
fn what_costs_nothing_costs_nothing_and_what_is_not_told_is_unknown() {
    let listed = listed();
    let of = |place: &str, input_tokens, output_tokens| {
        let call = Call { input_tokens, output_tokens, ..call("2026-03-02", 0, 0) };
        cost(&listed, place, call)
    };
    assert_eq!(of("acme/two:free@north", Some(9), Some(9)), Some((0, 0, 0)));
    assert_eq!(of("acme/two:free@north", None, None), Some((0, 0, 0)));
    // A free variant costs nothing where the list says so, and nowhere else.
    assert_eq!(of("acme/two:free@south", Some(9), Some(9)), None);
    assert_eq!(of("acme/two@north", None, Some(9)), None);
    assert_eq!(of("acme/two@north", Some(9), None), None);
    assert_eq!(of("acme/two@north", Some(9), Some(0)), Some((18_000, 0, 18_000)));
    // The answer has no price there, and where there is none that matters not.
    assert_eq!(of("acme/fine@south", Some(1_000), Some(1)), None);
    assert_eq!(of("acme/fine@south", Some(1_000), Some(0)), Some((37_400, 0, 37_400)));
}

#[test]
fn amounts_are_rounded_half_up_once() {
    let listed = listed();
    // 37.5 + 37.5 is 75, whatever its halves are told as; 37.4 is 37.
    let one = call("2026-01-01", 1, 1);
    assert_eq!(cost(&listed, "acme/fine@north", one), Some((38, 38, 75)));
    assert_eq!(cost(&listed, "acme/fine@south", call("2026-01-01", 1, 0)), Some((37, 0, 37)));
}

#[test]
fn a_call_of_a_thousand_million_tokens_is_exact_and_one_beyond_any_bound_unknown() {
    let listed = listed();
    let vast = call("2026-01-01", 1_000_000_000, 1_000_000_000);
    let usd = |amount: i128| amount * USD;
    assert_eq!(cost(&listed, "acme/vast@south", vast), Some((usd(150_000), usd(600_000), usd(750_000))));
    // 150,000 + 850,000.001 USD.
    assert_eq!(cost(&listed, "acme/vast@north", vast), None);
    // As dear as a list may say, and as long as a number of tokens can be.
    let dear = catalogue(r#"{ model = "acme/one", input = "10000", output = "10000" }"#);
    assert_eq!(cost(&dear, "acme/one@north", call("2026-01-01", i64::MAX, i64::MAX)), None);
}

#[test]
fn the_source_tells_lists_of_other_prices_apart_and_not_their_order() {
    let one = r#"{ model = "acme/one", input = "1" }"#;
    let two = r#"{ model = "acme/two", output = "2", tiers = [{ service_tier = "flex", output = "1" }] }"#;
    let source = |prices: &[&str]| catalogue(&prices.join(", ")).price_source().to_owned();
    let both = source(&[one, two]);
    let hex = both.strip_prefix("catalogue:").unwrap();
    assert!(hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{both}");
    assert_eq!(source(&[two, one]), both);
    let others = [
        source(&[one]),
        source(&[one, &two.replace("\"1\"", "\"1.000000001\"")]),
        source(&[one, &two.replace("flex", "batch")]),
        source(&[&one.replace("input", "output"), two]),
        source(&[&one.replace("input", "valid_from = \"2026-01-01\", input"), two]),
    ];
    for (at, other) in others.iter().enumerate() {
        assert!(*other != both && !others[..at].contains(other), "{at}: {other}");
    }
}
