//! Files that a put to a folder left behind: its writer was killed before the file had got its own name. The store
//! hides them from its own listings, so nobody but the file system tells of them.

use std::fs::DirEntry;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

/// By the file system's own word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// Relative to the folder that was looked through, parts joined by `/`.
    pub name: String,
    pub size_bytes: u64,
    pub modified_at: SystemTime,
}

/// Looks through a folder and the folders in it; links are not followed. A folder that is not there has none.
///
/// # Errors
/// The first folder that cannot be read.
pub(crate) fn find(folder: &Path) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        // Whatever is deleted meanwhile is no leftover any more.
        let Some(entries) = unless_gone(std::fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                continue;
            };
            let Some(kind) = unless_gone(entry.file_type())? else { continue };
            if kind.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() && is_hidden(&name) {
                found.extend(leftover(&entry, name)?);
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn leftover(entry: &DirEntry, name: String) -> io::Result<Option<Leftover>> {
    let Some(data) = unless_gone(entry.metadata())? else { return Ok(None) };
    Ok(Some(Leftover { name, size_bytes: data.len(), modified_at: data.modified()? }))
}

/// `<name>#<digits>`: what `LocalFileSystem` hides, and how it and `store::durable` call what is being written.
pub(crate) fn is_hidden(name: &str) -> bool {
    let file_name = name.rsplit('/').next().unwrap_or_default();
    file_name
        .split_once('#')
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_a_put_was_writing_are_found_wherever_they_lie() {
        let dir = tempfile::tempdir().unwrap();
        let left = ["a.parquet#1", "week=2026-11-16/b.parquet#18446744073709551615", "_delta_log/0.json#7"];
        let others = ["a.parquet", "b#.parquet", "c#", "d#12x", "#e/f", "week=2026-11-16/#9z"];
        for name in left.iter().chain(&others) {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"four").unwrap();
        }
        std::fs::create_dir(dir.path().join("folder#5")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link#6")).unwrap();
        let found = find(dir.path()).unwrap();
        let names: Vec<&str> = found.iter().map(|leftover| leftover.name.as_str()).collect();
        assert_eq!(names, [left[2], left[0], left[1]]);
        assert!(found.iter().all(|leftover| leftover.size_bytes == 4));
        assert_eq!(find(&dir.path().join("nowhere")).unwrap(), []);
    }
}
