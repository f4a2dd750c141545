//! Programs of the machine that tests call.

use std::process::{Command, Stdio};

use super::app::Finished;

/// Runs a command to its end. One that is missing fails the test and names the Debian package that brings it.
#[track_caller]
pub fn run(debian_package: &str, command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        let program = command.get_program().display();
        panic!("cannot run `{program}` ({error}): install Debian's {debian_package}")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// A command of words, the first of which is its program.
pub fn command(words: Vec<String>) -> Command {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}
