//! Where fetched services lie; `tests/prefetch` fetches what is missing and says what cannot be had.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::repository;

/// Folder of `kafka`, `python`, `browser` or `gateway`.
#[track_caller]
pub fn prefetch(what: &str) -> PathBuf {
    let output = Command::new(repository("tests/prefetch"))
        .arg(what)
        .stdin(Stdio::null())
        .output()
        .expect("start tests/prefetch (needs bash)");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "cannot get {what} for the tests: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let prefix = format!("{what}=");
    let folder = stdout.lines().find_map(|line| line.strip_prefix(&prefix));
    PathBuf::from(folder.unwrap_or_else(|| panic!("tests/prefetch {what} named no folder: {stdout}")))
}
