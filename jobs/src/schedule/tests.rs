use std::time::Duration;

use bellwether_warehouse::Change;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use chrono::TimeDelta;
use tokio::sync::watch;

use super::{Job, Outcome, Part, Scheduler, Settings, Timetable, run};
use crate::settle::Settling;
use crate::testing::{Fixture, at};
use crate::{Jobs, TableStatus, mark, remap};

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
        ("2026-11-25T01:00:00Z", vec![Fold, Routing, Settle, Expire, Rebuild]),
        ("2026-11-25T01:00:10Z", vec![Fold, Settle]),
        ("2026-11-25T01:00:59Z", vec![Fold, Settle]),
        ("2026-11-25T01:01:00Z", vec![Fold, Routing, Settle]),
        // It is asked again which dates are left to rebuild, now and then and when an hour has closed.
        ("2026-11-25T01:59:30Z", vec![Fold, Routing, Settle, Rebuild]),
        ("2026-11-25T02:00:00Z", vec![Fold, Routing, Settle, Rebuild]),
        ("2026-11-25T02:00:10Z", vec![Fold, Settle]),
        ("2026-11-25T02:09:59Z", vec![Fold, Routing, Settle]),
        ("2026-11-25T02:10:00Z", vec![Fold, Settle, Rebuild]),
        ("2026-11-26T00:00:00Z", vec![Fold, Routing, Settle, Expire, Rebuild]),
    ] {
        assert_eq!(pass(&mut timetable, now), expected, "{now}");
    }
    // Without an hour nothing is rebuilt by the clock; dates whose names were read again are.
    let by_hand = Timetable::new(Settings { rebuild_at_hour: None, ..Settings::default() });
    assert!(by_hand.nightly().is_none() && due(&by_hand, "2026-11-25T02:00:00Z").contains(&Job::Rebuild));
}

#[test]
fn a_job_that_fails_again_and_again_is_tried_less_and_less_often_and_the_others_as_before() {
    let mut timetable = Timetable::new(Settings::default());
    let start = at("2026-11-25T01:00:00Z");
    let after = |secs: i64| start + TimeDelta::seconds(secs);
    for (failed, pause) in [(0, 10), (10, 20), (30, 40), (70, 80), (150, 160), (310, 320), (630, 640)] {
        assert_eq!(timetable.note_failure(Job::Rebuild, after(failed)), Duration::from_secs(pause));
        assert!(!timetable.is_due(Job::Rebuild, after(failed + pause as i64 - 1)), "{failed}");
        assert!(timetable.is_due(Job::Rebuild, after(failed + pause as i64)), "{failed}");
        assert!(timetable.is_due(Job::Fold, after(failed)) && timetable.is_due(Job::Routing, after(failed)));
    }
    // Half an hour at most; a fold, on which every page waits, a minute.
    for _ in 0..40 {
        timetable.note_failure(Job::Rebuild, after(1_270));
        timetable.note_failure(Job::Fold, after(1_270));
    }
    assert!(!timetable.is_due(Job::Rebuild, after(1_270 + 1_799)));
    assert!(timetable.is_due(Job::Rebuild, after(1_270 + 1_800)));
    assert!(!timetable.is_due(Job::Fold, after(1_270 + 59)));
    assert!(timetable.is_due(Job::Fold, after(1_270 + 60)));
    // A clock that was set back does not keep it waiting for days.
    assert!(timetable.is_due(Job::Rebuild, after(-86_400)));
    // Success forgets.
    timetable.note(Job::Rebuild, after(4_000));
    assert_eq!(timetable.note_failure(Job::Rebuild, after(5_000)), Duration::from_secs(10));
}

#[test]
fn a_job_that_another_worker_was_first_at_is_not_taken_for_done() {
    let mut timetable = Timetable::new(Settings::default());
    timetable.note_fenced(Job::Expire, at("2026-11-25T01:00:00Z"));
    assert!(!timetable.is_due(Job::Expire, at("2026-11-25T01:00:09Z")));
    assert!(timetable.is_due(Job::Expire, at("2026-11-25T01:00:10Z")));
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
            // Today has not closed.
            (Job::Rebuild, Outcome::Done { rows: 0 }),
        ]
    );
    assert!(report.is_clean());
    assert_eq!(report.to_string().lines().count(), 5);
}

#[tokio::test]
async fn a_job_that_fails_stops_neither_the_others_nor_the_next_round() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    let path = f.root().join("attempts").join(&f.attempts.snapshot().files()[0].path);
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

