//! What the sources of this crate may read: published tables, and the one that is not read as published yet.

use std::path::{Path, PathBuf};

/// Is none of the published tables, and is read all the same.
const READ: &str = "LabelCells";

/// Sources without those of tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !["tests", "testing"].contains(&name.as_str()) {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn pages_are_made_of_published_tables_without_a_sketch() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "{}", files.len());
    let mut read = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("sketches::"), "{} reads a sketch", file.display());
        for rest in text.split("TableId::").skip(1) {
            let name: String = rest.chars().take_while(|character| character.is_alphanumeric()).collect();
            if name != "Declared" {
                assert_eq!(READ, name, "{}", file.display());
                read.push(name);
            }
        }
    }
    assert!(!read.is_empty());
}
