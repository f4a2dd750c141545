mod again;

use super::super::normalise;
use super::*;
use crate::event::{Attempt, Event};
use crate::testing::lineage;

/// 2026-02-01T00:00:00Z.
const FEBRUARY: i64 = 1_769_904_000_000_000;

fn catalogue() -> Catalogue {
    Catalogue::from_toml(
        r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [{ id = "north", name = "North" }, { id = "south", name = "South" }]
        models = [{ id = "acme/one", name = "One" }, { id = "acme/open", name = "Open" }]
        aliases = [{ raw_provider = "elsewhere", provider_id = "west" }]
        prices = [
            { model = "acme/one", provider = "north", valid_to = "2026-01-31", input = "1", cached_input = "0.1", output = "5" },
            { model = "acme/one", provider = "north", valid_from = "2026-02-01", input = "2", cached_input = "0.1", output = "10",
              tiers = [{ service_tier = "flex", input = "1", output = "5" }] },
            { model = "acme/one", variant = "free", provider = "north", input = "0", output = "0" },
            { model = "acme/open", input = "0", output = "0" },
        ]
        "#,
    )
    .unwrap()
}

/// 1,000 tokens in, 100 of them cached, and 10 out: 900 × 2 + 100 × 0.1 = 1,810 and 10 × 10 = 100, in 10⁻⁶ USD.
fn attempt() -> Attempt<'static> {
    Attempt {
        model: Some("acme/one".into()),
        provider: Some("north".into()),
        http_status: Some(200),
        input_tokens: Some(1_000),
        cached_input_tokens: Some(100),
        output_tokens: Some(10),
        ..Attempt::default()
    }
}

const LISTED: Option<(i128, i128, i128)> = Some((1_810_000, 100_000, 1_910_000));

/// Input, output and total as the row has them, with where they are from.
#[derive(Debug, PartialEq)]
struct Found {
    costs: Option<(i128, i128, i128)>,
    source: Option<String>,
    priced: Priced,
}

fn found_of(event: &Event<'_>) -> Found {
    let catalogue = catalogue();
    let mut found = Vec::new();
    normalise(event, &catalogue, &lineage(FEBRUARY), &mut |row, priced| {
        let costs = row.input_cost_usd.zip(row.output_cost_usd).zip(row.cost_usd);
        let costs = costs.map(|((input, output), total)| (input, output, total));
        assert_eq!(row.price_source.is_some(), row.cost_usd.is_some());
        let source = row.price_source.map(|source| source.replace(catalogue.price_source(), "the list"));
        found.push(Found { costs, source, priced });
    })
    .unwrap();
    found.remove(0)
}

fn found(attempt: Attempt<'_>) -> Found {
    let attempts = vec![attempt];
    found_of(&Event { request_id: "r".into(), started_at_us: FEBRUARY, attempts, ..Event::default() })
}

/// None: the row has no price.
fn by_list(attempt: Attempt<'_>) -> Option<(i128, i128, i128)> {
    told(found(attempt))
}

fn told(found: Found) -> Option<(i128, i128, i128)> {
    let is_priced = found.costs.is_some();
    assert_eq!(found.priced, if is_priced { Priced::ByList } else { Priced::Unknown });
    assert_eq!(found.source.as_deref(), is_priced.then_some("the list"));
    found.costs
}

#[test]
fn an_attempt_without_a_price_is_priced_by_the_list_of_its_day() {
    assert_eq!(by_list(attempt()), LISTED);
    // A zero that no price stands behind is none.
    assert_eq!(by_list(Attempt { cost_usd: Some(0), output_cost_usd: Some(0), ..attempt() }), LISTED);
    // A microsecond before midnight: 900 × 1 + 100 × 0.1 and 10 × 5.
    let before = Attempt { started_at_us: Some(FEBRUARY - 1), ..attempt() };
    assert_eq!(by_list(before), Some((910_000, 50_000, 960_000)));
    // 900 × 1 + 100 × 0.1 and 10 × 5.
    let flex = Attempt { service_tier: Some("flex".into()), ..attempt() };
    assert_eq!(by_list(flex), Some((910_000, 50_000, 960_000)));
    assert_eq!(by_list(Attempt { service_tier: Some("priority".into()), ..attempt() }), None);
    // What the source counts apart is added to the input: 10 + 100 tokens.
    let apart = Attempt { input_tokens: Some(10), ..attempt() };
    assert_eq!(by_list(apart), Some((30_000, 100_000, 130_000)));
}

