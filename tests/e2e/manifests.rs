//! Which crate may depend on which; `ARCHITECTURE.md` holds the same table for readers.

use std::collections::BTreeMap;

use toml::Table;

use crate::support::repository;

const EDGES: [(&str, &[&str]); 6] = [
    ("warehouse", &[]),
    ("ingest", &["bellwether-warehouse"]),
    ("jobs", &["bellwether-warehouse"]),
    ("web", &["bellwether-warehouse"]),
    ("simulate", &["bellwether-ingest"]),
    (
        ".",
        &[
            "bellwether-ingest",
            "bellwether-jobs",
            "bellwether-simulate",
            "bellwether-warehouse",
            "bellwether-web",
        ],
    ),
];

fn manifest(folder: &str) -> Table {
    let path = repository(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Own crates named in any dependency section, platform sections included.
fn own_dependencies(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in table {
        let Some(section) = value.as_table() else { continue };
        if key.ends_with("dependencies") && key != "workspace" {
            found.extend(section.keys().filter(|name| name.starts_with("bellwether")).cloned());
        } else if key == "target" {
            found.extend(section.values().filter_map(|v| v.as_table()).flat_map(own_dependencies));
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn crates_depend_on_each_other_only_along_the_written_edges() {
    let found: BTreeMap<&str, Vec<String>> =
        EDGES.iter().map(|(folder, _)| (*folder, own_dependencies(&manifest(folder)))).collect();
    let written: BTreeMap<&str, Vec<String>> = EDGES
        .iter()
        .map(|(folder, edges)| (*folder, edges.iter().map(ToString::to_string).collect()))
        .collect();
    assert_eq!(found, written);
}

#[test]
fn every_workspace_member_is_in_the_edge_list() {
    let root = manifest(".");
    let members = root["workspace"]["members"].as_array().expect("workspace members");
    let mut members: Vec<&str> = members.iter().filter_map(|m| m.as_str()).collect();
    members.push(".");
    members.sort_unstable();
    let mut listed: Vec<&str> = EDGES.iter().map(|(folder, _)| *folder).collect();
    listed.sort_unstable();
    assert_eq!(members, listed);
}

#[test]
fn no_second_profile_builds_the_dependencies_again() {
    let root = manifest(".");
    let profiles: Vec<&String> = root["profile"].as_table().expect("profiles").keys().collect();
    assert_eq!(profiles, ["release"]);
}
