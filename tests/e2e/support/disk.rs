//! A small disk that only chosen programs see, for tests that fill one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::scratch;

/// In a mount namespace of its own, held by a shell that ends with its input: when the test process goes, the
/// disk goes with it.
#[derive(Debug)]
pub struct Disk {
    holder: Child,
    folder: tempfile::TempDir,
}

impl Disk {
    /// A tmpfs of this size. Root may mount it; another user does in a user namespace.
    #[track_caller]
    pub fn of(mib: u32) -> Self {
        let folder = scratch();
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let script = r#"mount -t tmpfs -o "size=$1m" tmpfs "$2" && echo mounted && exec cat"#;
        let mut holder = command
            .args(["sh", "-c", script, "disk", &mib.to_string()])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start unshare (install Debian's util-linux)");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("piped stdout")).read_line(&mut line).expect("read");
        assert_eq!(line, "mounted\n", "no disk; unless root runs the tests, user namespaces must be allowed");
        Self { holder, folder }
    }

    /// Where the disk is for whoever sees it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves so many KiB at most.
    #[track_caller]
    pub fn fill_but(&self, kib: u32) {
        let script = r#"dd if=/dev/zero of="$1/filler" bs=1k 2>&1 | grep -q "No space" && truncate -c -s "-$2k" "$1/filler""#;
        let entry = self.entry();
        let (program, words) = entry.split_first().expect("a program that enters");
        let filled = Command::new(program)
            .args(words)
            .args(["sh", "-c", script, "fill"])
            .arg(self.path())
            .arg(kib.to_string())
            .status();
        assert!(filled.expect("fill the disk").success(), "the disk is not full");
    }

    /// Command words after which a program sees the disk.
    pub fn entry(&self) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned(), format!("--target={}", self.holder.id())];
        if !rustix::process::geteuid().is_root() {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words.push("--mount".to_owned());
        words
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
