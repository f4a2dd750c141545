//! One import at a time.

use std::fs::File;

use bellwether_warehouse::Warehouse;
use rustix::fs::FlockOperation;

use super::ImportError;

/// Held while an import runs; released with the process, however it ends. Beside a bucket there is nothing to lock:
/// there the compare-and-set on the claims in `imports` refuses the second of two imports, only later.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

impl Lock {
    pub(super) fn take(warehouse: &Warehouse) -> Result<Self, ImportError> {
        let Some(folder) = warehouse.location().folder() else { return Ok(Self { _file: None }) };
        let path = folder.join("import.lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| ImportError::Lock { path: path.clone(), source })?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(ImportError::Busy),
            Err(errno) => Err(ImportError::Lock { path, source: errno.into() }),
        }
    }
}
