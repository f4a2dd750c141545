//! Where a warehouse of a test lies, so that one test runs over every kind of store.

use super::config::Config;
use super::gateway::Gateway;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Folder,
    /// Behind a gateway that speaks S3.
    Bucket,
}

impl Place {
    /// `name` is the test's own.
    pub fn of(self, config: Config, name: &str) -> Config {
        match self {
            Self::Folder => config,
            Self::Bucket => config.bucket(Gateway::shared(), name),
        }
    }
}
