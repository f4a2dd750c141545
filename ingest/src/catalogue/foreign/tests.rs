use super::*;
use crate::catalogue::{Author, Model, ModelFacts, Tier};

const NAMES: &str = r#"
    authors = [{ slug = "acme", name = "Acme" }]
    providers = [{ id = "north", name = "North", names = ["north_ai"] }, { id = "openrouter", name = "OpenRouter" }]
    models = [{ id = "acme/one-1.5", name = "One" }]
"#;

fn catalogue() -> Catalogue {
    Catalogue::from_toml(NAMES).unwrap()
}

fn since() -> NaiveDate {
    "2026-11-30".parse().unwrap()
}

fn listed(text: &str) -> Listed {
    read(text, &catalogue(), since()).unwrap()
}

fn price(variant: &str, provider: &str, input: &str, output: &str) -> Price {
    Price {
        model: "acme/one-1.5".into(),
        variant: variant.into(),
        provider: Some(provider.into()),
        valid_from: Some(since()),
        input: Some(input.parse().unwrap()),
        output: Some(output.parse().unwrap()),
        ..Price::default()
    }
}

#[test]
fn litellms_map_tells_prices_of_listed_models_at_listed_providers() {
    // Per token there, per million here: 3e-7 is 0.3, exactly.
    let found = listed(
        r#"{ "sample_spec": { "litellm_provider": "north" },
             "north_ai/one-1-5-20260102": { "litellm_provider": "north_ai", "input_cost_per_token": 9, "output_cost_per_token": 9 },
             "north_ai/one-1-5": { "litellm_provider": "north_ai", "input_cost_per_token": 3e-07, "output_cost_per_token": "0.0000025",
                                   "cache_read_input_token_cost": -1, "mode": "chat" },
             "north_ai/free-of-all": { "litellm_provider": "north_ai", "input_cost_per_token": 1 },
             "west/one-1-5": { "litellm_provider": "west", "input_cost_per_token": 1 },
             "one-1.5": { "litellm_provider": "openrouter", "input_cost_per_token": 0, "output_cost_per_token": 0 } }"#,
    );
    assert_eq!(found.form, Form::LiteLlm);
    assert_eq!(found.entries, [Entry::Price(price("standard", "north", "0.3", "2.5"))]);
    assert_eq!(found.unlisted, ["north_ai/free-of-all", "west/one-1-5"]);
}

#[test]
fn models_devs_list_tells_prices_per_million() {
    let found = listed(
        r#"{ "north": { "id": "north", "models": {
               "one-1.5": { "id": "one-1.5", "cost": { "input": 0.25, "output": 2, "cache_read": 0.025 } },
               "two": { "id": "two", "cost": { "input": 1 } } } } }"#,
    );
    let cached = Some("0.025".parse().unwrap());
    assert_eq!(found.form, Form::ModelsDev);
    assert_eq!(
        found.entries,
        [Entry::Price(Price { cached_input: cached, ..price("standard", "north", "0.25", "2") })]
    );
    assert_eq!(found.unlisted, ["north/two"]);
}

#[test]
fn openrouters_names_are_ids_so_new_ones_are_models() {
    let found = listed(
        r#"{ "data": [
             { "id": "acme/one-1.5", "name": "Acme: One", "pricing": { "prompt": "0.00000025", "completion": "0.000002", "request": "0" } },
             { "id": "acme/one-1.5:free", "name": "Acme: One (free)", "pricing": { "prompt": "0", "completion": "0" } },
             { "id": "bolt/two:free", "name": "Bolt: Two (free)", "context_length": 8192, "pricing": { "prompt": "-1", "completion": "-1" },
               "architecture": { "input_modalities": ["text", "image"], "output_modalities": ["text"] },
               "top_provider": { "max_completion_tokens": 4096 }, "supported_parameters": ["tools", "seed"] },
             { "id": "~bolt/latest", "name": "Latest" } ] }"#,
    );
    let facts = ModelFacts {
        context_tokens: Some(8192),
        max_output_tokens: Some(4096),
        accepts_images: Some(true),
        accepts_audio: Some(false),
        accepts_video: Some(false),
        makes_images: Some(false),
        calls_tools: Some(true),
        structures_output: Some(false),
        reasons: Some(false),
        ..ModelFacts::default()
    };
    assert_eq!(found.form, Form::OpenRouter);
    assert_eq!(
        found.entries,
        [
            Entry::Author(Author { slug: "bolt".into(), name: "bolt".into(), names: vec![] }),
            Entry::Model(Model { id: "bolt/two".into(), name: "Two".into(), names: vec![], facts }),
            Entry::Price(price("free", "openrouter", "0", "0")),
            Entry::Price(price("standard", "openrouter", "0.25", "2")),
        ]
    );
    assert_eq!(found.unlisted, ["~bolt/latest"]);
}

