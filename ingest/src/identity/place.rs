//! Where the secrets of a host lie.

use std::path::{Path, PathBuf};

const PEPPER_FILE: &str = "pepper.key";

/// A folder of secrets and the file of the pepper in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) pepper: PathBuf,
}

impl Place {
    /// `path` is a folder, or the file of the pepper. What is not there yet is a file where its name ends in `.key`.
    pub(super) fn of(path: &Path) -> Self {
        let is_file = match std::fs::metadata(path) {
            Ok(found) => !found.is_dir(),
            Err(_) => path.extension().is_some_and(|extension| extension == "key"),
        };
        if !is_file {
            return Self { dir: path.to_owned(), pepper: path.join(PEPPER_FILE) };
        }
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            // A name alone lies in the folder of the process.
            _ => Path::new("."),
        };
        Self { dir: dir.to_owned(), pepper: path.to_owned() }
    }

    /// A pepper that is not the one in use: `pepper-<which>.key`, beside it.
    pub(super) fn other_pepper(&self, which: &str) -> PathBuf {
        let stem = self.pepper.file_stem().unwrap_or_default().to_string_lossy();
        self.pepper.with_file_name(format!("{stem}-{which}.key"))
    }
}
