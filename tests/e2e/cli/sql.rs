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
