//! The folder between intake and ingest: put back from a copy, shared by mistake, unreadable.

use std::path::Path;
use std::process::Command;

use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::{http, metrics, scratch, store, tool, traffic, wait};

fn serve(folder: &Path, roles: &str, file: &str) -> Running {
    Bellwether::new(folder, &["serve", "--roles", roles, "--config", file]).start()
}

fn post(config: &Config, ids: std::ops::Range<u32>) {
    wait::until("the intake to listen", wait::START, || http::try_get(&config.url("intake", "/livez")));
    let started_at = traffic::instant(1);
    let lines: String = ids
        .clone()
        .map(|id| {
            format!(
                r#"{{"request_id":"spool-{id}","started_at":"{started_at}","attempts":[{{"model":"m","http_status":200}}]}}"#
            ) + "\n"
        })
        .collect();
    let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(lines)).expect("post");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["accepted"], ids.len());
}

fn wait_for_rows(config: &Config, rows: i64) {
    wait::until("the rows", wait::START, || {
        (store::rows_of_attempts(&config.warehouse()) >= rows).then_some(())
    });
}

#[test]
fn spool_folder_put_back_from_a_copy_swallows_no_accepted_record() {
    put_back(Place::Folder);
}

#[test]
fn spool_folder_put_back_beside_a_bucket_swallows_no_accepted_record() {
    put_back(Place::Bucket);
}

fn put_back(place: Place) {
    let folder = scratch();
    let config = place.of(Config::new(folder.path()), "put-back").set("ingest.flush_age", "200ms");
    let file = config.write();
    let [spool, copy] = ["spool", "copy"].map(|name| folder.path().join(name));
    let copy_to = |from: &Path, to: &Path| {
        tool::run("coreutils", Command::new("cp").arg("-a").arg(from).arg(to)).ok();
    };

    let both = serve(folder.path(), "intake,ingest", &file);
    post(&config, 0..50);
    wait_for_rows(&config, 50);
    assert_eq!(both.interrupt().code(), 0);
    copy_to(&spool, &copy);
    let both = serve(folder.path(), "intake,ingest", &file);
    post(&config, 50..100);
    wait_for_rows(&config, 100);
    assert_eq!(both.interrupt().code(), 0);

    std::fs::remove_dir_all(&spool).unwrap();
    copy_to(&copy, &spool);
    let intake = serve(folder.path(), "intake", &file);
    post(&config, 100..160);
    assert_eq!(intake.interrupt().code(), 0);
    let ingest = serve(folder.path(), "ingest", &file);
    wait_for_rows(&config, 160);
    assert_eq!(ingest.interrupt().code(), 0);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM attempts"), 160);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(DISTINCT request_id) FROM attempts"), 160);
}

#[test]
fn second_instance_on_a_spool_is_refused_with_its_folder() {
    second_instance(Place::Folder);
}

#[test]
fn second_instance_on_a_spool_beside_a_bucket_is_refused_with_its_folder() {
    second_instance(Place::Bucket);
}

fn second_instance(place: Place) {
    let folder = scratch();
    let config = place.of(Config::new(folder.path()), "second-instance").set("ingest.flush_age", "200ms");
    let file = config.write();
    let first = serve(folder.path(), "intake,ingest", &file);
    post(&config, 0..20);
    let other = config.clone().set("intake.listen", "127.0.0.1:0").set("admin.listen", "127.0.0.1:0").write();
    for (roles, word) in [("intake", "written by another process"), ("ingest", "ingested by another process")]
    {
        let spool = folder.path().join("spool");
        Bellwether::new(folder.path(), &["serve", "--roles", roles, "--config", &other])
            .run()
            .refused(2, &[spool.to_str().unwrap(), word]);
    }
    // Nor does the first one notice.
    post(&config, 20..40);
    wait_for_rows(&config, 40);
    assert_eq!(first.interrupt().code(), 0);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM attempts"), 40);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(DISTINCT request_id) FROM attempts"), 40);
}

