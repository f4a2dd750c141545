//! What the tests stand on: the program as a process, real services around it, and independent readers.

pub mod app;
pub mod broker;
pub mod browser;
pub mod clock;
pub mod commands;
pub mod config;
pub mod disk;
pub mod gateway;
pub mod guard;
pub mod http;
pub mod metrics;
pub mod place;
pub mod ports;
pub mod python;
pub mod root;
pub mod services;
pub mod standin;
pub mod store;
pub mod tool;
pub mod traffic;
pub mod wait;
pub mod wire;
pub mod year;

use std::path::{Path, PathBuf};

pub use ports::free_port;

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A new folder that is deleted when dropped.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("bellwether-e2e-").tempdir().expect("create a scratch folder")
}
