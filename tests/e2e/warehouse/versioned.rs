//! A bucket that keeps what is deleted, by which label rows would outlive their day.

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::gateway::Gateway;
use crate::support::place::Place;
use crate::support::{http, scratch, wait};

#[test]
fn versioning_of_a_bucket_is_refused_by_check_and_told_at_the_start_until_it_is_suspended() {
    let folder = scratch();
    let config = Place::Bucket.of(Config::new(folder.path()), "versioned");
    let file = config.write();
    let check = || Bellwether::new(folder.path(), &["check", "--config", &file]).run();
    // What a start says until its first round of maintenance is done.
    let start = || {
        let args = ["serve", "--roles", "maintain", "--config", &file];
        let running = Bellwether::new(folder.path(), &args).start();
        wait::until("a round of maintenance", wait::START, || {
            let ready = http::try_get(&config.url("admin", "/readyz"))?.text();
            ready.contains("upkeep of the tables: ready\n").then_some(())
        });
        let ended = running.interrupt();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let told = |line: &&str| line.contains("keeps what is deleted");
        ended.stderr.lines().filter(told).map(str::to_owned).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    check().ok();
    assert_eq!(start(), none);

    Gateway::shared().set_versioning("versioned", "Enabled");
    let checked = check();
    assert_eq!(checked.code(), 2);
    let failed: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with("failed  ")).collect();
    assert!(failed.len() == 1 && failed[0].starts_with("failed  warehouse: "), "{}", checked.stdout);
    let told = start();
    assert!(told.len() == 1 && told[0].contains(" WARN "), "{told:?}");
    for line in [failed[0], &told[0]] {
        for word in ["s3://versioned/w", "keeps what is deleted", "turn versioning off", "suspend"] {
            assert!(line.contains(word), "`{word}` is missing in: {line}");
        }
    }

    Gateway::shared().set_versioning("versioned", "Suspended");
    check().ok();
    assert_eq!(start(), none);
}
