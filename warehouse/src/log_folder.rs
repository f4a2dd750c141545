//! Names in the folder of a table's log.

pub(crate) const FOLDER: &str = "_delta_log";

/// Of an entry's file name; None: it is none.
pub(crate) fn version_of(file_name: &str) -> Option<i64> {
    let version = file_name.strip_suffix(".json")?;
    version.parse().ok().filter(|_| version.len() == 20)
}

pub(crate) fn entry_name(version: i64) -> String {
    format!("{FOLDER}/{version:020}.json")
}