#[test]
fn a_table_of_aliases_and_a_catalogue_file_are_what_they_say() {
    let found = listed(
        "source,raw_model,raw_provider,model_id\r\nlitellm,\"a, \"\"b\"\"\",north,acme/one-1.5\r\n\r\n,模型,,acme/one-1.5\r\n",
    );
    assert_eq!(found.form, Form::Aliases);
    let told: Vec<String> = found.entries.iter().map(Entry::told).collect();
    assert_eq!(
        told,
        [
            "source = \"litellm\", raw_model = 'a, \"b\"', raw_provider = \"north\", model_id = \"acme/one-1.5\"",
            "raw_model = \"模型\", model_id = \"acme/one-1.5\"",
        ]
    );
    let found = listed(NAMES);
    assert_eq!((found.form, found.entries.len()), (Form::Catalogue, 4));
}

#[test]
fn what_has_none_of_the_forms_is_refused_with_its_line() {
    let head = "source,raw_model,raw_provider,model_id\n";
    for (text, wanted) in [
        ("{}".to_owned(), "none of the forms"),
        ("[1, 2]".to_owned(), "none of the forms"),
        ("{ \"a\": { \"b\": 1 } }".to_owned(), "none of the forms"),
        ("{ \"a\": ".to_owned(), "no JSON"),
        ("model_list: []".to_owned(), "as TOML"),
        (format!("{head}litellm,x,,acme/one-1.5\nlitellm,x"), "line 3: has 2 cells"),
        (format!("{head}litellm,x,,acme/none"), "line 2: `model_id` is `acme/none`"),
        (format!("{head}litellm,,,acme/one-1.5"), "line 2: `raw_model` is empty"),
        (format!("{head}litellm,\"x,,acme/one-1.5"), "line 2: a quote"),
    ] {
        let error = read(&text, &catalogue(), since()).unwrap_err();
        assert!(error.to_string().contains(wanted), "{text}: {error}");
    }
}

#[test]
fn litellms_long_prompts_and_service_tiers_are_tiers_and_what_charges_apart_is_left_out() {
    let found = listed(
        r#"{ "one-1.5": { "litellm_provider": "north", "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06,
               "input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token_above_200k_tokens": 6e-06,
               "input_cost_per_token_flex": 5e-07, "cache_read_input_token_cost_priority": 1e-07,
               "cache_creation_input_token_cost_above_1hr": 1, "search_context_cost_per_query": { "search_context_size_low": 0.01 } },
             "north/one-1-5-online": { "litellm_provider": "north", "input_cost_per_token": 1 },
             "north_ai/one-1-5": { "litellm_provider": "north", "input_cost_per_token": 1, "input_cost_per_request": 0.005 } }"#,
    );
    let usd = |text: &str| Some(text.parse().unwrap());
    let tiers = vec![
        Tier { above_input_tokens: Some(200_000), input: usd("2"), output: usd("6"), ..Tier::default() },
        Tier { service_tier: Some("flex".into()), input: usd("0.5"), output: usd("4"), ..Tier::default() },
    ];
    assert_eq!(found.entries, [Entry::Price(Price { tiers, ..price("standard", "north", "1", "4") })]);
    assert_eq!(found.charged_apart, ["north_ai/one-1-5"]);
}
