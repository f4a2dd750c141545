//! One address per state, and every address understood.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::*;
use crate::data::{LabelPeriod, Metric, Span};
use crate::pages::{
    AUTHORS, LANGUAGES, MODELS, PLACES, SHARE, author_page, cross_page, endpoints_of, language_page,
    model_page, provider_page,
};
use crate::place::{Address, Place};
use crate::routes::find;
use crate::views::endpoints::ModelQuery;
use crate::views::languages::Labelled;
use crate::views::provider::ProviderQuery;
use crate::views::providers::Sorted;
use crate::views::rankings::{PlainQuery, RankedQuery};
use crate::views::share::ShareQuery;

fn page(path: &str) -> Option<(Address, Format, String)> {
    find(path).map(|route| (route.page, route.format, route.path))
}

#[test]
fn a_suffix_is_taken_off_only_when_it_is_known() {
    let model = model_page;
    assert_eq!(
        page("/models/deepseek/deepseek-v3.2"),
        Some((model("deepseek/deepseek-v3.2"), Format::Html, "/models/deepseek/deepseek-v3.2".into()))
    );
    assert_eq!(
        page("/models/deepseek/deepseek-v3.2.json"),
        Some((model("deepseek/deepseek-v3.2"), Format::Json, "/models/deepseek/deepseek-v3.2.json".into()))
    );
    assert_eq!(page("/rankings/models.csv").map(|found| found.1), Some(Format::Csv));
    assert_eq!(page("/models/a/b.xml"), Some((model("a/b.xml"), Format::Html, "/models/a/b.xml".into())));
    assert_eq!(page("/methodology.json"), None);
    assert_eq!(page("/nowhere"), None);
}

#[test]
fn other_spellings_have_one_canonical_path() {
    let canonical = |path: &str| find(path).map(|route| route.path);
    assert_eq!(canonical("/rankings").as_deref(), Some("/rankings/models"));
    assert_eq!(canonical("/Rankings/Models/").as_deref(), Some("/rankings/models"));
    assert_eq!(
        canonical("/providers/host%3a10.0.0.1%3a8000").as_deref(),
        Some("/providers/host:10.0.0.1:8000")
    );
    assert_eq!(
        canonical("/rankings/cross/code-out/python/nl/ja").as_deref(),
        Some("/rankings/cross/nl/ja/code-out/python")
    );
    assert_eq!(canonical("/authors").as_deref(), Some("/rankings/authors"));
    assert_eq!(canonical("/"), Some("/".into()));
    assert_eq!(provider_page("Host One/Two").path(), "/providers/host%20one%2Ftwo");
}

#[test]
fn the_api_has_the_bodies_of_the_files() {
    let route = find("/api/v1/models/acme/one.5/endpoints").unwrap();
    assert_eq!(route.page, endpoints_of("acme/one.5"));
    assert!(route.api);
    assert_eq!(find("/api/v1/rankings/models").unwrap().format, Format::Json);
    let spaced = find("/api/v1/models/Acme/one%20two").unwrap();
    assert_eq!(
        (spaced.page, spaced.path.as_str()),
        (model_page("Acme/one two"), "/api/v1/models/Acme/one%20two")
    );
    // Labels are lower case in the data; which one is meant is found like the names of models.
    assert_eq!(find("/api/v1/languages/JA").unwrap().page, language_page("JA"));
    assert_eq!(find("/api/v1/nothing"), None);
}

#[test]
fn parameters_are_ordered_and_defaults_dropped() {
    let parsed = parse(MODELS.params(Format::Html), "n=all&sort=-growth&metric=SPEND&period=7d&vs=none");
    assert_eq!(parsed.canonical, "metric=spend&vs=none&sort=-growth&n=all");
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.state.metric, Metric::Spend);
}

#[test]
fn unknown_parameters_and_values_are_named_with_what_is_allowed() {
    let parsed = parse(fixed("/").params(Format::Html), "metric=money&colour=red");
    assert_eq!(parsed.canonical, "");
    assert_eq!(
        parsed.problems,
        [
            Problem {
                why: Why::Invalid,
                param: "metric".into(),
                allowed: ["tokens", "requests", "spend", "users"].map(str::to_owned).to_vec(),
            },
            Problem {
                why: Why::Unknown,
                param: "colour".into(),
                allowed: ["metric", "period"].map(str::to_owned).to_vec(),
            },
        ]
    );
}

