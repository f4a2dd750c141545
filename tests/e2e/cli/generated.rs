//! Manual pages and completions, which packages make of the command line itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::app::Bellwether;
use crate::support::{commands, scratch, tool};

/// What bash offers for the last of `words`.
fn completed(folder: &Path, words: &[&str]) -> BTreeSet<String> {
    let script = "source completions
        COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))
        _bellwether bellwether \"${!#}\" \"${@:$#-1:1}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-euc", script, "bash"]).args(words).current_dir(folder);
    let finished = tool::run("bash", &mut bash).ok();
    assert_eq!(finished.stderr, "", "{words:?}");
    finished.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let folder = scratch();
    let script = Bellwether::new(folder.path(), &["completions", "bash"]).run().ok().stdout;
    std::fs::write(folder.path().join("completions"), script).unwrap();
    let one = |words: &[&str]| completed(folder.path(), words).into_iter().collect::<Vec<_>>();
    assert_eq!(one(&["bellwether", "ser"]), ["serve"]);
    assert_eq!(one(&["bellwether", "jobs", "reb"]), ["rebuild"]);
    assert_eq!(one(&["bellwether", "serve", "--ro"]), ["--roles"]);
    assert_eq!(one(&["bellwether", "serve", "--roles", "ma"]), ["maintain"]);
    let offered = completed(folder.path(), &["bellwether", ""]);
    for command in commands::top() {
        assert!(offered.contains(command), "{command} is not among {offered:?}");
    }
}

#[test]
fn every_shell_has_completions_for_the_program() {
    let folder = scratch();
    for (shell, start) in [
        ("bash", "_bellwether() {"),
        ("zsh", "#compdef bellwether"),
        ("fish", "# Print an optspec for argparse"),
    ] {
        let printed = Bellwether::new(folder.path(), &["completions", shell]).run().ok();
        assert!(printed.stdout.starts_with(start), "{shell}: {}", printed.stdout);
        assert!(printed.stdout.contains("rebuild"), "{shell}: {}", printed.stdout);
        assert_eq!(printed.stderr, "", "{shell}");
    }
    let unknown = Bellwether::new(folder.path(), &["completions", "abacus"]).run();
    assert_eq!(unknown.code(), 2, "{}", unknown.stderr);
}

#[test]
fn completions_and_manual_need_no_working_configuration() {
    let folder = scratch();
    for command in [&["completions", "bash"][..], &["man", "pages"]] {
        Bellwether::new(folder.path(), command)
            .arg("--config")
            .arg("absent.toml")
            .env("BELLWETHER__NO_SUCH__KEY", "1")
            .run()
            .ok();
    }
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    Bellwether::new(folder.path(), &["man", "file/pages"]).run().refused(2, &["file/pages"]);
}

#[test]
fn every_command_has_a_manual_page_without_warnings() {
    let folder = scratch();
    Bellwether::new(folder.path(), &["man", "pages"]).run().ok();
    let expected: BTreeSet<String> = commands::pages().collect();
    let found: BTreeSet<String> = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
    for page in &found {
        let file = folder.path().join("pages").join(page);
        let source = std::fs::read_to_string(&file).unwrap();
        assert!(source.contains(".TH bellwether"), "{page}: {source}");
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-K", "utf8", "-ww"]).arg(&file).env("LC_ALL", "C.UTF-8");
        let formatted = tool::run("groff-base", &mut groff).ok();
        assert_eq!(formatted.stderr, "", "{page}");
        assert!(formatted.stdout.contains("Example"), "{page}: {}", formatted.stdout);
    }
}
