//! What lies in the packages, and with which rights.

use std::collections::BTreeMap;
use std::process::Command;

use super::{Packages, build};
use crate::support::{commands, scratch, tool};

const PLAIN: &str = "-rw-r--r--";
const PROGRAM: &str = "-rwxr-xr-x";
/// It may hold tokens; the installed file's group is the service's.
const SECRET: &str = "-rw-r-----";

/// Below the folder that becomes /usr, in both packages.
const PREFIX: [(&str, &str); 9] = [
    ("bin/bellwether", PROGRAM),
    ("lib/systemd/system/bellwether.service", PLAIN),
    ("lib/systemd/system/bellwether@.service", PLAIN),
    ("lib/sysusers.d/bellwether.conf", PLAIN),
    ("share/bash-completion/completions/bellwether", PLAIN),
    ("share/doc/bellwether/ARCHITECTURE.md", PLAIN),
    ("share/doc/bellwether/README.md", PLAIN),
    ("share/doc/bellwether/examples/bellwether.toml", PLAIN),
    ("share/fish/vendor_completions.d/bellwether.fish", PLAIN),
];

fn expected(prefix: &str, others: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pages = commands::pages().map(|page| (format!("{prefix}share/man/man1/{page}.gz"), PLAIN.to_owned()));
    let below = PREFIX.iter().map(|(path, mode)| (format!("{prefix}{path}"), (*mode).to_owned()));
    let others = others.iter().map(|(path, mode)| ((*path).to_owned(), (*mode).to_owned()));
    pages.chain(below).chain(others).collect()
}

/// Files by path with their modes, from what `tar --list --verbose` prints; folders and owners are checked here.
fn files(listing: &str, top: &str, owner: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for line in listing.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [mode, found_owner, _size, _date, _time, path] = columns[..] else {
            panic!("not six columns: {line}")
        };
        assert_eq!(found_owner, owner, "{line}");
        if mode.starts_with('d') {
            assert_eq!(mode, "drwxr-xr-x", "{line}");
        } else {
            files.insert(path.strip_prefix(top).expect("one top folder").to_owned(), mode.to_owned());
        }
    }
    files
}

#[test]
fn deb_holds_these_files_with_these_rights() {
    let listing = Packages::shared().dpkg_deb("--contents", &[]);
    let others = [
        ("etc/bellwether/bellwether.toml", SECRET),
        ("usr/share/doc/bellwether/copyright", PLAIN),
        ("usr/share/zsh/vendor-completions/_bellwether", PLAIN),
    ];
    assert_eq!(files(&listing, "./", "root/root"), expected("usr/", &others));
}

#[test]
fn tarball_holds_these_files_with_these_rights() {
    let packages = Packages::shared();
    let mut list = Command::new("tar");
    let listing = tool::run("tar", list.arg("-tvzf").arg(&packages.tarball)).ok().stdout;
    let others = [
        ("INSTALL", PLAIN),
        ("LICENSE", PLAIN),
        ("README.md", PLAIN),
        ("etc/bellwether/bellwether.toml", PLAIN),
        ("share/zsh/site-functions/_bellwether", PLAIN),
    ];
    assert_eq!(files(&listing, &format!("{}/", packages.name), "0/0"), expected("", &others));
}

#[test]
fn deb_says_what_it_is_and_what_it_needs() {
    let packages = Packages::shared();
    let field = |name: &str| packages.dpkg_deb("--field", &[name]).trim().to_owned();
    assert_eq!(field("Package"), "bellwether");
    assert_eq!(field("Version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(packages.dpkg_deb("--info", &["conffiles"]), "/etc/bellwether/bellwether.toml\n");
    assert!(field("Description").contains("Prompts and\n completions are never stored."));
    let (depends, size) = (field("Depends"), field("Installed-Size"));
    // Older ones lack symbols that the program calls.
    for library in ["libc6 (>= ", "libssl3"] {
        assert!(depends.contains(library), "{depends}");
    }
    let program = std::fs::metadata(crate::support::app::PROGRAM).unwrap().len();
    let (size, most) = (size.parse::<u64>().unwrap() * 1024, program + (1 << 20));
    assert!(size > program / 4 && size < most, "{size} bytes of a program of {program}");
}

#[test]
fn same_program_makes_the_same_packages() {
    let (packages, again) = (Packages::shared(), scratch());
    build(again.path());
    for first in [&packages.tarball, &packages.deb] {
        let second = again.path().join(first.file_name().unwrap());
        assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap(), "{}", first.display());
    }
}
