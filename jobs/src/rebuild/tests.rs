use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, HOUR_US, NOON_US, attempt};
use chrono::NaiveDate;

use crate::rebuild::RebuildReport;
use crate::testing::{Fixture, at};
use crate::{Error, Settling};

const NOW: &str = "2026-11-25T13:00:00Z";

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn rebuild(f: &mut Fixture, from: &str, to: &str) -> RebuildReport {
    f.jobs.rebuild(date(from), date(to), at(NOW)).await.unwrap()
}

/// A varied attempt of its own for each number, over the two days before today.
fn varied(ids: &[String]) -> Vec<AttemptRow<'_>> {
    let pick = |n: usize, from: &[&'static str]| from[n % from.len()];
    ids.iter()
        .enumerate()
        .map(|(n, id)| AttemptRow {
            started_at: NOON_US - DAY_US - (n as i64 * 37 % 30) * HOUR_US + n as i64 * 1_000_003,
            model_id: Some(pick(n, &["acme/one", "acme/two", "zeta/one"])).filter(|_| n % 17 != 0),
            author: Some(pick(n, &["acme", "acme", "zeta"])).filter(|_| n % 17 != 0),
            variant: Some(pick(n / 3, &["standard", "standard", "free"])),
            provider_id: Some(pick(n / 2, &["north", "south"])),
            endpoint_id: Some(pick(n / 2, &["north/x", "south/x"])).filter(|_| n % 5 != 0),
            region: None,
            app_id: Some(pick(n / 4, &["kilo", "chat", "mail"])).filter(|_| n % 6 != 0),
            country: Some(pick(n / 7, &["DE", "US"])).filter(|_| n % 9 != 0),
            user_key: Some(n as i64 % 41).filter(|_| n % 3 != 0),
            outcome: pick(n, &["ok", "ok", "ok", "fault", "ok", "rate_limited", "cancelled"]),
            error_class: Some("timeout").filter(|_| n % 7 == 3),
            cost_usd: Some(n as i128 * 1_234_567).filter(|_| n % 11 != 0),
            input_tokens: Some(n as i64 * 997),
            output_tokens: Some(n as i64 % 400),
            ttft_ms: Some(100 + n as i32 * 13 % 900).filter(|_| n % 4 != 0),
            duration_ms: Some(1_500 + n as i32 * 29 % 20_000),
            overhead_us: Some(n as i32 * 101 % 50_000),
            ..attempt(id)
        })
        .collect()
}

#[tokio::test]
async fn folding_row_by_row_and_settling_gives_what_one_rebuild_gives_byte_for_byte() {
    let ids: Vec<String> = (0..150).map(|n| format!("e{n:03}")).collect();
    let rows = varied(&ids);

    let mut slow = Fixture::new().await;
    for (n, row) in rows.iter().enumerate() {
        slow.append(std::slice::from_ref(row)).await;
        slow.jobs.fold(at(NOW)).await.unwrap();
        if n % 60 == 59 {
            slow.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
        }
    }
    slow.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
    slow.jobs.recompute().await.unwrap();

    let mut rebuilt = Fixture::new().await;
    let backwards: Vec<_> = rows.iter().rev().cloned().collect();
    rebuilt.append(&backwards).await;
    rebuilt.jobs.fold(at(NOW)).await.unwrap();
    // What stands is damaged, so that the rebuild has to replace it.
    for folded in rebuilt.jobs.folded.iter_mut().filter(|folded| folded.rollup.level.grain.is_of_one_day()) {
        let remove = folded.table.snapshot().files().iter().map(|file| file.path.clone()).collect();
        let gone = bellwether_warehouse::Change { remove, data_change: false, ..Default::default() };
        folded.table.commit(gone).await.unwrap();
    }
    assert_eq!(rebuilt.query("SELECT count(*) FROM usage_daily").await, ["0"]);
    let report = rebuild(&mut rebuilt, "2026-11-22", "2026-11-25").await;
    assert_eq!((report.attempts, report.dates), (150, 2));
    assert!(report.drift.iter().all(|drift| drift.rows_before == 0 || drift.table == "routing_hourly"));

    let (slow_contents, rebuilt_contents) = (slow.contents().await, rebuilt.contents().await);
    for ((table, of_slow), (_, of_rebuilt)) in slow_contents.iter().zip(&rebuilt_contents) {
        assert_eq!(of_slow.is_empty(), table.name() == "intake_daily", "{}", table.name());
        let rollup = table.rollup().unwrap();
        if rollup.level.grain.is_of_one_day() {
            assert_eq!(of_slow, of_rebuilt, "{}", table.name());
            continue;
        }
        // Week and month still run, and no rebuild of a date is one of them: partial rows come to the same.
        let sql = rollup.merge().replace("FROM part", &format!("FROM {}", table.name()));
        assert_eq!(slow.query(&sql).await, rebuilt.query(&sql).await, "{}", table.name());
    }
    // And a rebuild of the settled one finds nothing to do.
    let files = |f: &Fixture| {
        f.jobs.folded.iter().map(|folded| folded.table.snapshot().files().to_vec()).collect::<Vec<_>>()
    };
    slow.jobs.fold(at(NOW)).await.unwrap();
    let before = files(&slow);
    let report = rebuild(&mut slow, "2026-11-22", "2026-11-25").await;
    assert!(report.drift.iter().all(|drift| drift.keys_differing == 0 && drift.measures.is_empty()));
    assert_eq!(files(&slow), before);
}

