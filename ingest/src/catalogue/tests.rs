mod frame;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::*;

/// Read once for all tests that only ask it.
fn starter() -> &'static Catalogue {
    static STARTER: LazyLock<Catalogue> = LazyLock::new(Catalogue::starter);
    &STARTER
}

fn model(source: &str, raw_model: &str, raw_provider: &str) -> (String, String, Option<String>) {
    let resolved = starter().resolve(source, Some(raw_model), Some(raw_provider), None);
    (resolved.model_id.clone().unwrap(), resolved.variant.clone(), resolved.author.clone())
}

#[test]
fn spellings_of_clouds_and_gateways_lead_to_one_model() {
    for (source, raw_model, raw_provider, want) in [
        ("litellm", "openai/gpt-4o-mini", "openai", "openai/gpt-4o-mini"),
        ("native", "gpt-4o-mini", "openai", "openai/gpt-4o-mini"),
        ("native", "openai/gpt-4o-mini", "openai", "openai/gpt-4o-mini"),
        ("litellm", "azure/gpt-4o-mini-2024-07-18", "azure", "openai/gpt-4o-mini"),
        ("litellm", "azure/eu/gpt-4o-mini-2024-07-18", "azure", "openai/gpt-4o-mini"),
        ("litellm", "azure/gpt-35-turbo", "azure", "openai/gpt-3.5-turbo"),
        ("litellm", "openai/responses/gpt-5", "openai", "openai/gpt-5"),
        (
            "litellm",
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "anthropic/claude-sonnet-4.5",
        ),
        (
            "litellm",
            "arn:aws:bedrock:us-east-1:*:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "anthropic/claude-sonnet-4.5",
        ),
        (
            "litellm",
            "bedrock/us-west-2/1-month-commitment/anthropic.claude-v2:1",
            "bedrock",
            "anthropic/claude-2.1",
        ),
        ("litellm", "amazon.titan-embed-text-v1", "bedrock", "amazon/titan-embed-text-v1"),
        ("litellm", "amazon.titan-embed-text-v2:0", "bedrock", "amazon/titan-embed-text-v2"),
        ("litellm", "us.deepseek.r1-v1:0", "bedrock", "deepseek/deepseek-r1"),
        ("litellm", "anthropic/claude-sonnet-4-5-20250929", "anthropic", "anthropic/claude-sonnet-4.5"),
        ("litellm", "vertex_ai/claude-sonnet-4-5@20250929", "vertex_ai", "anthropic/claude-sonnet-4.5"),
        ("litellm", "vertex_ai/gemini-2.5-flash", "vertex_ai", "google/gemini-2.5-flash"),
        ("otlp", "models/gemini-2.5-pro", "google", "google/gemini-2.5-pro"),
        (
            "litellm",
            "publishers/meta/models/llama-3.1-405b-instruct-maas",
            "vertex_ai",
            "meta-llama/llama-3.1-405b-instruct",
        ),
        ("litellm", "groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
        ("litellm", "groq/llama-3.3-70b-versatile", "groq", "meta-llama/llama-3.3-70b-instruct"),
        (
            "litellm",
            "fireworks_ai/accounts/fireworks/models/deepseek-v3p1",
            "fireworks_ai",
            "deepseek/deepseek-v3.1",
        ),
        (
            "litellm",
            "cloudflare/@cf/meta/llama-3.1-8b-instruct-awq",
            "cloudflare",
            "meta-llama/llama-3.1-8b-instruct",
        ),
        ("litellm", "deepinfra/zai-org/GLM-4.6", "deepinfra", "z-ai/glm-4.6"),
        ("litellm", "mistral/mistral-large-2411", "mistral", "mistralai/mistral-large-2411"),
        ("litellm", "bedrock/amazon.nova-lite-v1:0", "bedrock", "amazon/nova-lite-v1"),
        ("litellm", "unsloth/gemma-3-27b-it", "nano-gpt", "google/gemma-3-27b-it"),
        (
            "litellm",
            "@hf/thebloke/codellama-7b-instruct-awq",
            "cloudflare",
            "meta-llama/codellama-7b-instruct",
        ),
        (
            "litellm",
            "qwen/qwenLM/models/Qwen3-30B-A3B-Thinking-2507",
            "clarifai",
            "qwen/qwen3-30b-a3b-thinking-2507",
        ),
        ("litellm", "stealth/claude-opus-4.6", "kilo", "anthropic/claude-opus-4.6"),
        ("litellm", "claude-opus4-5", "cortecs", "anthropic/claude-opus-4.5"),
        ("litellm", "openrouter/openrouter/owl-alpha", "openrouter", "openrouter/owl-alpha"),
        // What Together calls Turbo is the same model, quantised.
        ("litellm", "together_ai/Qwen/Qwen2.5-7B-Instruct-Turbo", "together_ai", "qwen/qwen-2.5-7b-instruct"),
        ("litellm", "ollama/llama3.2:3b", "ollama", "meta-llama/llama-3.2-3b"),
        ("litellm", "deepseek/deepseek-chat", "deepseek", "deepseek/deepseek-v3.2"),
        ("native", "x-ai/grok-4", "xai", "x-ai/grok-4"),
        ("litellm", "siliconflow/deepseek-ai/DeepSeek-R1", "siliconflow", "deepseek/deepseek-r1"),
        ("litellm", "nvidia_nim/meta/llama3-70b-instruct", "nvidia_nim", "meta-llama/llama-3-70b-instruct"),
        ("native", "MiMo-V2-Flash", "xiaomi", "xiaomi/mimo-v2-flash"),
        // A host is an author only of what is listed under it.
        ("litellm", "databricks/databricks-claude-sonnet-4-5", "databricks", "anthropic/claude-sonnet-4.5"),
        ("litellm", "databricks/databricks-dbrx-instruct", "databricks", "databricks/dbrx-instruct"),
        ("litellm", "snowflake/llama3.1-405b-instruct", "snowflake", "meta-llama/llama-3.1-405b-instruct"),
        ("litellm", "perplexity/llama-3.1-70b-instruct", "perplexity", "meta-llama/llama-3.1-70b-instruct"),
        ("litellm", "perplexity/sonar", "perplexity", "perplexity/sonar"),
        ("native", "alibaba/qwen3-max", "alibaba", "qwen/qwen3-max"),
    ] {
        let (id, variant, author) = model(source, raw_model, raw_provider);
        assert_eq!(id, want, "{raw_model}");
        assert_eq!(variant, "standard", "{raw_model}");
        assert_eq!(author.as_deref(), want.split('/').next(), "{raw_model}");
    }
}

#[test]
fn a_suffix_is_a_variant_only_in_openrouter_slugs() {
    let free = |source, raw| model(source, raw, "nvidia");
    let want = ("nvidia/nemotron-nano-9b-v2".to_owned(), "free".to_owned(), Some("nvidia".to_owned()));
    assert_eq!(free("native", "nvidia/nemotron-nano-9b-v2:free"), want);
    assert_eq!(free("openrouter", "nvidia/nemotron-nano-9b-v2:free"), want);
    assert_eq!(free("litellm", "openrouter/nvidia/nemotron-nano-9b-v2:free"), want);
    assert_eq!(model("litellm", "nvidia/nemotron-nano-9b-v2:free", "OpenRouter"), want);
    let elsewhere =
        starter().resolve("litellm", Some("nvidia/nemotron-nano-9b-v2:free"), Some("nvidia"), None);
    assert!(!elsewhere.model_mapped);
    assert_eq!(free("litellm", "ollama/qwen3:8b").1, "standard");
}

#[test]
fn gateways_with_variants_say_so_behind_a_colon_and_only_of_models_that_can() {
    let of = |provider: Option<&str>, name: &str| {
        let resolved = starter().resolve("litellm", Some(name), provider, None);
        resolved.model_mapped.then(|| (resolved.model_id.clone().unwrap(), resolved.variant.clone()))
    };
    let is = |id: &str, variant: &str| Some((id.to_owned(), variant.to_owned()));
    let nano = Some("nano-gpt");
    assert_eq!(of(nano, "zai-org/glm-4.6:thinking"), is("z-ai/glm-4.6", "thinking"));
    assert_eq!(
        of(nano, "anthropic/claude-opus-4.6:thinking:max"),
        is("anthropic/claude-opus-4.6", "thinking")
    );
    assert_eq!(of(nano, "claude-opus-4-thinking:32000"), is("anthropic/claude-opus-4", "thinking"));
    assert_eq!(of(None, "nano-gpt/zai-org/glm-4.6:thinking"), is("z-ai/glm-4.6", "thinking"));
    assert_eq!(of(Some("unorouter"), "gpt-5.4:free"), is("openai/gpt-5.4", "free"));
    assert_eq!(
        of(Some("kilo"), "deepseek/deepseek-v4-pro:discounted"),
        is("deepseek/deepseek-v4-pro", "discounted")
    );
    // A model of the whole name is that one, not another one that thinks.
    assert_eq!(of(nano, "moonshotai/kimi-k2:thinking"), is("moonshotai/kimi-k2-thinking", "standard"));
    // Without thinking, with a suffix that may be a tuning, with a mode for a name, or by a provider without variants.
    for name in [
        "openai/gpt-4o:thinking",
        "zai-org/glm-4.6:vision",
        "claude-opus-4-thinking",
        "zai-org/glm-4.6:thinking:8b",
    ] {
        assert_eq!(of(nano, name), None, "{name}");
    }
    assert_eq!(of(Some("deepinfra"), "zai-org/glm-4.6:thinking"), None);
}

#[test]
fn unmapped_names_go_through_unchanged() {
    for catalogue in [Catalogue::starter(), Catalogue::empty()] {
        let resolved =
            catalogue.resolve("litellm", Some("openai/My-Private:Model"), Some("Homebrew"), Some("10.0.0.7"));
        assert_eq!(resolved.model_id.as_deref(), Some("openai/My-Private:Model"));
        assert_eq!(resolved.provider_id.as_deref(), Some("Homebrew"));
        assert_eq!((resolved.variant.as_str(), resolved.author.as_deref()), ("standard", None));
        assert!(!resolved.model_mapped && !resolved.provider_mapped);
    }
    // Someone's variation of a known model is not that model.
    for raw in [
        "some-lab/llama-3.3-70b-instruct",
        "some-lab/main/models/gpt-5",
        "unsloth/gpt-5-my-tune",
        "litellm_proxy/some-lab/gpt-5",
        "baai/gpt-5",
        "azure/my-deployment",
        "azure/gpt-4o-prod-eastus",
        "step-by-step-helper",
        "ft:gpt-4o-2024-08-06:acme::x1",
        "openai/gpt-4o-2019-08-06",
        "x-ai/grok-99",
    ] {
        let resolved = starter().resolve("litellm", Some(raw), Some("x"), None);
        assert_eq!((resolved.model_id.as_deref(), resolved.model_mapped), (Some(raw), false));
    }
    let nothing = starter().resolve("native", None, None, None);
    assert_eq!((nothing.model_id.as_deref(), nothing.provider_id.as_deref()), (None, None));
}

#[test]
fn a_dialect_is_named_by_its_host() {
    let provider = |catalogue: &Catalogue, raw: &str, host: Option<&str>| {
        catalogue.resolve("litellm", None, Some(raw), host).provider_id.clone().unwrap()
    };
    let (starter, empty) = (Catalogue::starter(), Catalogue::empty());
    for (raw, host, with_starter, without) in [
        ("openai", None, "openai", "openai"),
        ("openai", Some("api.openai.com"), "openai", "openai"),
        ("openai", Some("eu.api.openai.com"), "openai", "openai"),
        ("openai", Some("corp.openai.azure.com"), "azure", "azure"),
        ("openai", Some("api.deepseek.com"), "deepseek", "host:api.deepseek.com"),
        ("openai", Some("127.0.0.1:18081"), "host:127.0.0.1:18081", "host:127.0.0.1:18081"),
        ("hosted_vllm", Some("GPU7.lan:8000"), "host:gpu7.lan:8000", "host:gpu7.lan:8000"),
        (
            "openai",
            Some("evil-api.openai.com.example"),
            "host:evil-api.openai.com.example",
            "host:evil-api.openai.com.example",
        ),
        ("vertex_ai", Some("x.example"), "google-vertex", "vertex_ai"),
    ] {
        assert_eq!(provider(&starter, raw, host), with_starter, "{raw} {host:?}");
        assert_eq!(provider(&empty, raw, host), without, "{raw} {host:?}");
    }
}

#[test]
fn the_starter_catalogue_is_whole() {
    let catalogue = starter();
    let authors: BTreeSet<&str> = catalogue.models().filter_map(|(id, _)| id.split('/').next()).collect();
    assert!(authors.len() >= 80, "{}", authors.len());
    let invented = 29;
    assert!(catalogue.providers().count() - invented >= 90);
    assert!(catalogue.models().count() >= 1_000);
    assert!(catalogue.prices().len() >= 1_000);
    for (kind, ids) in [
        ("author", catalogue.authors().map(|(id, _)| id).collect::<Vec<_>>()),
        ("provider", catalogue.providers().map(|(id, _)| id).collect()),
        ("model", catalogue.models().map(|(id, _)| id).collect()),
    ] {
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len(), "{kind} ids are unique");
    }
    // Every listed model and provider finds itself, whichever source names it.
    for (id, name) in catalogue.models() {
        for source in ["native", "litellm"] {
            let resolved = catalogue.resolve(source, Some(id), None, None);
            assert_eq!(resolved.model_id.as_deref(), Some(id), "{source}");
            assert!(resolved.model_mapped);
        }
        assert_eq!(catalogue.model_name(id), Some(name));
    }
    for (id, name) in catalogue.providers() {
        assert_eq!(catalogue.resolve("native", None, Some(id), None).provider_id.as_deref(), Some(id));
        assert_eq!(catalogue.resolve("native", None, Some(name), None).provider_id.as_deref(), Some(id));
        assert_eq!(catalogue.provider_name(id), Some(name));
    }
    for family in &catalogue.file.families {
        assert_eq!(family.prefix, family.prefix.to_lowercase());
        assert!(catalogue.authors.contains_key(&family.author), "{}", family.prefix);
    }
    for alias in &catalogue.file.aliases {
        assert!(alias.model_id.as_ref().is_none_or(|id| catalogue.models.contains_key(id)));
        assert!(alias.provider_id.as_ref().is_none_or(|id| catalogue.providers.contains_key(id)));
    }
}

