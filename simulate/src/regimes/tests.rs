//! Each regime is in the events of its period, in no others, and in the answer sheet.

use super::*;
use crate::truth::RegimeTruth;
use crate::{Config, Simulator, TextMode, Truth, write_line};

/// Three weeks before the end of the year, where nothing is put on show.
const DAYS_BEFORE_END: i64 = 21;
const MINUTES: i64 = 300;

fn simulator(kinds: &[RegimeKind]) -> (Simulator, i64, i64) {
    let end = chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
    let to_minute = (i64::from(end.to_epoch_days()) - DAYS_BEFORE_END) * 1440 + 900;
    let from_minute = to_minute - MINUTES;
    let regimes = kinds.iter().map(|kind| Regime { kind: *kind, from_minute, to_minute }).collect();
    (Simulator::new(Config { seed: 5, regimes, ..Config::new(end) }), from_minute, to_minute)
}

fn each(simulator: &Simulator, from: i64, to: i64, mut each: impl FnMut(&Event<'_>)) {
    for minute in from..to {
        simulator.minute(minute, TextMode::None, &mut each);
    }
}

/// Calls of the period that fit, and of these those that fit a second time.
fn calls(
    simulator: &Simulator,
    (from, to): (i64, i64),
    of: impl Fn(&Attempt<'_>) -> bool,
    and: impl Fn(&Attempt<'_>) -> bool,
) -> (u64, u64) {
    let (mut all, mut fitting) = (0, 0);
    each(simulator, from, to, |event| {
        for attempt in event.attempts.iter().filter(|attempt| of(attempt)) {
            all += 1;
            fitting += u64::from(and(attempt));
        }
    });
    (all, fitting)
}

fn told(simulator: &Simulator, from: i64, to: i64) -> (Truth, RegimeTruth) {
    let truth = simulator.truth(from, to, TextMode::None);
    assert_eq!(truth.regimes.len(), 1);
    let regime = truth.regimes[0].clone();
    assert_eq!((regime.from_minute, regime.to_minute), (from, to));
    (truth, regime)
}

fn is_fault(attempt: &Attempt<'_>) -> bool {
    attempt.outcome.as_deref() == Some("fault")
}

fn is_ok(attempt: &Attempt<'_>) -> bool {
    attempt.outcome.as_deref() == Some("ok")
}

fn at(provider: &'static str) -> impl Fn(&Attempt<'_>) -> bool {
    move |attempt| attempt.provider.as_deref() == Some(provider)
}

fn near(part: u64, all: u64, share: f64, tolerance: f64) {
    let found = part as f64 / all as f64;
    assert!(all >= 50 && (found - share).abs() <= tolerance, "{part} of {all} for {share}");
}

#[test]
fn a_minute_without_a_regime_is_as_it_was() {
    let kinds: Vec<RegimeKind> =
        RegimeKind::ALL.into_iter().filter(|kind| *kind != RegimeKind::LaunchBurst).collect();
    let (with, from, to) = simulator(&kinds);
    let (without, ..) = simulator(&[]);
    let lines = |simulator: &Simulator, from, to| {
        let mut out = Vec::new();
        each(simulator, from, to, |event| write_line(event, &mut out).unwrap());
        out
    };
    for minute in [from - 5, to] {
        assert!(lines(&with, minute, minute + 5) == lines(&without, minute, minute + 5), "{minute}");
    }
}

#[test]
fn an_outage_takes_one_invented_provider_down() {
    let (simulator, from, to) = simulator(&[RegimeKind::Outage]);
    let (all, _) = calls(&simulator, (from, to), at("larkspur"), is_fault);
    let counted = |a: &Attempt<'_>| at("larkspur")(a) && a.outcome.as_deref() != Some("rate_limited");
    let (judged, faults) = calls(&simulator, (from, to), counted, is_fault);
    near(faults, judged, 0.9, 0.03);
    let (truth, regime) = told(&simulator, from, to);
    assert_eq!((regime.subject.as_str(), regime.strength, regime.affected), ("larkspur", 0.9, all));
    let row = truth.outages.iter().find(|outage| outage.severity == 0.9).unwrap();
    assert!(row.provider == "larkspur" && row.provider_wide && row.from_minute == from);
    assert!(simulator.endpoints().iter().filter(|e| e.provider == "larkspur").all(|e| e.invented));
}

#[test]
fn a_slow_provider_fails_no_more_than_before() {
    let (with, from, to) = simulator(&[RegimeKind::Slow]);
    let (without, ..) = simulator(&[]);
    let time = |simulator: &Simulator| {
        let (mut ttft, mut faults) = (0, 0);
        each(simulator, from, to, |event| {
            for attempt in event.attempts.iter().filter(|attempt| at("harbour")(attempt)) {
                ttft += i64::from(attempt.ttft_ms.filter(|_| is_ok(attempt)).unwrap_or(0));
                faults += u64::from(is_fault(attempt));
            }
        });
        (ttft, faults)
    };
    let (slow, usual) = (time(&with), time(&without));
    assert_eq!(slow, (usual.0 * 5, usual.1));
    let (_, answered) = calls(&with, (from, to), at("harbour"), is_ok);
    let (_, regime) = told(&with, from, to);
    assert_eq!((regime.name.as_str(), regime.subject.as_str()), ("slow", "harbour"));
    assert_eq!((regime.strength, regime.affected), (5.0, answered));
}

#[test]
fn a_price_cut_halves_the_cost_and_brings_requests() {
    let (with, from, to) = simulator(&[RegimeKind::PriceCut]);
    let (without, ..) = simulator(&[]);
    let cheaper = |attempt: &Attempt<'_>| attempt.model.as_deref() == Some("deepseek/deepseek-v3.2");
    // At the maker's own endpoint: 0.24 and 0.36 USD per million, and a quarter of the first for what was cached.
    let at_half = |attempt: &Attempt<'_>| {
        let tokens = |count: Option<i64>| i128::from(count.unwrap());
        let cached = tokens(attempt.cached_input_tokens);
        let input = 240 * (tokens(attempt.input_tokens) - cached) + 60 * cached;
        attempt.cost_usd == Some(input / 2 + 180 * tokens(attempt.output_tokens))
    };
    let own = |a: &Attempt<'_>| a.endpoint_id.as_deref() == Some("deepseek-deepseek-v3.2") && is_ok(a);
    let (all, right) = calls(&with, (from, to), own, at_half);
    assert!(all > 50 && all == right, "{right} of {all}");
    let priced = |attempt: &Attempt<'_>| attempt.cost_usd.is_some();
    let ((more, charged), (usual, _)) =
        (calls(&with, (from, to), cheaper, priced), calls(&without, (from, to), cheaper, priced));
    near(more.abs_diff(usual), usual, 0.25, 0.15);
    let (_, regime) = told(&with, from, to);
    assert_eq!((regime.strength, regime.affected), (0.5, charged));
    assert_eq!(regime.subject, "deepseek/deepseek-v3.2");
}

#[test]
fn launched_models_have_no_traffic_before_and_keep_it_afterwards() {
    let (simulator, from, to) = simulator(&[RegimeKind::LaunchBurst]);
    let (_, regime) = told(&simulator, from, to);
    let subjects: Vec<&str> = regime.subject.split(' ').collect();
    let launched =
        |attempt: &Attempt<'_>| attempt.model.as_deref().is_some_and(|model| subjects.contains(&model));
    assert_eq!(calls(&simulator, (from - MINUTES, from), launched, is_ok).0, 0);
    let (found, _) = calls(&simulator, (from, to), launched, is_ok);
    let (all, _) = calls(&simulator, (from, to), |_| true, is_ok);
    near(found, all, 0.1, 0.03);
    assert_eq!((subjects.len(), regime.affected), (6, found));
    assert!(calls(&simulator, (to, to + MINUTES), launched, is_ok).0 > 0);
}

#[test]
fn a_heavy_user_sends_a_quarter_of_all_requests() {
    let (simulator, from, to) = simulator(&[RegimeKind::HeavyUser]);
    let (mut all, mut heavy) = (0, 0);
    each(&simulator, from, to, |event| {
        all += 1;
        if event.user == Some(Identity::Raw(Cow::Borrowed("u7"))) {
            heavy += 1;
        }
    });
    // 97 % of the requests carry a user id.
    near(heavy, all, 0.25 * 0.97, 0.03);
    let (_, regime) = told(&simulator, from, to);
    assert_eq!((regime.subject.as_str(), regime.affected), ("u7", heavy));
}

#[test]
fn broken_tool_calls_leave_the_uptime_alone() {
    let (with, from, to) = simulator(&[RegimeKind::BrokenTools]);
    let (without, ..) = simulator(&[]);
    let faults = |simulator: &Simulator| calls(simulator, (from, to), at("wren-cloud"), is_fault);
    assert_eq!(faults(&with), faults(&without));
    let (mut made, mut broken) = (0, 0);
    each(&with, from, to, |event| {
        for attempt in event.attempts.iter().filter(|attempt| at("wren-cloud")(attempt)) {
            made += u64::try_from(attempt.tool_calls.unwrap_or(0)).unwrap();
            broken += u64::try_from(attempt.tool_call_errors.unwrap_or(0)).unwrap();
        }
    });
    near(broken, made, 0.7, 0.2);
    let (_, regime) = told(&with, from, to);
    assert_eq!((regime.subject.as_str(), regime.affected), ("wren-cloud", broken));
}

#[test]
fn late_and_doubled_records_are_known_by_their_request() {
    let (simulator, from, to) = simulator(&[RegimeKind::Late, RegimeKind::Duplicates]);
    let (mut all, mut late, mut doubled) = (0, 0, 0);
    each(&simulator, from, to, |event| {
        let delay = simulator.delay_minutes(event);
        assert!(delay == 0 || (60..=1_800).contains(&delay), "{delay}");
        all += 1;
        late += u64::from(delay > 0);
        doubled += u64::from(simulator.doubled_after(event).is_some());
    });
    near(late, all, 0.2, 0.02);
    near(doubled, all, 0.05, 0.01);
    let truth = simulator.truth(from - 10, to + 10, TextMode::None);
    assert_eq!(truth.regimes.iter().map(|regime| regime.affected).collect::<Vec<_>>(), [late, doubled]);
    each(&simulator, to, to + 10, |event| {
        assert_eq!((simulator.delay_minutes(event), simulator.doubled_after(event)), (0, None));
    });
}

#[test]
fn a_skewed_clock_is_nine_minutes_ahead() {
    let (simulator, from, to) = simulator(&[RegimeKind::ClockSkew]);
    let (mut all, mut ahead) = (0, 0);
    each(&simulator, from, to, |event| {
        let made = event.request_id.split('-').nth(2).unwrap().parse::<i64>().unwrap();
        let minutes = event.started_at_us.div_euclid(60_000_000) - made;
        assert!(minutes == 0 || minutes == 9, "{minutes}");
        assert!(event.attempts.iter().all(|attempt| attempt.started_at_us.unwrap() >= event.started_at_us));
        all += 1;
        ahead += u64::from(minutes == 9);
    });
    near(ahead, all, 0.1, 0.02);
    let (_, regime) = told(&simulator, from, to);
    assert_eq!((regime.strength, regime.affected), (9.0, ahead));
}

#[test]
fn one_app_sends_no_user_ids() {
    let (simulator, from, to) = simulator(&[RegimeKind::NoUserIds]);
    let (mut of_app, mut others, mut others_known) = (0, 0, 0);
    each(&simulator, from, to, |event| {
        if event.app_id.as_deref() == Some("open-webui") {
            of_app += 1;
            assert_eq!(event.user, None);
        } else {
            others += 1;
            others_known += u64::from(event.user.is_some());
        }
    });
    near(others_known, others, 0.97, 0.01);
    let (_, regime) = told(&simulator, from, to);
    assert_eq!((regime.subject.as_str(), regime.affected), ("open-webui", of_app));
    assert!(of_app > 50);
}

#[test]
fn a_renamed_model_is_counted_under_its_new_name() {
    let (simulator, from, to) = simulator(&[RegimeKind::Rename]);
    let (old, new) = ("openai/gpt-5-mini", "openai/gpt-5-mini-2");
    let (truth, regime) = told(&simulator, from, to);
    assert_eq!(regime.subject, format!("{old} {new}"));
    let (calls_of_new, _) =
        calls(&simulator, (from, to), |attempt| attempt.model.as_deref() == Some(new), is_ok);
    assert!(calls_of_new > 50);
    assert_eq!(regime.affected, calls_of_new);
    let served = |name: &str| -> u64 {
        truth.days_by_model.iter().filter(|row| row.name == name).map(|row| row.requests).sum()
    };
    assert_eq!(served(old), 0);
    assert!(served(new) > 50);
    let before = simulator.truth(from - MINUTES, from, TextMode::None);
    assert!(before.days_by_model.iter().any(|row| row.name == old));
    assert!(before.days_by_model.iter().all(|row| row.name != new));
}

#[test]
fn traffic_that_stops_leaves_nothing_but_what_would_have_come() {
    let (simulator, from, to) = simulator(&[RegimeKind::Stop]);
    let (truth, regime) = told(&simulator, from, to);
    assert_eq!((truth.requests, truth.attempts), (0, 0));
    let (without, ..) = self::simulator(&[]);
    let usual = without.truth(from, to, TextMode::None).requests;
    near(regime.affected.abs_diff(usual), usual, 0.0, 0.05);
    assert!(simulator.truth(to, to + 5, TextMode::None).requests > 0);
}
