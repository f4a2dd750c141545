//! Which crate may depend on which, as `ARCHITECTURE.md` tells readers, and that what is built is used.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Table;

use crate::support::repository;

const EDGES: [(&str, &[&str]); 7] = [
    ("warehouse", &[]),
    ("ingest", &["bellwether-warehouse"]),
    ("metrics", &["bellwether-warehouse"]),
    ("jobs", &["bellwether-metrics", "bellwether-warehouse"]),
    ("web", &["bellwether-metrics", "bellwether-warehouse"]),
    ("simulate", &["bellwether-ingest"]),
    (
        ".",
        &[
            "bellwether-ingest",
            "bellwether-jobs",
            "bellwether-metrics",
            "bellwether-simulate",
            "bellwether-warehouse",
            "bellwether-web",
        ],
    ),
];

/// Dependencies that no source names: they fix the features of a crate that others bring.
const ONLY_FOR_FEATURES: [(&str, &str); 1] = [("warehouse", "indexmap")];

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

/// The text of every Rust file in a folder.
fn sources(folder: &Path, text: &mut String) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("read a source file"));
        }
    }
}

/// Whether a path of the crate is written anywhere, not merely a name that ends like it.
fn names(text: &str, dependency: &str) -> bool {
    let path = format!("{}::", dependency.replace('-', "_"));
    text.match_indices(&path).any(|(at, _)| {
        !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    for (folder, _) in EDGES {
        let manifest = manifest(folder);
        let mut text = String::new();
        sources(&repository(folder).join("src"), &mut text);
        let mut tests = text.clone();
        let beside = if folder == "." { repository("tests") } else { repository(folder).join("examples") };
        if beside.is_dir() {
            sources(&beside, &mut tests);
        }
        for (section, text) in [("dependencies", &text), ("dev-dependencies", &tests)] {
            let listed = manifest.get(section).and_then(|section| section.as_table());
            let listed = listed.into_iter().flat_map(Table::keys).map(String::as_str);
            unused.extend(
                listed
                    .filter(|name| !names(text, name) && !ONLY_FOR_FEATURES.contains(&(folder, name)))
                    .map(|name| format!("{folder}/Cargo.toml: `{name}`")),
            );
        }
    }
    assert!(unused.is_empty(), "no source names these, so they are built for nothing: {unused:#?}");
}
