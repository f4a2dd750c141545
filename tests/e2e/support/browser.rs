//! The page check in `tests/browser`, run by Node in Debian's Chromium.

use std::process::{Command, Stdio};

use super::services;

/// One line per problem; empty when every page passed in both themes and widths.
#[track_caller]
pub fn check(base: &str, paths: &[String]) -> Vec<String> {
    let folder = services::prefetch("browser");
    let mut command = Command::new("node");
    command.arg("check.mjs").args(["--base", base]);
    if let Ok(shots) = std::env::var("BELLWETHER_TEST_SHOTS") {
        command.args(["--shots", &shots]);
    }
    let output = command
        .args(paths)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .expect("start node (install Debian's nodejs)");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected = paths.len() * 4;
    assert!(stderr.contains(&format!("{expected} views, ")), "page check broke: {stderr}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
