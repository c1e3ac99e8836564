//! Programs. Grants: `exec`, `exec(read)`, `spawn`. There is no shell unless one is the granted program.

use std::path::Path;
use std::time::Duration;

use super::{Answer, host, milliseconds, text};
use crate::bindings::hostler::driver::process as wit;
pub use crate::bindings::hostler::driver::process::ProcessInfo;
use crate::bindings::hostler::driver::types::Kv;
use crate::{Error, Value};

/// A program and its arguments, and how to run it. Also the type of a keyword that holds a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Command(wit::Command);

impl Command {
    /// Of an absolute path.
    pub fn new(program: impl AsRef<Path>) -> Command {
        Command(wit::Command {
            program: text(&program),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: Vec::new(),
            user: None,
            group: None,
            settings: Vec::new(),
            timeout_ms: 0,
        })
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Command {
        self.0.args.push(arg.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Command {
        self.0.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds to the environment.
    pub fn env(mut self, name: &str, value: &str) -> Command {
        self.0.env.push(Kv { key: name.to_owned(), value: value.to_owned() });
        self
    }

    /// The working directory, by default `/`.
    pub fn cwd(mut self, directory: impl AsRef<Path>) -> Command {
        self.0.cwd = Some(text(&directory));
        self
    }

    /// What the program reads from its standard input.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Command {
        self.0.stdin = input.into();
        self
    }

    /// The user to run as, a name or a number. By default the agent's own.
    pub fn user(mut self, user: impl Into<String>) -> Command {
        self.0.user = Some(user.into());
        self
    }

    /// The group to run as. By default the user's.
    pub fn group(mut self, group: impl Into<String>) -> Command {
        self.0.group = Some(group.into());
        self
    }

    /// What else the host can set: `umask`, `limit.nofile` and so on, see `wit/process.wit`.
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Command {
        self.0.settings.push(Kv { key: name.to_owned(), value: value.into() });
        self
    }

    /// After this long the whole process group is killed. By default at the action's deadline.
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.0.timeout_ms = milliseconds(timeout);
        self
    }

    /// The program's path.
    pub fn program(&self) -> &str {
        &self.0.program
    }

    /// Runs it to its end. An exit status other than 0 is no error here.
    pub fn run(&self) -> Answer<Output> {
        Ok(Output::of(host::process::run(&self.0)?))
    }

    /// Runs it to its end. An exit status other than 0 is an error that ends with the last line it wrote.
    pub fn check(&self) -> crate::Result<Output> {
        let output = self.run()?;
        if output.succeeded() {
            return Ok(output);
        }
        Err(Error::Failed(format!("{} ended with {}{}", self.0.program, output.status, output.last_words())))
    }

    /// Runs it and `sink` at once. That one reads what its own standard input was told to be, and then what this one writes.
    pub fn pipe(&self, sink: &Command) -> Answer<Piped> {
        let wit::Piped { source, sink, bytes } = host::process::pipe(&self.0, &sink.0)?;
        Ok(Piped { source: Output::of(source), sink: Output::of(sink), bytes })
    }

    /// Starts a program that outlives the call, and returns its pid.
    pub fn spawn(&self) -> Answer<u32> {
        Ok(host::process::spawn(&self.0)?)
    }
}

impl Value for Command {
    const KIND: &'static str = "command";

    fn read(values: &[String]) -> Result<Command, &'static str> {
        let (program, args) = values.split_first().ok_or("holds no command")?;
        Ok(Command::new(program).args(args))
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status, or 128 and the signal that ended it.
    pub status: i32,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
    /// True if either was longer than 1 MiB and its middle was dropped.
    pub truncated: bool,
}

/// How the two programs of a pipe ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piped {
    /// The one that wrote, without what it wrote to its standard output.
    pub source: Output,
    /// The one that read.
    pub sink: Output,
    /// How much went from the one to the other.
    pub bytes: u64,
}

impl Output {
    fn of(output: wit::Output) -> Output {
        Output { status: output.status, stdout: output.stdout, stderr: output.stderr, truncated: output.truncated }
    }

    /// Whether the exit status is 0.
    pub fn succeeded(&self) -> bool {
        self.status == 0
    }

    /// The standard output as text, without white space at its ends.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// `: ` and the last line that the program wrote, its standard error first. Empty if it wrote nothing.
    pub fn last_words(&self) -> String {
        let last = |stream: &[u8]| {
            let text = String::from_utf8_lossy(stream);
            text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()))
        };
        last(&self.stderr).or_else(|| last(&self.stdout)).unwrap_or_default()
    }
}

/// The processes of this resource: those that [`Command::spawn`] started and all their children.
pub fn running() -> Answer<Vec<ProcessInfo>> {
    Ok(host::process::running()?)
}

/// Ends all processes of this resource: `signal` (such as `TERM`), then KILL after `grace`. Returns how many there were.
pub fn terminate(signal: &str, grace: Duration) -> Answer<u32> {
    Ok(host::process::terminate(signal, milliseconds(grace))?)
}
