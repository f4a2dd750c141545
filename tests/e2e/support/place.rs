//! Where a warehouse of a test lies, so that one test runs over every kind of store.

use serde_json::Value;

use super::config::Config;
use super::gateway::{Gateway, KEY, SECRET};
use super::python;

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

    /// A name of the test's own, such as of a topic, for each place.
    pub fn named(self, name: &str) -> String {
        match self {
            Self::Folder => name.to_owned(),
            Self::Bucket => format!("{name}-of-a-bucket"),
        }
    }

    /// Rows of `attempts` as deltalake, Polars and DuckDB find them.
    #[track_caller]
    pub fn rows_by_others(self, config: &Config) -> [i64; 3] {
        let found = match self {
            Self::Folder => {
                let found =
                    python::run("checkpoint.py", &[config.warehouse().to_str().expect("a text path")]);
                [found["deltalake"]["rows"].clone(), found["polars"].clone(), found["duckdb"].clone()]
            }
            Self::Bucket => {
                let location = config.location();
                let place = location.strip_prefix("s3://").expect("a bucket");
                let found = python::run("bucket.py", &[&Gateway::shared().url(), place, KEY, SECRET]);
                ["deltalake", "polars", "duckdb"].map(|engine| found[engine].clone())
            }
        };
        found.map(|rows: Value| rows.as_i64().expect("a number of rows"))
    }
}
