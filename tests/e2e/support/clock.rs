//! A host's wall clock that can be set.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::guard::Guard;
use super::{repository, scratch, tool};

const DAY_SECONDS: i64 = 86_400;

#[derive(Debug)]
pub struct HostClock {
    folder: tempfile::TempDir,
}

impl HostClock {
    /// Goes right at first.
    pub fn new() -> Self {
        let clock = Self { folder: scratch() };
        clock.set_days_ahead(0);
        clock
    }

    /// Also for programs that run already.
    pub fn set_days_ahead(&self, days: i64) {
        let mut file = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.file())
            .expect("open the clock's file");
        // In place and at once, because programs look into it.
        file.seek(SeekFrom::Start(0)).expect("go to the beginning of a file");
        file.write_all(&(days * DAY_SECONDS).to_ne_bytes()).expect("set the clock");
    }

    pub fn env(&self) -> [(&'static str, String); 2] {
        let text = |path: PathBuf| path.to_str().expect("folders are text").to_owned();
        [("LD_PRELOAD", text(library())), ("HOST_CLOCK", text(self.file()))]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

/// Built once by the test process that needs it.
fn library() -> PathBuf {
    static BUILT: OnceLock<(PathBuf, Guard)> = OnceLock::new();
    let (library, _) = BUILT.get_or_init(|| {
        let folder = scratch().keep();
        let library = folder.join("clock.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library);
        tool::run("build-essential", cc.arg(repository("tests/e2e/support/clock.c"))).ok();
        (library, Guard::over_folder(&folder))
    });
    library.clone()
}
