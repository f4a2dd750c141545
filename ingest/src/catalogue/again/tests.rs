use super::*;
use crate::event::{Attempt, Event, Failure};
use crate::normalise::normalise;
use crate::testing::lineage;

const START: i64 = 1_795_359_875_658_802;

/// What one catalogue knows and the other does not, beside what both know.
fn catalogue(own: &str) -> Catalogue {
    let shared = r#"
        authors = [{ slug = "acme", name = "Acme" }, { slug = "bolt", name = "Bolt" }]
    "#;
    Catalogue::from_toml(&format!("{shared}\n{own}")).unwrap()
}

fn former() -> Catalogue {
    catalogue(
        r#"
        models = [{ id = "acme/one", name = "One" }, { id = "acme/two-2", name = "Two" }]
        providers = [
            { id = "north", name = "North", names = ["nord"] },
            { id = "south", name = "South", hosts = [".south.example"] },
        ]
        aliases = [
            { raw_model = "prod", raw_provider = "nord", model_id = "acme/one" },
            { raw_model = "served", host = "llm.south.example", model_id = "acme/one" },
        ]
        "#,
    )
}

/// Of `acme/two-2` it knows another id, of `prod` another model, of `mystery` one at all; `llm.lone.example` has a provider,
/// `nord` another one, `south` is as it was.
fn latter() -> Catalogue {
    catalogue(
        r#"
        models = [
            { id = "acme/one", name = "One" },
            { id = "bolt/two-2", name = "Two" },
            { id = "bolt/mystery-1", name = "Mystery", names = ["mystery"] },
        ]
        providers = [
            { id = "nord", name = "Nord" },
            { id = "south", name = "South", hosts = [".south.example"] },
            { id = "lone", name = "Lone", hosts = ["llm.lone.example"] },
        ]
        aliases = [
            { raw_model = "prod", raw_provider = "nord", model_id = "bolt/two-2" },
            { raw_model = "served", host = "llm.south.example", model_id = "bolt/two-2" },
        ]
        "#,
    )
}

/// Looks at each row that a catalogue makes of an event.
fn rows(event: &Event<'_>, catalogue: &Catalogue, look: &mut dyn FnMut(&AttemptRow<'_>)) {
    normalise(event, catalogue, &lineage(START), &mut |row, _| look(row)).unwrap();
}

/// Every combination of these names, of calls that went well, that the gateway ended, and of requests that called nobody.
fn events() -> Vec<Event<'static>> {
    let models = [
        None,
        Some("acme/one"),
        Some("two-2"),
        Some("prod"),
        Some("mystery"),
        Some("mystery-1:free"),
        Some("served"),
    ];
    let providers =
        [None, Some("nord"), Some("North"), Some("openai"), Some("hosted_vllm"), Some("elsewhere")];
    let hosts = [
        None,
        Some("llm.south.example"),
        Some("LLM.lone.example:8000"),
        Some("10.0.0.7"),
        Some("api.openai.com"),
    ];
    let mut events = Vec::new();
    for (model, provider) in models.into_iter().flat_map(|model| providers.map(|provider| (model, provider)))
    {
        for (host, class) in hosts
            .into_iter()
            .flat_map(|host| [None, Some("budget"), Some("unknown_model")].map(|class| (host, class)))
        {
            for source in ["native", "litellm"] {
                let attempt = Attempt {
                    model: model.map(Into::into),
                    provider: provider.map(Into::into),
                    host: host.map(Into::into),
                    error_class: class.map(Into::into),
                    http_status: class.is_none().then_some(200),
                    duration_ms: Some(5),
                    ..Attempt::default()
                };
                let event = Event {
                    source: source.into(),
                    request_id: "r".into(),
                    started_at_us: START,
                    requested_model: Some("mystery".into()),
                    attempts: vec![attempt],
                    ..Event::default()
                };
                events.push(event);
            }
        }
    }
    for (requested, class) in models
        .into_iter()
        .flat_map(|model| ["unknown_model", "budget", "client_disconnect"].map(|class| (model, class)))
    {
        events.push(Event {
            request_id: "r".into(),
            started_at_us: START,
            requested_model: requested.map(Into::into),
            failure: Some(Failure { error_class: Some(class.into()), http_status: None }),
            ..Event::default()
        });
    }
    events
}

#[test]
fn a_row_of_a_former_catalogue_is_named_as_if_it_came_now_or_stays() {
    let (former, latter) = (former(), latter());
    let (mut all, mut others, mut unclear) = (0, 0, Vec::new());
    for event in events() {
        let mut expected = Vec::new();
        rows(&event, &latter, &mut |row| expected.push(Named::of(row)));
        rows(&event, &former, &mut |row| {
            let stood = Named::of(row);
            assert_eq!(former.named_again(row).unwrap_or(stood.clone()), stood, "under the same: {event:?}");
            all += 1;
            match latter.named_again(row) {
                Some(named) => {
                    assert_eq!(named, expected[0], "{event:?}");
                    others += usize::from(named != stood);
                }
                None => {
                    let provider = row.provider_id.unwrap_or_default();
                    unclear.push((event.attempts[0].model.clone(), provider.starts_with("host:")));
                }
            }
        });
    }
    assert_eq!(all, 7 * 6 * 5 * 3 * 2 + 7 * 3);
    assert!(others > 100, "{others}");
    // Only what a rule for a host may be about, and the row does not say which it was.
    let is_told = |(model, is_host): &(Option<_>, bool)| model.as_deref() != Some("served") || *is_host;
    assert!(!unclear.is_empty() && !unclear.iter().any(is_told), "{unclear:#?}");
}

#[test]
fn a_row_whose_host_decided_and_is_not_told_stays_as_it_stands() {
    let row = |provider_id| AttemptRow {
        source: "litellm",
        raw_model: Some("acme/one"),
        raw_provider: Some("openai"),
        model_id: Some("acme/one"),
        variant: Some("standard"),
        author: Some("acme"),
        provider_id: Some(provider_id),
        outcome: "ok",
        ..AttemptRow::default()
    };
    let catalogue = latter();
    let provider = |id| catalogue.named_again(&row(id)).and_then(|named| named.provider_id);
    // By its hosts, by the well-known ones, by the name of the dialect; a host that is a provider of its own tells itself.
    assert_eq!(provider("south").as_deref(), Some("south"));
    assert_eq!(provider("azure").as_deref(), Some("azure"));
    assert_eq!(provider("openai").as_deref(), Some("openai"));
    assert_eq!(provider("host:llm.lone.example:8000").as_deref(), Some("lone"));
    // One that was listed then, with hosts that nobody knows now.
    assert_eq!(catalogue.named_again(&row("north")), None);
}
