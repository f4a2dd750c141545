//! Where a warehouse lies: a folder, given as a plain path or a `file://` URL.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Root of a warehouse, absolute. Tables lie at `<root>/<table>/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    root: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not a folder or a file:// URL; give a path such as ./bellwether-demo")]
    Unsupported(String),
    #[error("failed to resolve `{path}` to an absolute folder")]
    Unresolved {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl Location {
    /// Reads a plain path or a `file://` URL. The folder need not exist yet.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unsupported = || Error::Unsupported(text.to_owned());
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
        let root = resolve(&given).map_err(|source| Error::Unresolved { path: text.to_owned(), source })?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// `s3://…` and `file:/…` are URLs; `./a:b` and `C` are paths.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_path_and_file_url_name_the_same_folder() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let plain = Location::parse(dir.join("a b/w").to_str().unwrap()).unwrap();
        let url = Location::parse(&format!("file://{}/a%20b/w", dir.display())).unwrap();
        assert_eq!(plain.root(), dir.join("a b/w"));
        assert_eq!(url, plain);
        let dotted = Location::parse(dir.join("x/../a b/./w").to_str().unwrap()).unwrap();
        assert_eq!(dotted, plain);
    }

    #[test]
    fn other_schemes_and_nothing_are_refused_by_name() {
        for text in ["s3://bucket/w", "http://x/y", "", "  ", "file://host/w"] {
            let error = Location::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
        assert!(Location::parse("./odd:name").is_ok());
    }
}
