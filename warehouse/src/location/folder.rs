//! A folder of this host, given as a plain path or a `file://` URL.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::Error;

pub(super) fn parse(text: &str) -> Result<PathBuf, Error> {
    let unsupported = || Error::Unsupported(without_secrets(text));
    let given = if has_scheme(text) {
        let url = url::Url::parse(text).map_err(|_| unsupported())?;
        if url.scheme() != "file" {
            return Err(unsupported());
        }
        url.to_file_path().map_err(|()| unsupported())?
    } else if text.trim().is_empty() {
        return Err(unsupported());
    } else {
        PathBuf::from(text)
    };
    // Object store paths are text.
    if given.to_str().is_none() {
        return Err(unsupported());
    }
    resolve(&given).map_err(|source| Error::Unresolved { path: text.to_owned(), source })
}

/// What stands before `@` or behind `?` may be a key or a signature.
fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
        }
        None => text.to_owned(),
    }
}

/// `http://…` and `file:/…` are URLs; `./a:b` and `C` are paths.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_like = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    scheme_like && (rest.starts_with("//") || scheme == "file")
}

/// Absolute, without `.` and `..`, symbolic links of the existing part followed.
fn resolve(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing: Vec<OsString> = Vec::new();
    let mut existing = absolute.as_path();
    let mut resolved = loop {
        match existing.canonicalize() {
            Ok(found) => break found,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let (Some(parent), Some(last)) = (existing.parent(), existing.components().next_back())
                else {
                    return Err(error);
                };
                missing.push(last.as_os_str().to_owned());
                existing = parent;
            }
            Err(error) => return Err(error),
        }
    };
    for name in missing.iter().rev() {
        match Path::new(name).components().next() {
            Some(Component::ParentDir) => {
                resolved.pop();
            }
            Some(Component::CurDir) | None => {}
            Some(_) => resolved.push(name),
        }
    }
    Ok(resolved)
}
