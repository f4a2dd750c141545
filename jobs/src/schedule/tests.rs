use std::time::Duration;

use bellwether_warehouse::testing::attempt;
use tokio::sync::watch;

use super::{Job, Outcome, Scheduler, Settings, Timetable};
use crate::Jobs;
use crate::settle::Settling;
use crate::testing::{Fixture, at};

fn due(timetable: &Timetable, now: &str) -> Vec<Job> {
    Job::ALL.into_iter().filter(|job| timetable.is_due(*job, at(now))).collect()
}

/// Runs nothing, but notes what is due as run.
fn pass(timetable: &mut Timetable, now: &str) -> Vec<Job> {
    let due = due(timetable, now);
    due.iter().for_each(|job| timetable.note(*job, at(now)));
    due
}

#[test]
fn jobs_run_as_often_as_they_are_to() {
    use Job::{Expire, Fold, Rebuild, Routing, Settle};
    let mut timetable = Timetable::new(Settings::default());
    for (now, expected) in [
        ("2026-11-25T01:00:00Z", vec![Fold, Routing, Settle, Expire]),
        ("2026-11-25T01:00:10Z", vec![Fold, Settle]),
        ("2026-11-25T01:00:59Z", vec![Fold, Settle]),
        ("2026-11-25T01:01:00Z", vec![Fold, Routing, Settle]),
        ("2026-11-25T01:59:30Z", vec![Fold, Routing, Settle]),
        // The hour has closed.
        ("2026-11-25T02:00:00Z", vec![Fold, Routing, Settle, Rebuild]),
        ("2026-11-25T02:00:10Z", vec![Fold, Settle]),
        ("2026-11-26T00:00:00Z", vec![Fold, Routing, Settle, Expire]),
        ("2026-11-26T23:00:00Z", vec![Fold, Routing, Settle, Rebuild]),
    ] {
        assert_eq!(pass(&mut timetable, now), expected, "{now}");
    }
}

#[test]
fn a_process_that_starts_after_the_hour_leaves_the_rebuild_for_the_next_day() {
    let mut timetable = Timetable::new(Settings::default());
    assert!(!pass(&mut timetable, "2026-11-25T02:00:00Z").contains(&Job::Rebuild));
    assert!(!pass(&mut timetable, "2026-11-25T23:00:00Z").contains(&Job::Rebuild));
    assert!(!pass(&mut timetable, "2026-11-26T01:59:59Z").contains(&Job::Rebuild));
    assert!(pass(&mut timetable, "2026-11-26T02:00:00Z").contains(&Job::Rebuild));
    let range = timetable.rebuild_range(at("2026-11-26T02:00:00Z")).unwrap();
    assert_eq!((range.0.to_string(), range.1.to_string()), ("2026-11-24".into(), "2026-11-25".into()));
    let mut never = Timetable::new(Settings { rebuild_at_hour: None, ..Settings::default() });
    for now in ["2026-11-25T01:00:00Z", "2026-11-26T03:00:00Z"] {
        assert!(!pass(&mut never, now).contains(&Job::Rebuild));
    }
}

#[test]
fn closed_dates_are_settled_now_and_then() {
    let mut timetable = Timetable::new(Settings::default());
    let mut settled = |now: &str| {
        let settling = timetable.settling(at(now));
        timetable.note(Job::Settle, at(now));
        settling
    };
    assert_eq!(settled("2026-11-25T01:00:00Z"), Settling::Closed);
    assert_eq!(settled("2026-11-25T01:09:59Z"), Settling::Crowded);
    assert_eq!(settled("2026-11-25T01:10:00Z"), Settling::Closed);
}

#[tokio::test]
async fn a_round_runs_what_is_due_and_tells() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a"), attempt("b")]).await;
    let report = f.jobs.run_once(at("2026-11-25T13:00:00Z")).await;
    let jobs: Vec<_> = report.jobs.iter().map(|report| (report.job, report.outcome.clone())).collect();
    assert_eq!(
        jobs,
        [
            (Job::Fold, Outcome::Done { rows: 2 }),
            (Job::Routing, Outcome::Done { rows: 1 }),
            (Job::Settle, Outcome::Done { rows: 0 }),
            (Job::Expire, Outcome::Done { rows: 0 }),
        ]
    );
    assert!(report.is_clean());
    assert_eq!(report.to_string().lines().count(), 4);
}

#[tokio::test]
async fn a_job_that_fails_stops_neither_the_others_nor_the_next_round() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    let path = f.warehouse.location().root().join(&f.attempts.snapshot().files()[0].path);
    let path = path.strip_prefix(f.warehouse.location().root()).unwrap();
    let path = f.warehouse.location().root().join("attempts").join(path);
    let hidden = path.with_extension("hidden");
    std::fs::rename(&path, &hidden).unwrap();
    let mut scheduler = Scheduler::new(Jobs::open(&f.warehouse).await.unwrap());
    let report = scheduler.run_once(at("2026-11-25T13:00:00Z")).await;
    assert!(!report.is_clean());
    assert!(
        matches!(&report.jobs[0].outcome, Outcome::Failed { error } if error.contains("base")),
        "{report}"
    );
    assert_eq!(report.jobs[2].outcome, Outcome::Done { rows: 0 });
    std::fs::rename(&hidden, &path).unwrap();
    let report = scheduler.run_once(at("2026-11-25T13:00:10Z")).await;
    assert!(report.is_clean(), "{report}");
    // Routing failed too, so it did not wait for its minute.
    assert_eq!(
        report.jobs.iter().map(|report| report.job).collect::<Vec<_>>()[..2],
        [Job::Fold, Job::Routing]
    );
    assert_eq!(f.query("SELECT requests FROM usage_daily").await, ["1"]);
}

#[tokio::test]
async fn the_loop_folds_until_it_is_told_to_stop() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    let (stop, stopped) = watch::channel(false);
    let scheduler = Scheduler::new(Jobs::open(&f.warehouse).await.unwrap());
    let running = tokio::spawn(scheduler.run_forever(Duration::from_millis(5), stopped));
    let seen = async {
        while f.jobs.status().await.unwrap().rollups.iter().any(|table| table.lag > 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap();
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(60), running).await.unwrap().unwrap();
    assert_eq!(f.query("SELECT requests FROM usage_daily").await, ["1"]);

    // A sender that is gone cannot stop it later.
    let (stop, stopped) = watch::channel(false);
    let scheduler = Scheduler::new(Jobs::open(&f.warehouse).await.unwrap());
    drop(stop);
    let ended = scheduler.run_forever(Duration::from_secs(3_600), stopped);
    tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
}
