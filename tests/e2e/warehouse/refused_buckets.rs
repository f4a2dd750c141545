//! Buckets that cannot be used: one clear line each.

use crate::support::app::{Bellwether, Finished};
use crate::support::config::Config;
use crate::support::gateway::{Gateway, SECRET};
use crate::support::place::Place;
use crate::support::standin::{Manner, StandIn};
use crate::support::{scratch, store};

fn import(config: &Config) -> Finished {
    let events = config.folder().join("none.ndjson");
    std::fs::write(&events, "").expect("write a file");
    let finished =
        Bellwether::new(config.folder(), &["import", "none.ndjson", "--config", &config.write()]).run();
    assert!(!finished.stderr.contains(SECRET), "the secret is shown: {}", finished.stderr);
    finished
}

#[test]
fn wrong_credentials_and_a_missing_bucket_are_told() {
    let folder = scratch();
    let config = || Place::Bucket.of(Config::new(folder.path()), "refused");
    let nowhere = config().set("warehouse.location", "s3://nowhere/w");
    import(&nowhere).refused(2, &["s3://nowhere/w", "NoSuchBucket", "bucket's name"]);

    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "another-secret").expect("write a secret");
    let mut s3 = toml::Table::new();
    s3.insert("endpoint".into(), Gateway::shared().url().into());
    s3.insert("access_key_id".into(), "bellwether-tests".into());
    s3.insert("secret_file".into(), wrong.to_str().expect("text").into());
    s3.insert("allow_http".into(), true.into());
    let wrong = config().set("warehouse.s3", toml::Value::Table(s3));
    import(&wrong).refused(2, &["s3://refused/w", "SignatureDoesNotMatch", "credentials"]);
    assert_eq!(store::files(&Gateway::shared().bucket("refused")), Vec::<std::path::PathBuf>::new());

    let expired = StandIn::start(Manner::Expired).of(Config::new(folder.path()));
    import(&expired).refused(2, &["s3://lake/w", "ExpiredToken", "credentials"]);
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_anything_is_written() {
    let folder = scratch();
    let store = StandIn::start(Manner::IgnoresConditions);
    let config = store.of(Config::new(folder.path()));
    import(&config).refused(2, &["s3://lake/w", "If-None-Match", "two writers"]);
    let checked = Bellwether::new(folder.path(), &["check", "--config", &config.write()]).run();
    assert_eq!(checked.code(), 2);
    let line = checked.stdout.lines().find(|line| line.starts_with("failed  warehouse: "));
    assert!(line.is_some_and(|line| line.contains("If-None-Match")), "{}", checked.stdout);
    assert_eq!(store.keys(), Vec::<String>::new());
    assert!(store.bites() > 0);
}

#[test]
fn a_profile_and_folders_without_a_name_are_told() {
    let folder = scratch();
    let bare = Config::new(folder.path()).set("warehouse.location", "s3://lake/w").write();
    let command = Bellwether::new(folder.path(), &["sql", "SELECT 1", "--config", &bare]);
    command
        .env("AWS_PROFILE", "work")
        .run()
        .refused(2, &["s3://lake/w", "AWS_PROFILE", "profiles are not read"]);

    let gateway = Gateway::shared();
    gateway.make_bucket("no-folders");
    let events = folder.path().join("none.ndjson");
    std::fs::write(&events, "").expect("write a file");
    let secret = gateway.secret_file();
    Bellwether::new(folder.path(), &["import", "none.ndjson", "--warehouse", "s3://no-folders/w"])
        .env("BELLWETHER__WAREHOUSE__S3__ENDPOINT", &gateway.url())
        .env("BELLWETHER__WAREHOUSE__S3__ACCESS_KEY_ID", "bellwether-tests")
        .env("BELLWETHER__WAREHOUSE__S3__SECRET_FILE", secret.to_str().expect("text"))
        .env("BELLWETHER__WAREHOUSE__S3__ALLOW_HTTP", "true")
        .run()
        .refused(2, &["[keys] `path`", "s3://no-folders/w"]);
}
