//! What a statement sees.

use crate::support::app::Bellwether;
use crate::support::scratch;

#[test]
fn attempts_are_read_as_far_as_the_rollups_or_as_they_stand() {
    let folder = scratch();
    let run = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--warehouse").arg("w").run().ok();
    let import = |requests: std::ops::Range<u32>| {
        let attempt = r#"{"model":"acme/one","provider":"north","http_status":200}"#;
        let event = |n| {
            format!(r#"{{"request_id":"r{n}","started_at":"2026-11-25T12:00:00Z","attempts":[{attempt}]}}"#)
                + "\n"
        };
        std::fs::write(folder.path().join("some.ndjson"), requests.map(event).collect::<String>()).unwrap();
        run(&["import", "some.ndjson"]);
    };
    let sql = "SELECT count(*) AS rows, (SELECT sum(requests) FROM usage_daily) AS folded FROM attempts";
    import(0..3);
    run(&["jobs", "run"]);
    import(3..8);
    let folded = run(&["sql", sql, "--format", "json"]);
    assert_eq!(folded.json(), serde_json::json!([{ "rows": 3, "folded": 3 }]));
    assert!(folded.stderr.contains("--latest") && folded.stderr.contains("attempts=5"), "{}", folded.stderr);
    let newest = run(&["sql", sql, "--format", "json", "--latest"]);
    assert_eq!(newest.json(), serde_json::json!([{ "rows": 8, "folded": 3 }]));
    run(&["jobs", "run"]);
    let folded = run(&["sql", sql, "--format", "json"]);
    assert_eq!(
        (folded.json(), folded.stderr.as_str()),
        (serde_json::json!([{ "rows": 8, "folded": 8 }]), "")
    );
}

#[test]
fn published_tables_are_named_in_the_help_and_read_as_the_newest_publication_has_them() {
    let folder = scratch();
    let run = |args: &[&str]| {
        Bellwether::new(folder.path(), args)
            .env("BELLWETHER__PUBLICATION__THRESHOLDS__USERS", "2")
            .arg("--warehouse")
            .arg("w")
            .run()
            .ok()
    };
    let event = |n: u32| {
        let attempt = r#"{"model":"openai/gpt-4o","provider":"OpenAI","http_status":200}"#;
        format!(
            r#"{{"request_id":"r{n}","started_at":"2026-11-25T12:00:00Z","user_id":"u{n}","attempts":[{attempt}]}}"#
        ) + "\n"
    };
    let import = |events: std::ops::Range<u32>| {
        std::fs::write(folder.path().join("some.ndjson"), events.map(event).collect::<String>()).unwrap();
        run(&["import", "some.ndjson"]);
    };
    let sql = "SELECT key, users, is_public, (SELECT count(*) FROM publications) AS publications \
               FROM gate WHERE date = DATE '2026-11-25' AND dimension = 'variant'";
    let read = || run(&["sql", sql, "--format", "json"]).json();
    let row = |users: u32, publications: u32| {
        serde_json::json!([{
            "key": "openai/gpt-4o", "users": users, "is_public": users >= 2, "publications": publications
        }])
    };
    import(0..1);
    let round = run(&["jobs", "run"]).stdout;
    assert!(round.contains("publish") && round.contains("publication 0"), "{round}");
    assert_eq!(read(), row(1, 1));
    import(1..3);
    assert_eq!(read(), row(1, 1), "nothing is folded or published yet");
    run(&["jobs", "run"]);
    assert_eq!(read(), row(3, 2));
    let status = run(&["jobs", "status"]).stdout;
    assert!(status.contains("\ngate ") && status.contains("\npublications "), "{status}");
    let help = run(&["sql", "--help"]).stdout;
    for table in ["gate", "publications", "usage_daily", "intake_daily", "requests", "hll_merge"] {
        assert!(help.contains(table), "{table}: {help}");
    }
}
