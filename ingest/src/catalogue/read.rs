//! A catalogue file from its text.

use serde::Deserialize;

use super::file::File;
use super::{Error, checks};
use crate::account;

pub(super) fn read(text: &str) -> Result<File, Error> {
    let mut file: File = toml::from_str(text).map_err(|error| unread(text, error))?;
    if let Some(version) = file.version.filter(|version| *version != checks::VERSION) {
        return Err(Error::Version { version: version.into(), reads: checks::VERSION });
    }
    // What it is compared with has no account either.
    for name in file.aliases.iter_mut().filter_map(|alias| alias.raw_model.as_mut()) {
        if let Some(blanked) = account::blanked(name) {
            *name = blanked;
        }
    }
    checks::check(&file)?;
    Ok(file)
}

/// What a later form has more is no mistake of the file.
fn unread(text: &str, error: toml::de::Error) -> Error {
    #[derive(Deserialize)]
    struct Form {
        version: i64,
    }
    match toml::from_str::<Form>(text) {
        Ok(Form { version }) if version != i64::from(checks::VERSION) => {
            Error::Version { version, reads: checks::VERSION }
        }
        _ => Error::Toml(Box::new(error)),
    }
}