#[test]
fn no_two_listed_models_have_one_key() {
    // Those of one author refuse to load, so this one asks across authors: one model may not stand there twice.
    let catalogue = starter();
    for (id, _) in catalogue.models() {
        let (_, slug) = id.split_once('/').unwrap();
        let bare = catalogue.resolve("native", Some(slug), None, None);
        let is_word = !slug.contains(|c: char| c.is_ascii_digit() || c == '-');
        assert!(bare.model_id.as_deref() == Some(id) || (is_word && !bare.model_mapped), "{id}: {bare:?}");
    }
    let text = |second: &str| {
        format!(
            r#"authors = [{{ slug = "acme", name = "Acme" }}]
               models = [{{ id = "acme/rocket-1.5", name = "Rocket" }}, {second}]"#
        )
    };
    for second in [
        r#"{ id = "acme/Rocket-1-5", name = "R" }"#,
        r#"{ id = "acme/glider", name = "G", names = ["rocket_1p5"] }"#,
    ] {
        let error = Catalogue::from_toml(&text(second)).unwrap_err().to_string();
        assert!(error.contains("`acme/rocket-1.5`") && error.contains("`rocket-1-5`"), "{error}");
    }
    let own = r#"models = [{ id = "openai/GPT_5", name = "Mine" }]"#;
    let error = Catalogue::starter().overlaid(own).unwrap_err().to_string();
    assert!(error.contains("`openai/gpt-5`") && error.contains("`openai/GPT_5`"), "{error}");
}

