//! What was imported once adds nothing the second time, whatever its wrapping.

use std::io::Write;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::{scratch, store, traffic};

#[test]
fn imported_file_adds_nothing_again_plain_or_compressed() {
    imported(Place::Folder);
}

#[test]
fn file_imported_into_a_bucket_adds_nothing_again_plain_or_compressed() {
    imported(Place::Bucket);
}

fn imported(place: Place) {
    let folder = scratch();
    let config = place.of(Config::new(folder.path()), "imported");
    let config_file = config.write();
    let records = traffic::mixed(3_000, 11);
    let lines: Vec<u8> = records
        .iter()
        // A file is lines: what is no text or no whole record is for other tests.
        .filter(|r| r.reject.is_none_or(|reason| reason != "not_utf8" && reason != "truncated"))
        .flat_map(|r| [r.value.as_slice(), b"\n"].concat())
        .collect();
    let (rows, rejects) = {
        let counted = records.iter().filter(|r| r.reject.is_none_or(|x| x != "not_utf8" && x != "truncated"));
        counted
            .fold((0, 0), |(rows, bad), r| (rows + r.outcomes.len(), bad + usize::from(r.reject.is_some())))
    };
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.ndjson"), &lines).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&lines).unwrap();
    std::fs::write(path("b.ndjson.gz"), gzip.finish().unwrap()).unwrap();
    std::fs::write(path("c.ndjson.zst"), zstd::encode_all(lines.as_slice(), 1).unwrap()).unwrap();

    let counts = || {
        let warehouse = config.warehouse();
        ["attempts", "rejects"]
            .map(|table| store::number(&warehouse, &format!("SELECT count(*) FROM {table}")))
    };
    let import = |file: &str| {
        let args = ["import", file, "--json", "--config", &config_file];
        let done = Bellwether::new(folder.path(), &args).run().ok().json();
        (done["rows"].as_u64().expect("rows"), done["rejects"].as_u64().expect("rejects"))
    };
    let expected = [i64::try_from(rows).unwrap(), i64::try_from(rejects).unwrap()];
    assert_eq!(import("a.ndjson"), (rows as u64, rejects as u64));
    assert_eq!(counts(), expected);
    // The same bytes; then a name of its own; then other bytes that unpack to the same.
    assert_eq!(import("a.ndjson"), (0, 0));
    std::fs::copy(path("a.ndjson"), path("copy.ndjson")).unwrap();
    assert_eq!(import("copy.ndjson"), (0, 0));
    assert_eq!(counts(), expected);
    for file in ["b.ndjson.gz", "c.ndjson.zst"] {
        assert_eq!(import(file), (0, 0), "{file}");
        assert_eq!(counts(), expected, "{file}");
    }
}
