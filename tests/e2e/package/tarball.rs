//! The tarball, unpacked where there is nothing but it and the libraries that the .deb depends on.

use std::process::Command;
use std::time::Duration;

use super::Packages;
use crate::support::app::Bellwether;
use crate::support::root::Root;
use crate::support::{http, tool};

/// A short history, so that it is the start that is measured.
const SHORT: [&str; 6] = ["--attempts", "2000000", "--days", "2", "--seed", "4"];
const READY: Duration = Duration::from_secs(60);

#[test]
fn demo_runs_where_only_its_libraries_are() {
    let packages = Packages::shared();
    let root = Root::of(&packages.depends());
    let mut unpack = Command::new("tar");
    tool::run("tar", unpack.arg("-xzf").arg(&packages.tarball).arg("-C").arg(root.path())).ok();
    let program = format!("/{}/bin/bellwether", packages.name);
    let common = ["demo", "--warehouse", "/market", "--listen", "127.0.0.1:0"];
    let running = Bellwether::inside(root.entry(), &program, &[&common[..], &SHORT].concat()).start();
    let page = http::get(&format!("{}/", running.site(READY)));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Bellwether"), "{}", page.text());
    let ended = running.interrupt();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// What INSTALL copies below /usr/local must not point into /usr.
#[test]
fn units_of_the_tarball_start_what_it_installs() {
    let packages = Packages::shared();
    for unit in ["bellwether.service", "bellwether@.service"] {
        let path = format!("{}/lib/systemd/system/{unit}", packages.name);
        let mut show = Command::new("tar");
        let text = tool::run("tar", show.arg("-xzOf").arg(&packages.tarball).arg(&path)).ok().stdout;
        assert!(text.contains("ExecStart=/usr/local/bin/bellwether serve"), "{text}");
        assert!(!text.replace("/usr/local/", "").contains("/usr/"), "{text}");
    }
}
