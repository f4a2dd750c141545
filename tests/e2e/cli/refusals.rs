//! One clear line and the right exit code: 2 what the caller must mend, 1 what failed. Never a panic.

use std::net::TcpListener;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::{free_port, scratch};

#[test]
fn misspelt_key_is_refused_with_file_line_and_key() {
    let folder = scratch();
    let file = folder.path().join("typo.toml");
    std::fs::write(&file, "[warehouse]\nlocation = \"w\"\n\n[ingest]\nflush_rowz = 10\n").unwrap();
    Bellwether::new(folder.path(), &["serve", "--config", "typo.toml"])
        .run()
        .refused(2, &["typo.toml", "line 5", "flush_rowz"]);
}

#[test]
fn value_of_a_wrong_type_is_refused_with_its_line() {
    let folder = scratch();
    let file = folder.path().join("type.toml");
    std::fs::write(&file, "[ingest]\nflush_rows = \"many\"\n").unwrap();
    Bellwether::new(folder.path(), &["check", "--config", "type.toml"])
        .run()
        .refused(2, &["type.toml", "line 2"]);
}

#[test]
fn missing_config_file_is_refused_by_name() {
    let folder = scratch();
    Bellwether::new(folder.path(), &["serve", "--config", "absent.toml"]).run().refused(2, &["absent.toml"]);
}

#[test]
fn misspelt_environment_key_is_refused_by_name() {
    let folder = scratch();
    Bellwether::new(folder.path(), &["jobs", "status"])
        .env("BELLWETHER__INGEST__FLUSH_ROWZ", "10")
        .run()
        .refused(2, &["BELLWETHER__INGEST__FLUSH_ROWZ", "flush_rowz"]);
}

#[test]
fn secret_in_the_wrong_shape_is_refused_without_being_printed() {
    let folder = scratch();
    let secret = "sesame-open-sesame";
    let file = |text: String| std::fs::write(folder.path().join("b.toml"), text).unwrap();
    let brokers = format!("brokers = [\"127.0.0.1:{}\"]\ntopics = [{{ name = \"t\" }}]", free_port());
    let texts = [
        format!("[intake]\ntokens = \"{secret}\"\n"),
        format!("[kafka]\n{brokers}\nproperties = {{ \"no.such.property\" = \"{secret}\" }}\n"),
    ];
    for text in texts {
        file(text);
        let refused = Bellwether::new(folder.path(), &["check", "--config", "b.toml"]).run();
        assert_eq!(refused.code(), 2, "{}", refused.stderr);
        assert!(!refused.stderr.contains(secret) && !refused.stdout.contains(secret), "{}", refused.stderr);
    }
}

#[test]
fn keys_inside_the_warehouse_are_refused() {
    let folder = scratch();
    std::fs::write(
        folder.path().join("b.toml"),
        "[warehouse]\nlocation = \"w\"\n[keys]\npath = \"./w/keys\"\n",
    )
    .unwrap();
    for command in ["serve", "check"] {
        Bellwether::new(folder.path(), &[command, "--config", "b.toml"])
            .run()
            .refused(2, &["[keys] `path`", "./w/keys"]);
    }
}

#[test]
fn unknown_flag_or_role_is_bad_usage() {
    let folder = scratch();
    for args in [&["demo", "--no-such-flag"][..], &["serve", "--roles", "barista"], &["jobs", "guess"]] {
        let refused = Bellwether::new(folder.path(), args).run();
        assert_eq!(refused.code(), 2, "{args:?}: {}", refused.stderr);
        assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
    }
}

#[test]
fn occupied_port_is_refused_with_its_address() {
    let folder = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = Config::new(folder.path()).set("web.listen", &address).write();
    Bellwether::new(folder.path(), &["serve", "--roles", "web", "--config"])
        .arg(&file)
        .run()
        .refused(2, &[&address]);
    Bellwether::new(folder.path(), &["demo", "--attempts", "2000", "--days", "3", "--listen", &address])
        .run()
        .refused(2, &[&address]);
}

