//! A disk that holds chosen Debian packages and nothing else, for programs that are to see only it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{scratch, tool};

/// What a program does not read at all, and what only the test's own package may bring.
const LEFT_OUT: [&str; 2] = ["/usr/share/", "/var/"];

#[derive(Debug)]
pub struct Root(tempfile::TempDir);

impl Root {
    /// Copies what these packages, and all that they depend on, have installed on this machine.
    #[track_caller]
    pub fn of(packages: &[String]) -> Self {
        let root = Self(scratch());
        // As on every Debian and Ubuntu of today, whichever of both names the package lists.
        for folder in ["bin", "lib", "lib64", "sbin"] {
            fs::create_dir_all(root.path().join("usr").join(folder)).expect("make a folder");
            symlink(Path::new("usr").join(folder), root.path().join(folder)).expect("make a link");
        }
        fs::create_dir(root.path().join("tmp")).expect("make a folder");
        let listed = tool::run("dpkg", Command::new("dpkg").arg("--listfiles").args(closure(packages))).ok();
        // Diversions are told between the paths.
        for path in listed.stdout.lines().filter(|line| line.starts_with('/')) {
            if !LEFT_OUT.iter().any(|folder| path.starts_with(folder)) {
                root.copy(Path::new(path));
            }
        }
        root
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Command words after which a program runs with this root for a disk.
    pub fn entry(&self) -> Vec<String> {
        let path = self.path().to_str().expect("folders are text").to_owned();
        let mut words = as_root();
        words.extend(["/usr/sbin/chroot".to_owned(), path]);
        words
    }

    /// The same for a user, and the group of that name, whom this root knows.
    pub fn entry_as(&self, user: &str) -> Vec<String> {
        let mut words = self.entry();
        words.insert(words.len() - 1, format!("--userspec={user}:{user}"));
        words
    }

    fn copy(&self, path: &Path) {
        let copy = self.path().join(path.strip_prefix("/").expect("an absolute path"));
        // A file may be gone by the machine's own choice, such as documentation.
        let Ok(metadata) = path.symlink_metadata() else { return };
        if metadata.is_dir() || copy.symlink_metadata().is_ok() {
            return;
        }
        fs::create_dir_all(copy.parent().expect("a parent")).expect("make a folder");
        if metadata.is_symlink() {
            symlink(fs::read_link(path).expect("read a link"), &copy).expect("make a link");
        } else {
            fs::copy(path, &copy).unwrap_or_else(|error| panic!("copy {}: {error}", path.display()));
        }
    }
}

/// Command words after which a program runs as root, or as who it takes for root.
pub fn as_root() -> Vec<String> {
    if rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    // Needs Debian's uidmap: the package's files belong to more than one user.
    ["unshare", "--map-root-user", "--map-auto"].map(str::to_owned).to_vec()
}

/// Names in a `Depends` field, each as its alternatives: `libssl3 (>= 3.0.0), default-mta | mail-transport-agent`.
pub fn names(depends: &str) -> Vec<Vec<String>> {
    let name = |text: &str| text.split(['(', ':', '[']).next().unwrap_or_default().trim().to_owned();
    let relations = depends.split(',').map(|relation| relation.split('|').map(name).collect::<Vec<_>>());
    relations.filter(|alternatives| alternatives.iter().any(|name| !name.is_empty())).collect()
}

/// The packages and all that they depend on, as installed here.
fn closure(packages: &[String]) -> BTreeSet<String> {
    let format = "${db:Status-Status}\t${Package}\t${Pre-Depends},${Depends}\n";
    let database =
        tool::run("dpkg", Command::new("dpkg-query").args(["--show", "--showformat", format])).ok();
    let installed: BTreeMap<&str, &str> = database
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("installed\t")?.split_once('\t'))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = packages.to_vec();
    while let Some(package) = open.pop() {
        let depends = installed
            .get(package.as_str())
            .unwrap_or_else(|| panic!("install Debian's {package}, of which a test makes a root"));
        if found.insert(package) {
            // What only another package provides is left out: no library is named so.
            let met = names(depends).into_iter().filter_map(|alternatives| {
                alternatives.into_iter().find(|name| installed.contains_key(name.as_str()))
            });
            open.extend(met);
        }
    }
    found
}