#[test]
fn impossible_dates_are_refused() {
    let why = |query: &str| {
        let parsed = parse(MODELS.params(Format::Html), query);
        parsed.problems.first().map(|problem| (problem.why, problem.param.clone()))
    };
    let impossible = |param: &str| Some((Why::Impossible, param.to_owned()));
    assert_eq!(why("from=2026-02-30&to=2026-03-01"), impossible("from"));
    assert_eq!(why("from=2026-03-02&to=2026-03-01"), impossible("from"));
    assert_eq!(why("from=2025-01-01&to=2026-01-02"), impossible("from"));
    assert_eq!(why("from=2025-01-01"), impossible("to"));
    assert_eq!(why("from=2025-01-01&to=2026-01-01"), None);
}

fn fixed(path: &str) -> &'static Place {
    PLACES.into_iter().find(|place| place.path == path).unwrap()
}

#[test]
fn an_address_leads_back_unless_no_path_can_hold_its_names() {
    for (address, leads) in [
        (model_page("acme/one"), true),
        (model_page("Acme/One: two%"), true),
        (model_page("plain"), false),
        (model_page("a/b/c"), false),
        (model_page("a/"), false),
        (provider_page("host:10.0.0.1:8000"), true),
        (provider_page("one/two"), false),
        (provider_page("tab\t"), false),
        (provider_page(".json"), false),
        (author_page(&"a".repeat(200)), true),
        (author_page(&"a".repeat(201)), false),
    ] {
        let found = find(&address.path());
        let back =
            found.is_some_and(|route| route.path == address.path() && route.page.place() == address.place());
        assert_eq!((address.leads_back(), back), (leads, leads), "{address:?}");
    }
}

