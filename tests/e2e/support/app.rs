//! The built program as a process.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::clock::HostClock;
use super::guard::Guard;
use super::wait;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwether");

/// What a finished command left.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The command must have done its work.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "command failed\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("stdout is no JSON ({error}): {}\nstderr: {}", self.stdout, self.stderr)
        })
    }

    /// Refusals are one line for people: no panic, no backtrace, no debug output.
    #[track_caller]
    pub fn refused(self, code: i32, mentions: &[&str]) -> Self {
        assert_eq!(self.code(), code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("bellwether: ")).collect();
        assert_eq!(lines.len(), 1, "not one clear line: {}", self.stderr);
        for word in mentions {
            assert!(lines[0].contains(word), "`{word}` is missing in: {}", lines[0]);
        }
        for noise in ["panicked", "RUST_BACKTRACE", "stack backtrace", "Os {", "Error {", "thread 'main'"] {
            assert!(!self.stderr.contains(noise), "`{noise}` in: {}", self.stderr);
        }
        self
    }
}

/// A command line of the program, not started yet.
#[derive(Debug)]
pub struct Bellwether {
    /// What runs before the arguments: the program, after whatever runs it.
    program: Vec<String>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    folder: PathBuf,
    log: Option<PathBuf>,
}

impl Bellwether {
    /// Runs in `folder`, which must exist: relative paths and left-overs stay inside.
    pub fn new(folder: &Path, args: &[&str]) -> Self {
        Self {
            program: vec![PROGRAM.to_owned()],
            args: args.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
            folder: folder.to_owned(),
            log: None,
        }
    }

    /// Runs the copy that lies at `program` behind `entry`, the words by which one enters a `Root`.
    pub fn inside(entry: Vec<String>, program: &str, args: &[&str]) -> Self {
        let mut copy = Self::new(Path::new("/"), args);
        copy.program = entry;
        copy.program.push(program.to_owned());
        copy
    }

    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.args.push(arg.as_ref().to_str().expect("arguments are text").to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps everything the program prints in this file too, appended over restarts.
    pub fn log_to(mut self, file: &Path) -> Self {
        self.log = Some(file.to_owned());
        self
    }

    /// Runs only while nobody else wants to, so that a test that watches it is never late on a busy machine.
    pub fn giving_way(mut self) -> Self {
        self.program.splice(0..0, ["nice", "-n", "19"].map(str::to_owned));
        self
    }

    /// Runs on a host with this wall clock.
    pub fn with_clock(self, clock: &HostClock) -> Self {
        clock.env().into_iter().fold(self, |command, (name, value)| command.env(name, &value))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).args(&self.args).current_dir(&self.folder).stdin(Stdio::null());
        // The caller's own settings must not leak in.
        for (name, _) in std::env::vars()
            .filter(|(n, _)| n.starts_with("BELLWETHER__") || n == "RUST_LOG" || n == "FAILPOINTS")
        {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(n, v)| (n, v)));
        command
    }

    /// Runs to the end; a command that hangs is killed and fails the test.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.run_within(wait::WORK)
    }

    #[track_caller]
    pub fn run_within(self, limit: Duration) -> Finished {
        let what = format!("`bellwether {}` to end", self.args.join(" "));
        let mut running = self.start();
        let status = wait::until(&what, limit, || running.exited());
        running.finish(status)
    }

    #[track_caller]
    pub fn start(self) -> Running {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the bellwether binary");
        let guard = Guard::over(child.id(), None);
        let output = Arc::new(Output::default());
        let log = self.log.as_ref().map(|path| {
            let file = File::options().create(true).append(true).open(path).expect("open the log file");
            Arc::new(Mutex::new(file))
        });
        let stdout = child.stdout.take().expect("piped stdout");
        let stderr = child.stderr.take().expect("piped stderr");
        let readers = vec![
            follow(stdout, Stream::Out, output.clone(), log.clone()),
            follow(stderr, Stream::Err, output.clone(), log),
        ];
        Running { child, output, readers, _guard: guard }
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

#[derive(Debug, Default)]
struct Texts {
    out: String,
    err: String,
    closed: u8,
}

/// Everything printed so far; the condition tells of each new line.
#[derive(Debug, Default)]
struct Output {
    texts: Mutex<Texts>,
    changed: Condvar,
}

fn follow(
    from: impl Read + Send + 'static,
    stream: Stream,
    output: Arc<Output>,
    log: Option<Arc<Mutex<File>>>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            if let Some(log) = &log {
                log.lock().expect("log lock").write_all(&line).expect("write the log file");
            }
            let text = String::from_utf8_lossy(&line);
            let mut texts = output.texts.lock().expect("output lock");
            match stream {
                Stream::Out => texts.out.push_str(&text),
                Stream::Err => texts.err.push_str(&text),
            }
            output.changed.notify_all();
            line.clear();
        }
        output.texts.lock().expect("output lock").closed += 1;
        output.changed.notify_all();
    })
}

