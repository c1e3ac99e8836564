//! Programs. Grants: `exec`, `exec(read)`, `spawn`. No shell is involved unless the granted program is one.

use std::path::Path;
use std::time::Duration;

use super::{CapabilityResult, host, milliseconds, text};
use crate::bindings::hostler::driver::process as wit;
pub use crate::bindings::hostler::driver::process::{ProcessInfo, ProgramExit};
use crate::bindings::hostler::driver::types::Kv;
use crate::{Error, Value};

/// A program and its arguments, and how to run it. Also the type of a keyword that holds a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Command(wit::Command);

impl Command {
    /// A command without arguments. The program is an absolute path.
    pub fn new(program: impl AsRef<Path>) -> Command {
        // A timeout of 0 is the action's deadline, and the host chooses what is None.
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

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Command {
        self.0.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Command {
        self.0.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment.
    pub fn env(mut self, name: &str, value: &str) -> Command {
        self.0.env.push(Kv { key: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sets the working directory. The default is `/`.
    pub fn cwd(mut self, directory: impl AsRef<Path>) -> Command {
        self.0.cwd = Some(text(&directory));
        self
    }

    /// Sets the content of the standard input.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Command {
        self.0.stdin = input.into();
        self
    }

    /// Sets the user to run as, a name or a number. The default is the agent's user.
    pub fn user(mut self, user: impl Into<String>) -> Command {
        self.0.user = Some(user.into());
        self
    }

    /// Sets the group to run as. The default is the user's group.
    pub fn group(mut self, group: impl Into<String>) -> Command {
        self.0.group = Some(group.into());
        self
    }

    /// Sets another property of the process: `umask`, `limit.nofile` and so on, see `wit/process.wit`.
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Command {
        self.0.settings.push(Kv { key: name.to_owned(), value: value.into() });
        self
    }

    /// Sets how long the program may run before its whole process group is killed. The default is the action's deadline.
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.0.timeout_ms = milliseconds(timeout);
        self
    }

    /// The program's path.
    pub fn program(&self) -> &str {
        &self.0.program
    }

    /// Runs the program and waits until it exits. An exit status other than 0 is not an error here.
    pub fn run(&self) -> CapabilityResult<Output> {
        Ok(Output::of(host::process::run(&self.0)?))
    }

    /// Runs the program and waits until it exits. An exit status other than 0 is an error, which quotes the last line that the
    /// program wrote.
    pub fn check(&self) -> crate::Result<Output> {
        let output = self.run()?;
        if output.succeeded() {
            return Ok(output);
        }
        // Not `Retryable`: the status of a program does not say whether another try would help.
        Err(Error::Failed(format!("{} exited with {}{}", self.0.program, output.status, output.last_words())))
    }

    /// Runs this program and `sink` at the same time. `sink` reads the content of its own standard input first, and then what
    /// this program writes.
    pub fn pipe(&self, sink: &Command) -> CapabilityResult<PipeOutput> {
        let wit::Piped { source, sink, bytes } = host::process::pipe(&self.0, &sink.0)?;
        Ok(PipeOutput { source: Output::of(source), sink: Output::of(sink), bytes })
    }

    /// Starts a program that outlives the call, and returns its pid.
    pub fn spawn(&self) -> CapabilityResult<u32> {
        Ok(host::process::spawn(&self.0)?)
    }
}

impl Value for Command {
    const KIND: &'static str = "command";

    fn read(values: &[String]) -> Result<Command, &'static str> {
        let (program, args) = values.split_first().ok_or("contains no command")?;
        Ok(Command::new(program).args(args))
    }
}

/// The exit status and the output of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status, or 128 plus the number of the signal that killed the program.
    pub status: i32,
    /// The standard output.
    pub stdout: Vec<u8>,
    /// The standard error.
    pub stderr: Vec<u8>,
    /// True if one of them was longer than 1 MiB, so that its middle was dropped.
    pub truncated: bool,
}

/// The results of the two programs of a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipeOutput {
    /// The result of the program that wrote, without its standard output.
    pub source: Output,
    /// The result of the program that read.
    pub sink: Output,
    /// The number of bytes that went through the pipe.
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
        // Programs report errors on stderr; some print them on stdout only.
        last(&self.stderr).or_else(|| last(&self.stdout)).unwrap_or_default()
    }
}

/// Waits until the program exits that this resource has started last with [`Command::spawn`], which returned `pid`, and at most so
/// long. None: it still runs.
pub fn watch(pid: u32, patience: Duration) -> CapabilityResult<Option<ProgramExit>> {
    Ok(host::process::watch(pid, milliseconds(patience))?)
}

/// The processes of this resource: those that [`Command::spawn`] started or that a program left behind that [`Command::run`] ran, and
/// all their descendants. What a start lists is held from then on: a stop is over only when it is gone.
pub fn running() -> CapabilityResult<Vec<ProcessInfo>> {
    Ok(host::process::running()?)
}

/// Stops all processes of this resource: sends `signal` (such as `TERM`), then KILL after `grace`. Returns how many there
/// were.
pub fn terminate(signal: &str, grace: Duration) -> CapabilityResult<u32> {
    Ok(host::process::terminate(signal, milliseconds(grace))?)
}
