use crate::support::app::Bellwether;
use crate::support::commands::{self, COMMANDS};
use crate::support::scratch;

#[test]
fn help_of_every_command_shows_an_example() {
    let folder = scratch();
    // One for packages only, which help does not name.
    let hidden: &[&str] = &["man"];
    for command in COMMANDS.into_iter().chain([hidden]) {
        let help = Bellwether::new(folder.path(), command).arg("--help").run().ok();
        let usage =
            std::iter::once("bellwether").chain(command.iter().copied()).collect::<Vec<_>>().join(" ");
        assert!(help.stdout.contains(&format!("Usage: {usage}")), "{usage}: {}", help.stdout);
        let example = help.stdout.split_once("Example").map(|(_, after)| after).unwrap_or_default();
        assert!(example.contains("bellwether "), "`{usage} --help` shows no example: {}", help.stdout);
        assert_eq!(help.stderr, "", "{usage}");
    }
}

#[test]
fn help_names_every_command_once() {
    let folder = scratch();
    let help = Bellwether::new(folder.path(), &["--help"]).run().ok();
    for command in commands::top() {
        let lines =
            help.stdout.lines().filter(|line| line.trim_start().starts_with(&format!("{command} "))).count();
        assert_eq!(lines, 1, "{command}: {}", help.stdout);
    }
}

#[test]
fn version_is_the_manifest_version() {
    let folder = scratch();
    let version = Bellwether::new(folder.path(), &["--version"]).run().ok();
    assert_eq!(version.stdout.trim(), concat!("bellwether ", env!("CARGO_PKG_VERSION")));
}