#[tokio::test]
async fn copies_of_an_event_are_counted_once_and_reported() {
    let mut f = Fixture::new().await;
    let copied = AttemptRow { request_id: Some("r"), ..attempt("a") };
    f.append(&[copied.clone(), attempt("b")]).await;
    // The same event again, a little later and told otherwise: the first one stands.
    let late = AttemptRow { ingested_at: copied.ingested_at + 5, output_tokens: Some(999), ..copied.clone() };
    f.append(&[late.clone(), late]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["4"]);
    let report = rebuild(&mut f, "2026-11-25", "2026-11-25").await;
    assert_eq!(report.attempts, 4);
    for table in ["usage_hourly", "usage_daily"] {
        assert_eq!(
            f.query(&format!("SELECT requests, output_tokens, cost_usd FROM {table}")).await,
            ["2 400 0.003000000"],
            "{table}"
        );
    }
    for table in ["health_5m", "health_hourly", "health_daily"] {
        assert_eq!(f.query(&format!("SELECT attempts, ddsketch_count(ttft_ms) FROM {table}")).await, ["2 2"]);
    }
    assert_eq!(f.query("SELECT all_requests, attempts FROM routing_hourly").await, ["2 2"]);
    let drift = report.drift.iter().find(|drift| drift.table == "usage_daily").unwrap();
    assert_eq!((drift.rows_before, drift.rows_after, drift.keys_differing), (1, 1, 1));
    assert_eq!((drift.measures["requests"], drift.measures["output_tokens"]), (-2, -1_998));
    assert_eq!(drift.measures["cost_usd"], -3_000_000);
    assert!(report.to_string().contains("usage_daily         1 → 1 rows, 1 differing"), "{report}");
    // Afterwards it stands as it should, and a fold does not bring the copies back.
    assert_eq!(f.jobs.fold(at(NOW)).await.unwrap().attempts, 0);
    let again = rebuild(&mut f, "2026-11-25", "2026-11-25").await;
    assert!(again.drift.iter().all(|drift| drift.keys_differing == 0));
}

#[tokio::test]
async fn only_the_dates_asked_for_are_replaced() {
    let mut f = Fixture::new().await;
    for days in 0..4 {
        let twice = AttemptRow { started_at: NOON_US - days * DAY_US, ..attempt("e") };
        f.append(&[twice.clone(), twice]).await;
    }
    f.jobs.fold(at(NOW)).await.unwrap();
    rebuild(&mut f, "2026-11-23", "2026-11-24").await;
    for (table, count) in
        [("usage_daily", "requests"), ("health_hourly", "attempts"), ("routing_hourly", "attempts")]
    {
        assert_eq!(
            f.query(&format!("SELECT date, {count} FROM {table} ORDER BY date")).await,
            ["2026-11-22 2", "2026-11-23 1", "2026-11-24 1", "2026-11-25 2"],
            "{table}"
        );
    }
}

