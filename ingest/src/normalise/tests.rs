use std::sync::LazyLock;

use super::*;
use crate::event::Failure;
use crate::testing;

const START: i64 = 1_795_359_875_658_802;

fn lineage() -> Lineage<'static> {
    Lineage { partition: 3, offset: 41, first_index: 6, ..testing::lineage(START + 5_000_000) }
}

fn event<'a>(attempts: Vec<Attempt<'a>>) -> Event<'a> {
    Event { request_id: "r".into(), started_at_us: START, attempts, ..Event::default() }
}

/// Runs `look` on each row.
fn rows<T>(event: &Event<'_>, mut look: impl FnMut(&AttemptRow<'_>) -> T) -> Vec<T> {
    static STARTER: LazyLock<Catalogue> = LazyLock::new(Catalogue::starter);
    let mut seen = Vec::new();
    normalise(event, &STARTER, &lineage(), &mut |row, _| seen.push(look(row))).unwrap();
    seen
}

fn one<T>(attempt: Attempt<'_>, look: impl FnMut(&AttemptRow<'_>) -> T) -> T {
    rows(&event(vec![attempt]), look).remove(0)
}

#[test]
fn attempts_become_rows_in_order_and_the_last_is_final() {
    let attempts = vec![
        Attempt {
            model: Some("deepseek/deepseek-v3.2".into()),
            provider: Some("Novita".into()),
            http_status: Some(429),
            ..Attempt::default()
        },
        Attempt {
            model: Some("deepseek-v3p2".into()),
            provider: Some("fireworks_ai".into()),
            started_at_us: Some(START + 7),
            http_status: Some(200),
            finish_reason: Some("end_turn".into()),
            ..Attempt::default()
        },
    ];
    let mut event = event(attempts);
    event.operation = Some("acompletion".into());
    let seen = rows(&event, |row| {
        assert_eq!(
            (row.source, row.src_topic, row.src_partition, row.src_offset),
            ("native", "events", 3, 41)
        );
        assert_eq!((row.ingested_at, row.operation), (START + 5_000_000, Some("chat")));
        assert_eq!((row.model_id, row.author), (Some("deepseek/deepseek-v3.2"), Some("deepseek")));
        (
            row.event_id.to_owned(),
            (row.attempt, row.is_final, row.started_at - START, row.src_index),
            row.provider_id.map(str::to_owned),
            (row.outcome.to_owned(), row.error_class.map(str::to_owned)),
            (row.finish_reason.map(str::to_owned), row.native_finish_reason.map(str::to_owned)),
        )
    });
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen,
        [
            (
                "native:r:0".to_owned(),
                (Some(0), Some(false), 0, Some(6)),
                text("novita"),
                ("rate_limited".to_owned(), text("rate_limit")),
                (None, None)
            ),
            (
                "native:r:1".to_owned(),
                (Some(1), Some(true), 7, Some(7)),
                text("fireworks"),
                ("ok".to_owned(), None),
                (text("stop"), text("end_turn"))
            ),
        ]
    );
}

#[test]
fn a_request_that_reached_no_provider_is_one_row() {
    let mut event = event(Vec::new());
    event.requested_model = Some("gpt-5".into());
    let look = |row: &AttemptRow<'_>| {
        assert_eq!((row.event_id, row.attempt, row.is_final), ("native:r:0", Some(0), Some(true)));
        assert_eq!(row.src_index, Some(6));
        assert_eq!((row.provider_id, row.raw_model, row.outcome), (None, None, "gateway_error"));
        assert_eq!(row.variant.is_some(), row.error_class != Some("unknown_model"));
        (row.error_class.unwrap().to_owned(), row.model_id.map(str::to_owned), row.http_status)
    };
    let model = Some("openai/gpt-5".to_owned());
    assert_eq!(rows(&event, look), [("gateway_internal".to_owned(), model.clone(), None)]);
    event.failure = Some(Failure { error_class: None, http_status: Some(401) });
    assert_eq!(rows(&event, look), [("gateway_auth".to_owned(), model, Some(401))]);
    event.failure = Some(Failure { error_class: Some("unknown_model".into()), http_status: Some(404) });
    assert_eq!(rows(&event, look), [("unknown_model".to_owned(), None, Some(404))]);
    event.failure = Some(Failure { error_class: Some("timeout".into()), http_status: None });
    let refused =
        normalise(&event, &Catalogue::empty(), &lineage(), &mut |_, _| panic!("no row")).unwrap_err();
    assert_eq!(refused.reason, Reason::InvalidValue);
}

