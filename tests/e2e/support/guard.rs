//! Ends a child process when the test process goes, however it goes.
//!
//! A shared service lives in a static, and statics are not dropped. So each child gets a small shell that waits on a
//! pipe held by this process: when the pipe closes, the shell ends the child and deletes its folder.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Guards the process `pid`, and `folder` when the folder lives no longer than the process.
    pub fn over(pid: u32, folder: Option<&Path>) -> Self {
        let script = r#"cat; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || rm -rf -- "$2""#;
        let folder = folder.map_or_else(Default::default, |f| f.as_os_str().to_owned());
        Self::start(script, &[pid.to_string().into(), folder])
    }

    /// Guards a folder of a shared fixture.
    pub fn over_folder(folder: &Path) -> Self {
        Self::start(r#"cat; rm -rf -- "$1""#, &[folder.as_os_str().to_owned()])
    }

    fn start(script: &str, args: &[OsString]) -> Self {
        let child = Command::new("sh")
            .args(["-c", script, "guard"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start a guard shell");
        Self(child)
    }
}

impl Drop for Guard {
    /// The process was waited for: its number may belong to another by now, so the shell must not act.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