#[test]
fn unreadable_log_beside_kafka_is_told_and_counted_while_the_rest_goes_on() {
    let broker = Broker::shared();
    broker.create_topic("beside-spool", 1);
    let folder = scratch();
    let config = Config::new(folder.path()).set("ingest.flush_age", "200ms");
    let intake = serve(folder.path(), "intake", &config.write());
    post(&config, 0..3);
    assert_eq!(intake.interrupt().code(), 0);
    let manifest = store::files(&folder.path().join("spool"))
        .into_iter()
        .find(|path| path.ends_with("manifest.json"))
        .expect("a manifest");
    std::fs::write(&manifest, r#"{"version": 9}"#).unwrap();

    let config = config.kafka(&broker.address(), &[("beside-spool", "native")]);
    let ingest = serve(folder.path(), "intake,ingest", &config.write());
    let line = ingest.wait_for("stopped reading a log of the spool", wait::START);
    assert!(line.contains("version 9") && line.contains("newer build"), "{line}");
    post(&config, 3..5);
    wait_for_rows(&config, 2);
    let ready = http::get(&config.url("admin", "/readyz"));
    assert_eq!(ready.status, 200, "the rest goes on: {}", ready.text());
    let text = ready.text();
    let stopped = text
        .lines()
        .find(|line| line.starts_with("logs of the spool: ready, but"))
        .expect("what has stopped");
    assert!(stopped.contains("version 9"), "{stopped}");
    assert_eq!(metrics::value(&config, "bellwether_spool_stopped_logs"), Some(1.0));
    let ended = ingest.interrupt();
    assert_eq!(ended.code(), 0);
    assert_eq!(ended.stderr.matches("version 9").count(), 1, "told more than once: {}", ended.stderr);
}

#[test]
fn ingest_that_cannot_write_says_so_in_the_readiness_until_it_can() {
    let folder = scratch();
    let config = Config::new(folder.path()).set("ingest.flush_age", "200ms");
    let both = serve(folder.path(), "intake,ingest", &config.write());
    wait::until("the intake to listen", wait::START, || http::try_get(&config.url("intake", "/livez")));
    let date = traffic::instant(1)[..10].to_owned();
    let partition = config.warehouse().join(format!("attempts/event_date={date}"));
    std::fs::write(&partition, "a file where a folder is to be").unwrap();
    post(&config, 0..3);
    let line = || {
        let text = http::get(&config.url("admin", "/readyz")).text();
        text.lines().find_map(|line| line.strip_prefix("tables of ingest: ")).map(str::to_owned)
    };
    let told = wait::until("the trouble", wait::START, || line().filter(|line| line != "ready"));
    assert!(told.starts_with("ready, but table `attempts` cannot be used since "), "{told}");
    assert!(told.contains(&date), "{told}");
    std::fs::remove_file(&partition).unwrap();
    wait_for_rows(&config, 3);
    wait::until("readiness", wait::START, || line().filter(|line| line == "ready"));
    assert_eq!(both.interrupt().code(), 0);
}

#[test]
fn status_shows_the_logs_that_are_there_and_counts_those_that_are_not() {
    let folder = scratch();
    let config = Config::new(folder.path()).set("ingest.flush_age", "200ms");
    let file = config.write();
    let status = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file).run().ok();
    for (start, rows) in [(0, 2), (2, 4), (4, 6)] {
        let both = serve(folder.path(), "intake,ingest", &file);
        post(&config, start..start + 2);
        wait_for_rows(&config, rows);
        if start == 4 {
            // The two logs of before go as soon as this one is there.
            let told = wait::until("one log", wait::START, || {
                let told = status(&["ingest", "status", "--json"]).json();
                told.as_array().filter(|lines| lines.len() == 1 && lines[0]["lag"] == 0).cloned()
            });
            let log = told[0]["log"].as_str().expect("a uuid").to_owned();
            assert!(folder.path().join("spool").join(&log).is_dir(), "{log}");
            assert_eq!((&told[0]["attempts"], &told[0]["state"]), (&2.into(), &"read here".into()));
            let text = status(&["ingest", "status"]).stdout;
            assert!(text.contains(&format!("spool/{} ", &log[..8])), "{text}");
            assert!(
                text.ends_with(
                    "and 2 logs of spools that were ingested and deleted, or lie on other hosts\n"
                )
            );
        }
        assert_eq!(both.interrupt().code(), 0);
    }
    // Records that nobody has read yet.
    let intake = serve(folder.path(), "intake", &file);
    post(&config, 6..9);
    assert_eq!(intake.interrupt().code(), 0);
    let told = status(&["ingest", "status", "--json"]).json();
    let lags: Vec<(i64, &str)> = told
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| (line["lag"].as_i64().expect("a lag"), line["state"].as_str().expect("a state")))
        .collect();
    assert_eq!(lags, [(0, ""), (3, "")]);
}
