//! `simulate --regime`: what is written, against the answer sheet.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::app::Bellwether;
use crate::support::scratch;

#[test]
fn late_and_doubled_records_are_in_the_file_as_the_answer_sheet_says() {
    let folder = scratch();
    Bellwether::new(folder.path(), &["simulate", "--to", "file:out.ndjson", "--truth", "truth.json"])
        .arg("--from=2026-11-01T22:00:00Z")
        .arg("--minutes=150")
        .arg("--year-end=2026-11-25")
        .arg("--texts=0")
        .arg("--regime=late")
        .arg("--regime=duplicates")
        .arg("--regime=stop@2026-11-02..2026-11-03")
        .run()
        .ok();
    let truth: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    let affected = |at: usize| truth["regimes"][at]["affected"].as_u64().expect("a count");
    let text = std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap();
    let (mut seen, mut doubled, mut late, mut newest) = (HashSet::new(), 0, 0, String::new());
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).expect("JSON");
        let field = |name: &str| record[name].as_str().expect("text").to_owned();
        assert!(*field("started_at") < *"2026-11-02", "traffic has stopped by then");
        if !seen.insert(field("request_id")) {
            doubled += 1;
        } else if field("started_at") < newest {
            late += 1;
        } else {
            newest = field("started_at");
        }
    }
    assert_eq!(seen.len() as u64, truth["requests"].as_u64().expect("a count"));
    assert_eq!(doubled, affected(1));
    // A late record of the last minute may be newer than all those written in time.
    let told = affected(0);
    assert!(late > 500 && told - late <= 2, "{late} of {told} come after newer ones");
    assert!(affected(2) > 500, "what would have come after midnight");
}

#[test]
fn a_regime_that_does_not_exist_or_fit_is_refused() {
    let folder = scratch();
    let run = |to: &str, regime: &str| {
        Bellwether::new(folder.path(), &["simulate", "--from", "2026-11-01", "--minutes", "1", "--to", to])
            .arg("--regime")
            .arg(regime)
            .run()
    };
    for (regime, mention) in [("outrage", "outage, slow"), ("outage@yesterday", "2026-11-03..2026-11-05")] {
        let refused = run("file:out.ndjson", regime);
        assert_eq!(refused.code(), 2);
        assert!(refused.stderr.contains(mention), "{}", refused.stderr);
    }
    run("warehouse:w", "late").refused(2, &["--regime late", "a warehouse takes no records"]);
}