#[test]
fn a_parameter_understands_what_it_is_said_to_and_names_it_otherwise() {
    for param in Param::ALL {
        let parsed = |value: &str| parse(&[param], &format!("{}={value}", param.word()));
        let values: Vec<String> = match param.values() {
            Values::Words(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Values::Keys(words) => {
                words.iter().flat_map(|word| [(*word).to_owned(), format!("-{word}")]).collect()
            }
            Values::Whole { least, most } => {
                for outside in [i64::from(least) - 1, i64::from(most) + 1] {
                    assert_eq!(parsed(&outside.to_string()).problems.len(), 1, "{param:?} {outside}");
                }
                vec![least.to_string(), most.to_string()]
            }
            Values::Author => vec!["deepseek".to_owned()],
            // Needs the other date.
            Values::Date => continue,
        };
        for value in &values {
            assert_eq!(parsed(value).problems, [], "{param:?} {value}");
        }
        let default = param.default_value();
        if let Some(default) = &default {
            assert_eq!(
                (parsed(default).problems, parsed(default).canonical),
                (vec![], String::new()),
                "{param:?}"
            );
        }
        let not_at_rest = values.iter().filter(|value| Some(*value) != default.as_ref());
        assert!(not_at_rest.clone().count() > 0, "{param:?}");
        for value in not_at_rest {
            assert_eq!(parsed(value).canonical, format!("{}={value}", param.word()), "{param:?}");
        }
        let long = "x".repeat(101);
        assert_eq!(parsed(&long).problems[0].allowed, param.values().allowed(), "{param:?}");
    }
}

fn pages() -> impl Strategy<Value = Address> {
    prop_oneof![
        Just(fixed("/").here()),
        Just(MODELS.here()),
        Just(AUTHORS.here()),
        Just(SHARE.here()),
        Just(LANGUAGES.here()),
        Just(cross_page("ja", "python")),
        "[a-z0-9._:-]{1,12}/[a-z0-9._:-]{1,12}".prop_map(|id| model_page(&id)),
        "[a-z0-9_:-]{1,20}".prop_map(|id| provider_page(&id)),
        Just(fixed("/status").here()),
    ]
}

fn periods() -> impl Strategy<Value = Period> {
    prop_oneof![
        prop::sample::select(Period::PICKS.to_vec()),
        (0u64..20_000, 0u64..366).prop_map(|(start, days)| {
            let from =
                NaiveDate::from_ymd_opt(1980, 1, 1).unwrap().checked_add_days(Days::new(start)).unwrap();
            Period::Dates(from, from.checked_add_days(Days::new(days)).unwrap())
        }),
    ]
}

prop_compose! {
    fn states()(
        metric in prop::sample::select(Metric::ALL.to_vec()),
        period in periods(),
        vs in prop::sample::select(Vs::ALL.to_vec()),
        by in prop::sample::select(By::ALL.to_vec()),
        variants in prop::sample::select(Variants::ALL.to_vec()),
        author in prop::option::of("[a-z0-9 &=%+é-]{1,10}"),
        health in prop::sample::select(vec![Span::Minutes5, Span::Minutes30, Span::Hours24, Span::Days90]),
        labels in prop::option::of(prop::sample::select(vec![LabelPeriod::Week, LabelPeriod::Epoch])),
        sort in prop::option::of((prop::sample::select(SortKey::ALL.to_vec()), any::<bool>())),
        view in prop::sample::select(View::ALL.to_vec()),
        all_rows in any::<bool>(),
        skip in 0u32..100,
        limit in 1u32..=1_000,
        offset in 0u32..5_000,
    ) -> State {
        let sort = sort.map(|(key, descending)| Sort { key, descending });
        State { metric, period, vs, by, variants, author, health, labels, sort, view, all_rows, skip, limit, offset }
    }
}

/// The state with everything a page does not read set to its default.
fn visible(page: &Address, format: Format, state: &State) -> State {
    let mut seen = State::default();
    for param in page.params(format) {
        match param {
            Param::Metric => seen.metric = state.metric,
            Param::Period if !matches!(state.period, Period::Dates(..)) => seen.period = state.period,
            Param::From if matches!(state.period, Period::Dates(..)) => seen.period = state.period,
            Param::Period | Param::From | Param::To => {}
            Param::Vs => seen.vs = state.vs,
            Param::By => seen.by = state.by,
            Param::Variants => seen.variants = state.variants,
            Param::Author => seen.author = state.author.clone(),
            Param::LabelWindow => seen.labels = state.labels,
            Param::Window => seen.health = state.health,
            Param::Sort => seen.sort = state.sort,
            Param::View => seen.view = state.view,
            Param::N => seen.all_rows = state.all_rows,
            Param::Skip => seen.skip = state.skip,
            Param::Limit => seen.limit = state.limit,
            Param::Offset => seen.offset = state.offset,
        }
    }
    seen
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_state(
        page in pages(),
        format in prop::sample::select(vec![Format::Html, Format::Json]),
        state in states(),
    ) {
        let printed = print(page.params(format), &state);
        let parsed = parse(page.params(format), &printed);
        prop_assert_eq!(&parsed.problems, &vec![]);
        prop_assert_eq!(&parsed.canonical, &printed);
        prop_assert_eq!(parsed.state, visible(&page, format, &state));
    }

    #[test]
    fn a_query_has_what_its_page_reads_and_nothing_else(state in states()) {
        fn kept<Q: Query>(state: &State) -> State {
            Q::of(state).state()
        }
        let read = |page: Address| visible(&page, Format::Json, &state);
        prop_assert_eq!(kept::<RankedQuery>(&state), read(MODELS.here()));
        prop_assert_eq!(kept::<PlainQuery>(&state), read(AUTHORS.here()));
        prop_assert_eq!(kept::<ShareQuery>(&state), read(SHARE.here()));
        prop_assert_eq!(kept::<Labelled>(&state), read(LANGUAGES.here()));
        prop_assert_eq!(kept::<ModelQuery>(&state), read(model_page("a/b")));
        prop_assert_eq!(kept::<ProviderQuery>(&state), read(provider_page("a")));
        prop_assert_eq!(kept::<Sorted>(&state), read(fixed("/status").here()));
        prop_assert_eq!(kept::<()>(&state), read(fixed("/rankings/growth").here()));
    }

    #[test]
    fn a_page_is_found_again_by_its_path(page in pages()) {
        // Names that end in a file suffix are refused when the catalogue is loaded.
        prop_assume!(!page.path().ends_with(".json") && !page.path().ends_with(".csv"));
        let route = find(&page.path()).unwrap();
        prop_assert_eq!(&route.path, &page.path());
        prop_assert_eq!(route.page, page);
    }

    #[test]
    fn any_query_ends_in_one_canonical_form(page in pages(), query in "[a-z=&%+0-9-]{0,60}") {
        let once = parse(page.params(Format::Html), &query);
        let again = parse(page.params(Format::Html), &once.canonical);
        prop_assert_eq!(&again.canonical, &once.canonical);
        prop_assert_eq!(again.problems, vec![]);
        prop_assert_eq!(again.state, once.state);
    }
}