#[test]
fn a_family_chooses_among_listed_models_and_a_tie_is_unmapped() {
    let text = |families: &str| {
        format!(
            r#"authors = [{{ slug = "acme", name = "Acme" }}, {{ slug = "bolt", name = "Bolt" }}]
               models = [{{ id = "acme/rocket-1", name = "R" }}, {{ id = "bolt/rocket-1", name = "R" }}, {{ id = "bolt/one", name = "O" }},
                         {{ id = "bolt/bolt-two", name = "T" }}]
               families = [{families}]"#
        )
    };
    let id = |families: &str, model: &str| {
        let catalogue = Catalogue::from_toml(&text(families)).unwrap();
        let resolved = catalogue.resolve("native", Some(model), None, None);
        resolved.model_mapped.then(|| resolved.model_id.clone().unwrap())
    };
    let of_bolt = r#"{ prefix = "rocket", author = "bolt" }"#;
    assert_eq!(id("", "rocket-1"), None);
    assert_eq!(id(of_bolt, "rocket-1").as_deref(), Some("bolt/rocket-1"));
    assert_eq!(id(of_bolt, "acme/rocket-1").as_deref(), Some("acme/rocket-1"));
    assert_eq!(id(of_bolt, "rocket-2"), None);
    // A single word is nobody's until a family says so.
    assert_eq!(id(of_bolt, "one"), None);
    assert_eq!(id(r#"{ prefix = "one", author = "bolt" }"#, "one").as_deref(), Some("bolt/one"));
    assert_eq!(id("", "bolt-one").as_deref(), Some("bolt/one"));
    // An author's name may stand in front of a slug a second time, or not at all.
    assert_eq!(id("", "acme/acme-rocket-1").as_deref(), Some("acme/rocket-1"));
    assert_eq!(id("", "bolt/two").as_deref(), Some("bolt/bolt-two"));
    assert_eq!(id("", "two"), None);
    let splits = |is: bool| format!(r#"{{ prefix = "rocket-", author = "bolt", splits = {is} }}"#);
    assert_eq!(id(&splits(true), "rocket1").as_deref(), Some("bolt/rocket-1"));
    assert_eq!(id(&splits(false), "rocket1"), None);
}

#[test]
fn the_name_tells_the_provider_only_where_the_record_does_not() {
    let provider =
        |source, model, provider| starter().resolve(source, Some(model), provider, None).provider_id.clone();
    assert_eq!(provider("litellm", "azure/gpt-5", None).as_deref(), Some("azure"));
    assert_eq!(provider("litellm", "azure/my-deployment", None).as_deref(), Some("azure"));
    assert_eq!(provider("litellm", "azure/gpt-5", Some("openrouter")).as_deref(), Some("openrouter"));
    // A dialect says nothing, and OpenRouter's slugs begin with an author.
    assert_eq!(provider("litellm", "openai/gpt-5-mini-x", None), None);
    assert_eq!(provider("native", "mistral/mistral-nemo", None), None);
}

#[test]
fn each_step_is_explained() {
    let steps = |model: &str| {
        let explained = starter().explain("litellm", Some(model), Some("bedrock"), None);
        let resolved = starter().resolve("litellm", Some(model), Some("bedrock"), None);
        assert_eq!(explained.resolved, *resolved);
        explained.steps.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    assert_eq!(
        steps("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        [
            "`bedrock` says where it is served",
            "`us.` says where it is served",
            "key `anthropic-claude-sonnet-4-5-20250929-v1-0`, asked for among all models",
            "without the version: `anthropic.claude-sonnet-4-5-20250929-v1`",
            "key `anthropic-claude-sonnet-4-5-20250929-v1`, asked for among all models",
            "without the version: `anthropic.claude-sonnet-4-5-20250929`",
            "key `anthropic-claude-sonnet-4-5-20250929`, asked for among all models",
            "without the date or place: `anthropic.claude-sonnet-4-5`",
            "key `anthropic-claude-sonnet-4-5`, asked for among all models",
            "met `anthropic/claude-sonnet-4.5`",
        ]
    );
    assert_eq!(
        steps("ft:gpt-4o-2024-08-06:acme::x1"),
        ["is fine-tuned from `gpt-4o-2024-08-06`, so it is a model of its own that the list does not have"]
    );
    let stranger = steps("some-lab/gpt-5");
    assert!(stranger[0].starts_with("`some-lab` is neither a provider nor an author"), "{stranger:?}");
}

#[test]
fn broken_catalogues_are_refused() {
    assert!(matches!(Catalogue::from_toml("authors = 3"), Err(Error::Toml(_))));
    assert!(matches!(Catalogue::from_toml("[[author]]"), Err(Error::Toml(_))));
    let text = "[[models]]\nid = \"nobody/m\"\nname = \"M\"";
    assert!(matches!(Catalogue::from_toml(text), Err(Error::Model { .. })));
}

#[test]
fn remembered_answers_stay_right_when_the_memory_is_full() {
    let catalogue = Catalogue::starter();
    for n in 0..CACHE_ENTRIES + 10 {
        catalogue.resolve("native", Some(&format!("m{n}")), None, None);
    }
    assert_eq!(catalogue.cache.read().unwrap().len(), CACHE_ENTRIES);
    let resolved = catalogue.resolve("native", Some("gpt-5"), Some("openai"), None);
    assert_eq!(resolved.model_id.as_deref(), Some("openai/gpt-5"));
}

#[test]
fn long_names_are_not_remembered() {
    let catalogue = Catalogue::empty();
    let (long, short) = ("m".repeat(CACHED_NAME_BYTES + 1), "m".repeat(CACHED_NAME_BYTES));
    for (model, host) in [(&*long, None), ("m", Some(&*long))] {
        let resolved = catalogue.resolve("native", Some(model), Some("openai"), host);
        assert_eq!(resolved.model_id.as_deref(), Some(model));
    }
    assert_eq!(catalogue.cache.read().unwrap().len(), 0);
    catalogue.resolve("native", Some(&short), None, None);
    assert_eq!(catalogue.cache.read().unwrap().len(), 1);
}

#[test]
fn an_operators_file_lies_over_the_starter() {
    let text = r#"
        authors = [{ slug = "acme", name = "Acme" }, { slug = "openai", name = "Open AI" }]
        models = [{ id = "acme/rocket", name = "Rocket", names = ["roadrunner-1"] }]
        families = [{ prefix = "gpt-", author = "acme" }]
        aliases = [{ source = "litellm", raw_model = "openai/rocket-prod", model_id = "acme/rocket", provider_id = "acme" }]
    "#;
    let before = Catalogue::starter().authors().count();
    let catalogue = Catalogue::starter().overlaid(text).unwrap();
    assert_eq!(catalogue.authors().count(), before + 1);
    assert_eq!(catalogue.author_name("openai"), Some("Open AI"));
    let id = |source, model, host| {
        let resolved = catalogue.resolve(source, Some(model), Some("openai"), host);
        (resolved.model_id.clone().unwrap(), resolved.provider_id.clone().unwrap())
    };
    let pair = |model: &str, provider: &str| (model.to_owned(), provider.to_owned());
    assert_eq!(id("litellm", "openai/rocket-prod", Some("10.0.0.7")), pair("acme/rocket", "acme"));
    assert_eq!(id("native", "roadrunner-1", None), pair("acme/rocket", "openai"));
    // A family makes no models, not even an operator's own.
    assert_eq!(id("native", "gpt-99", None), pair("gpt-99", "openai"));
    assert_eq!(id("native", "gpt-5", None), pair("openai/gpt-5", "openai"));
    assert!(matches!(Catalogue::starter().overlaid("modles = []"), Err(Error::Toml(_))));
}

#[test]
fn an_alias_knows_its_names_in_any_case_its_host_at_any_port_and_arns_without_their_account() {
    let text = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        models = [{ id = "acme/rocket", name = "Rocket" }, { id = "acme/glider", name = "Glider" }]
        aliases = [
            { raw_model = "Rocket-Prod", raw_provider = "OpenAI", host = "llm.acme.example", model_id = "acme/rocket" },
            { raw_model = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/x1", model_id = "acme/glider" },
        ]
    "#;
    let catalogue = Catalogue::empty().overlaid(text).unwrap();
    let id = |model, host| {
        catalogue.resolve("native", Some(model), Some("openai"), host).model_id.clone().unwrap()
    };
    assert_eq!(id("rocket-PROD", Some("LLM.acme.example:8443")), "acme/rocket");
    assert_eq!(id("rocket-prod", Some("other.example:8443")), "rocket-prod");
    assert_eq!(id("rocket-prod", None), "rocket-prod");
    assert_eq!(id("arn:aws:bedrock:us-east-1:*:provisioned-model/x1", None), "acme/glider");
}
