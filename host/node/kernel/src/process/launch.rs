//! Everything that is decided about a program before its start.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::KernelError;
use crate::cgroup::Cgroup;
use crate::path::{LastLink, resolve_any};
use crate::process::account::runs_as_root;
use crate::process::child::{ChildSetup, ChildStep};
use crate::process::exec::ExecVector;
use crate::process::inherited::InheritedState;
use crate::process::landlock::{FileConfinement, FileRule};
use crate::process::{CapabilityBounds, CheckedProgram, ResourceLimit, UserAccount};

/// A program to start, and how.
#[derive(Debug)]
pub struct ProgramLaunch {
    /// The file to execute.
    pub program: CheckedProgram,
    /// The arguments, without the program's own name.
    pub args: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, OsString)>,
    pub cwd: PathBuf,
    /// The user to run as. None means the agent's own.
    pub account: Option<UserAccount>,
    /// The file mode creation mask.
    pub umask: u32,
    pub limits: Vec<ResourceLimit>,
    /// The capabilities that the program keeps.
    pub bounds: CapabilityBounds,
    /// The control group to run in.
    pub cgroup: Option<Cgroup>,
    /// The files that it may touch, as far as this kernel can hold it to that. None: all that its user may.
    pub files: Option<Vec<FileRule>>,
}

/// The session and the process group of a program. They decide which signals of a terminal reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    /// A process group in the agent's session, by which a later agent knows that it was not to outlive this one. It has no terminal.
    OwnGroup,
    /// A session of its own.
    Detached,
    /// A session of its own, whose terminal is this one of the program's standard input, output and error, if any.
    OfTerminal(Option<StandardStream>),
}

/// One of the three descriptors that every program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardStream {
    Input,
    Output,
    Errors,
}

impl ProgramLaunch {
    /// The command that executes the program once it is spawned, and the report of a failed start.
    pub(super) fn command(self, session: SessionKind) -> Result<(Command, StartReport), KernelError> {
        let path = self.program.path().to_owned();
        let mut command = Command::new(&path);
        let (report, failed) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK)
                .map_err(KernelError::os("make a pipe"))?;
        self.into_child(session, failed)?.arm(&mut command);
        Ok((command, StartReport { path, pipe: report }))
    }

    fn into_child(self, session: SessionKind, failed: OwnedFd) -> Result<ChildSetup, KernelError> {
        let name = c_string(self.program.path().as_os_str().as_bytes())?;
        let mut argv = vec![name.clone()];
        for arg in &self.args {
            argv.push(c_string(arg.as_bytes())?);
        }
        let mut envp = Vec::new();
        for (name, value) in &self.env {
            envp.push(c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat())?);
        }
        Ok(ChildSetup {
            program: name,
            argv: ExecVector::new(argv),
            envp: ExecVector::new(envp),
            session,
            cwd: working_directory(&self.cwd, self.account.as_ref(), self.program.path())?,
            account: self.account.filter(|account| !account.is_own()),
            umask: self.umask,
            // What an operator runs at a terminal has the operator's own priority and limits.
            inherited: (!matches!(session, SessionKind::OfTerminal(_))).then(InheritedState::defaults),
            limits: self.limits,
            bounds: self.bounds,
            cgroups: self.cgroup.map_or(Ok(Vec::new()), |cgroup| cgroup.open_all_procs())?,
            files: self.files.map(|rules| FileConfinement::new(&rules)).transpose()?.flatten(),
            failed,
        })
    }
}

/// Opens the working directory of a program of root. Another user's program goes there with that user's rights.
fn working_directory(
    path: &Path,
    account: Option<&UserAccount>,
    program: &Path,
) -> Result<Result<OwnedFd, CString>, KernelError> {
    let as_root = account.map_or_else(runs_as_root, |account| account.uid.is_root());
    if !as_root {
        return c_string(path.as_os_str().as_bytes()).map(Err);
    }
    let failed =
        |errno| KernelError::Os { doing: format!("run {}: enter the working directory", program.display()), errno };
    match resolve_any(path, LastLink::Follow).and_then(|place| place.open(OFlags::PATH | OFlags::DIRECTORY)) {
        Err(KernelError::NotFound(_)) => Err(failed(Errno::NOENT)),
        Err(KernelError::Os { errno, .. }) => Err(failed(errno)),
        opened => opened.map(Ok),
    }
}

fn c_string(bytes: &[u8]) -> Result<CString, KernelError> {
    CString::new(bytes).map_err(|_| KernelError::Invalid(format!("{:?} holds a NUL", String::from_utf8_lossy(bytes))))
}

/// The step at which the child failed, if it did.
#[derive(Debug)]
pub(super) struct StartReport {
    path: PathBuf,
    pipe: OwnedFd,
}

impl StartReport {
    /// The error of a failed spawn, with the step that failed.
    pub(super) fn explain(&self, error: &std::io::Error) -> KernelError {
        let errno = error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error);
        let mut step = [0];
        let read = rustix::io::read(self.pipe.as_fd(), &mut step);
        if read == Ok(1) && step[0] == ChildStep::Exec as u8 && matches!(errno, Errno::NOEXEC | Errno::NOENT) {
            let why = not_executed(&self.path, errno);
            return KernelError::Refused { doing: format!("run {}", self.path.display()), why, errno };
        }
        let what = if read == Ok(1) { ChildStep::name(step[0]) } else { "start the process" };
        KernelError::Os { doing: format!("run {}: {what}", self.path.display()), errno }
    }
}

/// What keeps a file that is there from being executed, from its first bytes.
fn not_executed(path: &Path, errno: Errno) -> String {
    const LONGEST: u64 = 256;
    let mut head = Vec::new();
    // A file that cannot be read tells nothing.
    let _ = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut head));
    match (errno, head.strip_prefix(b"#!")) {
        (Errno::NOENT, Some(line)) => {
            let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default());
            format!("the program of its #! line, {}, does not exist", line.trim())
        }
        (Errno::NOENT, None) => "it does not exist, or its loader does not".to_owned(),
        _ if head.starts_with(b"\x7fELF") => "it is a program for another kind of machine".to_owned(),
        _ if path.extension().is_some_and(|extension| extension == "service") => {
            "it is not a program: it is a unit of systemd, which systemctl start runs".to_owned()
        }
        _ => "it is not a program: it has no #! line, such as #!/bin/sh".to_owned(),
    }
}