/// Two copies of an event, `days` before the 25th.
async fn append_copies(f: &mut Fixture, days: i64) {
    let copy = AttemptRow { started_at: NOON_US - days * DAY_US, ..attempt("e") };
    f.append(&[copy.clone(), copy]).await;
}

const REQUESTS: &str = "SELECT date, sum(requests) FROM usage_daily GROUP BY date ORDER BY date";

#[tokio::test]
async fn a_process_that_starts_after_the_hour_rebuilds_what_was_missed_once() {
    let mut f = Fixture::new().await;
    for days in [0, 1, 5] {
        append_copies(&mut f, days).await;
    }
    // Nobody ran for days; the open date is left alone.
    let report = f.jobs.run_once(at("2026-11-25T09:00:00Z")).await;
    assert_eq!(report.jobs[4].outcome, Outcome::Done { rows: 4 }, "{report}");
    assert_eq!(f.query(REQUESTS).await, ["2026-11-20 1", "2026-11-24 1", "2026-11-25 2"]);
    assert_eq!(f.query("SELECT count(*) FROM routing_hourly WHERE attempts = 1").await, ["2"]);
    // Neither it nor a process that starts later does so again on that day.
    for now in ["2026-11-25T09:00:10Z", "2026-11-26T01:59:00Z"] {
        let mut restarted = Jobs::open(&f.warehouse).await.unwrap();
        assert_eq!(restarted.run_once(at(now)).await.jobs[4].outcome, Outcome::Done { rows: 0 }, "{now}");
    }
    // In the second night yesterday is looked at again, today for the first time, the rest no more.
    let report = f.jobs.run_once(at("2026-11-26T02:00:00Z")).await;
    assert_eq!(report.jobs[4].outcome, Outcome::Done { rows: 4 }, "{report}");
    assert_eq!(f.query(REQUESTS).await, ["2026-11-20 1", "2026-11-24 1", "2026-11-25 1"]);
    let report = f.jobs.run_once(at("2026-11-28T02:00:00Z")).await;
    assert_eq!(report.jobs[4].outcome, Outcome::Done { rows: 2 }, "{report}");
    let report = f.jobs.run_once(at("2026-12-24T02:00:00Z")).await;
    assert_eq!(report.jobs[4].outcome, Outcome::Done { rows: 0 }, "{report}");
}

#[tokio::test]
async fn of_two_schedulers_each_date_is_rebuilt_by_one_and_finished_by_either() {
    let mut f = Fixture::new().await;
    append_copies(&mut f, 1).await;
    append_copies(&mut f, 3).await;
    let mut schedulers = Vec::new();
    for _ in 0..2 {
        schedulers.push(Scheduler::new(Jobs::open(&f.warehouse).await.unwrap()));
    }
    // Both are running before the hour, then both reach it with the same state in hand.
    for scheduler in &mut schedulers {
        assert!(scheduler.run_once(at("2026-11-25T01:00:00Z")).await.is_clean());
    }
    let (first, second) = schedulers.split_at_mut(1);
    let now = at("2026-11-25T02:00:00Z");
    let (one, other) = tokio::join!(first[0].run_once(now), second[0].run_once(now));
    assert!(one.is_clean() && other.is_clean(), "{one}\n{other}");
    // Whoever was fenced comes back, whatever the other one did.
    for scheduler in &mut schedulers {
        let report = scheduler.run_once(at("2026-11-25T02:00:10Z")).await;
        assert!(report.jobs.iter().all(|report| report.outcome != Outcome::Fenced), "{report}");
    }
    assert_eq!(f.query(REQUESTS).await, ["2026-11-22 1", "2026-11-24 1"]);
    for table in ["health_5m", "health_hourly", "health_daily"] {
        assert_eq!(f.query(&format!("SELECT sum(attempts) FROM {table}")).await, ["2"], "{table}");
    }
    assert_eq!(f.query("SELECT sum(attempts) FROM routing_hourly").await, ["2"]);
}

