//! Where a warehouse lies: a folder, given as a plain path or a `file://` URL.

use std::path::{Path, PathBuf};

/// Root of a warehouse. Tables lie at `<root>/<table>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    root: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not a folder or a file:// URL; give a path such as ./bellwether-demo")]
    Unsupported(String),
}

impl Location {
    /// Reads a plain path or a `file://` URL. The folder need not exist yet.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let _ = text;
        unimplemented!()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
}
