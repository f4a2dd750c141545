//! Keyed hashes of callers' ids.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to read the secret `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to create the secret `{path}`; make its folder writable")]
    Create {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("secret `{path}` must be 32 bytes and readable by its owner only (mode 0600)")]
    Malformed { path: PathBuf },
}

#[derive(Debug)]
pub struct Identities {}

impl Identities {
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let _ = dir;
        unimplemented!()
    }

    pub fn user(&self, id: &str) -> i64 {
        let _ = id;
        unimplemented!()
    }

    pub fn api_key(&self, id: &str) -> i64 {
        let _ = id;
        unimplemented!()
    }

    pub fn org(&self, id: &str) -> i64 {
        let _ = id;
        unimplemented!()
    }

    /// The user's key inside one label epoch.
    pub fn label_user(&self, epoch: i64, user_key: i64) -> Result<i64, Error> {
        let _ = (epoch, user_key);
        unimplemented!()
    }
}