#[test]
fn a_request_whose_caller_hung_up_before_any_call_is_cancelled() {
    let mut event = event(Vec::new());
    for failure in [
        Failure { error_class: Some("client_disconnect".into()), http_status: None },
        Failure { error_class: None, http_status: Some(499) },
        Failure { error_class: Some("client_disconnect".into()), http_status: Some(499) },
    ] {
        let status = failure.http_status;
        event.failure = Some(failure);
        let row = rows(&event, |row| {
            assert_eq!((row.event_id, row.provider_id, row.cost_usd), ("native:r:0", None, None));
            (row.outcome.to_owned(), row.error_class.map(str::to_owned), row.http_status)
        });
        assert_eq!(row, [("cancelled".to_owned(), Some("client_disconnect".to_owned()), status)]);
    }
    event.failure = Some(Failure { error_class: None, http_status: Some(0) });
    assert_eq!(
        rows(&event, |row| (row.error_class.map(str::to_owned), row.http_status)),
        [(Some("gateway_internal".to_owned()), None)]
    );
}

#[test]
fn a_status_of_0_is_an_answer_that_never_came() {
    let ended = |attempt: Attempt<'_>| {
        let attempt = Attempt { http_status: Some(0), provider: Some("p".into()), ..attempt };
        one(attempt, |row| {
            assert_eq!(row.http_status, None);
            (row.outcome.to_owned(), row.error_class.map(str::to_owned))
        })
    };
    let told = |outcome: &str, class: Option<&str>| (outcome.to_owned(), class.map(str::to_owned));
    assert_eq!(ended(Attempt::default()), told("fault", Some("connection")));
    assert_eq!(
        ended(Attempt { finish_reason: Some("stop".into()), ..Attempt::default() }),
        told("fault", Some("connection"))
    );
    // What the record says of the end counts for more.
    for (outcome, class) in
        [("cancelled", "client_disconnect"), ("gateway_error", "gateway_internal"), ("fault", "connection")]
    {
        let attempt = Attempt { outcome: Some(outcome.to_owned().into()), ..Attempt::default() };
        assert_eq!(ended(attempt), told(outcome, Some(class)));
    }
    assert_eq!(
        ended(Attempt { error_class: Some("timeout".into()), ..Attempt::default() }),
        told("fault", Some("timeout"))
    );
    assert_eq!(ended(Attempt { gateway_cache_hit: true, ..Attempt::default() }), told("ok", None));
}

#[test]
fn gateway_failures_never_touch_a_provider() {
    let attempt = Attempt {
        model: Some("openai/gpt-5".into()),
        provider: Some("openai".into()),
        endpoint_id: Some("e".into()),
        error_class: Some("budget".into()),
        ..Attempt::default()
    };
    one(attempt.clone(), |row| {
        assert_eq!((row.provider_id, row.endpoint_id, row.raw_provider), (None, None, Some("openai")));
        assert_eq!((row.outcome, row.model_id), ("gateway_error", Some("openai/gpt-5")));
        assert_eq!(row.variant, Some("standard"));
    });
    one(Attempt { error_class: Some("unknown_model".into()), ..attempt }, |row| {
        assert_eq!((row.model_id, row.author, row.variant), (None, None, None));
        assert_eq!(row.raw_model, Some("openai/gpt-5"));
    });
}

#[test]
fn a_zero_without_a_price_is_no_cost() {
    let base = Attempt {
        model: Some("m".into()),
        input_tokens: Some(10),
        cost_usd: Some(0),
        input_cost_usd: Some(0),
        ..Attempt::default()
    };
    let cost =
        |attempt| one(attempt, |row| (row.cost_usd, row.input_cost_usd, row.price_source.map(str::to_owned)));
    let logged = Some("logged".to_owned());
    assert_eq!(cost(base.clone()), (None, None, None));
    assert_eq!(cost(Attempt { cost_usd: Some(5), ..base.clone() }), (Some(5), Some(0), logged.clone()));
    assert_eq!(cost(Attempt { http_status: Some(500), ..base.clone() }), (Some(0), Some(0), logged.clone()));
    assert_eq!(cost(Attempt { http_status: Some(499), ..base.clone() }), (None, None, None));
    assert_eq!(cost(Attempt { input_tokens: Some(0), ..base.clone() }), (Some(0), Some(0), logged.clone()));
    let hit = Attempt { gateway_cache_hit: true, cost_usd: Some(77), ..base.clone() };
    assert_eq!(cost(hit), (Some(0), Some(0), logged.clone()));
    // The name of a free variant is its price.
    let free = Attempt { model: Some("nvidia/nemotron-nano-9b-v2:free".into()), ..base };
    assert_eq!(cost(free), (Some(0), Some(0), logged));
}

