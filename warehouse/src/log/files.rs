//! The active files of one version, sorted by path, with what a scan has worked out about each.

use std::sync::{Arc, OnceLock};

use crate::data_file::DataFile;
use crate::scan_file::ScanFile;

/// `files` and `scans` run in parallel. A cell survives from version to version, so a file's statistics
/// are parsed once, not once a commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileSet {
    files: Vec<DataFile>,
    scans: Vec<Arc<OnceLock<Arc<ScanFile>>>>,
}

impl FileSet {
    pub(crate) fn new(mut files: Vec<DataFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        let scans = files.iter().map(|_| Arc::default()).collect();
        Self { files, scans }
    }

    pub(crate) fn files(&self) -> &[DataFile] {
        &self.files
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DataFile, &OnceLock<Arc<ScanFile>>)> {
        self.files.iter().zip(self.scans.iter().map(|cell| &**cell))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&DataFile> {
        self.files.get(self.position(path).ok()?)
    }

    pub(crate) fn insert(&mut self, file: DataFile) {
        match self.position(&file.path) {
            Ok(at) => {
                self.files.splice(at..=at, [file]);
                self.scans.splice(at..=at, [Arc::default()]);
            }
            Err(at) => {
                self.files.insert(at, file);
                self.scans.insert(at, Arc::default());
            }
        }
    }

    pub(crate) fn remove(&mut self, path: &str) {
        if let Ok(at) = self.position(path) {
            self.files.remove(at);
            self.scans.remove(at);
        }
    }

    fn position(&self, path: &str) -> Result<usize, usize> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path))
    }
}
