use std::borrow::Cow;

use bellwether_ingest::event::{Attempt, Event, Failure};
use chrono::NaiveDate;

use super::*;
use crate::{BadKind, Config, Simulator, TextMode};

fn simulator() -> Simulator {
    let end = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
    Simulator::new(Config { seed: 9, attempts_per_year: 400_000, ..Config::new(end) })
}

/// 2026-11-22, a Sunday, 23:59:59.
const SUNDAY_NIGHT_US: i64 = 1_795_391_999_000_000;

fn attempt(endpoint: &'static str, outcome: &'static str, output: i64) -> Attempt<'static> {
    Attempt {
        model: Some(Cow::Borrowed("openai/gpt-5-mini")),
        provider: Some(Cow::Borrowed("openai")),
        endpoint_id: Some(Cow::Borrowed(endpoint)),
        started_at_us: Some(SUNDAY_NIGHT_US),
        outcome: Some(Cow::Borrowed(outcome)),
        input_tokens: Some(100),
        output_tokens: Some(output),
        cost_usd: Some(5),
        ..Attempt::default()
    }
}

fn event(attempts: Vec<Attempt<'static>>) -> Event<'static> {
    Event { request_id: Cow::Borrowed("r"), started_at_us: SUNDAY_NIGHT_US, attempts, ..Event::default() }
}

const OPENAI: &str = "openai-gpt-5-mini";
const AZURE: &str = "azure-gpt-5-mini";

/// Six requests counted by hand: a plain success, a fault mended by a fallback into the next day, a 429 that
/// stays, a caller who left with three tokens, one who left with none, and an answer from the cache.
#[test]
fn requests_counted_by_hand_give_the_same_figures() {
    let simulator = simulator();
    let mut builder = TruthBuilder::new(&simulator);
    let next_day = Attempt { started_at_us: Some(SUNDAY_NIGHT_US + 2_000_000), ..attempt(AZURE, "ok", 20) };
    builder.observe(&event(vec![attempt(OPENAI, "ok", 10)]));
    builder.observe(&event(vec![attempt(OPENAI, "fault", 0), next_day]));
    builder.observe(&event(vec![attempt(OPENAI, "rate_limited", 0)]));
    builder.observe(&event(vec![attempt(OPENAI, "cancelled", 3)]));
    builder.observe(&event(vec![attempt(OPENAI, "cancelled", 0)]));
    let cached = Attempt {
        gateway_cache_hit: true,
        provider: None,
        endpoint_id: None,
        cost_usd: None,
        ..attempt("", "ok", 7)
    };
    builder.observe(&event(vec![cached]));
    let failure = Some(Failure { error_class: Some(Cow::Borrowed("budget")), http_status: Some(402) });
    builder.observe(&Event { failure, ..event(Vec::new()) });
    builder.observe_bad(BadKind::Noise);
    let truth = builder.finish(0, 1);

    assert_eq!((truth.requests, truth.attempts, truth.gateway_cache_hits), (7, 7, 1));
    assert_eq!(truth.gateway_errors, BTreeMap::from([("budget".to_owned(), 1)]));
    assert_eq!(truth.bad_records, BTreeMap::from([("noise".to_owned(), 1)]));

    let counts: Vec<_> = truth
        .endpoints
        .iter()
        .map(|row| {
            (row.endpoint_id.as_str(), row.attempts, row.success, row.fault, row.rate_limited, row.cancelled)
        })
        .collect();
    assert_eq!(counts, [(AZURE, 1, 1, 0, 0, 0), (OPENAI, 5, 2, 1, 1, 1)]);

    let usage = |period: &str, requests, output_tokens, cost_nano_usd, unpriced| UsageTruth {
        period: period.to_owned(),
        name: "openai/gpt-5-mini".to_owned(),
        requests,
        input_tokens: 100 * requests,
        output_tokens,
        tool_calls: 0,
        cost_nano_usd,
        unpriced,
    };
    // Sunday: 10 + 3 + 7 tokens out; Monday, which begins another ISO week: 20.
    assert_eq!(truth.days_by_model, [usage("2026-11-22", 3, 20, 10, 1), usage("2026-11-23", 1, 20, 5, 0)]);
    assert_eq!(truth.weeks_by_model, [usage("2026-W47", 3, 20, 10, 1), usage("2026-W48", 1, 20, 5, 0)]);
    assert_eq!(truth.weeks_by_author[0].name, "openai");
    assert_eq!(truth.weeks_by_author[0].tokens(), 320);

    // Counted first attempts: ok, fault, left with tokens. With 429: one more, which failed.
    assert_eq!(
        truth.routing,
        [RoutingTruth {
            date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            model: "openai/gpt-5-mini".to_owned(),
            requests: 3,
            first_ok: 2,
            routed_ok: 3,
            requests_with_rate_limits: 4,
            routed_ok_with_rate_limits: 3,
        }]
    );
}

#[test]
fn merged_parts_equal_the_whole() {
    let simulator = simulator();
    let (from, to) = (simulator.end_minute() - 3000, simulator.end_minute());
    let texts = TextMode::Share(0.3);
    let part = |from: i64, to: i64| {
        let mut builder = TruthBuilder::new(&simulator);
        for minute in from..to {
            simulator.minute(minute, texts, &mut |event| builder.observe(event));
        }
        builder
    };
    let mut merged = part(from + 1000, to);
    merged.merge(part(from, from + 1000));
    let (merged, whole) = (merged.finish(from, to), simulator.truth(from, to, texts));
    assert_eq!(merged, whole);
    assert!(
        whole.with_texts > 100
            && whole.labels.iter().map(|row| row.requests).sum::<u64>() == whole.with_texts
    );
}

/// Six standard deviations of a binomial: a wrong probability would be off by far more at these counts.
#[test]
fn observed_uptime_scatters_around_the_expected_one() {
    let simulator = simulator();
    let truth = simulator.truth(simulator.first_minute(), simulator.end_minute(), TextMode::None);
    let (mut judged, mut faults, mut expected_faults) = (0, 0.0, 0.0);
    for row in &truth.endpoints {
        faults += row.fault as f64;
        expected_faults += (1.0 - row.expected_uptime) * (row.success + row.fault) as f64;
    }
    // All endpoints together, where chance is small.
    assert!(
        faults > 1200.0 && (faults / expected_faults - 1.0).abs() < 0.08,
        "{faults} for {expected_faults}"
    );
    for row in truth.endpoints.iter().filter(|row| row.success + row.fault >= 200) {
        let n = (row.success + row.fault) as f64;
        let found = row.success as f64 / n;
        let deviation = (row.expected_uptime * (1.0 - row.expected_uptime) / n).sqrt();
        let distance = (found - row.expected_uptime).abs();
        assert!(
            distance <= 6.0 * deviation + 0.002,
            "{}: {found} for {}",
            row.endpoint_id,
            row.expected_uptime
        );
        judged += 1;
    }
    assert!(judged > 80, "{judged}");
}

#[test]
fn a_truth_file_is_read_back_as_written() {
    let simulator = simulator();
    let truth = simulator.truth(simulator.end_minute() - 600, simulator.end_minute(), TextMode::Share(0.5));
    let json = serde_json::to_string(&truth).unwrap();
    assert_eq!(serde_json::from_str::<Truth>(&json).unwrap(), truth);
    assert!(!truth.outages.is_empty() && !truth.labels.is_empty());
}
