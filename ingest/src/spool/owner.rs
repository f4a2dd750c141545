//! Which warehouse a spool's records go to. A copy of a warehouse answers to the same id, but not at the same place: were
//! the spool emptied into both in turn, each would hold a part and none the whole.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;

const FILE: &str = "warehouse.json";

/// The warehouse that a process writes to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The same for a warehouse and its copies.
    pub id: String,
    pub url: String,
}

/// Notes in a spool's folder where its records go. With `adopt`, a copy takes the place of the one before.
///
/// # Errors
/// The spool belongs to the same warehouse at another place, or its folder cannot be read or written.
pub fn claim(dir: &Path, owner: &Owner, adopt: bool) -> Result<(), Error> {
    let path = dir.join(FILE);
    let io = |source| Error::Io { path: path.clone(), source };
    let stands: Option<Owner> = match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| io(error.into()))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(io(error)),
    };
    match stands {
        Some(stands) if stands == *owner => return Ok(()),
        Some(Owner { id, url }) if id == owner.id && !adopt => {
            return Err(Error::Copied { dir: dir.to_owned(), before: url, now: owner.url.clone() });
        }
        Some(Owner { url, .. }) => {
            tracing::warn!(spool = %dir.display(), before = url, now = owner.url, "the spool goes to another warehouse now");
        }
        None => {}
    }
    std::fs::create_dir_all(dir).map_err(io)?;
    let staged = dir.join(format!("{FILE}.new"));
    let text = serde_json::to_vec(owner).map_err(|error| io(error.into()))?;
    // A name never stands for a part of the text; which of the two it stands for after a power cut does no harm.
    std::fs::write(&staged, text).and_then(|()| std::fs::rename(&staged, &path)).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(id: &str, url: &str) -> Owner {
        Owner { id: id.to_owned(), url: url.to_owned() }
    }

    #[test]
    fn a_copy_at_another_place_is_refused_until_it_is_adopted() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("spool");
        let (first, copy) = (owner("a", "/one"), owner("a", "s3://lake/one"));
        claim(&dir, &first, false).unwrap();
        claim(&dir, &first, false).unwrap();
        let error = claim(&dir, &copy, false).unwrap_err().to_string();
        for word in ["/one", "s3://lake/one", "--adopt"] {
            assert!(error.contains(word), "{error}");
        }
        claim(&dir, &first, false).unwrap();
        claim(&dir, &copy, true).unwrap();
        claim(&dir, &copy, false).unwrap();
        claim(&dir, &first, false).unwrap_err();
        // A warehouse of its own is no copy.
        claim(&dir, &owner("b", "/other"), false).unwrap();
    }

    #[test]
    fn what_the_folder_says_must_be_understood() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        let error = claim(dir.path(), &owner("a", "/one"), true).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}
