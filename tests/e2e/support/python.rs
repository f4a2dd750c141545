//! Python with engines that share no code with ours: deltalake, Polars, DuckDB.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{repository, services};

/// Runs `tests/e2e/python/<script>` and returns the JSON that it prints.
#[track_caller]
pub fn run(script: &str, args: &[&str]) -> serde_json::Value {
    static VENV: OnceLock<std::path::PathBuf> = OnceLock::new();
    let venv = VENV.get_or_init(|| services::prefetch("python"));
    let output = Command::new(venv.join("bin/python"))
        .arg("-B")
        .arg(repository("tests/e2e/python").join(script))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("start python");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed: {stderr}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script} printed no JSON ({error}): {stderr}"))
}
