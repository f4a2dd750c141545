//! `check` looks and changes nothing.

use crate::support::app::{Bellwether, Finished};
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::{http, scratch, store, wait};

fn check(folder: &std::path::Path, file: &str) -> Finished {
    Bellwether::new(folder, &["check", "--config", file]).run()
}

#[test]
fn check_makes_neither_tables_nor_secrets_nor_a_spool() {
    let folder = scratch();
    let file = Config::new(folder.path()).write();
    let checked = check(folder.path(), &file).ok();
    for name in ["warehouse", "keys", "spool"] {
        let place = folder.path().join(name);
        let told = format!("`{}` will be made", place.display());
        assert!(checked.stdout.contains(&told), "{}", checked.stdout);
        assert!(!place.exists());
    }
    assert_eq!(store::files(folder.path()), [std::path::PathBuf::from(&file)]);
}

#[test]
fn spool_and_warehouse_on_one_disk_are_a_warning() {
    let folder = scratch();
    let checked = check(folder.path(), &Config::new(folder.path()).write()).ok();
    let warning = checked.stdout.lines().find(|line| line.starts_with("warning spool: "));
    let warning = warning.unwrap_or_else(|| panic!("{}", checked.stdout));
    assert!(warning.contains("share a disk") && warning.contains("96 MiB"), "{warning}");
}

#[test]
fn ingest_without_the_intake_of_its_host_is_refused() {
    let folder = scratch();
    let config = Config::new(folder.path());
    let file = config.write();
    let check = |roles: &str| {
        let checked = Bellwether::new(folder.path(), &["check", "--roles", roles, "--config", &file]).run();
        let told: Vec<_> = checked.stdout.lines().filter(|line| line.contains(" spool: ")).collect();
        (checked.code(), told.join("\n"))
    };
    let (code, told) = check("ingest,jobs");
    assert!(code == 2 && told.starts_with("failed  spool: ingest reads the spool of its own host"), "{told}");
    assert!(told.contains(folder.path().join("spool").to_str().unwrap()), "{told}");
    assert_eq!(check("web,jobs"), (0, String::new()));
    let (code, told) = check("intake");
    assert!(code == 0 && told.contains("nothing has ever ingested"), "{told}");
    // A folder that the package made is no sign of an intake; one that was opened is.
    std::fs::create_dir(folder.path().join("spool")).unwrap();
    assert_eq!(check("ingest").0, 2);
    let intake = Bellwether::new(folder.path(), &["serve", "--roles", "intake", "--config", &file]).start();
    wait::until("the intake", wait::START, || http::try_get(&config.url("intake", "/livez")));
    assert_eq!(intake.interrupt().code(), 0);
    assert_eq!(check("ingest").0, 0);
}

#[test]
fn pepper_of_another_host_is_refused_with_both_fingerprints() {
    another_pepper(Place::Folder);
}

#[test]
fn pepper_of_another_host_is_refused_by_a_bucket_with_both_fingerprints() {
    another_pepper(Place::Bucket);
}

fn another_pepper(place: Place) {
    let folder = scratch();
    let config = place.of(Config::new(folder.path()), "another-pepper");
    std::fs::write(folder.path().join("none.ndjson"), "").unwrap();
    let with_keys = |name: &str| {
        let keys = folder.path().join(name);
        config.clone().set("keys.path", keys.to_str().unwrap()).write()
    };
    let import =
        |file: &str| Bellwether::new(folder.path(), &["import", "none.ndjson", "--config", file]).run();
    import(&with_keys("keys")).ok();
    let kept = std::fs::read_to_string(config.warehouse().join("_bellwether_pepper.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let standing = &kept["check"].as_str().unwrap()[..12];

    // A host without a pepper makes none of its own, which would only be in the way.
    let file = with_keys("elsewhere");
    import(&file).refused(2, &["elsewhere", "no pepper", standing]);
    assert!(!folder.path().join("elsewhere").exists());
    // A host with another one.
    Bellwether::new(folder.path(), &["import", "none.ndjson", "--warehouse", "other"]).run().ok();
    let other = folder.path().join("other-local/keys");
    let file = config.clone().set("keys.path", other.to_str().unwrap()).write();
    let refused = import(&file);
    let own = refused.stderr.split("fingerprint ").nth(1).expect("a fingerprint")[..12].to_owned();
    assert_ne!(own, standing);
    refused.refused(2, &[standing, "pepper.key"]);
    let checked = check(folder.path(), &file);
    assert_eq!(checked.code(), 2);
    assert!(checked.stdout.contains(standing) && checked.stdout.contains(&own), "{}", checked.stdout);
    import(&with_keys("keys")).ok();
}