#[test]
fn input_includes_what_the_cache_held() {
    let input = |input, cached, written| {
        let attempt = Attempt {
            input_tokens: Some(input),
            cached_input_tokens: cached,
            cache_write_tokens: written,
            ..Attempt::default()
        };
        one(attempt, |row| row.input_tokens)
    };
    assert_eq!(input(100, Some(60), Some(40)), Some(100));
    assert_eq!(input(100, Some(60), Some(41)), Some(201));
    assert_eq!(input(100, None, None), Some(100));
}

#[test]
fn time_to_first_token_is_only_what_was_measured() {
    let ttft = |streamed, ttft_ms, duration_ms| {
        let mut event = event(vec![Attempt { ttft_ms, duration_ms, ..Attempt::default() }]);
        event.streamed = streamed;
        rows(&event, |row| row.ttft_ms).remove(0)
    };
    assert_eq!(ttft(Some(true), Some(380), Some(1408)), Some(380));
    assert_eq!(ttft(Some(true), Some(1408), Some(1408)), None);
    assert_eq!(ttft(Some(false), Some(380), Some(1408)), None);
    assert_eq!(ttft(Some(true), Some(380), None), Some(380));
}

#[test]
fn absurd_times_are_refused_whole_and_by_the_time_of_the_append() {
    let day = 86_400_000_000;
    let refuse = |event: &Event<'_>| {
        normalise(event, &Catalogue::empty(), &lineage(), &mut |_, _| panic!("no row")).unwrap_err()
    };
    let mut early = event(vec![Attempt::default()]);
    early.started_at_us = EARLIEST_US - 1;
    let reject = refuse(&early);
    assert_eq!(reject.reason, Reason::TimeOutOfRange);
    assert_eq!(reject.detail, "started_at: 2019-12-31T23:59:59.999999Z is before 2020-01-01");
    let appended = lineage().appended_at_us;
    let late = |micros| {
        event(vec![Attempt::default(), Attempt { started_at_us: Some(micros), ..Attempt::default() }])
    };
    assert_eq!(rows(&late(appended + day), |_| ()).len(), 2);
    let reject = refuse(&late(appended + day + 1));
    assert_eq!(
        reject.detail,
        "attempts[1].started_at: 2026-11-23T15:04:40.658803Z is more than a day after the append at \
         2026-11-22T15:04:40.658802Z"
    );
}

#[test]
fn raw_ids_never_pass() {
    let mut event = event(vec![Attempt::default()]);
    event.api_key = Some(Identity::Raw("sk-1".into()));
    let reject =
        normalise(&event, &Catalogue::empty(), &lineage(), &mut |_, _| panic!("no row")).unwrap_err();
    assert_eq!(reject.detail, "api_key_id: the event was not stripped of raw ids");
}

#[test]
fn other_sources_do_not_claim_to_know_the_order() {
    let mut event = event(vec![Attempt::default()]);
    event.source = "otlp".into();
    assert_eq!(rows(&event, |row| (row.attempt, row.is_final, row.source == "otlp")), [(None, None, true)]);
    assert_eq!(rows(&event, |row| row.event_id.to_owned()), ["otlp:r:0"]);
}

#[test]
fn only_words_are_kept_as_native_finish_reasons() {
    let native = |attempt| one(attempt, |row| row.native_finish_reason.map(str::to_owned));
    let of = |finish: &'static str, native: Option<&'static str>| Attempt {
        finish_reason: Some(finish.into()),
        native_finish_reason: native.map(Into::into),
        ..Attempt::default()
    };
    assert_eq!(native(of("stop", Some("STOP:v2"))), Some("STOP:v2".to_owned()));
    assert_eq!(native(of("end_turn", None)), Some("end_turn".to_owned()));
    assert_eq!(native(of("stop", Some("the prompt was: hello"))), None);
    assert_eq!(native(of("a sentence of the answer", None)), None);
    let longest: &'static str = "w".repeat(64).leak();
    assert_eq!(native(of(longest, None)), Some(longest.to_owned()));
    assert_eq!(native(of("w".repeat(65).leak(), None)), None);
}
