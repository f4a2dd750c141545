//! Flags that every command takes.

use std::path::PathBuf;

use clap::Args;

use crate::logging::LogFormat;

#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Configuration file (TOML); every key has a default, see config/bellwether.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Warehouse: a folder, or s3://, az:// or gs:// with bucket and prefix; overrides `warehouse.location`
    #[arg(long, global = true, value_name = "PLACE")]
    pub warehouse: Option<String>,
    /// Log format on stderr
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Log warnings and errors only, show no progress
    #[arg(long, global = true)]
    pub quiet: bool,
}
