//! Exit codes: 0 done, 1 failed, 2 bad usage or configuration.

use std::process::ExitCode;

/// Marks an error as the caller's to mend: wrong flag, config key, occupied port, unwritable folder.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Usage {
    message: String,
    #[source]
    source: Option<anyhow::Error>,
}

/// An error that ends with exit code 2.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage { message: message.into(), source: None }.into()
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    bellwether_warehouse::chain(error).replace('\n', " ")
}

/// Turns what a command returned into one line on stderr and the exit code.
pub fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("bellwether: {}", chain(error.as_ref()));
    if error.chain().any(|cause| cause.is::<Usage>()) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