/// The user of the tests may be root, whom no mode stops; but nobody can make a folder below a file.
#[test]
fn unwritable_warehouse_is_refused_with_its_path() {
    let folder = scratch();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    std::fs::write(folder.path().join("empty.ndjson"), "").unwrap();
    let commands: [&[&str]; 3] =
        [&["demo", "--attempts", "2000"], &["import", "empty.ndjson"], &["jobs", "run"]];
    for command in commands {
        let refused = Bellwether::new(folder.path(), command).arg("--warehouse").arg("file/warehouse").run();
        let code = refused.code();
        assert!(code == 1 || code == 2, "{command:?} ended with {code}: {}", refused.stderr);
        refused.refused(code, &["file/warehouse"]);
    }
}

#[test]
fn absent_warehouse_says_what_creates_one() {
    let folder = scratch();
    for command in [&["sql", "SELECT 1"][..], &["jobs", "status"]] {
        let refused = Bellwether::new(folder.path(), command).arg("--warehouse").arg("nowhere").run();
        let code = refused.code();
        assert!(code == 1 || code == 2, "{command:?} ended with {code}");
        refused.refused(code, &["nowhere", "bellwether demo"]);
    }
}

#[test]
fn warehouse_of_a_newer_version_is_left_alone() {
    let folder = scratch();
    std::fs::write(folder.path().join("none.ndjson"), "").unwrap();
    Bellwether::new(folder.path(), &["import", "none.ndjson", "--warehouse", "w"]).run().ok();
    let layout = folder.path().join("w/_bellwether.json");
    let text = std::fs::read_to_string(&layout).unwrap();
    let newer = text.replacen(":2", ":999", 1);
    assert_ne!(newer, text);
    std::fs::write(&layout, newer).unwrap();
    for command in [&["sql", "SELECT 1"][..], &["import", "none.ndjson"], &["jobs", "run"], &["demo"]] {
        let refused = Bellwether::new(folder.path(), command).arg("--warehouse").arg("w").run();
        let code = refused.code();
        assert!(code == 1 || code == 2, "{command:?} ended with {code}");
        refused.refused(code, &["999", "layout"]);
    }
}

#[test]
fn absent_broker_is_told_by_serve_and_check() {
    let folder = scratch();
    let address = format!("127.0.0.1:{}", free_port());
    let file = Config::new(folder.path())
        .kafka(&address, &[("requests", "native")])
        .set("kafka.connect_timeout", "500ms")
        .write();
    for command in [&["serve", "--roles", "ingest"][..], &["check"]] {
        let refused = Bellwether::new(folder.path(), command).arg("--config").arg(&file).run();
        assert!(refused.code() == 1 || refused.code() == 2, "{command:?}: {}", refused.stderr);
        let printed = format!("{}{}", refused.stdout, refused.stderr);
        assert!(printed.contains(&address), "{printed}");
        assert!(!printed.contains("panicked") && !printed.contains("backtrace"), "{printed}");
    }
}

#[test]
fn missing_import_file_is_refused_by_name() {
    let folder = scratch();
    let refused = Bellwether::new(folder.path(), &["import", "absent.ndjson", "--warehouse", "w"]).run();
    let code = refused.code();
    assert!(code == 1 || code == 2, "{}", refused.stderr);
    refused.refused(code, &["absent.ndjson"]);
}

#[test]
fn sql_refuses_everything_but_queries() {
    let folder = scratch();
    std::fs::write(folder.path().join("none.ndjson"), "").unwrap();
    Bellwether::new(folder.path(), &["import", "none.ndjson", "--warehouse", "w"]).run().ok();
    for statement in [
        "CREATE TABLE x AS SELECT 1",
        "DROP TABLE attempts",
        "INSERT INTO attempts SELECT * FROM attempts",
        "COPY attempts TO 'stolen.parquet'",
        "CREATE EXTERNAL TABLE p STORED AS CSV LOCATION '/etc/passwd'",
    ] {
        Bellwether::new(folder.path(), &["sql", statement, "--warehouse", "w"]).run().refused(2, &[]);
    }
    Bellwether::new(folder.path(), &["sql", "SELECT nonsense FROM attempts", "--warehouse", "w"])
        .run()
        .refused(2, &["nonsense"]);
    let none =
        Bellwether::new(folder.path(), &["sql", "SELECT count(*) AS n FROM attempts", "--warehouse", "w"]);
    assert_eq!(none.arg("--format").arg("json").run().ok().json(), serde_json::json!([{ "n": 0 }]));
}