#[test]
fn a_name_that_is_not_mapped_has_no_price() {
    assert_eq!(by_list(Attempt { provider: Some("nobody".into()), ..attempt() }), None);
    assert_eq!(by_list(Attempt { provider: None, ..attempt() }), None);
    assert_eq!(by_list(Attempt { provider: Some("south".into()), ..attempt() }), None);
    assert_eq!(by_list(Attempt { model: Some("acme/other".into()), ..attempt() }), None);
    // What is priced anywhere is so at providers of the list alone.
    let open = Attempt { model: Some("acme/open".into()), ..attempt() };
    assert_eq!(by_list(Attempt { provider: Some("south".into()), ..open.clone() }), Some((0, 0, 0)));
    assert_eq!(by_list(Attempt { provider: Some("elsewhere".into()), ..open.clone() }), None);
    assert_eq!(by_list(Attempt { provider: Some("nobody".into()), ..open }), None);
}

#[test]
fn a_name_that_says_another_offer_is_not_priced_as_the_plain_one() {
    let of = |model: &'static str| by_list(Attempt { model: Some(model.into()), ..attempt() });
    assert_eq!(of("acme/one-fp8"), LISTED);
    for model in
        ["acme/one:priority", "acme/one-high-throughput", "acme/one-tee", "stealth/acme/one", "tee/acme/one"]
    {
        assert_eq!(of(model), None, "{model}");
    }
    assert!(
        crate::catalogue::Catalogue::empty().offer_of(Some("one-turbo"), "acme/one", "standard", "north")
            == Offer::default()
    );
}

#[test]
fn a_model_that_is_free_by_the_list_costs_nothing_and_a_name_alone_makes_none_free() {
    let free = |provider: &'static str| Attempt {
        model: Some("acme/one:free".into()),
        provider: Some(provider.into()),
        ..attempt()
    };
    assert_eq!(by_list(free("north")), Some((0, 0, 0)));
    assert_eq!(by_list(free("south")), None);
    // There the log says what the list does not.
    let logged = found(Attempt { cost_usd: Some(0), ..free("south") });
    assert_eq!((logged.source.as_deref(), logged.priced), (Some("logged"), Priced::Logged));
    let open = Attempt { model: Some("acme/open".into()), cost_usd: Some(0), ..attempt() };
    assert_eq!(by_list(open), Some((0, 0, 0)));
}

#[test]
fn failed_attempts_are_priced_only_where_the_record_says_that_they_were_charged() {
    let failed = |status| Attempt { http_status: Some(status), ..attempt() };
    for status in [400, 401, 429, 500, 503] {
        assert_eq!(by_list(failed(status)), None, "{status}");
        assert_eq!(by_list(Attempt { billed_output_tokens: Some(0), ..failed(status) }), None, "{status}");
        // 900 × 2 + 100 × 0.1 and 7 × 10.
        let billed = Attempt { billed_output_tokens: Some(7), ..failed(status) };
        assert_eq!(by_list(billed), Some((1_810_000, 70_000, 1_880_000)), "{status}");
        let logged = found(Attempt { cost_usd: Some(0), ..failed(status) });
        assert_eq!((logged.source.as_deref(), logged.priced), (Some("logged"), Priced::Logged), "{status}");
    }
    // A cancelled call pays what it had got, or what the provider charges nevertheless.
    assert_eq!(by_list(failed(499)), LISTED);
    let billed = Attempt { billed_output_tokens: Some(60), ..failed(499) };
    assert_eq!(by_list(billed), Some((1_810_000, 600_000, 2_410_000)));
    // The gateway's own failures are no provider's.
    assert_eq!(by_list(Attempt { error_class: Some("budget".into()), ..attempt() }), None);
}