#[tokio::test]
async fn beside_a_folding_task_one_batch_is_rebuilt_a_round_and_a_failing_one_holds_up_no_other() {
    let mut f = Fixture::new().await;
    // Not neighbours, so a batch each.
    for days in [2, 4, 6] {
        append_copies(&mut f, days).await;
    }
    f.jobs.fold(at("2026-11-25T09:00:00Z")).await.unwrap();
    // The file of the first date cannot be read.
    let file = f.attempts.snapshot().files().iter().find(|file| file.path.contains("2026-11-19")).unwrap();
    let path = f.root().join("attempts").join(&file.path);
    std::fs::rename(&path, path.with_extension("hidden")).unwrap();
    let mut timetable = Timetable::new(Settings::default());
    let mut outcomes = Vec::new();
    for now in ["2026-11-25T09:00:00Z", "2026-11-25T09:00:10Z", "2026-11-25T09:00:11Z"] {
        let report = run(&mut f.jobs, &mut timetable, Part::Upkeep, at(now)).await;
        assert!(report.jobs.iter().all(|report| report.job != Job::Fold));
        let rebuild = report.jobs.iter().find(|report| report.job == Job::Rebuild).unwrap();
        outcomes.push(matches!(rebuild.outcome, Outcome::Failed { .. }));
    }
    assert_eq!(outcomes, [true, false, false]);
    assert_eq!(f.query(REQUESTS).await, ["2026-11-19 2", "2026-11-21 1", "2026-11-23 1"]);
}

#[tokio::test]
async fn a_month_whose_names_cannot_be_read_again_holds_up_neither_its_weeks_nor_its_days() {
    let mut f = Fixture::new().await;
    for days in [1, 20] {
        append_copies(&mut f, days).await;
    }
    f.jobs.fold(at("2026-11-25T09:00:00Z")).await.unwrap();
    f.jobs.recompute().await.unwrap();
    // A day of another week, but of the same month, cannot be read.
    let file = f.attempts.snapshot().files().iter().find(|file| file.path.contains("2026-11-05")).unwrap();
    let path = f.root().join("attempts").join(&file.path);
    std::fs::rename(&path, path.with_extension("hidden")).unwrap();
    let marked =
        mark::remap(f.attempts.snapshot(), "2026-11-24".parse().unwrap(), at("2026-11-25T09:00:00Z"));
    f.attempts.commit(Change { advance: vec![marked], ..Change::default() }).await.unwrap();
    let spans = async |f: &mut Fixture| {
        let due = remap::due(&mut f.jobs, at("2026-11-25T09:00:00Z")).await.unwrap();
        let span = |due: remap::Due| (*due.dates.first().unwrap(), *due.dates.last().unwrap());
        due.into_iter().map(span).collect::<Vec<_>>()
    };
    let works = spans(&mut f).await;
    let month = ("2026-11-01".parse().unwrap(), "2026-11-30".parse().unwrap());
    let of_month = works.iter().filter(|span| **span == month).count();
    assert!(of_month > 0 && works.len() > of_month + 1, "{works:?}");
    let mut timetable = Timetable::new(Settings { rebuild_at_hour: None, ..Settings::default() });
    for turn in 1..=works.len() {
        // Longer apart than any pause after failures.
        let now = at("2026-11-25T09:00:00Z") + TimeDelta::minutes(31) * turn as i32;
        run(&mut f.jobs, &mut timetable, Part::Upkeep, now).await;
    }
    assert_eq!(spans(&mut f).await, vec![month; of_month]);
}

#[tokio::test]
async fn what_hangs_beside_the_fold_does_not_keep_the_loop_from_folding() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("e")]).await;
    let path = f.attempts.snapshot().files()[0].path.clone();
    f.jobs.fold(at("2026-11-25T13:00:00Z")).await.unwrap();
    // In the place of the file a pipe that nobody writes to: whoever reads it next, hangs.
    let path = f.root().join("attempts").join(path);
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (stop, stopped) = watch::channel(false);
    let scheduler = Scheduler::new(Jobs::open(&f.warehouse).await.unwrap());
    let running = tokio::spawn(scheduler.run_forever(Duration::from_millis(5), stopped));
    for id in ["a", "b", "c"] {
        f.append(&[attempt(id)]).await;
        let seen = async {
            let is_behind = |table: &TableStatus| table.table != "routing_hourly" && table.lag > 0;
            while f.jobs.status().await.unwrap().rollups.iter().any(is_behind) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap();
    }
    // Routing reads before all others and got nowhere.
    let status = f.jobs.status().await.unwrap();
    let routing = status.rollups.iter().find(|table| table.table == "routing_hourly").unwrap();
    assert_eq!(routing.computed_at, None);
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(60), running).await.unwrap().unwrap();
    // Opened both ways a pipe waits for nobody, and what waits for it goes on.
    drop(std::fs::File::options().read(true).write(true).open(&path).unwrap());
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["4"]);
}
