//! The systemd units, as systemd reads them. Whether they run is for a machine that systemd runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::Packages;
use crate::support::app::PROGRAM;
use crate::support::{root, scratch, tool};

const ROLES: [&str; 5] = ["intake", "ingest", "jobs", "web", "maintain"];

/// The .deb's files, and its units with one instance of the template for each role.
fn units() -> (TempDir, Vec<PathBuf>) {
    let folder = scratch();
    Packages::shared().dpkg_deb("--extract", &[folder.path().to_str().unwrap()]);
    let unit = |name: &str| {
        let text = fs::read_to_string(folder.path().join("usr/lib/systemd/system").join(name)).unwrap();
        let there = text.replace("ExecStart=/usr/bin/bellwether ", &format!("ExecStart={PROGRAM} "));
        assert_ne!(there, text, "{name} does not start the installed program");
        there
    };
    let mut paths = vec![folder.path().join("bellwether.service")];
    fs::write(&paths[0], unit("bellwether.service")).unwrap();
    for role in ROLES {
        paths.push(folder.path().join(format!("bellwether@{role}.service")));
        fs::write(&paths[paths.len() - 1], unit("bellwether@.service")).unwrap();
    }
    (folder, paths)
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let (_folder, units) = units();
    let mut verify = Command::new("systemd-analyze");
    // Pages are found where they are installed, which they are not here.
    let verified = tool::run("systemd", verify.args(["verify", "--man=no"]).args(units)).ok();
    // Its own units may be at fault on this machine.
    let ours: Vec<&str> = verified.stderr.lines().filter(|line| line.contains("bellwether")).collect();
    assert_eq!(ours, Vec::<&str>::new());
}

#[test]
fn service_can_reach_little_of_its_host() {
    let (_folder, units) = units();
    let mut security = Command::new("systemd-analyze");
    // Of 10.0; what is left over is the network, which it serves.
    security.args(["security", "--no-pager", "--offline=true", "--threshold=20"]).args(units);
    tool::run("systemd", &mut security).ok();
}

#[test]
fn template_differs_from_the_service_in_its_role_only() {
    let lines = |name: &str| -> BTreeSet<String> {
        let path = crate::support::repository("package/systemd").join(name);
        let text = fs::read_to_string(path).unwrap();
        let settings = text.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
        settings.map(str::to_owned).collect()
    };
    let (service, template) = (lines("bellwether.service"), lines("bellwether@.service"));
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
    let start = "ExecStart=/usr/bin/bellwether serve --config /etc/bellwether/bellwether.toml";
    assert_eq!(
        only(&service, &template),
        ["Description=Bellwether: rankings and provider health from LLM request logs", start]
    );
    assert_eq!(
        only(&template, &service),
        [
            "Conflicts=bellwether.service",
            "Description=Bellwether, role %i",
            "EnvironmentFile=-/etc/default/bellwether-%i",
            &format!("{start} --roles %i"),
        ]
    );
}

#[test]
fn systemd_makes_the_user() {
    let folder = scratch();
    let disk = folder.path().to_str().unwrap();
    Packages::shared().dpkg_deb("--extract", &[disk]);
    let mut words = root::as_root();
    words.extend(["systemd-sysusers".to_owned(), format!("--root={disk}"), "bellwether.conf".to_owned()]);
    tool::run("systemd", &mut tool::command(words)).ok();
    let users = fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("bellwether:")).expect("the user");
    assert!(user.ends_with(":Bellwether:/var/lib/bellwether:/usr/sbin/nologin"), "{user}");
}
