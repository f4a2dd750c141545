//! What `catalog` says of names that nothing maps.

use crate::support::app::Bellwether;
use crate::support::scratch;

#[test]
fn unmapped_names_are_listed_by_tokens_and_those_of_listed_models_are_not() {
    let folder = scratch();
    let run = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--warehouse").arg("w").run().ok();
    let event = |request: u32, model: &str, tokens: (u32, u32), hour: u32| {
        let (input, output) = tokens;
        format!(
            r#"{{"request_id":"r{request}","started_at":"2026-11-25T{hour:02}:00:00Z","attempts":[{{"model":"{model}","provider":"openai","http_status":200,"input_tokens":{input},"output_tokens":{output}}}]}}"#
        ) + "\n"
    };
    let events = [
        event(1, "acme/one", (10, 1), 12),
        event(2, "acme/one", (20, 2), 9),
        event(3, "azure/my-deployment", (1_000, 500), 10),
        event(4, "gpt-5", (9_000, 9_000), 11),
        event(5, "step-by-step-helper", (0, 0), 13),
    ];
    std::fs::write(folder.path().join("some.ndjson"), events.concat()).unwrap();
    run(&["import", "some.ndjson"]);
    let row = |name: &str, attempts: u32, tokens: u32, first: &str, last: &str| {
        let at = |time: &str| format!("2026-11-25T{time}:00Z");
        serde_json::json!({
            "name": name, "attempts": attempts, "tokens": tokens, "first_seen": at(first), "last_seen": at(last),
        })
    };
    let rows = [
        row("azure/my-deployment", 1, 1_500, "10:00", "10:00"),
        row("acme/one", 2, 33, "09:00", "12:00"),
        row("step-by-step-helper", 1, 0, "13:00", "13:00"),
    ];
    assert_eq!(run(&["catalog", "unmapped", "--json"]).json(), serde_json::json!(rows));
    let two = run(&["catalog", "unmapped", "--limit", "2"]).stdout;
    let lines: Vec<&str> = two.lines().collect();
    assert!(lines[1].ends_with("azure/my-deployment") && lines[2].ends_with("acme/one"), "{two}");
    assert!(lines[3].starts_with("and 1 more"), "{two}");
}

#[test]
fn a_name_is_explained_by_the_catalogue_of_the_configuration() {
    let folder = scratch();
    let explain = || {
        let args = ["catalog", "explain", "azure/rocket-2026-01-02", "--config", "own.toml"];
        Bellwether::new(folder.path(), &args).run().ok().stdout
    };
    std::fs::write(folder.path().join("own.toml"), "").unwrap();
    assert!(explain().contains("model: none; rows keep `azure/rocket-2026-01-02`"), "{}", explain());
    std::fs::write(folder.path().join("own.toml"), "[catalogue]\nfile = \"names.toml\"\n").unwrap();
    let names = "authors = [{ slug = \"acme\", name = \"Acme\" }]\nfamilies = [{ prefix = \"rocket\", author = \"acme\" }]\n\
                 models = [{ id = \"acme/rocket\", name = \"Rocket\" }]\n";
    std::fs::write(folder.path().join("names.toml"), names).unwrap();
    let explained = explain();
    assert!(explained.contains("without the date or place: `rocket`"), "{explained}");
    assert!(
        explained.contains("model: acme/rocket (Rocket), variant standard\nprovider: azure\n"),
        "{explained}"
    );
    // Two models of one key are refused, with the file and the key.
    let doubled = format!("{names}[[models]]\n").replace(
        "name = \"Rocket\" }]\n[[models]]\n",
        "name = \"Rocket\" }, { id = \"acme/Rocket\", name = \"R\" }]\n",
    );
    std::fs::write(folder.path().join("names.toml"), doubled).unwrap();
    Bellwether::new(folder.path(), &["catalog", "explain", "x", "--config", "own.toml"])
        .run()
        .refused(2, &["names.toml", "`acme/rocket`", "`acme/Rocket`", "by the key `rocket`"]);
}