#[tokio::test]
async fn dates_that_a_table_no_longer_keeps_are_not_rebuilt_there() {
    let mut f = Fixture::new().await;
    let old = NOON_US - 20 * DAY_US;
    f.append(&[
        AttemptRow { started_at: old, ..attempt("a") },
        AttemptRow { started_at: old, ..attempt("a") },
    ])
    .await;
    // Folded while the day was young, so that `health_5m` has it.
    f.jobs.fold(at("2026-11-05T13:00:00Z")).await.unwrap();
    rebuild(&mut f, "2026-11-05", "2026-11-05").await;
    assert_eq!(f.query("SELECT sum(attempts) FROM health_5m").await, ["2"]);
    assert_eq!(f.query("SELECT sum(attempts) FROM health_hourly").await, ["1"]);
    assert_eq!(f.query("SELECT sum(attempts) FROM health_daily").await, ["1"]);
}

#[tokio::test]
async fn a_table_that_cannot_be_rebuilt_holds_up_no_other() {
    let mut f = Fixture::new().await;
    let copy = AttemptRow { started_at: NOON_US - DAY_US, ..attempt("e") };
    f.append(&[copy.clone(), copy]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let put_back = f.hide(TableId::UsageHourly, "2026-11-24").await;
    let yesterday = date("2026-11-24");
    let error = f.jobs.rebuild(yesterday, yesterday, at(NOW)).await.unwrap_err();
    assert!(error.to_string().contains("`rows of usage_hourly`"), "{error}");
    for table in ["health_5m", "health_hourly", "health_daily", "routing_hourly"] {
        assert_eq!(f.query(&format!("SELECT sum(attempts) FROM {table}")).await, ["1"], "{table}");
    }
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["1"]);
    put_back();
    assert_eq!(f.query("SELECT sum(requests) FROM usage_hourly").await, ["2"]);
    rebuild(&mut f, "2026-11-24", "2026-11-24").await;
    assert_eq!(f.query("SELECT sum(requests) FROM usage_hourly").await, ["1"]);
}

#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_refused() {
    let mut f = Fixture::new().await;
    let error = f.jobs.rebuild(date("2026-11-25"), date("2026-11-24"), at(NOW)).await.unwrap_err();
    assert!(matches!(error, Error::EmptyRange { .. }));
}

/// A LiteLLM row of a call without a response, as it was stored before and after its start became part of the id.
fn litellm(id: &str, started_at: i64) -> AttemptRow<'_> {
    AttemptRow {
        request_id: Some("call"),
        attempt: None,
        is_final: None,
        started_at,
        outcome: "fault",
        source: "litellm",
        ..attempt(id)
    }
}

#[tokio::test]
async fn rows_of_litellm_from_before_and_after_an_upgrade_meet_and_attempts_of_one_call_do_not() {
    let mut f = Fixture::new().await;
    let (short, first, second) = (
        "litellm:call:call",
        format!("litellm:call:call:{NOON_US}"),
        format!("litellm:call:call:{}", NOON_US + 250),
    );
    f.append(&[litellm(short, NOON_US)]).await;
    f.append(&[
        // Sent again after the upgrade, twice.
        litellm(&first, NOON_US),
        litellm(&first, NOON_US),
        // Another attempt of the call.
        litellm(&second, NOON_US + 250),
    ])
    .await;
    let attempts = "SELECT sum(attempts) FROM health_daily";
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!(f.query(attempts).await, ["4"]);
    rebuild(&mut f, "2026-11-25", "2026-11-25").await;
    assert_eq!(f.query(attempts).await, ["2"]);
    assert_eq!(f.query("SELECT attempts FROM routing_hourly").await, ["2"]);

    // Neither do rows that differ in what happened, or ids that only look alike.
    for other in [
        AttemptRow { outcome: "rate_limited", ..litellm(&first, NOON_US) },
        AttemptRow { raw_provider: Some("South"), ..litellm(&first, NOON_US) },
        AttemptRow { source: "native", ..litellm(&first, NOON_US) },
        litellm(&second, NOON_US),
        AttemptRow { request_id: Some("cal"), ..litellm(&first, NOON_US) },
    ] {
        let mut f = Fixture::new().await;
        f.append(&[litellm(short, NOON_US), other]).await;
        rebuild(&mut f, "2026-11-25", "2026-11-25").await;
        assert_eq!(f.query(attempts).await, ["2"]);
    }
}
