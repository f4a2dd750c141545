//! Destroys the secrets of label epochs: what they hashed cannot be linked to a user any more, by nobody.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A secret that could not be destroyed.
#[derive(Debug, thiserror::Error)]
#[error("failed to destroy the label secret `{path}`; make it writable for this user, or delete it")]
pub struct Error {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Zeroises and unlinks the secrets of all epochs up to `epoch` in a folder of secrets. Returns their numbers.
///
/// What a disk keeps of a file that was overwritten is out of our hands; the zeros are for file systems that write in
/// place.
///
/// # Errors
/// The first that could not be destroyed; the next run tries all again.
pub fn destroy_epoch_keys(dir: &Path, epoch: i64) -> Result<Vec<i64>, Error> {
    let failed = |path: &Path, source| Error { path: path.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(dir, source)),
    };
    let mut destroyed = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| failed(dir, source))?.path();
        let Some(found) = path.file_name().and_then(|name| epoch_of(name.to_str()?)) else {
            continue;
        };
        if found <= epoch {
            destroy(&path).map_err(|source| failed(&path, source))?;
            destroyed.push(found);
        }
    }
    if !destroyed.is_empty() {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| failed(dir, source))?;
    }
    destroyed.sort_unstable();
    Ok(destroyed)
}

/// `label-<epoch>.key`, and what a process that was killed left behind of making it.
fn epoch_of(name: &str) -> Option<i64> {
    let rest = name.strip_prefix("label-")?;
    let (epoch, kind) = rest.split_once('.')?;
    (kind == "key" || kind.ends_with("tmp")).then(|| epoch.parse().ok())?
}

fn destroy(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(32);
    file.write_all(&vec![0; len])?;
    file.sync_all()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identities;

    #[test]
    fn secrets_up_to_an_epoch_go_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let ids = Identities::open(dir.path()).unwrap();
        for epoch in [740, 741, 742] {
            ids.label_user(epoch, 7).unwrap();
        }
        let later = ids.label_user(742, 7).unwrap();
        fs::write(dir.path().join("label-741.0123.tmp"), [7; 32]).unwrap();
        // A second name for the same file shows what was written over it.
        let kept = dir.path().join("kept");
        fs::hard_link(dir.path().join("label-741.key"), &kept).unwrap();
        assert_eq!(destroy_epoch_keys(dir.path(), 741).unwrap(), [740, 741, 741]);
        assert_eq!(fs::read(&kept).unwrap(), [0; 32]);
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["kept", "label-742.key", "pepper.key"]);
        assert_eq!(Identities::open(dir.path()).unwrap().label_user(742, 7).unwrap(), later);
        assert!(destroy_epoch_keys(dir.path(), 741).unwrap().is_empty());
        assert!(destroy_epoch_keys(&dir.path().join("none"), 741).unwrap().is_empty());
    }
}