/// A started program. Dropped while running, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: Arc<Output>,
    readers: Vec<std::thread::JoinHandle<()>>,
    _guard: Guard,
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a printed line contains `marker` and returns the line. Fails when the program ends first.
    #[track_caller]
    pub fn wait_for(&self, marker: &str, limit: Duration) -> String {
        let started = Instant::now();
        let mut texts = self.output.texts.lock().expect("output lock");
        loop {
            let found = texts.out.lines().chain(texts.err.lines()).find(|line| line.contains(marker));
            if let Some(line) = found {
                return line.to_owned();
            }
            assert!(texts.closed < 2, "the program ended before `{marker}`\n{}{}", texts.out, texts.err);
            let left = limit.saturating_sub(started.elapsed());
            assert!(!left.is_zero(), "waited {limit:?} for `{marker}`\n{}{}", texts.out, texts.err);
            texts = self.output.changed.wait_timeout(texts, left).expect("output lock").0;
        }
    }

    /// Waits until a demo says where its site is, and returns that address.
    #[track_caller]
    pub fn site(&self, limit: Duration) -> String {
        let line = self.wait_for("Bellwether is at http://", limit);
        let at = line.find("http://").expect("an address");
        line[at..].split_whitespace().next().expect("an address").trim_end_matches('/').to_owned()
    }

    /// Everything printed so far.
    pub fn printed(&self) -> String {
        let texts = self.output.texts.lock().expect("output lock");
        format!("{}{}", texts.out, texts.err)
    }

    /// The exit status once the program has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask for the child's state")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process number");
        kill_process(pid, signal).expect("send a signal");
    }

    /// SIGSTOP: the program stands still wherever it is.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL: the program cannot clean up anything.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("kill the program");
        let status = self.child.wait().expect("wait for the program");
        self.finish(status)
    }

    /// SIGINT, as Ctrl-C sends it, and the end that follows.
    #[track_caller]
    pub fn interrupt(mut self) -> Finished {
        self.signal(Signal::INT);
        let status = wait::until("the program to end after SIGINT", wait::START, || self.exited());
        self.finish(status)
    }

    /// SIGTERM, as a service manager sends it, and the end that follows.
    #[track_caller]
    pub fn terminate(mut self) -> Finished {
        self.signal(Signal::TERM);
        let status = wait::until("the program to end after SIGTERM", wait::START, || self.exited());
        self.finish(status)
    }

    #[track_caller]
    pub fn ended(mut self, limit: Duration) -> Finished {
        let status = wait::until("the program to end by itself", limit, || self.exited());
        self.finish(status)
    }

    fn finish(mut self, status: ExitStatus) -> Finished {
        for reader in self.readers.drain(..) {
            reader.join().expect("read the program's output");
        }
        let mut texts = self.output.texts.lock().expect("output lock");
        Finished { status, stdout: std::mem::take(&mut texts.out), stderr: std::mem::take(&mut texts.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
