//! The .deb under the real dpkg, on a disk that holds what it depends on and what its scripts call.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Packages;
use crate::support::app::{Bellwether, Finished};
use crate::support::root::{self, Root};
use crate::support::tool;

const USER: &str = "bellwether";
const CONFIG: &str = "etc/bellwether/bellwether.toml";
const DATA: &str = "var/lib/bellwether";

/// Every Debian has these; a package need not name them.
const ESSENTIAL: [&str; 3] = ["coreutils", "dash", "libc-bin"];

fn dpkg(root: &Root, verb: &str, what: &Path) -> Finished {
    let mut words = root::as_root();
    words.extend(["dpkg", "--force-depends"].map(str::to_owned));
    let mut dpkg = tool::command(words);
    // A user's PATH lacks what dpkg insists on.
    dpkg.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
    dpkg.arg("--root").arg(root.path()).arg("--log").arg(root.path().join("dpkg.log")).arg(verb).arg(what);
    tool::run("dpkg", &mut dpkg).ok()
}

/// A disk with a superuser, on which dpkg knows of no package yet.
fn empty() -> Root {
    let mut held = Packages::shared().depends();
    held.extend(ESSENTIAL.map(str::to_owned));
    let root = Root::of(&held);
    for folder in ["info", "updates"] {
        fs::create_dir_all(root.path().join("var/lib/dpkg").join(folder)).unwrap();
    }
    fs::create_dir(root.path().join("dev")).unwrap();
    for (file, text) in [
        ("dev/null", ""),
        ("etc/group", "root:x:0:\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("var/lib/dpkg/status", ""),
    ] {
        fs::write(root.path().join(file), text).unwrap();
    }
    root
}

/// The number that a line of `etc/passwd` or `etc/group` gives to a name.
fn id(root: &Root, file: &str, name: &str) -> u32 {
    let text = fs::read_to_string(root.path().join(file)).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name}:")));
    let number = line.and_then(|line| line.split(':').nth(2)).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[test]
fn installed_package_runs_as_its_user_and_leaves_its_data_when_purged() {
    let root = empty();
    dpkg(&root, "--install", &Packages::shared().deb);
    assert_ne!(id(&root, "etc/passwd", USER), 0);
    let (config, data) = (root.path().join(CONFIG), root.path().join(DATA));
    let metadata = [&config, &data].map(|path| fs::metadata(path).unwrap());
    assert_eq!(metadata.each_ref().map(|m| m.mode() & 0o7777), [0o640, 0o750]);
    // Under another user the numbers here are not those in there.
    if rustix::process::geteuid().is_root() {
        let [owner, group] = ["etc/passwd", "etc/group"].map(|file| id(&root, file, USER));
        assert_eq!(metadata.map(|m| (m.uid(), m.gid())), [(0, group), (owner, group)]);
    }

    // As the configuration tells an operator to do it.
    let check = ["check", "--config", &format!("/{CONFIG}")];
    let checked = Bellwether::inside(root.entry_as(USER), "/usr/bin/bellwether", &check).run().ok();
    for folder in ["warehouse", "keys", "spool"] {
        assert!(checked.stdout.contains(&format!("`/{DATA}/{folder}`")), "{}", checked.stdout);
    }

    dpkg(&root, "--remove", Path::new("bellwether"));
    assert!(!root.path().join("usr/bin/bellwether").exists());
    assert!(config.exists(), "the configuration went before the purge");
    let purged = dpkg(&root, "--purge", Path::new("bellwether"));
    assert!(!config.exists());
    assert!(purged.stdout.contains("stay in /var/lib/bellwether"), "{}", purged.stdout);
    // A check changes nothing. Only the root's own users may look into the folder.
    let mut list = tool::command(root.entry());
    let listed = tool::run("coreutils", list.args(["ls", "-A", &format!("/{DATA}")])).ok();
    assert_eq!(listed.stdout, "");
}
