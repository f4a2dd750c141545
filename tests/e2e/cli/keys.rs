//! A pepper is rotated on purpose, and only then.

use std::path::Path;

use crate::support::app::{Bellwether, Finished};
use crate::support::config::Config;
use crate::support::{http, scratch, wait};

fn run(folder: &Path, args: &[&str], file: &str) -> Finished {
    Bellwether::new(folder, args).arg("--config").arg(file).run()
}

/// The folder of the secrets, file by file.
fn names(keys: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(keys)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("label-"))
        .collect();
    names.sort();
    names
}

fn import(folder: &Path, file: &str, request: &str) {
    let event = format!(
        r#"{{"request_id":"{request}","started_at":"2026-11-25T12:00:00Z","user_id":"alice","attempts":[{{"model":"acme/one","provider":"north","http_status":200}}]}}"#
    );
    std::fs::write(folder.join("one.ndjson"), event).unwrap();
    run(folder, &["import", "one.ndjson"], file).ok();
}

fn users(folder: &Path, file: &str) -> serde_json::Value {
    run(folder, &["sql", "SELECT count(DISTINCT user_key) AS n FROM attempts", "--format", "json"], file)
        .ok()
        .json()
}

#[test]
fn a_pepper_is_rotated_once_every_process_of_the_host_is_gone_and_other_hosts_are_told() {
    let folder = scratch();
    let config = Config::new(folder.path());
    let (file, keys) = (config.write(), folder.path().join("keys"));
    run(folder.path(), &["keys", "rotate"], &file).refused(2, &["no warehouse"]);
    import(folder.path(), &file, "before");
    import(folder.path(), &file, "before too");
    let old = std::fs::read(keys.join("pepper.key")).unwrap();

    let serving = Bellwether::new(folder.path(), &["serve", "--roles", "intake", "--config", &file]).start();
    wait::until("the intake", wait::START, || http::try_get(&config.url("intake", "/livez")));
    run(folder.path(), &["keys", "rotate"], &file).refused(2, &["another process", "pepper.key"]);
    assert_eq!(serving.interrupt().code(), 0);

    let dry = run(folder.path(), &["keys", "rotate", "--dry-run"], &file).ok();
    assert!(
        dry.stdout.contains("would keep the old one") && dry.stdout.contains("count twice"),
        "{}",
        dry.stdout
    );
    assert_eq!(names(&keys), ["pepper.key"]);
    run(folder.path(), &["keys", "rotate", "--lost"], &file).refused(2, &["not lost"]);

    let done = run(folder.path(), &["keys", "rotate"], &file).ok();
    assert!(done.stdout.contains("copy") && done.stdout.contains("count twice"), "{}", done.stdout);
    let after = names(&keys);
    assert_eq!((after.len(), after[1].as_str()), (2, "pepper.key"));
    assert_eq!(std::fs::read(keys.join(&after[0])).unwrap(), old);
    import(folder.path(), &file, "after");
    assert_eq!(users(folder.path(), &file), serde_json::json!([{ "n": 2 }]));

    // Another host has the old one until the new one is copied; it may be named by its file.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(keys.join(&after[0]), other.join("host.key")).unwrap();
    let named = config.set("keys.path", other.join("host.key").to_str().unwrap()).write();
    let refused = run(folder.path(), &["keys", "rotate"], &named);
    refused.refused(2, &["host.key", "fingerprint", "--lost"]);
    let checked = run(folder.path(), &["check"], &named);
    assert!(checked.stdout.contains("failed  keys: "), "{}", checked.stdout);
    std::fs::copy(keys.join("pepper.key"), other.join("host.key")).unwrap();
    import(folder.path(), &named, "after too");
    assert_eq!(users(folder.path(), &named), serde_json::json!([{ "n": 2 }]));
}

#[test]
fn a_pepper_that_no_host_has_any_more_is_given_up_only_in_so_many_words() {
    let folder = scratch();
    let (file, keys) = (Config::new(folder.path()).write(), folder.path().join("keys"));
    import(folder.path(), &file, "before");
    std::fs::remove_file(keys.join("pepper.key")).unwrap();
    run(folder.path(), &["keys", "rotate"], &file).refused(2, &["no pepper", "--lost"]);
    assert_eq!(names(&keys), [""; 0]);
    run(folder.path(), &["keys", "rotate", "--lost"], &file).ok();
    import(folder.path(), &file, "after");
    assert_eq!(users(folder.path(), &file), serde_json::json!([{ "n": 2 }]));
}

#[test]
fn a_rotation_that_was_cut_off_before_its_last_step_is_finished_by_the_next() {
    let folder = scratch();
    let (file, keys) = (Config::new(folder.path()).write(), folder.path().join("keys"));
    import(folder.path(), &file, "before");
    let old = std::fs::read(keys.join("pepper.key")).unwrap();
    run(folder.path(), &["keys", "rotate"], &file).ok();
    // As it stood when the warehouse had taken the new one and the file was not in its place.
    let kept = names(&keys)[0].clone();
    std::fs::rename(keys.join("pepper.key"), keys.join("pepper-next.key")).unwrap();
    std::fs::rename(keys.join(kept), keys.join("pepper.key")).unwrap();
    let checked = run(folder.path(), &["check"], &file);
    assert!(checked.stdout.contains("keys rotate` again to finish"), "{}", checked.stdout);
    let dry = run(folder.path(), &["keys", "rotate", "--dry-run"], &file).ok();
    assert!(dry.stdout.contains("would finish"), "{}", dry.stdout);
    run(folder.path(), &["keys", "rotate"], &file).ok();
    let after = names(&keys);
    assert_eq!((after.len(), after[1].as_str()), (2, "pepper.key"));
    assert_eq!(std::fs::read(keys.join(&after[0])).unwrap(), old);
    import(folder.path(), &file, "after");
    assert_eq!(users(folder.path(), &file), serde_json::json!([{ "n": 2 }]));
}
