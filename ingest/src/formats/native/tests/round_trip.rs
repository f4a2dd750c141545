//! Stripped events of every shape survive the log.

use proptest::prelude::*;

use crate::event::{Attempt, Event, Failure, Flaws, Identity, Labels, Str};
use crate::formats::{Appended, decode_appended, write_event};

fn text() -> impl Strategy<Value = Str<'static>> {
    prop_oneof![r"[a-z0-9:/._-]{1,12}", r#"[\PC"\\\n\t\u{0}-\u{1f}]{1,6}"#].prop_map(Into::into)
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(of)
}

fn money() -> impl Strategy<Value = i128> {
    (0_i64..=1_000_000_000_000_000).prop_map(i128::from)
}

const EARLIEST: i64 = -62_167_219_200_000_000;
const LATEST: i64 = 253_402_300_799_999_999;

fn an_attempt() -> impl Strategy<Value = Attempt<'static>> {
    let host = r"[a-z]{1,12}\.[a-z]{2,3}(:[1-9][0-9]{0,3})?".prop_map(Into::into);
    let names = (maybe(text()), maybe(text()), maybe(text()), maybe(host), maybe(text()), maybe(text()));
    let millis = || maybe(0_i32..=604_800_000);
    let times = (maybe(EARLIEST..=LATEST), millis(), millis(), maybe(0_i32..), millis());
    let endings = (
        proptest::sample::select(vec![
            (None, None),
            (Some("ok"), None),
            (Some("fault"), Some("timeout")),
            (None, Some("budget")),
        ]),
        maybe(prop_oneof![Just(0_i16), 100_i16..600]),
        maybe(text()),
        maybe(text()),
        maybe(any::<bool>()),
    );
    let counts = (
        maybe(0_i64..=1_000_000_000),
        maybe(0_i64..=1_000_000_000),
        maybe(0_i64..=1_000_000_000),
        maybe(0_i64..=1_000_000_000),
        maybe(0_i64..=1_000_000_000),
        maybe(0_i64..=1_000_000_000),
        maybe(0_i32..),
        maybe(0_i32..),
        maybe(0_i32..),
        maybe(0_i32..),
    );
    let rest = (
        maybe(money()),
        maybe(money()),
        maybe(money()),
        maybe(money()),
        maybe(any::<bool>()),
        any::<bool>(),
        maybe(0_i16..),
        maybe(any::<bool>()),
        maybe(any::<bool>()),
        maybe(text()),
    );
    (names, times, endings, counts, rest).prop_map(|(n, t, e, c, r)| Attempt {
        event_id: n.0,
        model: n.1,
        provider: n.2,
        host: n.3,
        endpoint_id: n.4,
        region: n.5,
        service_tier: r.9,
        is_byok: r.8,
        started_at_us: t.0,
        duration_ms: t.1,
        ttft_ms: t.2,
        overhead_us: t.3,
        moderation_ms: t.4,
        outcome: e.0.0.map(Into::into),
        error_class: e.0.1.map(Into::into),
        http_status: e.1,
        finish_reason: e.2,
        native_finish_reason: e.3,
        refused: e.4,
        input_tokens: c.0,
        cached_input_tokens: c.1,
        cache_write_tokens: c.2,
        output_tokens: c.3,
        reasoning_tokens: c.4,
        billed_output_tokens: c.5,
        output_images: c.6,
        tool_calls: c.7,
        tool_call_errors: c.8,
        web_searches: c.9,
        structured_valid: r.4,
        cost_usd: r.0,
        input_cost_usd: r.1,
        output_cost_usd: r.2,
        upstream_cost_usd: r.3,
        gateway_cache_hit: r.5,
        attempt: r.6,
        is_final: r.7,
    })
}

fn a_stripped_event() -> impl Strategy<Value = Event<'static>> {
    let label = || maybe((text(), text()));
    let names = (
        maybe(r"[a-z0-9_.-]{1,32}".prop_map(Into::into)).prop_map(Option::unwrap_or_default),
        text(),
        maybe(text()),
        maybe(prop_oneof![Just("chat"), Just("aembedding"), Just("other")].prop_map(Into::into)),
        maybe(text()),
        maybe(text()),
        maybe(text()),
    );
    let keys = (
        maybe(any::<i64>()),
        maybe(any::<i64>()),
        maybe(any::<i64>()),
        maybe(r"[A-Z]{2}".prop_map(Into::into)),
    );
    let counts = (maybe(0_i32..), maybe(0_i32..), maybe(0_i32..), maybe(0_i32..), 0_u32..0x7fff_ffff);
    let flaws = (0_u32..0x7fff_ffff, 0_u32..3, 0_u32..3).prop_map(|(absurd, diagnostics, words)| Flaws {
        absurd,
        diagnostics,
        words,
    });
    let failure = maybe((maybe(Just("budget")), maybe(100_i16..600)));
    let labels = (label(), label(), label(), label(), maybe(text()));
    let rest = (
        EARLIEST..=LATEST,
        maybe(any::<bool>()),
        maybe(any::<bool>()),
        proptest::collection::vec(text(), 0..3),
        proptest::collection::vec(an_attempt(), 0..4),
    );
    (names, keys, counts, failure, labels, flaws, rest).prop_map(|(n, k, c, failure, l, flaws, r)| {
        let labels = Labels { nl: l.0, code_in: l.1, code_out: l.2, cat: l.3, task: l.4 };
        let failure =
            failure.map(|(class, http_status)| Failure { error_class: class.map(Into::into), http_status });
        Event {
            source: n.0,
            request_id: n.1,
            session_id: n.2,
            started_at_us: r.0,
            operation: n.3,
            requested_model: n.4,
            router: n.5,
            streamed: r.1,
            user: k.0.map(Identity::Key),
            api_key: k.1.map(Identity::Key),
            org: k.2.map(Identity::Key),
            app_id: n.6,
            country: k.3,
            input_images: c.0,
            input_audio: c.1,
            input_video: c.2,
            tools_offered: c.3,
            plugins: r.3,
            structured_requested: r.2,
            attempts: r.4,
            failure: failure.filter(|failure| *failure != Failure::default()),
            labels: Some(labels).filter(|labels| *labels != Labels::default()),
            texts: None,
            unknown_fields: c.4,
            flaws,
        }
    })
}

proptest! {
    #[test]
    fn a_stripped_event_survives_the_log(event in a_stripped_event()) {
        let mut out = Vec::new();
        write_event(&event, &mut out);
        prop_assert!(!out.contains(&b'\n'));
        prop_assert_eq!(decode_appended(&out), Ok(Appended::Event(event)));
    }
}