#[test]
fn what_tokens_of_text_do_not_tell_is_unknown() {
    assert_eq!(by_list(Attempt { is_byok: Some(true), ..attempt() }), None);
    assert_eq!(by_list(Attempt { is_byok: Some(false), ..attempt() }), LISTED);
    assert_eq!(by_list(Attempt { web_searches: Some(1), ..attempt() }), None);
    assert_eq!(by_list(Attempt { output_images: Some(1), ..attempt() }), None);
    assert_eq!(by_list(Attempt { web_searches: Some(0), output_images: Some(0), ..attempt() }), LISTED);
    assert_eq!(by_list(Attempt { input_tokens: None, ..attempt() }), None);
    assert_eq!(by_list(Attempt { output_tokens: None, ..attempt() }), None);
    let of = |operation: Option<&'static str>, attempt| Event {
        request_id: "r".into(),
        started_at_us: FEBRUARY,
        operation: operation.map(Into::into),
        attempts: vec![attempt],
        ..Event::default()
    };
    for (operation, want) in [
        (None, LISTED),
        (Some("chat"), LISTED),
        (Some("atext_completion"), LISTED),
        (Some("embeddings"), LISTED),
        (Some("image"), None),
        (Some("speech"), None),
        (Some("rerank"), None),
        (Some("moderation"), None),
        (Some("unheard_of"), None),
    ] {
        assert_eq!(told(found_of(&of(operation, attempt()))), want, "{operation:?}");
    }
    let vector = of(Some("aembedding"), Attempt { output_tokens: None, ..attempt() });
    assert_eq!(told(found_of(&vector)), Some((1_810_000, 0, 1_810_000)));
    for (audio, video) in [(1, 0), (0, 1)] {
        let event = Event { input_audio: Some(audio), input_video: Some(video), ..of(None, attempt()) };
        assert_eq!(told(found_of(&event)), None);
    }
    let seen = Event { input_images: Some(3), ..of(None, attempt()) };
    assert_eq!(told(found_of(&seen)), LISTED);
}

#[test]
fn a_logged_price_wins_and_so_does_what_a_log_tells_of_one() {
    let logged = found(Attempt { cost_usd: Some(1_900_000), ..attempt() });
    assert_eq!(logged, Found { costs: None, source: Some("logged".into()), priced: Priced::Logged });
    let parts = Attempt { cost_usd: Some(3), input_cost_usd: Some(1), output_cost_usd: Some(2), ..attempt() };
    assert_eq!(found(parts).costs, Some((1, 2, 3)));
    // One part alone: of the other nothing is known, and the list would contradict the log.
    let part = found(Attempt { input_cost_usd: Some(1), ..attempt() });
    assert_eq!((part.source, part.priced), (None, Priced::Unknown));
    // A hit of the gateway's cache costs nothing, whatever the list says.
    let hit = found(Attempt { gateway_cache_hit: true, ..attempt() });
    assert_eq!(hit, Found { costs: Some((0, 0, 0)), source: Some("logged".into()), priced: Priced::Logged });
}

#[test]
fn a_logged_price_more_than_a_fifth_away_from_the_list_is_told() {
    // 1,910,000 by the list: a fifth of it is 382,000, and a thousandth 1,910.
    for (cost, priced) in [
        (1_910_000, Priced::Logged),
        (1_910_000 + 380_090, Priced::Logged),
        (1_910_000 + 382_000, Priced::Logged),
        (1_910_000 + 383_910, Priced::FarFromList),
        (1_910_000 - 380_090, Priced::Logged),
        (1_910_000 - 382_000, Priced::Logged),
        (1_910_000 - 383_910, Priced::FarFromList),
        (1_000_000_000_000_000, Priced::FarFromList),
    ] {
        let logged = found(Attempt { cost_usd: Some(cost), ..attempt() });
        assert_eq!((logged.source.as_deref(), logged.priced), (Some("logged"), priced), "{cost}");
    }
    let open = Attempt { model: Some("acme/open".into()), cost_usd: Some(1), ..attempt() };
    assert_eq!(found(open).priced, Priced::FarFromList);
    // Nothing to compare it with: no price of the list, a failed call, a key of the caller's own.
    for attempt in [
        Attempt { provider: Some("south".into()), ..attempt() },
        Attempt { http_status: Some(500), ..attempt() },
        Attempt { is_byok: Some(true), ..attempt() },
    ] {
        assert_eq!(found(Attempt { cost_usd: Some(1), ..attempt }).priced, Priced::Logged);
    }
}
